"""Removal: name and vectors are gone from every decrypted byte of the file and of its log."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from kiosk.errors import RecordsFull, UnknownPerson
from kiosk.records import upkeep
from kiosk.records.key import KeySource
from kiosk.records.store import Store
from tests.support.records_kit import MODEL, open_store, template

PAGE, RESERVED = 4096, 80
"""SQLCipher 4: each page ends with a 16-byte IV and a 64-byte HMAC; page 1 begins with 16 bytes of salt."""


def decrypted(data: Path) -> bytes:
    """Every page of the file and every frame of the log, as an attacker with the key would see them."""
    try:
        crypto = ctypes.CDLL("libcrypto.so.3")
    except OSError:
        pytest.skip("needs OpenSSL's libcrypto.so.3 to look into the file")
    crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_256_cbc.restype = ctypes.c_void_p
    key = KeySource(data / "records.key").read().secret
    content = (data / "kiosk.db").read_bytes()
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    wal = data / "kiosk.db-wal"
    log = wal.read_bytes()[32:] if wal.exists() else b""
    pages += [log[at + 24 : at + 24 + PAGE] for at in range(0, len(log) - PAGE, PAGE + 24)]
    plain = []
    for page in pages:
        for start in (0, 16):  # a log frame may be page 1 as well, so both readings are searched
            body, iv = page[start : PAGE - RESERVED], page[PAGE - RESERVED : PAGE - RESERVED + 16]
            out, length = ctypes.create_string_buffer(len(body) + 32), ctypes.c_int()
            context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
            crypto.EVP_DecryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_cbc()), None, key, iv)
            crypto.EVP_CIPHER_CTX_set_padding(context, 0)
            crypto.EVP_DecryptUpdate(context, out, ctypes.byref(length), body, len(body))
            crypto.EVP_CIPHER_CTX_free(context)
            plain.append(out.raw[: length.value])
    return b"".join(plain)


def crowd(store: Store) -> None:
    """Enough people, of vectors long enough, that SQLite moves cells between pages."""
    for number in range(30):
        store.add_person(f"Person Number {number}", f"B{number}", [template(number, dimensions=512)])
    for number in (3, 8, 21):
        store.add_templates(store.person(f"B{number}").person_id, [template(f"{number}x", dimensions=512)])


@pytest.mark.parametrize("while_open", [True, False])
def test_no_byte_stays(tmp_path: Path, while_open: bool) -> None:
    """With the file in use (its log on the disk) as well as after closing."""
    secrets = [b"Person Number 8", template("8x", dimensions=512).embedding.vector.tobytes()[100:140]]
    with open_store(tmp_path) as store:
        crowd(store)
        seen = decrypted(tmp_path)
        assert all(secret in seen for secret in secrets), "the search itself must work"
        person = store.remove_person("B8")
        if while_open:
            seen = decrypted(tmp_path)
    if not while_open:
        seen = decrypted(tmp_path)
    assert not any(secret in seen for secret in secrets)
    assert b"person number 8" not in seen  # the key for comparing names
    assert template(8, dimensions=512).source_sha256.encode() not in seen  # the picture's hash is personal data too
    assert b"Person Number 9" in seen
    assert person.name == "Person Number 8"


def test_the_file_is_rebuilt(tmp_path: Path) -> None:
    """Overwritten pages do not stay either: the file shrinks by what was removed."""
    with open_store(tmp_path) as store:
        store.add_person("Ada", "B1", [template(number, dimensions=512) for number in range(60)])
        before = store.backup(tmp_path / "before.db").size_bytes
        store.remove_person("Ada")
        after = (tmp_path / "kiosk.db").stat().st_size
        assert after < before - 60 * 2048
        assert store.verify_chain().ok


def test_events_keep_only_the_id(tmp_path: Path) -> None:
    """The trail still says what happened to whom, and the chain holds."""
    with open_store(tmp_path) as store:
        person = store.add_person("Ada", "B1", [template(1)])
        details = {"similarity": 99.0}
        store.record_event(
            utc="2026-03-01T12:00:00Z", kind="GRANTED", reason="WELCOME", person_id=person.person_id, details=details
        )
        assert store.remove_person("Ada") == person
        assert [it.person_id for it in store.events()] == [person.person_id] * 3
        assert store.verify_chain().ok
        assert (store.people(), store.badge_holder("B1"), store.templates(MODEL)) == ([], None, [])
        for ref in ("Ada", "B1", person.person_id):
            with pytest.raises(UnknownPerson):
                store.person(ref)
        again = store.add_person("Ada", "B1", [template(1)])
        assert again.person_id != person.person_id
        assert store.check().ok


def test_an_interrupted_wipe_is_done_at_the_next_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut between the removal and the wipe leaves a debt, and the debt is paid."""

    def power_cut(_engine: object) -> bool:
        raise KeyboardInterrupt

    with open_store(tmp_path) as store:
        crowd(store)
        with monkeypatch.context() as patch:
            patch.setattr(upkeep, "wipe", power_cut)
            with pytest.raises(KeyboardInterrupt):
                store.remove_person("B8")
        assert store.check().wipe_owed
        with pytest.raises(UnknownPerson):
            store.person("B8")
    with open_store(tmp_path) as store:
        assert not store.check().wipe_owed
        assert template("8x", dimensions=512).embedding.vector.tobytes()[100:140] not in decrypted(tmp_path)


def test_a_wipe_that_fails_does_not_undo_the_removal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the person is gone, the store opens, and the check says what is owed."""

    def full(_engine: object) -> bool:
        raise RecordsFull("the disk is full")

    monkeypatch.setattr(upkeep, "wipe", full)
    with open_store(tmp_path) as store:
        crowd(store)
        assert store.remove_person("B8").name == "Person Number 8"
    with open_store(tmp_path) as store:
        assert store.check().ok
        assert store.check().wipe_owed
        assert len(store.people()) == 29


def test_a_reader_elsewhere_postpones_the_wipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is gone at once; the check says that bytes wait."""
    monkeypatch.setattr("kiosk.records.cipher.BUSY_TIMEOUT_S", 0.05)
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        crowd(store)
        with other._read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM people").scalar() == 30
            store.remove_person("B8")
            assert store.check().wipe_owed
            assert len(store.people()) == 29
        store.remove_person("B9")
        assert not store.check().wipe_owed

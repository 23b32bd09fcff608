"""The key: where it is looked for, how it is made, and what is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.errors import RecordsError, RecordsLocked
from kiosk.records.key import Key, KeySource
from kiosk.records.store import Store
from tests.support.records_kit import open_store


def key_file(path: Path, content: bytes = b"k" * 32, mode: int = 0o600) -> Path:
    """Write a key with a mode."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_order_of_places(tmp_path: Path) -> None:
    """The configured file, then the credential when it is there, then the data directory."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert KeySource.find(tmp_path, environ=environ) == KeySource(tmp_path / "records.key")
    key_file(credentials / "records.key", mode=0o440)
    assert KeySource.find(tmp_path, environ=environ) == KeySource(credentials / "records.key", credential=True)
    assert KeySource.find(tmp_path, key_file=tmp_path / "k", environ=environ) == KeySource(tmp_path / "k")
    assert KeySource.find(tmp_path, environ={}) == KeySource(tmp_path / "records.key")


@pytest.mark.parametrize("content", [bytes(range(32)), bytes(range(32)).hex().encode(), b" 000102" + bytes(29)])
def test_raw_or_hex(tmp_path: Path, content: bytes) -> None:
    """Both forms give the same 32 bytes; anything else is refused."""
    source = KeySource(key_file(tmp_path / "k", content))
    if content.startswith(b" "):
        with pytest.raises(RecordsLocked, match="36 bytes"):
            source.read()
    else:
        assert source.read().secret == bytes(range(32))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601, 0o777])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """Looser than 0600 is an error of one line that names the mode."""
    with pytest.raises(RecordsLocked, match=f"{mode:04o}.*chmod 600"):
        KeySource(key_file(tmp_path / "k", mode=mode)).read()


@pytest.mark.parametrize(("mode", "fits"), [(0o400, True), (0o440, True), (0o460, False), (0o444, False)])
def test_credentials_show_their_acl_as_group_bits(tmp_path: Path, mode: int, fits: bool) -> None:
    """systemd hands out 0440 with an ACL; world-readable is refused all the same."""
    source = KeySource(key_file(tmp_path / "k", mode=mode), credential=True)
    if fits:
        assert source.read() == Key(b"k" * 32)
    else:
        with pytest.raises(RecordsLocked):
            source.read()


def test_a_directory_is_no_key(tmp_path: Path) -> None:
    """A wrong path in the settings is said, not followed."""
    with pytest.raises(RecordsLocked):
        KeySource(tmp_path).read()


def test_made_once_with_the_database(tmp_path: Path) -> None:
    """0600, 32 random bytes, another one for another directory."""
    secrets = set()
    for name in ("a", "b"):
        open_store(tmp_path / name).close()
        source = KeySource(tmp_path / name / "records.key")
        assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / name / "kiosk.db").stat().st_mode) == 0o600
        secrets.add(source.read().secret)
        assert sorted(it.name for it in (tmp_path / name).iterdir()) == ["kiosk.db", "records.key"]
    assert len(secrets) == 2
    assert {len(secret) for secret in secrets} == {32}


def test_never_made_beside_an_old_database(tmp_path: Path) -> None:
    """A lost key is said; a fresh one would hide the loss."""
    open_store(tmp_path).close()
    (tmp_path / "records.key").unlink()
    with pytest.raises(RecordsLocked, match=r"records.key: the key is missing"):
        open_store(tmp_path)
    assert not (tmp_path / "records.key").exists()


def test_an_existing_key_is_used_and_never_overwritten(tmp_path: Path) -> None:
    """A key put there by the administrator is the key."""
    key_file(tmp_path / "records.key", bytes(range(32)))
    open_store(tmp_path).close()
    assert (tmp_path / "records.key").read_bytes() == bytes(range(32))
    with pytest.raises(RecordsError, match="already here"):
        KeySource(tmp_path / "records.key").make()
    assert (tmp_path / "records.key").read_bytes() == bytes(range(32))


def test_a_credential_is_never_made(tmp_path: Path) -> None:
    """It belongs to systemd."""
    source = KeySource(tmp_path / "gone" / "records.key", credential=True)
    with pytest.raises(RecordsLocked):
        Store.open(tmp_path / "kiosk.db", source, create=True)
    assert list(tmp_path.iterdir()) == []


def test_the_secret_does_not_show() -> None:
    """Not in a repr, so not in a traceback's locals either."""
    assert "6b6b" not in repr(Key(b"k" * 32))
    assert "kkk" not in repr(Key(b"k" * 32))

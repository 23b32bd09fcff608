"""``kiosk enroll``, ``kiosk engines`` and ``kiosk reindex`` by the real models; skipped where weights are absent."""

from __future__ import annotations

import csv
import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk.records.store import Store
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.sessions import CHALLENGES, Outcome, SessionImage
from tests.support.clikit import Shell, linked_data, photo
from tests.support.motokit import credentials, fresh, moto_server, service
from tests.support.serving import serving
from tests.support.specimens import card
from tests.support.zones import TD1_UTOPIA

ENGINE = """
[rekognition.site]
enabled = true
endpoint_url = "{url}"
[identity.models."sface-2021dec-int8bq+folded1"]
threshold = 98.5
"""
LOW = ("--quality", "low", "--face", "central")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk's and a server's data on the real weights."""
    made = tmp_path_factory.mktemp("enroll")
    linked_data(made / "kiosk", "core", "demo", "cards")
    linked_data(made / "server", "core")
    return made


@dataclass(frozen=True)
class Site:
    """A server of the site, which the kiosk is configured for."""

    config: Path
    server: Path
    key: AccessKey


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[Site]:
    """The server process."""
    key = AccessKey.fresh("admin")
    with Store.in_directory(folder / "server", create=True) as store:
        store.shelf().add_key(key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIOSK_DATA_DIR", str(folder / "server"))
        with serving("--no-tls") as server:
            config = folder / "site.toml"
            config.write_text(ENGINE.format(url=server.url))
            yield Site(config, folder / "server", key)


@pytest.fixture
def site(started: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """With the kiosk's data and credentials in the environment."""
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder / "kiosk"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", started.key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", started.key.secret)
    return started


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kiosk without an engine that knows nobody."""
    data = linked_data(tmp_path / "data", "core", "demo", "cards")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    return data


def specimen(file: Path) -> Path:
    """The Utopian specimen card with Person A's face."""
    drawn = Image.fromarray(card(tuple(TD1_UTOPIA)))
    face = Image.open(photo("obama.jpg")).convert("RGB").crop((250, 100, 700, 640))
    drawn.paste(face.resize((256, 307)), (40, 100))
    drawn.save(file)
    return file


def test_a_site_from_the_first_collection_to_the_last_person(kiosk: Shell, site: Site, tmp_path: Path) -> None:
    """Engines are prepared, asked and enrolled into; update, compare, detect; removal with proof; the end."""
    options = ("-c", site.config)
    assert "kiosk engines prepare" in kiosk("engines", "list", *options).err
    assert kiosk("engines", "prepare", *options).out == "site: made door\n"
    assert kiosk("engines", "prepare", *options).out == "site: all there\n"
    enrolled = kiosk("enroll", photo("obama.jpg"), "--name", "Person A", "--badge", "7", *LOW, "--json", *options)
    assert enrolled.code == 0, enrolled
    (engines,) = kiosk("engines", "list", "--json", *options).lines
    assert engines["engines"][0]["faces"] == 1
    assert "(site)" in kiosk("enroll", photo("obama2.jpg"), "--name", "Twice", *LOW, *options).complaint
    updated = kiosk("enroll", "update", "7", photo("obama2.jpg"), *LOW, *options)
    assert updated.out == "Person A has 1 new template\n", updated
    assert "does not show the person" in kiosk("enroll", "update", "7", photo("biden.jpg"), *LOW, *options).complaint
    (compared,) = kiosk("engines", "compare", photo("obama.jpg"), photo("obama2.jpg"), "--json", *options).lines
    assert compared["similarity"] > 98
    (seen,) = kiosk("engines", "detect", photo("obama.jpg"), *options).lines
    assert len(seen["faces"]) == 1
    assert "is in use" in kiosk("engines", "drop", "door", *options).complaint.replace("holds 1 faces", "is in use")
    proof = tmp_path / "proof.json"
    removed = kiosk("people", "remove", "7", "--proof", proof, *options)
    assert removed.out == "removed Person A\n", removed
    told = json.loads(proof.read_text())
    assert (told["complete"], [one["kind"] for one in told["events"]][-2:]) == (
        True,
        ["PERSON_REMOVED", "FACES_ERASED"],
    )
    assert "Person A" not in proof.read_text()
    assert kiosk("enroll", "settle", *options).out == "0 faces erased, 0 tasks left\n"
    assert kiosk("engines", "drop", "door", "--force", *options).out == "site: deleted door\n"


def test_somebody_is_enrolled_by_a_liveness_session(kiosk: Shell, site: Site) -> None:
    """Made elsewhere and carried out at a kiosk: whoever was called live is enrolled by its picture, others are not."""
    options = ("-c", site.config)
    kiosk("engines", "prepare", *options)
    picture = SessionImage(photo("biden.jpg").read_bytes(), None)
    with Store.in_directory(site.server, create=False) as store:
        shelf = store.shelf()
        made = []
        for confidence in (90.0, 20.0, None):
            session = shelf.begin_session(site.key.access_key_id, None, CHALLENGES, 0)
            made.append(session)
            if confidence is not None:
                shelf.start_session(session)
                shelf.end_session(session, Outcome(CHALLENGES[-1], confidence, (), picture, ()))
    live, spoof, waiting = made
    (fresh_one,) = kiosk("engines", "session", "--json", *options).lines
    assert fresh_one["status"] == "CREATED"
    assert kiosk("engines", "session", live, *options).out == f"{live}  SUCCEEDED  confidence 90\n"
    assert kiosk("engines", "session", fresh_one["session_id"], *options).out.endswith("CREATED\n")
    assert "SessionNotFoundException" in kiosk("engines", "session", str(uuid.uuid4()), *options).complaint
    words = ("--name", "Person B", *LOW, *options)
    assert "was not proven live" in kiosk("enroll", "--session", spoof, *words).complaint
    assert "the session is CREATED" in kiosk("enroll", "--session", waiting, *words).complaint
    answer = kiosk("enroll", "--session", live, *words)
    assert answer.out.startswith("enrolled Person B with 1 template"), answer
    kiosk("people", "remove", "Person B", *options)
    kiosk("engines", "drop", "door", "--force", *options)


def test_a_site_that_wants_a_check_enrolls_nobody_without(kiosk: Shell, alone: Path) -> None:
    """Before anything is opened; several checks at once are refused too."""
    config = alone / "live.toml"
    config.write_text("[enrollment]\nlive = true\n")
    assert "enrolls only who is checked" in kiosk("enroll", "a.jpg", "--name", "A", "-c", config).complaint
    assert "enrolls only who is checked" in kiosk("enroll", "card", "c.jpg", "a.jpg", "-c", config).complaint
    assert "add --unchecked" in kiosk("enroll", "batch", "people.csv", "-c", config).complaint
    assert "add --unchecked" in kiosk("enroll", "update", "A", "a.jpg", "-c", config).complaint
    both = kiosk("enroll", "--name", "A", "--session", "x", "--recording", "y").complaint
    assert "several ways" in both


@pytest.mark.usefixtures("alone")
def test_a_batch_tells_what_it_did_and_what_it_did_not(kiosk: Shell, tmp_path: Path) -> None:
    """Estimate, dry run, run, rejects that can be given again once they are mended, exit codes."""
    shutil.copy(photo("obama.jpg"), tmp_path / "a.jpg")
    Image.fromarray(np.full((400, 400, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    table, lost = tmp_path / "people.csv", tmp_path / "lost.csv"
    table.write_text("name,badge,path\nPerson A,7,a.jpg\nNobody,8,grey.png\n")
    words = ("enroll", "batch", table, "--rejects", lost, *LOW)
    (estimated,) = kiosk(*words, "--estimate", "--json").lines
    assert (estimated["people"], estimated["pictures"]) == (2, 2)
    nowhere = kiosk("enroll", "batch", table, "--rejects", tmp_path / "no" / "lost.csv", *LOW)
    assert "name another --rejects" in nowhere.complaint
    dry = kiosk(*words, "--dry-run")
    assert (dry.code, dry.out.splitlines()[0]) == (1, "2 people: 1 usable (dry run), 1 refused")
    assert kiosk("people", "list").out in ("", "nobody is enrolled yet\n")
    done = kiosk(*words)
    assert done.code == 1
    assert done.out.splitlines()[:2] == ["2 people: 1 enrolled, 1 refused", "      1 NO_FACE"]
    with lost.open(newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert (row["name"], row["badge"], row["step"], row["reason"]) == ("Nobody", "8", "quality", "NO_FACE")
    assert lost.stat().st_mode & 0o077 == 0
    shutil.copy(photo("biden.jpg"), tmp_path / "grey.png")
    mended = kiosk("enroll", "batch", lost, "--rejects", lost, *LOW, "--json")
    assert (mended.code, mended.lines[0]["enrolled"], lost.exists()) == (0, 1, False)
    table.write_bytes(b"name,badge,path\nAda,,a\0.jpg\n")
    odd = kiosk(*words)
    assert (odd.code, "UNUSABLE_LINE" in lost.read_text(), "internal" in odd.err) == (1, True, False)
    assert "no such folder or table" in kiosk("enroll", "batch", tmp_path / "absent").complaint


@pytest.mark.usefixtures("alone")
def test_rejects_that_are_the_source_are_not_lost(
    kiosk: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run leaves the file as it is; an interruption leaves everybody in it who was not reached."""
    for name in ("obama.jpg", "biden.jpg"):
        shutil.copy(photo(name), tmp_path / name)
    lost = tmp_path / "lost.csv"
    lost.write_text("name,badge,path\nPerson A,,obama.jpg\nPerson B,,biden.jpg\n")
    before = lost.read_bytes()
    words = ("enroll", "batch", lost, "--rejects", lost, *LOW)
    assert kiosk(*words, "--dry-run").code == 0
    assert lost.read_bytes() == before
    with monkeypatch.context() as patch:

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("kiosk.enrollment.batch.Batch._read", interrupted)
        assert kiosk(*words).code == 130
    with lost.open(newline="") as file:
        assert [(row["name"], row["reason"]) for row in csv.DictReader(file)] == [
            ("Person A", "NOT_REACHED"),
            ("Person B", "NOT_REACHED"),
        ]
    assert kiosk(*words, "--json").lines[0]["enrolled"] == 2


@pytest.mark.usefixtures("alone")
def test_a_card_is_read_shown_and_confirmed(kiosk: Shell, tmp_path: Path) -> None:
    """Proposed as JSON; enrolled only with what was confirmed; another face and an expired card are refused."""
    picture = specimen(tmp_path / "card.png")
    (proposed,) = kiosk("enroll", "card", picture, "--propose", "--json").lines
    assert proposed["name"] == "Anna Maria Eriksson"
    assert proposed["fields"]["birth_date"] == {
        "value": "1974-08-12", "source": "mrz", "confirmed": True, "confidence": pytest.approx(93, abs=10),
    }  # fmt: skip
    assert "a card alone proves nothing" in kiosk("enroll", "card", picture).complaint
    face = photo("obama2.jpg")
    allowed = ("--quality", "low", "--allow-expired")
    unconfirmed = kiosk("enroll", "card", picture, face, *allowed)
    assert (unconfirmed.code, unconfirmed.err.splitlines()[-1]) == (
        2, "kiosk: enroll card: the name is not confirmed; give --name, or --accept what the card says",
    )  # fmt: skip
    assert "has expired" in kiosk("enroll", "card", picture, face, "--accept", "--quality", "low").err
    other = kiosk("enroll", "card", picture, photo("biden.jpg"), "--accept", *allowed, "--face", "central")
    assert "another face than the card" in other.err
    done = kiosk("enroll", "card", picture, face, "--name", "Anna Eriksson", "--badge", "44", *allowed)
    assert done.out.startswith("enrolled Anna Eriksson with badge 44 as "), done


@pytest.mark.usefixtures("alone")
def test_a_batch_from_a_bucket(kiosk: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures below a prefix, badge in the name; what cannot be used is named by its address in the bucket."""
    credentials(monkeypatch)
    bucket = fresh("bucket")
    with moto_server() as url, service("s3", url) as s3:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for key, name in {"staff/Person A__7.jpg": "obama.jpg", "staff/Person B/1.jpg": "biden.jpg"}.items():
            s3.put_object(Bucket=bucket, Key=key, Body=photo(name).read_bytes())
        s3.put_object(Bucket=bucket, Key="staff/Nobody.png", Body=b"no picture")
        config, lost = tmp_path / "cloud.toml", tmp_path / "lost.csv"
        config.write_text(f'[cloud.pictures]\nendpoint_url = "{url}"\n')
        words = ("enroll", "batch", f"s3://{bucket}/staff", "--rejects", lost, *LOW, "-c", config, "--json")
        (told,) = kiosk(*words).lines
        assert (told["enrolled"], told["refused"], told["failed"]) == (2, 1, 0)
        assert f"s3://{bucket}/staff/Nobody.png" in lost.read_text()
        assert kiosk(*words).lines[0]["already"] == 2
        assert kiosk("people", "list", "7", "--json").lines[0]["name"] == "Person A"
        empty = kiosk("enroll", "batch", f"s3://{bucket}/nothing", "-c", config)
        assert "holds nobody" in empty.complaint

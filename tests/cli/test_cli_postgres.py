"""``kiosk rekognition --database``: two server processes over one PostgreSQL, asked by boto3 as anybody would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kiosk.records.key import KeySource
from kiosk.records.shared import SharedStore
from kiosk.rekognition.sessions import CHALLENGES
from tests.support.clikit import Shell, linked_data
from tests.support.pgkit import Postgres
from tests.support.serving import serving


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh data directory with the real weights."""
    folder = linked_data(tmp_path / "data", "core", "demo")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    return folder


def key_of(kiosk: Shell, *options: str) -> dict[str, str]:
    """A key from the command."""
    (key,) = kiosk("rekognition", "keys", "add", "--scope", "admin", "--json", *options).lines
    return {name: str(value) for name, value in key.items()}


def picture(data: Path, name: str) -> dict[str, bytes]:
    """A demo photograph, as the protocol wants it."""
    return {"Bytes": (data / "demo/photos" / name).read_bytes()}


def names(found: Any) -> list[str]:
    """Whom a search found."""
    return [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]]


def test_two_servers_over_one_database(
    kiosk: Shell, data: Path, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """One by option, one by its configuration, which also lets PostgreSQL search: each sees the other's faces."""
    url = postgres.url(database)
    key = key_of(kiosk, "--database", url)
    config = tmp_path / "kiosk.toml"
    config.write_text(f'[rekognition.server]\ndatabase = "{url}"\nmemory_faces = 0\n')
    with serving("--no-tls", "--database", url) as one, serving("--no-tls", "--config", str(config)) as two:
        first, second = one.client(key), two.client(key)
        first.create_collection(CollectionId="staff")
        for aws, name in ((first, "obama.jpg"), (second, "biden.jpg")):
            aws.index_faces(
                CollectionId="staff", Image=picture(data, name), ExternalImageId=name, MaxFaces=1, QualityFilter="NONE"
            )
        for aws in (first, second):
            found = aws.search_faces_by_image(CollectionId="staff", Image=picture(data, "obama2.jpg"))
            assert names(found) == ["obama.jpg"]
            assert found["FaceMatches"][0]["Similarity"] > 98.5
            found = aws.search_faces_by_image(CollectionId="staff", Image=picture(data, "biden.jpg"))
            assert names(found) == ["biden.jpg"]
        postgres.sql(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert first.describe_collection(CollectionId="staff")["FaceCount"] == 2
        assert second.describe_collection(CollectionId="staff")["FaceCount"] == 2
        assert kiosk("rekognition", "keys", "revoke", key["access_key_id"], "--database", url).code == 0
        for aws in (first, second):
            with pytest.raises(ClientError, match="UnrecognizedClientException"):
                aws.describe_collection(CollectionId="staff")
    assert not (data / "kiosk.db").exists()


def test_keys_are_kept_where_the_database_is(
    kiosk: Shell, bare: Path, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """Listed and revoked there; a configuration means the same as the option; no file is made."""
    url, config = postgres.url(database), tmp_path / "kiosk.toml"
    assert "is empty; start the server first" in kiosk("rekognition", "keys", "list", "--database", url).complaint
    assert not (bare / "records.key").exists()
    key = key_of(kiosk, "--database", url)
    config.write_text(f'[rekognition.server]\ndatabase = "{url}"\n')
    (listed,) = kiosk("rekognition", "keys", "list", "--json", "--config", config).lines[0]["keys"]
    assert listed["access_key_id"] == key["access_key_id"]
    assert "no valid key" in kiosk("rekognition", "keys", "revoke", "KIOSKX", "--config", config).complaint
    assert kiosk("rekognition", "keys", "revoke", key["access_key_id"], "--config", config).code == 0
    assert [path.name for path in bare.iterdir()] == ["records.key"]
    config.write_text(f'[rekognition.server]\ndatabase = "{url}"\nkey_file = "{tmp_path / "shared.key"}"\n')
    assert "records key that is not here" in kiosk("rekognition", "keys", "list", "--config", config).complaint
    (bare / "records.key").rename(tmp_path / "shared.key")
    assert key["access_key_id"] in kiosk("rekognition", "keys", "list", "--config", config).out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://kiosk:hunter2@db.example/kiosk", "--database: must not hold a password: use PGPASSWORD"),
        ("postgresql://db.example/kiosk?sslmode=require", "--database: needs sslmode=verify-full"),
        ("postgresql://127.0.0.1:1/kiosk", "postgresql://127.0.0.1:1/kiosk: the database server cannot be reached"),
        ("sqlite:///kiosk.db", "--database: must be postgresql://HOST/DATABASE"),
    ],
)
def test_what_cannot_be_is_one_line(kiosk: Shell, bare: Path, url: str, words: str) -> None:
    """For each command that takes the option; nothing is made."""
    commands = [["keys", "list"], ["keys", "add", "--scope", "admin"], ["keys", "revoke", "X"]]
    if words.startswith("--database"):
        commands += [["serve", "--no-tls"], ["check", "SESSION", "--recording", "none"]]
    for command in commands:
        complaint = kiosk("rekognition", *command, "--database", url).complaint
        assert words in complaint
        assert "hunter2" not in complaint
    assert list(bare.iterdir()) == []


def test_a_session_is_looked_up_in_the_database(
    kiosk: Shell, bare: Path, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """``check`` finds it there and ends it there, whatever becomes of the check."""
    url = postgres.url(database)
    with SharedStore.open(url, KeySource(bare / "records.key"), create=True) as store:
        shelf = store.shelf()
        session = shelf.begin_session("KEY", None, CHALLENGES, 0)
        absent = "00000000-0000-0000-0000-000000000000"
        options = ("--database", url, "--recording", tmp_path / "none")
        assert "there is no such session" in kiosk("rekognition", "check", absent, *options).complaint
        assert kiosk("rekognition", "check", session, *options).code == 2
        found = shelf.session(session)
        assert found is not None
        assert found.status == "FAILED"

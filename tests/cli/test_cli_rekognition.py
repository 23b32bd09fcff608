"""``kiosk rekognition``: the server as a process of its own, asked by boto3 and the AWS CLI as anybody would."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kiosk.cli.rig import Devices
from kiosk.records.store import Store
from kiosk.rekognition.sessions import CHALLENGES, Session
from kiosk.values import Face, Pixels
from tests.support.clikit import Shell, linked_data
from tests.support.facekit import plain_face
from tests.support.painted import painting
from tests.support.serving import REGION, WAIT_S, serving
from tests.support.simrig import EASY, SeenModels, simulated, world_of


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh data directory with the real weights."""
    folder = linked_data(tmp_path / "data", "core", "demo")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    return folder


def new_key(kiosk: Shell, *options: str) -> dict[str, str]:
    """A key from the command."""
    (key,) = kiosk("rekognition", "keys", "add", "--json", *options).lines
    assert set(key) == {"access_key_id", "secret_access_key"}
    return {name: str(value) for name, value in key.items()}


def status_of_length(url: str, length: int) -> int:
    """What a request is told that promises so many bytes: before any of them is sent."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=WAIT_S)
    connection.putrequest("POST", "/")
    now = datetime.now(UTC)
    signed = "host;x-amz-date;x-amz-target"
    claim = f"Credential=A/{now:%Y%m%d}/{REGION}/rekognition/aws4_request, SignedHeaders={signed}, Signature={'0' * 64}"
    connection.putheader("Authorization", f"AWS4-HMAC-SHA256 {claim}")
    connection.putheader("X-Amz-Date", f"{now:%Y%m%dT%H%M%SZ}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def picture(data: Path, name: str) -> dict[str, bytes]:
    """A demo photograph, as the protocol wants it."""
    return {"Bytes": (data / "demo/photos" / name).read_bytes()}


def test_real_people_are_told_apart_through_the_wire(kiosk: Shell, data: Path) -> None:
    """Indexed from one photograph, found by another; a different man is not; the answer survives a restart."""
    key = new_key(kiosk, "--scope", "admin")
    with serving("--no-tls") as server:
        assert server.url.startswith("http://127.0.0.1:")
        aws = server.client(key)
        aws.create_collection(CollectionId="staff")
        for name in ("obama.jpg", "biden.jpg"):
            indexed = aws.index_faces(
                CollectionId="staff", Image=picture(data, name), ExternalImageId=name, MaxFaces=1, QualityFilter="NONE"
            )
            assert len(indexed["FaceRecords"]) == 1
        (face,) = aws.detect_faces(Image=picture(data, "obama2.jpg"), Attributes=["ALL"])["FaceDetails"][:1]
        assert face["Confidence"] > 80
        assert 0 < face["BoundingBox"]["Width"] < 1
    with serving("--no-tls") as server:
        aws = server.client(key)
        found = aws.search_faces_by_image(CollectionId="staff", Image=picture(data, "obama2.jpg"))
        assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["obama.jpg"]
        assert found["FaceMatches"][0]["Similarity"] > 98.5
    assert not list(data.rglob("*.jpg.*"))
    log = [path for path in data.iterdir() if path.suffix in (".png", ".jpg")]
    assert log == []  # no picture was kept


def test_the_aws_cli_speaks_with_it(kiosk: Shell, data: Path) -> None:
    """The commands of docs/rekognition.md."""
    key = new_key(kiosk, "--scope", "admin")
    photo = f"fileb://{data / 'demo/photos' / 'obama.jpg'}"
    with serving("--no-tls") as server:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": key["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

        def aws(*words: str) -> Any:
            command = [str(Path(sys.executable).with_name("aws")), "rekognition", *words, "--endpoint-url", server.url]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        aws("create-collection", "--collection-id", "staff")
        made = aws("index-faces", "--collection-id", "staff", "--image-bytes", photo, "--external-image-id", "ada")
        assert [one["Face"]["ExternalImageId"] for one in made["FaceRecords"]] == ["ada"]
        found = aws("search-faces-by-image", "--collection-id", "staff", "--image-bytes", photo)
        assert [one["Face"]["ExternalImageId"] for one in found["FaceMatches"]] == ["ada"]
        assert aws("list-collections")["CollectionIds"] == ["staff"]


def test_a_certificate_is_made_once_and_trusted_by_name(kiosk: Shell, data: Path) -> None:
    """The client is told the file; without it, it refuses to speak; a second start keeps the certificate."""
    key = new_key(kiosk, "--scope", "read-only")
    with serving() as server:
        assert server.url.startswith("https://127.0.0.1:")
        made = (data / "rekognition.crt").read_bytes()
        assert (data / "rekognition.key").stat().st_mode & 0o077 == 0
        assert server.client(key, verify=str(data / "rekognition.crt")).list_collections()["CollectionIds"] == []
        with pytest.raises(Exception, match=r"(?i)certificate verify failed"):
            server.client(key).list_collections()
    with serving():
        assert (data / "rekognition.crt").read_bytes() == made


def test_what_is_no_request_does_not_end_the_server(kiosk: Shell, data: Path) -> None:
    """Rubbish, another path, another method, a body without end; the next request is answered."""
    import urllib.error
    import urllib.request

    assert data.is_dir()
    key = new_key(kiosk, "--scope", "match")
    with serving("--no-tls") as server:

        def status(path: str, body: bytes | None, **headers: str) -> int:
            request = urllib.request.Request(server.url + path, body, headers)
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                told.append(error.read())
                return error.code

        told: list[bytes] = []
        assert status("/", None) == 405
        assert status("/admin", b"{}") == 404
        assert status("/", b"\x00\xff" * 50) == 400
        assert status("/", b"{}", Authorization="AWS4-HMAC-SHA256 Credential=a/b/c/d/e") == 400
        assert status_of_length(server.url, 15 * 2**20 + 1) == 413
        assert not any(b"Traceback" in one for one in told)
        aws = server.client(key)
        with pytest.raises(ClientError, match="AccessDeniedException"):
            aws.create_collection(CollectionId="mine")
        assert aws.detect_faces(Image={"Bytes": painting()})["FaceDetails"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--listen", "192.0.2.1:80", "--no-tls"), "can be reached by others; listen on 127.0.0.1, or with TLS"),
        (("--listen", "localhost:80", "--no-tls"), "can be reached by others"),
        (("--listen", "nowhere"), "no HOST:PORT"),
        (("--listen", "192.0.2.1:8765"), "cannot be listened on"),
        (("--tls-cert", "/nonexistent.pem"), "belong together"),
        (("--tls-cert", "/nonexistent.pem", "--tls-key", "/nonexistent.pem"), "no PEM certificate"),
    ],
)
def test_a_server_that_must_not_or_cannot_start_says_why(
    kiosk: Shell, data: Path, words: tuple[str, ...], told: str
) -> None:
    """One line, nothing listening."""
    assert data.is_dir()
    assert told in kiosk("rekognition", "serve", *words).err


def test_keys_are_made_listed_and_revoked(kiosk: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is shown once and never again."""
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path))
    key = new_key(kiosk, "--scope", "enroll", "--collection", "staff", "--collection", "guests")
    (listed,) = kiosk("rekognition", "keys", "list", "--json").lines[0]["keys"]
    assert (listed["access_key_id"], listed["scope"]) == (key["access_key_id"], "enroll")
    assert listed["collections"] == ["guests", "staff"]
    assert listed["revoked"] is None
    text = kiosk("rekognition", "keys", "add", "--scope", "match")
    assert text.code == 0
    assert "secret access key" in text.out
    shown = kiosk("rekognition", "keys", "list").out
    assert key["access_key_id"] in shown
    assert key["secret_access_key"] not in shown
    assert kiosk("rekognition", "keys", "revoke", key["access_key_id"]).code == 0
    assert "revoked" in kiosk("rekognition", "keys", "list").out
    assert "no valid key" in kiosk("rekognition", "keys", "revoke", key["access_key_id"]).complaint
    assert "no scope" in kiosk("rekognition", "keys", "add", "--scope", "god").complaint


EASY_CONFIG = "".join(f"{key} = {value}\n" for key, value in EASY.model_dump(exclude_defaults=True).items())


class Looking(SeenModels):
    """Sees a face in every still, too."""

    def find_still(self, pixels: Pixels) -> list[Face]:
        """In the middle."""
        return [plain_face(pixels.shape[1] / 2 - 40, pixels.shape[0] / 2 - 40, 80.0)]


@pytest.fixture
def room(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Path, str]]:
    """A simulated room with somebody or nobody before the kiosk: (configuration, a fresh session's ID)."""

    def furnished(species: str) -> tuple[Path, str]:
        config = tmp_path / "easy.toml"
        config.write_text(f"[camera]\nwidth_px = 320\nheight_px = 240\nfps = 20.0\n[quality.door]\n{EASY_CONFIG}")
        world = world_of(species)

        @contextmanager
        def devices(_settings: object, _data: object) -> Iterator[Devices]:
            with simulated(world) as opened:
                yield replace(opened, models=Looking(world))

        monkeypatch.setattr("kiosk.cli.rig.real_devices", devices)
        with Store.in_directory(bare, create=True) as store:
            return config, store.shelf().begin_session("KEY", None, CHALLENGES, 2)

    return furnished


def stored(data: Path, session_id: str) -> Session:
    """The session as the server would see it."""
    with Store.in_directory(data, create=False) as store:
        found = store.shelf().session(session_id)
    assert found is not None
    return found


def test_a_session_is_carried_out_at_the_kiosk(
    kiosk: Shell, bare: Path, room: Callable[[str], tuple[Path, str]]
) -> None:
    """Somebody steps up, is flashed at, and the program that asked is told; a second check is refused."""
    config, session = room("live")
    answer = kiosk("rekognition", "check", session, "--config", config, "--json")
    assert answer.code == 0, answer
    (told,) = answer.lines
    assert (told["status"], told["session_id"]) == ("SUCCEEDED", session)
    assert told["confidence"] >= 50
    found = stored(bare, session)
    assert (found.status, len(found.outcome.audit if found.outcome else ())) == ("SUCCEEDED", 2)
    assert found.outcome is not None
    assert found.outcome.reference is not None
    assert "the session is SUCCEEDED" in kiosk("rekognition", "check", session, "--config", config).complaint


def test_a_print_is_told_with_its_confidence(kiosk: Shell, bare: Path, room: Callable[[str], tuple[Path, str]]) -> None:
    """The check succeeded; the confidence says that it was not a living person."""
    config, session = room("print_flat")
    (told,) = kiosk("rekognition", "check", session, "--config", config, "--json").lines
    assert told["confidence"] < 50
    assert stored(bare, session).status == "SUCCEEDED"


def test_an_empty_room_fails_the_session(kiosk: Shell, bare: Path, room: Callable[[str], tuple[Path, str]]) -> None:
    """The program that waits hears of it, in one line the operator too."""
    config, session = room("nobody")
    answer = kiosk("rekognition", "check", session, "--config", config, "--seconds", "3")
    assert (answer.code, answer.out) == (1, "")
    assert "nobody was judged in time" in answer.err
    assert stored(bare, session).status == "FAILED"


def test_a_check_that_cannot_be_done_says_why(
    kiosk: Shell, bare: Path, room: Callable[[str], tuple[Path, str]], tmp_path: Path
) -> None:
    """Unknown, without light, no recording: one line each, and a session that was begun is FAILED."""
    config, session = room("live")
    unknown = kiosk("rekognition", "check", "0" * 36, "--config", config).complaint
    assert "there is no such session" in unknown
    with Store.in_directory(bare, create=False) as store:
        dark = store.shelf().begin_session("KEY", None, ("FaceMovementChallenge",), 0)
    assert "without light" in kiosk("rekognition", "check", dark, "--config", config).complaint
    assert stored(bare, dark).status == "CREATED"
    gone = kiosk("rekognition", "check", session, "--recording", tmp_path / "gone", "--config", config).complaint
    assert "recording.json" in gone
    assert stored(bare, session).status == "FAILED"

"""Enrolling into a server of the site by the real commands: processes, weights, photographs, and a kill -9.

They skip where weights or photographs are absent. Between the two processes stands a wire that reads along, and at the
call that the test names kills whoever asked before the answer reaches them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kiosk.records.store import Store
from kiosk.rekognition.access import AccessKey
from models import manifest
from tests.support.clikit import linked_data
from tests.support.facekit import weights
from tests.support.serving import WAIT_S, serving

CONFIG = """
[enrollment]
keep_pictures = true
per_s = 1000.0
[rekognition.site]
enabled = true
endpoint_url = "{url}"
shards = 2
[identity.models."sface-2021dec-int8bq+folded1"]
threshold = 98.5
"""


@dataclass
class Wire:
    """Passes requests on, one connection at a time to each side."""

    port: int
    fatal: bytes = b""
    """What is in a request whose answer is not given back; its asker is killed instead."""
    victim: subprocess.Popen[str] | None = None
    killed: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        """Until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                threading.Thread(target=self._passed, args=(near,), daemon=True).start()

    def _passed(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", self.port)) as far:
            while head := self._message(near):
                far.sendall(head)
                answer = self._message(far)
                if self.fatal and self.fatal in head and self.victim is not None:
                    self.victim.send_signal(signal.SIGKILL)
                    self.killed.set()
                    return
                near.sendall(answer)

    @staticmethod
    def _message(source: socket.socket) -> bytes:
        """One HTTP message with a length."""
        content = b""
        while b"\r\n\r\n" not in content:
            more = source.recv(65536)
            if not more:
                return b""
            content += more
        head, _, body = content.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += source.recv(65536)
        return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def wired(url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to the server, and its own address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(int(url.rpartition(":")[2]))
        threading.Thread(target=wire.serve, args=(listening,), daemon=True).start()
        yield wire, f"http://127.0.0.1:{listening.getsockname()[1]}"


@dataclass
class Kiosk:
    """The commands of one kiosk."""

    data: Path
    config: Path
    key: AccessKey

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """A process of its own."""
        environment = {
            **os.environ,
            "KIOSK_DATA_DIR": str(self.data),
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret,
        }
        command = [sys.executable, "-c", "from kiosk.cli import main; main()", *map(str, words), "-c", str(self.config)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def __call__(self, *words: str | Path, code: int = 0) -> dict[str, object]:
        """What a command printed as JSON."""
        with self.start(*words, "--json") as process:
            out, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == code, (out, err)
        found: dict[str, object] = json.loads(out.splitlines()[-1])
        return found


def pictures(folder: Path) -> Path:
    """Two people of the demo: A with two photographs and a badge, B with one."""
    names = {"Person A__77": ("obama.jpg", "obama2.jpg"), "Person B": ("biden.jpg",)}
    for person, files in names.items():
        (folder / person).mkdir(parents=True)
        for file in files:
            shutil.copy(weights("demo") / manifest.item(file).folder / file, folder / person / file)
    return folder


def test_a_batch_that_is_killed_in_the_middle_of_an_index_goes_on(tmp_path: Path) -> None:
    """The face was indexed and nobody was told: the next run takes it back, and enrolls everybody once."""
    source = pictures(tmp_path / "pictures")
    server_data, data = linked_data(tmp_path / "server", "core"), linked_data(tmp_path / "kiosk", "core")
    key = AccessKey.fresh("admin")
    with Store.in_directory(server_data, create=True) as store:
        store.shelf().add_key(key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIOSK_DATA_DIR", str(server_data))
        with serving("--no-tls", "--rate", "1000") as server, wired(server.url) as (wire, url):
            kiosk = Kiosk(data, tmp_path / "kiosk.toml", key)
            kiosk.config.write_text(CONFIG.format(url=url))
            assert kiosk("engines", "prepare") == {"made": {"site": ["door-0", "door-1"]}}
            batch = (
                "enroll",
                "batch",
                source,
                "--quality",
                "low",
                "--face",
                "central",
                "--rejects",
                tmp_path / "lost.csv",
            )
            wire.fatal = b"RekognitionService.IndexFaces"
            with kiosk.start(*batch) as process:
                wire.victim = process
                told = process.communicate(timeout=WAIT_S)
            assert wire.killed.is_set(), told
            assert process.returncode == -signal.SIGKILL
            wire.fatal = b""
            shelf = Store.in_directory(server_data, create=False)
            with shelf as store:
                orphans = sum(store.shelf().collection(name).faces for name in ("door-0", "door-1"))  # type: ignore[union-attr]  # they are there
            assert orphans >= 1  # another worker may have been at another person
            done = kiosk(*batch)
            assert (done["enrolled"], done["already"], done["failed"]) == (2, 0, 0)
            assert kiosk(*batch)["already"] == 2
            (engine,) = kiosk("engines", "list")["engines"]  # type: ignore[misc,attr-defined]  # a list of one
            assert engine["faces"] == 3
            assert kiosk("reindex") == {
                "done": 0, "current": 2, "come_by": [], "failed": [], "retired": 0, "waiting": 0,
            }  # fmt: skip
            gone = kiosk("people", "remove", "77")
            assert (gone["faces_erased"], gone["waiting"]) == (2, 0)
            (engine,) = kiosk("engines", "list")["engines"]  # type: ignore[misc,attr-defined]  # a list of one
            assert engine["faces"] == 1
            with kiosk.start("people", "proof", str(gone["removed"])) as process:
                out, _ = process.communicate(timeout=WAIT_S)
            proof = json.loads(out)
            assert (proof["complete"], proof["chain"], proof["waiting"]) == (True, "whole", [])
            assert [event["kind"] for event in proof["events"]] == ["PERSON_REMOVED", "FACES_ERASED"]

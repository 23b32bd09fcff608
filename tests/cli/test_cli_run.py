"""``kiosk run``: files as cameras, the summary, signals; the door stays locked on every path."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from kiosk.cli.play import stop_on_signals
from kiosk.errors import DisplayClosed
from kiosk.runtime.loop import Loop
from tests.support.clikit import Shell, photo

MEMORY = ("--display", "memory", "--door", "memory")
WAIT_S = 120.0
"""Longest wait for a process; nothing is judged by it."""


@pytest.fixture
def clip(enrolled: Path, tmp_path: Path) -> Path:
    """Twelve pictures of one face as a folder."""
    assert enrolled.is_dir()
    folder = tmp_path / "clip \u00e4"
    folder.mkdir()
    with Image.open(photo("obama.jpg")) as picture:
        picture.thumbnail((640, 640))
        for number in range(12):
            picture.save(folder / f"{number:02}.jpg")
    return folder


def events(err: str) -> list[str]:
    """The names of the journal's events on standard error, each line of which is JSON."""
    return [json.loads(line)["event"] for line in err.splitlines()]


def test_a_clip_guides_the_face_and_never_opens(kiosk: Shell, clip: Path) -> None:
    """One JSON object at the end of standard output; the journal is on standard error."""
    answer = kiosk("run", *MEMORY, "--camera", clip, "--fast", "--json")
    assert answer.code == 0
    (summary,) = answer.lines
    assert set(summary) == {"visits", "door_pulses", "frames", "fps"}
    assert (summary["door_pulses"], summary["frames"]) == (0, 12)
    (visit,) = summary["visits"]
    assert visit["decision"] == "none"
    assert "VISIT_STARTED" in events(answer.err)
    assert "GRANTED" not in events(answer.err)


def test_the_summary_as_text(kiosk: Shell, clip: Path) -> None:
    """For people, paced as filmed, ended by time."""
    answer = kiosk("run", *MEMORY, "--camera", clip, "--seconds", "60")
    assert answer.code == 0
    assert "0 door pulses" in answer.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.mp4", "is no camera and no file"),
        ("folder", "no frames in it"),
        ("empty.mp4", "cannot be opened as a video; use MP4, MKV, AVI or WebM"),
        ("text.mp4", "cannot be opened as a video"),
        ("text.jpg", "is no picture"),
        ("session", "is no JSON"),
    ],
)
@pytest.mark.parametrize("flag", [(), ("--fast",)])
def test_a_file_without_frames_is_one_line(
    kiosk: Shell, enrolled: Path, tmp_path: Path, name: str, words: str, flag: tuple[str, ...]
) -> None:
    """Trying again would not help, so the kiosk says why and ends."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("words")
    (tmp_path / "text.jpg").write_text("words")
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "recording.json").write_text("words")
    answer = kiosk("run", *MEMORY, "--json", "--seconds", "60", "--camera", tmp_path / name, *flag)
    assert (answer.code, answer.out) == (2, "")
    *journal, last = answer.err.splitlines()
    assert last.startswith("kiosk: ")
    assert words in last
    assert "GRANTED" not in events("\n".join(journal))
    assert enrolled.is_dir()


def test_a_camera_that_is_not_there_is_a_fault_not_an_end(kiosk: Shell, enrolled: Path) -> None:
    """Out of service, still running: somebody may plug it in."""
    answer = kiosk("run", *MEMORY, "--json", "--camera", "/dev/null", "--seconds", "0.3")
    assert answer.code == 0
    assert answer.lines[0]["frames"] == answer.lines[0]["door_pulses"] == 0
    assert "FAULTED" in events(answer.err)
    assert enrolled.is_dir()


def test_a_closed_window_ends_the_run(kiosk: Shell, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with its summary."""

    def closed(_loop: Loop) -> None:
        raise DisplayClosed("the window was closed")

    monkeypatch.setattr(Loop, "turn", closed)
    answer = kiosk("run", *MEMORY, "--json", "--camera", clip)
    assert (answer.code, answer.lines[0]["visits"]) == (0, [])


def test_a_second_ctrl_c_does_not_wait() -> None:
    """The first one asks the loop to end; the next is the interpreter's own."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job begins with it ignored
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        assert isinstance(stop, threading.Event)
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_in_order(enrolled: Path, tmp_path: Path, number: signal.Signals) -> None:
    """A process of its own, told to stop when it is ready: exit code 0, the summary, STOPPING=1, no trace."""
    assert enrolled.is_dir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(WAIT_S)
        command = [sys.executable, "-c", "from kiosk.cli import main; main()", "run", "--json", *MEMORY]
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(
            [*command, "--camera", "/dev/null"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while b"READY=1" not in heard.recv(4096):
                pass
            process.send_signal(number)
            out, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0
        assert json.loads(out)["door_pulses"] == 0
        assert "Traceback" not in err
        while b"STOPPING=1" not in heard.recv(4096):
            pass

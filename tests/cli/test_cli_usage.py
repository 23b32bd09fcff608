"""What is typed wrongly, and where answers go: one line, exit code 2, only the answer on standard output."""

from __future__ import annotations

import errno
import io
import json
import sys
from pathlib import Path

import pytest

import kiosk.cli
from kiosk.cli.app import INTERRUPTED, OUTPUT_GONE
from kiosk.cli.common import complain, emit, progress, say
from kiosk.errors import KioskError
from tests.support.clikit import Shell

MEMORY = ("--display", "memory", "--door", "memory")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("dance", "No such command 'dance'; see kiosk --help"),
        ("run --colour", "No such option: --colour"),
        ("run --seconds 0", "'--seconds'"),
        ("run --seconds nan", "'--seconds'"),
        ("run --seconds soon", "'--seconds'"),
        ("run --display foo", '--display: \'foo\' is not allowed; wanted: one of "pygame", "memory"'),
        ("run --door foo", '--door: \'foo\' is not allowed; wanted: one of "gpiozero", "gpiod", "memory"'),
        ("run --fast --display memory", "cannot drive a real door; add --door memory"),
        ("enroll a.jpg", "Missing option '--name' / '-n'; see kiosk enroll person --help"),
        ("enroll --name A", "no picture given"),
        ("identify", "Missing argument 'IMAGE...'; see kiosk identify --help"),
        ("identify --quality best a.jpg", "'--quality': 'best' is not one of 'none', 'low', 'high'"),
        ("identify --face left a.jpg", "'--face': 'left' is not one of 'largest', 'central', 'only'"),
        ("compare a.jpg", "Missing argument 'IMAGE'"),
        ("screens", "Missing option '--out' / '-o'"),
        ("screens --out x --size 800", "--size: not a screen size: '800'"),
        ("screens --out x --size \u00b2\u00b2\u00b2\u00b2x480", "not a screen size"),
        ("screens --out x --size 99999x480", "not a screen size"),
        ("people show", "Missing argument"),
        ("liveness score", "Missing argument 'DIR'"),
        ("models verify --group tea", "unknown group tea; known are cards, core"),
        ("models fetch --group tea", "unknown group tea; known are cards, core"),
        ("models calibrate absent", "no pictures below it"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_a_wrong_command_is_one_line(kiosk: Shell, typed: str, words: str) -> None:
    """Each names what was wrong and what is possible."""
    assert words in kiosk(*typed.split(" ")).complaint


@pytest.mark.parametrize("flag", [(), ("--json",)])
@pytest.mark.parametrize(
    "typed",
    ["run", "doctor", "screens --out x", "enroll --name A a.jpg", "people list", "people show A", "people remove A",
     "identify a.jpg", "compare a.jpg b.jpg", "quality a.jpg", "liveness score x", "bench"],
)  # fmt: skip
def test_the_configuration_is_read_before_anything_is_done(
    kiosk: Shell, bare: Path, tmp_path: Path, typed: str, flag: tuple[str, ...]
) -> None:
    """A file that is missing or wrong stops every command that takes one, and nothing was made."""
    wrong = tmp_path / "kiosk.toml"
    wrong.write_text("[door]\npulse = 3\n")
    if not typed.startswith(("people show", "people remove")):  # nobody is enrolled: that is said first
        absent = kiosk(*typed.split(), *flag, "--config", tmp_path / "absent.toml")
        assert "no such configuration file" in absent.complaint
        found = kiosk(*typed.split(), *flag, "--config", wrong).complaint
        assert "unknown setting door.pulse" in found
        assert "did you mean door.pulse_s?" in found
    assert kiosk(*typed.split(), *flag, "--config", wrong).code == 2
    assert list(bare.iterdir()) == []


@pytest.mark.parametrize("typed", ["", "models", "people", "liveness"])
def test_a_group_alone_shows_its_help(kiosk: Shell, typed: str) -> None:
    """Not an error trace, and not success either."""
    answer = kiosk(*typed.split())
    assert answer.code == 2
    assert "Usage: kiosk" in answer.out
    assert answer.err == ""


def test_every_command_has_help_and_json(kiosk: Shell) -> None:
    """The issue's list, each with its help page."""
    commands = ["run", "demo", "doctor", "screens", "models fetch", "models list", "models verify", "enroll person",
                "enroll update", "enroll card", "enroll batch", "enroll settle", "reindex", "engines list",
                "people list", "people show", "people remove", "identify", "compare", "quality", "liveness score",
                "bench"]  # fmt: skip
    for command in commands:
        answer = kiosk(*command.split(), "--help")
        assert answer.code == 0, command
        assert "--json" in answer.out, command
        assert answer.err == ""


def test_an_unknown_users_folder_is_refused(kiosk: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde that leads nowhere."""
    monkeypatch.setenv("KIOSK_DATA_DIR", "~nobody-of-this-name/data")
    assert "names no user's folder" in kiosk("models", "list").complaint


def test_an_internal_error_is_one_line_too(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows no trace to staff, unless it is asked for."""

    def broken(*_arguments: object, **_more: object) -> object:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("models.manifest.verify", broken)
    answer = kiosk("models", "verify")
    assert answer.code == 2
    assert answer.err == "kiosk: internal error (ZeroDivisionError); report it with the trace of KIOSK_TRACEBACK=1\n"
    monkeypatch.setenv("KIOSK_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        kiosk("models", "verify")
    assert list(bare.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (KeyboardInterrupt(), INTERRUPTED, "kiosk: interrupted\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), OUTPUT_GONE, ""),
        (OSError(errno.EMFILE, "Too many open files", "x.db"), 2, "kiosk: x.db: Too many open files\n"),
        (KioskError("two\nlines", where="here", mend="mend"), 2, "kiosk: here: two lines; mend\n"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_whatever_ends_a_command_has_its_code(
    kiosk: Shell, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, line: str
) -> None:
    """Ctrl-C, a reader that went away, the system's complaint, and ours."""

    def end(*_arguments: object, **_more: object) -> object:
        raise raised

    monkeypatch.setattr("models.manifest.verify", end)
    stdout = sys.stdout
    answer = kiosk("models", "verify")
    monkeypatch.setattr(sys, "stdout", stdout)  # click muffles the stream after a broken pipe
    assert (answer.code, answer.err) == (code, line)


def test_ctrl_c_while_loading_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The seconds in which modules load belong to the command as well."""

    def interrupt(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("kiosk.cli.app.run_app", interrupt)
    with pytest.raises(SystemExit) as ended:
        kiosk.cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "kiosk: interrupted\n"


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        """Refuse."""
        raise OSError(errno.ENOSPC, f"No space left on device for {len(text)}")


def test_output_that_cannot_be_written_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a closed stream behind standard output; standard error is never worth an error."""
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(KioskError, match="standard output: cannot be written"):
        say("line")
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(KioskError, match="standard output: is closed"):
        emit({"a": 1})
    for stream in (Full(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        complain("nobody hears it")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_names_of_any_bytes_stay_json_in_any_terminal(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """A file name that is no UTF-8 arrives as a lone surrogate: JSON and text must leave as valid bytes."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape"))
    names = ["bad\udcff.jpg", "J\u00f6rg \u4f60.jpg", "plain.jpg"]
    for name in names:
        emit({"image": name})
        say(name)
    lines = raw.getvalue().decode(encoding).splitlines()
    assert [json.loads(line)["image"] for line in lines[::2]] == names
    assert lines[1] == "bad\\udcff.jpg"
    assert lines[5] == "plain.jpg"


def test_no_number_that_json_lacks() -> None:
    """NaN is refused rather than printed."""
    with pytest.raises(ValueError, match="JSON"):
        emit({"value": float("nan")})


def test_a_progress_bar_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """It is drawn on standard error, and only on a terminal."""
    for quiet in (True, False):
        with progress(quiet=quiet, size_in_bytes=not quiet) as advance:
            advance("work", 0, 2)
            advance("work", 2, 2)
    assert capsys.readouterr().out == ""

"""``kiosk people`` and what can be wrong with the store: nothing is made, changed or lost by a failed command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiosk.records.store import DATABASE, Store
from tests.support.clikit import Shell

KEY = "records.key"
READING = ["people list", "people show Jane", "people remove Jane"]


@pytest.fixture
def staffed(bare: Path) -> Path:
    """Two people, without any template: no weights are needed."""
    with Store.in_directory(bare, create=True) as store:
        store.add_person("J\u00f6rg \u00dcnal", "A-7")
        store.add_person("Jane Doe")
    return bare


def content(data: Path) -> dict[str, bytes]:
    """Everything in the data directory."""
    return {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}


def test_nobody_is_enrolled_yet(kiosk: Shell, bare: Path) -> None:
    """An empty list is an answer; somebody in particular is an error; no database is made by asking."""
    assert kiosk("people", "list").out == "nobody is enrolled yet\n"
    assert kiosk("people", "list", "--json").lines == []
    for command in ("show", "remove"):
        assert "nobody is enrolled yet; kiosk enroll" in kiosk("people", command, "Jane").complaint
    assert list(bare.iterdir()) == []


@pytest.mark.usefixtures("staffed")
def test_people_are_listed_shown_and_removed(kiosk: Shell) -> None:
    """As text and as JSON."""
    assert [one["name"] for one in kiosk("people", "list", "--json").lines] == ["Jane Doe", "J\u00f6rg \u00dcnal"]
    assert "J\u00f6rg \u00dcnal  badge A-7  0 templates" in kiosk("people", "list").out
    assert kiosk("people", "list", "a-7", "--json").lines[0]["badge"] == "A-7"
    (shown,) = kiosk("people", "show", "a-7", "--json").lines
    assert shown["active"] is True
    assert "badge      A-7" in kiosk("people", "show", "J\u00f6rg \u00dcnal").out
    assert kiosk("people", "remove", "A-7").out == "removed J\u00f6rg \u00dcnal\n"
    (gone,) = kiosk("people", "remove", "Jane Doe", "--json").lines
    assert set(gone) == {"removed", "faces_erased", "waiting"}
    assert kiosk("people", "list", "--json").lines == []


@pytest.mark.usefixtures("staffed")
def test_a_flash_is_forbidden_and_allowed_again(kiosk: Shell) -> None:
    """By a word of its own, never by leaving one out; without a badge the operator is warned."""
    assert kiosk("people", "set", "A-7", "--no-flash").out == "J\u00f6rg \u00dcnal is checked with no flash\n"
    assert "no_flash   True" in kiosk("people", "show", "A-7").out
    (shown,) = kiosk("people", "show", "A-7", "--json").lines
    assert shown["no_flash"] is True
    (back,) = kiosk("people", "set", "A-7", "--flash", "--json").lines
    assert back["no_flash"] is False
    assert "has no badge yet" in kiosk("people", "set", "Jane Doe", "--no-flash").out
    assert "flash" in kiosk("people", "set", "Jane Doe").complaint
    assert "nobody" in kiosk("people", "set", "Somebody", "--flash").complaint


@pytest.mark.parametrize("who", ["99", "Jan Do", "", "\udcff\udcfe", "x" * 5000, "%", "'; drop table people; --"])
def test_an_unknown_badge_or_name_is_one_line(kiosk: Shell, staffed: Path, who: str) -> None:
    """Whatever was typed."""
    before = content(staffed)
    for command in ("show", "remove"):
        for flag in ([], ["--json"]):
            assert "nobody is called" in kiosk("people", command, *flag, "--", who).complaint
    assert content(staffed) == before


def wrong_key(data: Path) -> None:
    """Another kiosk's key."""
    (data / KEY).write_text("ab" * 32 + "\n")


def short_key(data: Path) -> None:
    """A key that was cut short."""
    (data / KEY).write_text("abc")


def no_key(data: Path) -> None:
    """The key is lost."""
    (data / KEY).unlink()


def open_key(data: Path) -> None:
    """Everybody may read it."""
    (data / KEY).chmod(0o644)


def cut_database(data: Path) -> None:
    """The second half is gone."""
    content = (data / DATABASE).read_bytes()
    (data / DATABASE).write_bytes(content[: len(content) // 2])


def empty_database(data: Path) -> None:
    """All of it is gone."""
    (data / DATABASE).write_bytes(b"")


def text_database(data: Path) -> None:
    """Another file altogether."""
    (data / DATABASE).write_text("hello")


def folder_database(data: Path) -> None:
    """No file at all."""
    (data / DATABASE).unlink()
    (data / DATABASE).mkdir()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (wrong_key, "the key does not open the database"),
        (short_key, "the key holds 3 bytes"),
        (no_key, "the key is missing"),
        (open_key, "others may read the key (mode 0644); chmod 600 it"),
        (cut_database, "the database is damaged; restore a backup"),
        (empty_database, "restore a backup"),
        (text_database, "restore a backup"),
        (folder_database, "this is a directory, not a database"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line_and_stays_as_it_is(
    kiosk: Shell, staffed: Path, no_devices: Path, harm: object, words: str
) -> None:
    """By every command that reads it, and by doctor as a fault with its mend."""
    assert callable(harm)
    harm(staffed)
    before = content(staffed)
    for command in READING:
        assert words in kiosk(*command.split()).complaint
        assert words in kiosk(*command.split(), "--json").complaint
    records = [one for one in kiosk("doctor", "--json", "--config", no_devices).lines if one["part"] == "records"]
    assert records[0]["result"] == "fault"
    assert words.split(";")[0] in f"{records[0]['found']}; {records[0]['mend']}"
    assert content(staffed) == before


def test_a_key_file_named_in_the_configuration_is_used(kiosk: Shell, staffed: Path, tmp_path: Path) -> None:
    """And the one in the data directory is not."""
    shutil.move(staffed / KEY, tmp_path / "elsewhere.key")
    settings = tmp_path / "kiosk.toml"
    settings.write_text(f'[records]\nkey_file = "{tmp_path / "elsewhere.key"}"\n')
    assert len(kiosk("people", "list", "--json", "--config", settings).lines) == 2
    assert "the key is missing" in kiosk("people", "list", "--json").complaint


def test_settling_is_quiet_where_there_is_nothing_to_settle(kiosk: Shell, staffed: Path) -> None:
    """No engine, no shelf, no task: done, by the exit code that the hourly unit calls success."""
    done = kiosk("enroll", "settle")
    assert (done.code, done.out, done.err) == (0, "0 faces erased, 0 tasks left\n", "")
    (staffed / DATABASE).unlink()
    assert "there is no database" in kiosk("enroll", "settle").complaint


def test_an_engine_that_is_away_is_no_failure_of_settling(
    kiosk: Shell, staffed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, which the unit takes for success, and a line that says why; a wrong setting is 2."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    config = tmp_path / "away.toml"
    site = '[rekognition.site]\nenabled = true\nendpoint_url = "http://127.0.0.1:1"\n'
    config.write_text(f"{site}[identity.models.some]\nthreshold = 98.5\n")
    with Store.in_directory(staffed, create=False) as store:
        store.enrollments().begin(store.person("Jane Doe").person_id, [("site", "door")], "gone")
    done = kiosk("enroll", "settle", "-c", config)
    assert (done.code, done.out) == (1, "0 faces erased, 1 tasks left\n")
    assert len(done.err.splitlines()) == 1
    config.write_text("[rekognition.site]\nenabled = 7\n")
    assert kiosk("enroll", "settle", "-c", config).code == 2

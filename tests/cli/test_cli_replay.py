"""``kiosk liveness replay``: then and now, what differs, and recordings that cannot be read."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hardware.recording.write import write_recording
from kiosk.cli.liveness_replay import recordings, with_changes
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError, InputError
from kiosk.evaluation.gather import gather_evidence
from kiosk.evaluation.recording import RecordedFrame, Recording
from kiosk.identity.scale import Scale
from kiosk.site.replaying import replay, tally
from kiosk.values import Frame, Liveness
from tests.evaluation.test_score import PerfectModels, rendered
from tests.support.clikit import Shell

TABLES = {"perfect": {"cosine_at": {"80": 0.2, "90": 0.3, "98": 0.4, "99": 0.5}}}
SCALE = Scale.from_tables("perfect", TABLES)


@cache
def session() -> tuple[Recording, PerfectModels]:
    """A rendered live one, at 20 frames a second."""
    world, shots = rendered("live")
    frames = tuple(
        RecordedFrame(
            f"{number}.png", shot.frame.exposure_start_s, shot.frame.exposure_s, (640, 480),
            lambda pixels=shot.frame.pixels: pixels,
        )
        for number, shot in enumerate(shots)
    )  # fmt: skip
    found = Recording(world.slots, world.c.panel, "sim:0", True, None, None, frames, "live", 62.2)
    return found, PerfectModels({number: [shot.face] for number, shot in enumerate(shots)})


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session on the disk twice, once labelled."""
    found, _models = session()
    folder = tmp_path_factory.mktemp("replay") / "month"
    frames = [
        Frame(np.asarray(one.load()), number, one.exposure_start_s, one.exposure_s, True)
        for number, one in enumerate(found.frames)
    ]
    write_recording(
        folder / "0001", slots=found.slots, panel=found.panel, camera_name=found.camera_name, exposure_locked=True,
        lag_s=None, ambient_lux=None, frames=frames, species="live", hfov_deg=62.2,
    )  # fmt: skip
    shutil.copytree(folder / "0001", folder / "0002")
    document = json.loads((folder / "0002" / "recording.json").read_text())
    del document["label"]
    (folder / "0002" / "recording.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def written(month: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, and models that know the session."""
    del bare
    _found, models = session()
    monkeypatch.setattr("models.faces.open_models", lambda _data: PerfectModels(models.faces))
    monkeypatch.setattr("models.manifest.similarity_tables", lambda: TABLES)
    return shutil.copytree(month, tmp_path / "month")


def test_then_and_now(kiosk: Shell, written: Path) -> None:
    """A stricter threshold turns one gate, and with it the verdict; the table and the JSON say so."""
    answer = kiosk("liveness", "replay", written, "--set", "liveness.same_face=99", "--set", "liveness.contrast=0.01")
    assert answer.code == 0, answer
    assert "contrast pass > " in answer.out
    assert "live: live 1 of 1 then, 0 now" in answer.out
    assert "without a label: live 1 of 1 then, 0 now" in answer.out
    first, second = kiosk("liveness", "replay", written, "--set", "liveness.contrast=0.01", "--json").lines
    assert [first["label"], second["label"]] == ["live", None]
    assert first["then"]["verdict"] == "live"
    assert first["now"]["verdict"] != "live"
    assert [change["gate"] for change in first["changed"]] == ["contrast"]


def test_without_changes_nothing_changes(kiosk: Shell, written: Path) -> None:
    """One recording named itself."""
    (only,) = kiosk("liveness", "replay", written / "0002", "--json").lines
    assert only["changed"] == []
    assert only["then"] == only["now"]


def test_unreadable_ones_are_one_line_each(kiosk: Shell, written: Path) -> None:
    """The others are judged; where none is left the exit code is 2."""
    broken = written / "0001" / "recording.json"
    broken.write_text("{")
    answer = kiosk("liveness", "replay", written, "--json")
    assert answer.code == 0
    assert len(answer.lines) == 1
    assert len(answer.err.splitlines()) == 1
    assert "left out" in answer.err
    shutil.rmtree(written / "0002")
    answer = kiosk("liveness", "replay", written)
    assert answer.code == 2
    assert answer.err.splitlines()[-1].endswith("none of the recordings could be read")


def test_a_folder_that_is_not_there(kiosk: Shell, bare: Path) -> None:
    """One line."""
    assert "no such folder" in kiosk("liveness", "replay", bare / "none").complaint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("liveness.timing_r", "is no change"),
        ("timing_r=0.8", "is no change"),
        ("door.pulse_s=60", "is no change"),
        ("liveness.timing=0.8", "did you mean liveness.timing_r?"),
        ("liveness.zzz=0.8", "known are"),
        ("liveness.timing_r=high", "is no value"),
        ("liveness.timing_r=0.1", "wanted: a number from 0.75 to 0.99"),
        ('liveness.timing_r="0.8"', "wanted"),
    ],
)
def test_changes_are_checked(kiosk: Shell, bare: Path, change: str, words: str) -> None:
    """Before anything is read; thresholds stay within what the kiosk would accept."""
    assert words in kiosk("liveness", "replay", bare, "--set", change).complaint


def test_changes_add_up() -> None:
    """Two of them, and nothing else."""
    changed = with_changes(Settings(), ["liveness.timing_r=0.9", " liveness.tries = 0 "])
    assert (changed.liveness.timing_r, changed.liveness.tries) == (0.9, 0)
    assert changed.door == Settings().door
    with pytest.raises(ConfigurationError):
        with_changes(Settings(), ["liveness.tries=1.5"])


def test_recordings_are_found_once(tmp_path: Path) -> None:
    """A folder of recordings, and one of them named again; files are no recordings."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recording.json").write_text(json.dumps({}))
    (tmp_path / "notes").mkdir()
    assert recordings([tmp_path, tmp_path / "a"]) == [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(InputError):
        recordings([tmp_path / "a" / "recording.json"])


def test_the_frames_are_looked_at_once(kiosk: Shell, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured lies beside them; the next replay needs no models, and says the same."""
    first = kiosk("liveness", "replay", written, "--set", "liveness.contrast=0.01", "--json").lines
    assert all((written / name / "evidence.npz").is_file() for name in ("0001", "0002"))
    monkeypatch.setattr("models.faces.open_models", lambda _data: pytest.fail("the models were opened"))
    assert kiosk("liveness", "replay", written, "--set", "liveness.contrast=0.01", "--json").lines == first
    (scored,) = kiosk("liveness", "score", written / "0001", "--json").lines
    assert scored == first[0]["then"]


def test_scoring_reads_and_does_not_write(kiosk: Shell, written: Path) -> None:
    """The folder stays as it is."""
    before = sorted(one.name for one in written.rglob("*"))
    assert kiosk("liveness", "score", written / "0001").code == 0
    assert sorted(one.name for one in written.rglob("*")) == before


def test_labelled_recordings_are_reported(kiosk: Shell, written: Path, bare: Path) -> None:
    """The one without a label is told; what was measured is kept, and the second report is the first."""
    first, second = (
        kiosk("liveness", "evaluate", "--recordings", written, "--out", bare / name, "--json") for name in ("a", "b")
    )
    assert "no label" in first.err
    assert first.lines[0]["live"]["refused"] == second.lines[0]["live"]["refused"]
    assert (written / "0001" / "evidence.npz").is_file()


def test_replayed_rows_are_counted() -> None:
    """Thresholds play no part in the evidence: judged twice, gathered once."""
    recording, models = session()
    counted = PerfectModels(models.faces)
    settings = Settings().liveness
    stricter = settings.model_copy(update={"contrast": 0.01})
    row = replay("one", "live", gather_evidence(recording, counted, SCALE), settings, stricter)
    assert counted.scored == 5
    assert row.then.verdict is Liveness.LIVE
    (counts,) = tally([row])
    assert (counts.label, counts.total, counts.live_then, counts.live_now) == ("live", 1, 1, 0)

"""The benchmarks say what they measured: small runs of every part, never judged by their figures."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hardware.stills import load_image
from kiosk.bench import parts, report, visit, whole
from kiosk.config.tree import Settings
from kiosk.errors import CameraEnded, InputError, ModelError
from kiosk.records.store import Store
from kiosk.values import Frame, Observation
from models.embedder import VERSION
from models.faces import open_models
from tests.support.clikit import Shell, linked_data
from tests.support.parts import FakeModels, face_like
from tests.support.visits import RULES

NUMBERS = {"embed_ms", "probe_ms", "passive_ms", "perceive_ms", "step_us", "decision_after_flash_ms"}
SINGLE = {"fps", "cpu_ratio", "rss_mb", "ready_s"}
FPS = 30.0


def frames(count: int) -> list[Frame]:
    """Grey frames, 30 a second."""
    grey = np.full((240, 320, 3), 90, np.uint8)
    return [Frame(grey, number, 50.0 + number / FPS, 0.01, True) for number in range(count)]


class Progress:
    """Remembers how far the work was said to be."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        """One call."""
        self.calls.append((what, done, total))


def test_percentiles() -> None:
    """Of nothing they are zero, not NaN, which JSON lacks."""
    assert parts.percentiles([]) == {"p50": 0.0, "p95": 0.0}
    assert parts.percentiles([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.9}


def test_calls_are_counted_after_a_warm_up() -> None:
    """Three calls before the counting begins."""
    calls: list[int] = []
    figures = parts.per_call_ms(lambda: calls.append(1), 5)
    assert len(calls) == 8
    assert 0.0 <= figures["p50"] <= figures["p95"]


def test_perceiving_returns_what_was_seen() -> None:
    """Observations for the benchmarks behind it, faces where there are some."""
    models = FakeModels()
    models.faces = [face_like(x_px=160.0, y_px=120.0)]
    figures, observations, faces = parts.perceive_ms(Settings(), models, frames(12))
    assert len(observations) == len(faces) == 12
    assert set(figures) == {"p50", "p95"}


def test_a_step_and_a_face_are_measured() -> None:
    """Each with its two figures."""
    seen = [Observation(n, 50.0 + n / FPS, 640, 480, (), None, True, None) for n in range(5)]
    assert parts.step_us(RULES, seen, rounds=2)["p50"] > 0
    figures = parts.model_ms(FakeModels(), frames(1)[0].pixels, face_like())
    assert list(figures) == ["embed_ms", "probe_ms", "passive_ms"]
    assert all(set(figure) == {"p50", "p95"} for figure in figures.values())


def test_search_is_measured_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """One figure a gallery; the right row is found by construction."""
    monkeypatch.setattr(parts, "SEARCH_SIZES", (10, 300))
    progress = Progress()
    figures = parts.search_ms("test", progress, calls=2)
    assert list(figures) == ["10", "300"]
    assert progress.calls[-1] == ("search", 2, 2)


def test_the_memory_camera_plays_in_a_circle() -> None:
    """Times and sequences go on over the seam, the lock is claimed, and it ends."""
    with whole.MemoryCamera(frames(3), rounds=2) as camera:
        camera.lock_exposure()
        camera.unlock_exposure()
        seen = [camera.read(newer_than_s=-math.inf, timeout_s=1.0) for _ in range(6)]
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=-math.inf, timeout_s=1.0)
    assert camera.exposure_locked
    assert [one.sequence for one in seen] == [1, 2, 3, 4, 5, 6]
    assert np.diff([one.exposure_start_s for one in seen]) == pytest.approx([1 / FPS] * 5)


def test_the_same_frames_come_later_each_time() -> None:
    """A landmarker takes only times that grow."""
    later = report._Later()
    first, second = later(frames(2)), later(frames(2))
    assert second[0].exposure_start_s > first[-1].exposure_start_s
    assert [one.sequence for one in second] == [0, 1]


def test_the_machine_is_named_without_its_name() -> None:
    """What the figures were measured on; no host name."""
    found = report.machine()
    assert found["cores"] == os.cpu_count()
    assert set(found) == {"processor", "architecture", "cores", "system", "python"}
    assert os.uname().nodename not in (found["processor"], found["system"])


def test_a_video_is_read_to_its_end_or_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of pictures is a video too; text is none; what was written can be read."""
    for number in range(4):
        Image.new("RGB", (320, 240), (number, 90, 90)).save(tmp_path / f"{number}.png")
    assert len(report.read_clip(tmp_path)) == 4
    monkeypatch.setattr(report, "MOST_FRAMES", 2)
    assert len(report.read_clip(tmp_path)) == 2
    (tmp_path / "text.mp4").write_text("words")
    with pytest.raises(InputError, match="cannot be opened as a video"):
        report.read_clip(tmp_path / "text.mp4")
    clip = report._written(frames(5), tmp_path / "made.mp4")
    assert report.read_clip(clip)[0].width_px == 640


def test_people_are_enrolled_for_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with one template of the product's embedder."""
    monkeypatch.setattr(whole, "PEOPLE", 7)
    whole._populate(tmp_path)
    with Store.in_directory(tmp_path, create=False) as store:
        assert len(store.templates(VERSION)) == 7


def test_memory_of_a_process_that_is_gone_is_nothing() -> None:
    """Of a living one it is more."""
    assert whole._resident_mb(os.getpid()) > 1
    assert whole._resident_mb(2**22 + 1) == 0.0


def test_a_visit_cannot_be_rendered_without_its_photograph(tmp_path: Path) -> None:
    """The mend names the group."""
    data = linked_data(tmp_path / "data", "core")
    (data / "demo" / "photos").unlink(missing_ok=True)
    with open_models(data) as models, pytest.raises(ModelError, match="kiosk models fetch --group demo"):
        visit.rendered_visit(data, models)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole benchmark at a size that takes seconds; skips without weights."""
    data = linked_data(tmp_path / "data", "core", "demo")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    monkeypatch.setattr(visit, "SECONDS", 0.4)
    monkeypatch.setattr(report, "LOOP_S", 0.5)
    monkeypatch.setattr(whole, "PEOPLE", 20)
    monkeypatch.setattr(whole, "RUN_S", 1)
    monkeypatch.setattr(parts, "SEARCH_SIZES", (10_000, 100_000))
    return data


def test_the_report_has_every_figure(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the issue lists them, one JSON object; the figures themselves are this machine's business."""
    folder = tmp_path / "clip"
    folder.mkdir()
    picture = Image.fromarray(load_image(small / "demo" / "photos" / "obama.jpg"))
    picture.thumbnail((640, 640))
    for number in range(14):
        picture.save(folder / f"{number:02}.jpg")
    answer = Shell(capsys)("bench", "--json", "--video", folder)
    assert answer.code == 0, answer.err
    (figures,) = answer.lines
    assert set(figures) == NUMBERS | SINGLE | {"search_ms", "frames", "machine"}
    for name in NUMBERS:
        assert {"p50", "p95"} <= set(figures[name])
    for name in SINGLE:
        assert figures[name] > 0
    assert list(figures["search_ms"]) == ["10000", "100000"]
    assert figures["frames"] == "video: clip"


def test_the_report_as_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a figure."""

    def measured(*_arguments: object, **_more: object) -> dict[str, Any]:
        return {"fps": 30.0, "perceive_ms": {"p50": 9.5, "p95": 12.0}}

    monkeypatch.setattr(report, "measure", measured)
    lines = Shell(capsys)("bench").out.splitlines()
    assert [line.split() for line in lines] == [["fps", "30.0"], ["perceive_ms", "p50", "9.5", "p95", "12.0"]]

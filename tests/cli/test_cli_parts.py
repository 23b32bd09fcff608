"""``doctor``, ``models``, ``screens``, ``liveness``, ``demo``, ``bench``: what they say on good and bad days."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiosk.cli.doctor import FULL_MB, LEAST_FREE_MB
from kiosk.config.tree import DisplaySettings
from models import manifest
from tests.support.clikit import Shell, photo

NEEDS_WEIGHTS = [
    "enroll --name A a.jpg",
    "identify a.jpg",
    "compare a.jpg b.jpg",
    "quality a.jpg",
    "run --display memory --door memory --camera a.jpg",
    "demo",
    "bench",
]
FOLDED = "face_recognition_sface_2021dec_int8bq.folded.onnx"


def copied_weights(data: Path, fresh: Path) -> Path:
    """Weights of one's own, to be harmed."""
    shutil.copytree(fresh / "models", data / "models")
    return data / "models"


@pytest.mark.parametrize("flag", [(), ("--json",)])
@pytest.mark.parametrize("typed", NEEDS_WEIGHTS)
def test_without_weights_every_command_says_how_to_get_them(
    kiosk: Shell, bare: Path, typed: str, flag: tuple[str, ...]
) -> None:
    """And leaves no empty database behind."""
    said = kiosk(*typed.split(), *flag).complaint
    assert FOLDED in said
    assert "kiosk models fetch" in said
    assert list(bare.iterdir()) == []


def test_a_data_directory_that_is_a_file_is_one_line(
    kiosk: Shell, tmp_path: Path, no_devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every command; doctor names it."""
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path / "file"))
    for typed in (*NEEDS_WEIGHTS, "models fetch --group demo"):
        assert str(tmp_path / "file") in kiosk(*typed.split()).complaint
    storage = next(one for one in kiosk("doctor", "--json", "--config", no_devices).lines if one["part"] == "storage")
    assert (storage["result"], storage["found"]) == ("fault", f"{tmp_path / 'file'} is no folder")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_weight_that_was_cut_or_changed_is_never_used(
    kiosk: Shell, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut short, one bit changed, a folder in its place: verify, doctor and every user of it say so."""
    data = tmp_path / "own"
    folder = copied_weights(data, fresh)
    picture = photo("obama.jpg")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    content = (folder / FOLDED).read_bytes()
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    for harmed, words in ((content[: len(content) // 3], "cut short or changed"), (bytes(changed), "wrong sha256")):
        (folder / FOLDED).write_bytes(harmed)
        assert words in kiosk("identify", "--json", picture).complaint
        assert kiosk("models", "verify", "--group", "core").code == 1
        bad = [one for one in kiosk("models", "verify", "--json").lines if not one["ok"] and "onnx" in one["name"]]
        assert [one["name"] for one in bad] == [FOLDED]
        assert words in bad[0]["complaint"]
    (folder / FOLDED).unlink()
    (folder / FOLDED).mkdir()
    assert "weights cannot be read" in kiosk("quality", picture).complaint
    assert "BAD: " in kiosk("models", "verify").out


def test_present_optional_weights_are_verified_too(kiosk: Shell, bare: Path) -> None:
    """A broken optional model is used by nobody unnoticed; an absent one is no fault."""
    (bare / "models").mkdir()
    optional = next(one for one in manifest.items() if one.group in manifest.OPTIONAL_GROUPS)
    assert optional.name not in kiosk("models", "verify").out
    (bare / "models" / optional.name).write_bytes(b"cut")
    assert (
        f"BAD: cut short or changed: 3 bytes instead of {optional.bytes}  {optional.name}"
        in kiosk("models", "verify").out
    )


def test_models_are_listed_with_their_licence(kiosk: Shell, bare: Path) -> None:
    """One line a file, here or missing."""
    (bare / "models").mkdir()
    listed = kiosk("models", "list", "--json").lines
    assert [one["name"] for one in listed] == [one.name for one in manifest.items()]
    assert not any(one["present"] for one in listed)
    assert all(one["licence"] for one in listed)
    assert kiosk("models", "list").out.count("missing  ") == len(listed)


def test_fetch_takes_files_from_a_folder_by_their_hash(kiosk: Shell, fresh: Path, tmp_path: Path) -> None:
    """Whatever they are called; the second time there is nothing to do."""
    del fresh
    offered = tmp_path / "stick"
    offered.mkdir()
    for number, one in enumerate(one for one in manifest.items() if one.group == "demo"):
        shutil.copy(photo(one.name) if one.folder != "models" else _weight(one.name), offered / f"{number}.bin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIOSK_DATA_DIR", str(tmp_path / "new"))
        (first,) = kiosk("models", "fetch", "--group", "demo", "--from", offered, "--json").lines
        assert len(first["fetched"]) == len(list(offered.iterdir()))
        assert kiosk("models", "fetch", "--group", "demo").out.startswith("nothing to fetch")
        (tmp_path / "new" / "demo" / "photos" / "obama.jpg").write_bytes(b"cut")
        again = kiosk("models", "fetch", "--group", "demo", "--from", offered)
        assert again.out == "fetched and verified: obama.jpg\n"
        assert "no such folder" in _fetch_obama_from(kiosk, tmp_path / "absent", tmp_path / "new")


def _weight(name: str) -> Path:
    return photo("obama.jpg").parents[2] / "models" / name


def _fetch_obama_from(kiosk: Shell, folder: Path, data: Path) -> str:
    (data / "demo" / "photos" / "obama.jpg").unlink()
    return kiosk("models", "fetch", "--group", "demo", "--from", folder).complaint


def test_doctor_prints_one_line_a_part_with_its_mend(kiosk: Shell, enrolled: Path, no_devices: Path) -> None:
    """All parts, as JSON and as text; a camera that is none is a fault and exit code 1."""
    answer = kiosk("doctor", "--json", "--config", no_devices)
    assert answer.code == 1
    results = {one["part"]: one["result"] for one in answer.lines}
    assert list(results) == [
        "clock", "storage", "records", "weights", "faces", "passive", "engines", "kpi", "network", "door", "display",
        "camera", "liveness",
    ]  # fmt: skip
    assert results["records"] == results["weights"] == "ok"
    assert results["camera"] == "fault"
    assert {results["door"], results["display"], results["liveness"]} == {"warning"}
    assert all(one["mend"] for one in answer.lines if one["result"] != "ok")
    assert len(kiosk("doctor", "--config", no_devices).out.splitlines()) == len(results)
    assert enrolled.is_dir()


@pytest.mark.parametrize(("free_mb", "result"), [(FULL_MB - 1, "fault"), (FULL_MB, "warning"), (LEAST_FREE_MB, "ok")])
def test_doctor_sees_a_full_disk(
    kiosk: Shell, bare: Path, no_devices: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, result: str
) -> None:
    """A disk that is nearly full is worth a warning, a full one is a fault."""
    usage = shutil.disk_usage(bare)._replace(free=free_mb * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    storage = next(one for one in kiosk("doctor", "--json", "--config", no_devices).lines if one["part"] == "storage")
    assert storage["result"] == result


def test_screens_are_written_or_refused(kiosk: Shell, bare: Path, tmp_path: Path) -> None:
    """One size, with a photograph; a file in the folder's place is one line."""
    del bare
    (tmp_path / "file").write_text("mine")
    assert "cannot be written" in kiosk("screens", "--out", tmp_path / "file", "--size", "320x320").complaint
    (tmp_path / "text.jpg").write_text("words")
    said = kiosk("screens", "--out", tmp_path / "out", "--photo", tmp_path / "text.jpg").complaint
    assert "not a picture" in said
    assert not (tmp_path / "out").exists()
    (written,) = kiosk("screens", "--json", "--out", tmp_path / "out", "--size", "320x320").lines
    assert all(Path(path).stat().st_size for path in written["written"])
    assert len(written["written"]) > 30
    assert DisplaySettings().kind == "pygame"


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"format": 1}', '{"format": 2}'])
@pytest.mark.usefixtures("bare")
def test_an_unusable_recording_is_one_line(kiosk: Shell, tmp_path: Path, content: str | None) -> None:
    """Before any weight is loaded."""
    folder = tmp_path / "recording"
    folder.mkdir()
    if content is not None:
        (folder / "recording.json").write_text(content)
    for flag in ([], ["--json"]):
        assert str(folder) in kiosk("liveness", "score", folder, *flag).complaint


def test_the_demo_and_the_bench_refuse_bad_places(kiosk: Shell, fresh: Path, tmp_path: Path) -> None:
    """A file as the demo's folder, a text as the bench's video."""
    (tmp_path / "file").write_text("mine")
    assert "cannot be made (Not a directory)" in kiosk("demo", "--json", "--out", tmp_path / "file" / "x").complaint
    (tmp_path / "text.mp4").write_text("words")
    assert "cannot be opened as a video" in kiosk("bench", "--json", "--video", tmp_path / "text.mp4").complaint
    assert fresh.is_dir()

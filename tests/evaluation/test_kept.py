"""Kept evidence: bit for bit what was measured, and whatever else lies under its name is as if it were not there."""

from __future__ import annotations

import ast
import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.recording.read import read_recording
from hardware.recording.write import write_recording
from kiosk.cli.kept import LIBRARIES, SOURCES, Evidences, maker_of
from kiosk.config.tree import LivenessSettings
from kiosk.evaluation import kept
from kiosk.evaluation.gather import gather_evidence
from kiosk.evaluation.recording import Recording
from kiosk.identity.scale import Scale
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.reflection import judge
from tests.evaluation.test_score import PerfectModels, rendered
from tests.support.sources import ROOT, imports, parsed

TABLES = {"perfect": {"cosine_at": {"80": 0.2, "90": 0.3, "98": 0.4, "99": 0.5}}}
SCALE = Scale.from_tables("perfect", TABLES)
MAKER = b"this program"
SEVENTH = 7


@cache
def faces() -> dict[int, list[object]]:
    """Of the shortened session: the third frame has nobody."""
    _world, shots = rendered("live")
    return {number: [] if number == 2 else [shot.face] for number, shot in enumerate(shots[::SEVENTH])}


def write(folder: Path, every: int) -> Path:
    """The rendered session with every so-many-th frame."""
    world, shots = rendered("live")
    frames = [replace(shot.frame, sequence=number) for number, shot in enumerate(shots[::every])]
    write_recording(
        folder, slots=world.slots, panel=world.c.panel, camera_name="sim:0", exposure_locked=True, lag_s=None,
        ambient_lux=None, frames=frames, species="live", hfov_deg=62.2,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short recording without kept evidence; not to be changed."""
    return write(tmp_path_factory.mktemp("kept") / "short", SEVENTH)


@pytest.fixture
def folder(short: Path, tmp_path: Path) -> Path:
    """A copy with kept evidence."""
    copied = shutil.copytree(short, tmp_path / "0001")
    recording = read_recording(copied)
    seal = kept.seal_of(copied, recording, MAKER)
    assert seal is not None
    assert kept.save(copied, recording, seal, looked_at(recording))
    return copied


def looked_at(recording: Recording) -> Evidence:
    """Gathered from the frames."""
    return gather_evidence(recording, PerfectModels(faces()), SCALE)  # type: ignore[arg-type]


def found(folder: Path, maker: bytes = MAKER) -> Evidence | None:
    """What is kept in the folder, sealed as the folder is now."""
    recording = read_recording(folder)
    seal = kept.seal_of(folder, recording, maker)
    return None if seal is None else kept.load(folder, recording, seal)


def plain(evidence: Evidence) -> list[object]:
    """Every bit of it."""

    def bits(value: object) -> object:
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, value.tobytes()
        if isinstance(value, tuple) and value and isinstance(value[0], FrameEvidence):
            return [bits(getattr(frame, field.name)) for frame in value for field in fields(frame)]
        return type(value).__name__, np.float64(value).tobytes() if isinstance(value, float) else value

    return [bits(getattr(evidence, field.name)) for field in fields(evidence)]


def test_it_is_the_same_to_the_last_bit(folder: Path) -> None:
    """Types, shapes, numbers without a value, and the frame without a face."""
    again = found(folder)
    assert again is not None
    assert plain(again) == plain(looked_at(read_recording(folder)))
    assert again.frames[2].track == -1


def test_a_whole_session_is_judged_the_same(tmp_path: Path) -> None:
    """Every gate's value, the confidence and the reasons; under other thresholds as well."""
    place = write(tmp_path / "0001", 1)
    recording = read_recording(place)
    _world, shots = rendered("live")
    models = PerfectModels({number: [shot.face] for number, shot in enumerate(shots)})
    made = gather_evidence(recording, models, SCALE)
    assert kept.save(place, recording, b"seal", made)
    again = kept.load(place, recording, b"seal")
    assert again is not None
    for thresholds in (LivenessSettings(), LivenessSettings(contrast=0.01, same_face=99)):
        assert judge(again, thresholds) == judge(made, thresholds)
    assert judge(again, LivenessSettings()).verdict == "live"


def test_it_is_an_ordinary_archive_of_numbers(folder: Path) -> None:
    """numpy opens it without unpickling anything."""
    with np.load(folder / kept.FILE, allow_pickle=False) as archive:
        assert set(archive) == {"seal", *kept.PER_FRAME, *kept.SCORES}
        assert archive["map_rgb"].shape == (len(faces()), 32, 32, 3)


def files(folder: Path) -> list[Path]:
    """All that evidence is made of."""
    return sorted(one for one in folder.iterdir() if one.name != kept.FILE)


Seal = Callable[[Path, Recording, bytes], bytes | None]


def unnoticed(folder: Path, seal_of: Seal) -> list[str]:
    """Files of which some byte may change without another seal."""
    recording = read_recording(folder)
    before = seal_of(folder, recording, MAKER)
    missed = []
    for path in files(folder):
        content = path.read_bytes()
        for at in (0, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            if seal_of(folder, recording, MAKER) == before:
                missed.append(path.name)
        path.write_bytes(content)
    assert seal_of(folder, recording, MAKER) == before
    return missed


def test_every_byte_of_the_recording_counts(folder: Path) -> None:
    """Frames, times and document."""
    assert len(files(folder)) == len(faces()) + 2
    assert unnoticed(folder, kept.seal_of) == []


def test_a_seal_that_forgets_a_file_is_found_out(folder: Path) -> None:
    """Planted: the last frame left out; the table left out."""

    def but_the_last(place: Path, recording: Recording, maker: bytes) -> bytes | None:
        return kept.seal_of(place, replace(recording, frames=recording.frames[:-1]), maker)

    assert set(unnoticed(folder, but_the_last)) == {files(folder)[len(faces()) - 1].name}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "DOCUMENTS", ("recording.json",))
        assert set(unnoticed(folder, kept.seal_of)) == {"frames.csv"}


def swap_frames(folder: Path) -> None:
    """Two frames under each other's names."""
    one, two, aside = folder / "00003.png", folder / "00004.png", folder / "aside"
    one.rename(aside)
    two.rename(one)
    aside.rename(two)


def other_time(folder: Path) -> None:
    """The first frame was exposed for longer."""
    table = (folder / "frames.csv").read_text(encoding="utf-8").splitlines()
    name, start_s, _exposure_s = table[1].split(",")
    table[1] = f"{name},{start_s},0.0123"
    (folder / "frames.csv").write_text("\n".join(table) + "\n", encoding="utf-8")


def other_slot(folder: Path) -> None:
    """Another colour is claimed to have been shown."""
    text = (folder / "recording.json").read_text(encoding="utf-8")
    (folder / "recording.json").write_text(text.replace("100", "101", 1), encoding="utf-8")


def torn(folder: Path) -> None:
    """Half of it is there."""
    content = (folder / kept.FILE).read_bytes()
    (folder / kept.FILE).write_bytes(content[: len(content) // 2])


def another_years(folder: Path) -> None:
    """Kept by another program."""
    recording = read_recording(folder)
    seal = kept.seal_of(folder, recording, b"another program")
    assert seal is not None
    kept.save(folder, recording, seal, looked_at(recording))


def members(folder: Path) -> dict[str, bytes]:
    """The archive's files."""
    with zipfile.ZipFile(folder / kept.FILE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(folder: Path, changed: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """With other members and a seal that fits them: by somebody who knows how it is made."""
    recording = read_recording(folder)
    seal = kept.seal_of(folder, recording, MAKER)
    assert seal is not None
    all_of_it = {**members(folder), **changed}
    all_of_it[kept.SEAL] = kept._raw(kept._seal_array(seal, all_of_it))
    with zipfile.ZipFile(folder / kept.FILE, "w", compression) as archive:
        for name, raw in all_of_it.items():
            archive.writestr(name, raw)


def npy(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """As numpy saves it."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


class Trap:
    """Unpickled, it leaves a mark."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("sprung",)


def altered(name: str, value: float, at: tuple[int, ...] = (0,)) -> Callable[[Path], None]:
    """One number of the archive is another, and the seal fits."""

    def change(folder: Path) -> None:
        with np.load(folder / kept.FILE, allow_pickle=False) as archive:
            array = archive[name].copy()
        array[at] = value
        forged(folder, {f"{name}.npy": kept._raw(array)})

    change.__name__ = f"{name}_{value}"
    return change


def pickled(folder: Path) -> None:
    """An array of objects."""
    forged(folder, {"noise.npy": npy(np.array([Trap()] * len(faces()), dtype=object))})


def bare_pickle(folder: Path) -> None:
    """No archive at all."""
    (folder / kept.FILE).write_bytes(pickle.dumps(Trap()))


def bomb(folder: Path) -> None:
    """Small on the disk, five hundred times as large unpacked."""
    with zipfile.ZipFile(folder / kept.FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members_of_nothing():
            with archive.open(name, "w", force_zip64=True) as member:
                for _ in range(8):
                    member.write(bytes(2**20))


def members_of_nothing() -> list[str]:
    """The right names."""
    return [kept.SEAL, *(f"{name}.npy" for name in (*kept.PER_FRAME, *kept.SCORES))]


def packed(folder: Path) -> None:
    """The right numbers, compressed."""
    forged(folder, {}, zipfile.ZIP_DEFLATED)


def wrong_type(folder: Path) -> None:
    """Double where single precision belongs."""
    forged(folder, {"face.npy": npy(np.zeros((len(faces()), 3)))})


def same_size(folder: Path) -> None:
    """Whole numbers where fractions of as many bytes belong."""
    forged(folder, {"face.npy": npy(np.zeros((len(faces()), 3), np.int32))})


def unsealed(folder: Path) -> None:
    """A possible number is another, the archive's own check is right, and the seal is still the old one."""
    content = members(folder)
    content["passive_live.npy"] = content["passive_live.npy"][:-8] + np.float64(0.5).tobytes()
    with zipfile.ZipFile(folder / kept.FILE, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)


def wrong_shape(folder: Path) -> None:
    """One frame less."""
    forged(folder, {"face.npy": npy(np.zeros((len(faces()) - 1, 3), np.float32))})


def many_scores(folder: Path) -> None:
    """More passive scores than are ever taken."""
    forged(folder, {"passive_live.npy": npy(np.ones(6))})


def one_more(folder: Path) -> None:
    """A member that does not belong there."""
    forged(folder, {"more.npy": npy(np.zeros(3))})


def huge(folder: Path) -> None:
    """Zeros behind it, as sparse as they come."""
    with (folder / kept.FILE).open("r+b") as file:
        file.truncate(2**40)


def empty(folder: Path) -> None:
    """Nothing in it."""
    (folder / kept.FILE).write_bytes(b"")


def a_folder(folder: Path) -> None:
    """No file."""
    (folder / kept.FILE).unlink()
    (folder / kept.FILE).mkdir()


def a_pipe(folder: Path) -> None:
    """Nobody writes into it."""
    (folder / kept.FILE).unlink()
    os.mkfifo(folder / kept.FILE)


def a_link(folder: Path) -> None:
    """To the right file, elsewhere."""
    (folder / kept.FILE).rename(folder.parent / "elsewhere.npz")
    (folder / kept.FILE).symlink_to(folder.parent / "elsewhere.npz")


TAMPERED = (
    swap_frames, other_time, other_slot, torn, another_years, pickled, bare_pickle, bomb, packed, wrong_type,
    same_size, unsealed, wrong_shape, many_scores, one_more, huge, empty, a_folder, a_pipe, a_link,
    altered("map_rgb", np.inf, (0, 9, 9, 0)), altered("map_rgb", -0.5, (0, 9, 9, 0)), altered("face", 7.0, (0, 0)),
    altered("landmarks", np.nan, (0, 4, 1)), altered("landmarks", 1.0, (2, 4, 1)), altered("landmarks", 1e9, (0, 4, 1)),
    altered("track", -2), altered("track", -1), altered("faces", 0), altered("faces", 10**9),
    altered("clipped_ratio", np.nan), altered("noise", np.inf, (1,)), altered("passive_live", 1.5),
    altered("passive_live", np.nan), altered("same_face", 101.0),
)  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda one: one.__name__)
def test_what_does_not_fit_is_looked_at_anew(
    folder: Path, tamper: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ignored without an error, whatever it is; the answer is that of the frames; nothing was unpickled."""
    monkeypatch.chdir(tmp_path)
    assert found(folder) is not None
    tamper(folder)
    assert found(folder) is None
    monkeypatch.setattr("models.faces.open_models", lambda _data: PerfectModels(faces()))  # type: ignore[arg-type]
    monkeypatch.setattr("models.manifest.similarity_tables", lambda: TABLES)
    monkeypatch.setattr("kiosk.cli.kept.maker_of", lambda _data: MAKER)
    recording = read_recording(folder)
    with Evidences(tmp_path, keep=False) as evidences:
        answer = judge(evidences.of(folder, recording), LivenessSettings())
        assert evidences.gathered == 1
    assert answer == judge(looked_at(recording), LivenessSettings())
    assert not (tmp_path / "sprung").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_is_trusted_or_an_error(folder: Path, data: st.DataObject) -> None:
    """Any byte changed, cut or put in: nothing, or the very same evidence (an archive has bytes without meaning)."""
    whole = (folder / kept.FILE).read_bytes()
    recording = read_recording(folder)
    seal = kept.seal_of(folder, recording, MAKER)
    assert seal is not None
    before = kept.load(folder, recording, seal)
    assert before is not None
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(len(whole) - 1500, len(whole) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    middle = {"flip": bytes([whole[at] ^ data.draw(st.integers(1, 255))]), "cut": b"", "insert": b"\0" + whole[at:][:1]}
    (folder / kept.FILE).write_bytes(whole[:at] + middle[how] + whole[at + 1 :])
    after = kept.load(folder, recording, seal)
    (folder / kept.FILE).write_bytes(whole)
    assert after is None or plain(after) == plain(before)


def test_a_folder_that_cannot_be_written_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error, no half of a file, the old one stays."""
    recording = read_recording(folder)
    before = (folder / kept.FILE).read_bytes()

    def refused(*_arguments: object, **_more: object) -> None:
        raise OSError(30, "Read-only file system")

    names = sorted(one.name for one in folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkstemp", refused)
        assert not kept.save(folder, recording, b"seal", looked_at(recording))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        assert not kept.save(folder, recording, b"seal", looked_at(recording))
    assert sorted(one.name for one in folder.iterdir()) == names
    assert (folder / kept.FILE).read_bytes() == before


def test_writing_replaces_a_link_and_is_as_readable_as_the_frames(folder: Path, tmp_path: Path) -> None:
    """What a planted link points to stays; pictures for one pair of eyes have evidence for one pair of eyes."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (folder / kept.FILE).unlink()
    (folder / kept.FILE).symlink_to(victim)
    (folder / "00000.png").chmod(0o640)
    recording = read_recording(folder)
    assert kept.save(folder, recording, b"seal", looked_at(recording))
    assert victim.read_text() == "mine"
    assert not (folder / kept.FILE).is_symlink()
    assert (folder / kept.FILE).stat().st_mode & 0o777 == 0o640


def test_what_changes_while_it_is_looked_at_is_not_kept(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence would be that of neither."""
    place = shutil.copytree(short, tmp_path / "0001")
    monkeypatch.setattr("models.faces.open_models", lambda _data: PerfectModels(faces()))  # type: ignore[arg-type]
    monkeypatch.setattr("models.manifest.similarity_tables", lambda: TABLES)

    def meanwhile(done: int, _total: int) -> None:
        if done == 5:
            other_time(place)

    with Evidences(tmp_path, keep=True) as evidences:
        evidences.of(place, read_recording(place), progress=meanwhile)
        assert not (place / kept.FILE).exists()
        evidences.of(place, read_recording(place))
        assert (place / kept.FILE).exists()
        evidences.of(place, read_recording(place))
        assert evidences.gathered == 2


JUDGING = {"kiosk/config/tree.py", "kiosk/config/allowed.py", "kiosk/errors.py", "kiosk/ports.py", "kiosk/reasons.py"}
JUDGING |= {"kiosk/closing.py", "kiosk/config/engines.py", "kiosk/config/group.py"}
JUDGING |= {"kiosk/config/endpoint.py", "kiosk/config/enrollment.py"}
"""Imported on the way to evidence without a say in it: the types of settings, words, and interfaces."""


def closure(start: list[str]) -> set[str]:
    """The product's modules that these import, and theirs: files, without the packages' own."""
    known: set[str] = set()
    ahead = list(start)
    while ahead:
        file = ahead.pop()
        if file in known:
            continue
        known.add(file)
        tree = parsed(ROOT / file)
        parts = [
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        ]
        for module in (*(module for module, _line in imports(tree)), *parts):
            path = module.replace(".", "/") + ".py"
            if module.split(".")[0] in SOURCES and (ROOT / path).is_file():
                ahead.append(path)
    return known


def test_the_program_that_makes_evidence_is_all_in_the_seal() -> None:
    """Whoever moves a part of it into another file must name that file; no file is named for nothing."""
    named = {f"{package}/{name}" for package, names in SOURCES.items() for name in names}
    needed = closure(["kiosk/evaluation/gather.py", "hardware/recording/read.py", "models/faces.py"])
    assert needed - named <= JUDGING
    assert named - needed == {"kiosk/evaluation/kept.py", "models/manifest.toml"}


def test_other_sources_libraries_and_weights_are_other_makers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them alone; the program's settings are not among them."""
    usual = maker_of(tmp_path)
    assert usual is not None
    assert maker_of(tmp_path) == usual
    makers = {usual}
    with monkeypatch.context() as patch:
        patch.setitem(SOURCES, "kiosk", (*SOURCES["kiosk"], "closing.py"))
        makers.add(maker_of(tmp_path) or usual)
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "9.9" if name == LIBRARIES[0] else "1.0")
        makers.add(maker_of(tmp_path) or usual)
    with monkeypatch.context() as patch:
        patch.setattr("models.manifest.is_present", lambda _item, _data: True)
        makers.add(maker_of(tmp_path) or usual)
    assert len(makers) == 4
    with monkeypatch.context() as patch:
        patch.setitem(SOURCES, "kiosk", ("no_such_file.py",))
        assert maker_of(tmp_path) is None


def test_an_unknown_program_keeps_nothing(short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its sources there is no saying what made the evidence."""
    place = shutil.copytree(short, tmp_path / "0001")
    monkeypatch.setattr("models.faces.open_models", lambda _data: PerfectModels(faces()))  # type: ignore[arg-type]
    monkeypatch.setattr("models.manifest.similarity_tables", lambda: TABLES)
    monkeypatch.setattr("kiosk.cli.kept.maker_of", lambda _data: None)
    with Evidences(tmp_path, keep=True) as evidences:
        for _ in range(2):
            evidences.of(place, read_recording(place))
        assert evidences.gathered == 2
    assert not (place / kept.FILE).exists()

"""Evidence kept beside the pictures it was measured from, so that a recording is judged again without looking again.

``evidence.npz`` in a recording's folder: what ``gather_evidence`` measured (light, landmarks, scores), bit for bit.
Rules:
- It is used only when its seal fits: a SHA-256 over the recording's document and table, every frame file, the
  program that made it (``maker``), and the file's own arrays. Anything else - torn, foreign, too large, compressed, of
  another type or shape, no number where one belongs - is ignored, never trusted and never an error: the frames
  are looked at anew.
- Nothing of the file decides how it is read: sizes, types and shapes follow from the recording, and every byte before
  the numbers must be the one that this program would write. No header is interpreted, nothing is unpickled.
- The seal has no key: whoever can write into a recording can replace its pictures as well, so trust begins and ends
  with the folder. The file is derived from pixels of a face; it lies beside them, as readable as they are.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.evaluation.gather import PASSIVE_FRAMES, assembled
from kiosk.evaluation.recording import Recording
from kiosk.visit.evidence import GRID, Evidence, FrameEvidence

FILE = "evidence.npz"
VERSION = 1
"""Grows with every change of the file's meaning; older ones are then ignored."""
DOCUMENTS = ("recording.json", "frames.csv")
SEAL = "seal.npy"
LANDMARKS = 478
SLACK_BYTES = 512
"""Of a member beyond its numbers: names and headers of the archive."""
MOST_LIGHT = 1.001
MOST_PX = 1e6
MOST_FACES = 1000

Arrays = dict[str, NDArray[np.generic]]
LIGHTS = ("forehead", "left_cheek", "right_cheek", "face", "background")
PER_FRAME: dict[str, tuple[str, tuple[int, ...]]] = {
    "faces": ("<i8", ()),
    "track": ("<i8", ()),
    **dict.fromkeys(LIGHTS, ("<f4", (3,))),
    "clipped_ratio": ("<f8", ()),
    "map_rgb": ("<f4", (GRID, GRID, 3)),
    "landmarks": ("<f4", (LANDMARKS, 3)),
    "fingerprint": ("<u8", ()),
    "noise": ("<f8", ()),
}
"""Type and shape of what is kept of each frame."""
SCORES = {"passive_live": PASSIVE_FRAMES, "same_face": 2}
"""What is kept of the whole, ``<f8``, and how many there are at most."""
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, struct.error, OverflowError)
"""All that a damaged archive makes zipfile raise (NotImplementedError is a RuntimeError)."""


def seal_of(folder: Path, recording: Recording, maker: bytes) -> bytes | None:
    """SHA-256 over ``maker`` and every byte of the recording that was read from ``folder``; None: it cannot be read."""
    seal = hashlib.sha256(b"kiosk evidence %d" % VERSION)
    _add(seal, maker)
    try:
        for name in (*DOCUMENTS, *(frame.name for frame in recording.frames)):
            _add(seal, name.encode("utf-8", "surrogateescape"))
            with (folder / name).open("rb", buffering=0) as file:
                _add(seal, hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return None
    return seal.digest()


def _add(to: hashlib._Hash, part: bytes) -> None:
    """With its length, so that no two lists of parts look alike."""
    to.update(struct.pack("<Q", len(part)))
    to.update(part)


def load(folder: Path, recording: Recording, seal: bytes) -> Evidence | None:
    """The kept evidence of a recording with this seal; None when there is none that fits."""
    try:
        content = _content(folder / FILE, _most_bytes(len(recording.frames)))
        members = None if content is None else _members(content, len(recording.frames))
    except UNREADABLE:
        return None
    if members is None or members[SEAL] != _raw(_seal_array(seal, members)):
        return None
    arrays = _arrays(members, len(recording.frames))
    return _evidence(recording, arrays) if arrays is not None and _possible(arrays) else None


def save(folder: Path, recording: Recording, seal: bytes, evidence: Evidence) -> bool:
    """Keep the evidence beside the frames, whole or not at all; False when the folder does not let us.

    The file is as readable as the first frame. An existing name is replaced, never written through.
    """
    members = {f"{name}.npy": _raw(array) for name, array in _of(evidence).items()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
        file.writestr(SEAL, _raw(_seal_array(seal, members)))
        for name, raw in members.items():
            file.writestr(name, raw)
    try:
        mode = stat.S_IMODE((folder / recording.frames[0].name).stat().st_mode) & 0o666
        handle, draft = tempfile.mkstemp(prefix=f".{FILE}.", suffix=".part", dir=folder)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content.getvalue())
                os.fchmod(out.fileno(), mode)
            Path(draft).replace(folder / FILE)
        finally:
            with suppress(OSError):
                Path(draft).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _most_bytes(frames: int) -> int:
    """The largest that an honest file can be."""
    numbers = sum(_bytes(dtype, shape) * frames for dtype, shape in PER_FRAME.values())
    return numbers + (len(PER_FRAME) + len(SCORES) + 1) * SLACK_BYTES


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return int(np.dtype(dtype).itemsize * np.prod(shape, dtype=int))


def _content(path: Path, most_bytes: int) -> bytes | None:
    """The bytes of a regular file that is not too large; a pipe is not waited for, a link not followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
            return None
        return file.read(most_bytes)


def _members(content: bytes, frames: int) -> dict[str, bytes] | None:
    """The archive's files; None unless they are the right ones in the right order, uncompressed and of honest size."""
    most = {SEAL: SLACK_BYTES} | {f"{name}.npy": SLACK_BYTES for name in SCORES}
    most |= {f"{name}.npy": SLACK_BYTES + frames * _bytes(*kind) for name, kind in PER_FRAME.items()}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entries = file.infolist()
        if [one.filename for one in entries] != [SEAL, *(f"{name}.npy" for name in (*PER_FRAME, *SCORES))]:
            return None
        for one in entries:
            stored = one.compress_type == zipfile.ZIP_STORED and one.compress_size == one.file_size
            if not stored or one.file_size > most[one.filename]:
                return None
        return {one.filename: file.read(one) for one in entries}


def _seal_array(seal: bytes, members: dict[str, bytes]) -> NDArray[np.uint8]:
    """The file's own seal: over the recording's, and over every array's bytes."""
    whole = hashlib.sha256(seal)
    for name, raw in members.items():
        if name != SEAL:
            _add(whole, name.encode())
            _add(whole, raw)
    return np.frombuffer(whole.digest(), np.uint8)


def _head(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The bytes before the numbers of a ``.npy`` of this type and shape."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


def _raw(array: NDArray[np.generic]) -> bytes:
    """As a ``.npy``."""
    return _head(array.dtype.str, array.shape) + np.ascontiguousarray(array).tobytes()


def _arrays(members: dict[str, bytes], frames: int) -> Arrays | None:
    """The numbers, read-only; None unless each member is exactly what this program writes for so many frames."""
    shapes = {name: (dtype, (frames, *shape)) for name, (dtype, shape) in PER_FRAME.items()}
    empty = len(_head("<f8", (0,)))
    shapes |= {name: ("<f8", ((len(members[f"{name}.npy"]) - empty) // 8,)) for name in SCORES}
    arrays: Arrays = {}
    for name, (dtype, shape) in shapes.items():
        raw, head = members[f"{name}.npy"], _head(dtype, shape)
        if not raw.startswith(head) or len(raw) != len(head) + _bytes(dtype, shape):
            return None
        arrays[name] = np.frombuffer(raw, dtype, offset=len(head)).reshape(shape)
    return arrays


def _possible(arrays: Arrays) -> bool:
    """Whether every number is one that a picture can give: light 0..1, no infinities, NaN only without a face."""
    track, marks = arrays["track"].astype(np.int64), arrays["landmarks"].astype(np.float64)
    counted = arrays["faces"].astype(np.int64)
    bounds = dict.fromkeys((*LIGHTS, "map_rgb"), (0.0, MOST_LIGHT)) | {"noise": (0.0, 255.0)}
    sure = {"clipped_ratio": 1.0, "passive_live": 1.0, "same_face": 100.0}
    with np.errstate(invalid="ignore"):
        return bool(
            ((track >= -1) & (counted >= 0) & (counted <= MOST_FACES) & ((track < 0) == (counted == 0))).all()
            and (np.abs(marks[track >= 0]) <= MOST_PX).all()
            and np.isnan(marks[track < 0]).all()
            and all((np.isnan(arrays[name]) | _within(arrays[name], *bound)).all() for name, bound in bounds.items())
            and all(_within(arrays[name], 0.0, high).all() for name, high in sure.items())
            and all(len(arrays[name]) <= most for name, most in SCORES.items())
        )


def _within(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.bool_]:
    numbers = values.astype(np.float64)
    return np.asarray((numbers >= low) & (numbers <= high), bool)


def _of(evidence: Evidence) -> Arrays:
    """What is kept, by name."""
    arrays: Arrays = {
        name: np.array([getattr(frame, name) for frame in evidence.frames], dtype)
        for name, (dtype, _shape) in PER_FRAME.items()
    }
    return arrays | {name: np.array(getattr(evidence, name), "<f8") for name in SCORES}


def _evidence(recording: Recording, arrays: Arrays) -> Evidence:
    """As it was gathered; what the recording says of itself comes from there."""
    plain = {name: arrays[name].tolist() for name in ("faces", "track", "clipped_ratio", "fingerprint", "noise")}
    wide = {name: arrays[name].astype(np.float32) for name in (*LIGHTS, "map_rgb", "landmarks")}
    frames = [
        FrameEvidence(
            sequence=number,
            exposure_start_s=recorded.exposure_start_s,
            exposure_s=recorded.exposure_s,
            gains_locked=recording.exposure_locked,
            lux=None,
            frame_size_px=recorded.size_px,
            **{name: values[number] for name, values in (plain | wide).items()},
        )
        for number, recorded in enumerate(recording.frames)
    ]
    return assembled(recording, frames, arrays["passive_live"].tolist(), arrays["same_face"].tolist())

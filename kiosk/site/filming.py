"""Show the steps and film them: what one calibration sees, reduced to the mean light of the middle of the picture.

Rules: the exposure is locked on the brightest step and the lock must be proven by the frames before the first step
counts; a camera that cannot tell (None) is believed only if the levels say so (``kiosk.site.fitting``). No wait is
without a time-out. No picture is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import KioskError
from kiosk.ports import Camera, Clock, Display
from kiosk.site.steps import WHITE, phase, scene, steps
from kiosk.values import Frame, Pixels, ShownSlot, Slot
from kiosk.visit.photosensitivity import linear

SETTLE_S = 1.5
"""Automatic exposure gets used to the card in full light for this long."""
LOCK_S = 3.0
"""Longest wait for the proof of the lock."""
AFTER_S = 0.6
"""Filmed on after the last step."""
READ_S = 2.0
MIDDLE = 0.4
"""Share of width and height that is measured: the card must fill it."""
CLIPPED = 250
BLOCKS = 8
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame."""

    start_s: float
    exposure_s: float
    light: tuple[float, float, float]
    """Mean linear light of the middle, RGB, 0..1."""
    clipped_ratio: float
    unevenness: float
    """Standard deviation of the middle's parts over their mean: a card is even, a room is not."""
    locked: bool | None
    lux: float | None


@dataclass(slots=True)
class Filmed:
    """All of one run."""

    camera: str
    slots: list[ShownSlot] = field(default_factory=list)
    """The white before the steps is the first one."""
    samples: list[Sample] = field(default_factory=list)


_LINEAR = np.array([linear((code, code, code))[0] for code in range(256)], np.float32)


def measure(frame: Frame) -> Sample:
    """Reduce one frame."""
    rows, columns = (round(side * MIDDLE / BLOCKS) * BLOCKS for side in (frame.height_px, frame.width_px))
    top, left = (frame.height_px - rows) // 2, (frame.width_px - columns) // 2
    middle: Pixels = frame.pixels[top : top + rows, left : left + columns]
    light: NDArray[np.float32] = _LINEAR[middle]
    blocks = light.reshape(BLOCKS, rows // BLOCKS, BLOCKS, columns // BLOCKS, 3).mean(axis=(1, 3, 4))
    mean = light.mean(axis=(0, 1), dtype=np.float64)
    return Sample(
        frame.exposure_start_s,
        frame.exposure_s,
        (float(mean[0]), float(mean[1]), float(mean[2])),
        float((middle >= CLIPPED).any(axis=-1).mean()),
        float(blocks.std() / max(float(blocks.mean()), 1e-6)),
        frame.gains_locked,
        frame.lux,
    )


def film(camera: Camera, display: Display, clock: Clock, *, progress: Progress = lambda *_: None) -> Filmed:
    """Run the whole sequence with an open camera and an open display; about 14 s.

    Raises CameraError, DisplayError, KioskError where the exposure cannot be locked.
    """
    sequence = steps().slots
    total = len(sequence)
    first = Slot(WHITE, "full", SETTLE_S)
    began_s = display.show(scene(first, 0.0))
    frame = _read(camera, -math.inf)
    frame = _until(camera, clock, frame, began_s + SETTLE_S)
    camera.lock_exposure()
    try:
        frame = _proven(camera, clock, frame)
        result = Filmed(camera.name)
        shown = [(first, began_s)]
        period_s = _period(camera, frame, result)
        for number, slot in enumerate(sequence):
            progress("steps", number, total)
            # Frames and switches would else keep step, and the delay be known to a frame's length only.
            clock.wait(phase(number) * period_s)
            shown.append((slot, display.show(scene(slot, number / total))))
            end_s = shown[-1][1] + slot.duration_s + (AFTER_S if number == total - 1 else 0.0)
            _until(camera, clock, frame, end_s, result)
        progress("steps", total, total)
    finally:
        camera.unlock_exposure()
    edges = [at_s for _slot, at_s in shown[1:]] + [math.inf]
    result.slots = [
        ShownSlot(slot.rgb, slot.region, at_s, min(end_s, at_s + 60.0) - at_s)
        for (slot, at_s), end_s in zip(shown, edges, strict=True)
    ]
    return result


def _read(camera: Camera, newer_than_s: float) -> Frame:
    return camera.read(newer_than_s=newer_than_s, timeout_s=READ_S)


def _until(camera: Camera, clock: Clock, last: Frame, end_s: float, result: Filmed | None = None) -> Frame:
    """Read on until ``end_s``; keep the frames' samples where a result is given."""
    newest_s = result.samples[-1].start_s if result is not None and result.samples else last.exposure_start_s
    while clock.now().monotonic_s < end_s:
        last = _read(camera, newest_s)
        newest_s = last.exposure_start_s
        if result is not None:
            result.samples.append(measure(last))
    return last


def _proven(camera: Camera, clock: Clock, frame: Frame) -> Frame:
    """Frames until one proves the lock; a camera that never tells is given half of the time to settle."""
    began_s = clock.now().monotonic_s
    while True:
        frame = _read(camera, frame.exposure_start_s)
        waited_s = clock.now().monotonic_s - began_s
        if frame.gains_locked or (frame.gains_locked is None and waited_s >= LOCK_S / 2):
            return frame
        if waited_s >= LOCK_S:
            raise KioskError(
                "the camera does not hold its exposure", where=camera.name, mend="see kiosk doctor, part camera"
            )


def _period(camera: Camera, frame: Frame, result: Filmed) -> float:
    """Usual time between two frames, from the next eight."""
    last_s = frame.exposure_start_s
    for _ in range(8):
        result.samples.append(measure(_read(camera, last_s)))
        last_s = result.samples[-1].start_s
    starts = np.array([sample.start_s for sample in result.samples])
    return min(float(np.median(np.diff(starts))), 0.2)

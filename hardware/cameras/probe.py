"""What a camera really delivers: measured for ``doctor``, not taken from its word."""

from __future__ import annotations

import math

from kiosk.errors import CameraEnded, CameraStalled
from kiosk.ports import Camera, Clock
from kiosk.values import Frame

MEASURE_S = 1.5
LOCK_S = 2.0
FIRST_S = 10.0
"""Longest wait for the first frame."""
READ_S = 1.0
Facts = dict[str, str | int | float | bool | None]


def measure(camera: Camera, clock: Clock) -> Facts:
    """Open ``camera``, count frames for MEASURE_S, then ask for the exposure lock and wait LOCK_S for its proof.

    Returns name, width_px, height_px, fps (measured), frames, exposure_ms, lux (None: not told), lock (True proven,
    False refused or not proven, None: the camera cannot tell) and lock_s (how long the proof took, None without one).
    Raises CameraError.
    """
    with camera:
        first = camera.read(newer_than_s=-math.inf, timeout_s=FIRST_S)
        began_s = clock.now().monotonic_s
        last, frames = first, 0
        while (frame := _next(camera, last)) is not None:
            last, frames = frame, frames + 1
            if clock.now().monotonic_s - began_s >= MEASURE_S:
                break
        spent_s = last.exposure_start_s - first.exposure_start_s
        lock, lock_s = _lock(camera, clock, last)
        return {
            "name": camera.name,
            "width_px": last.width_px,
            "height_px": last.height_px,
            "fps": round(frames / spent_s, 1) if spent_s > 0 else 0.0,
            "frames": frames + 1,
            "exposure_ms": round(last.exposure_s * 1000, 2),
            "lux": last.lux,
            "lock": lock,
            "lock_s": lock_s,
        }


def _lock(camera: Camera, clock: Clock, last: Frame) -> tuple[bool | None, float | None]:
    began_s = clock.now().monotonic_s
    camera.lock_exposure()
    proof = last.gains_locked
    try:
        while (frame := _next(camera, last)) is not None:
            last, proof = frame, frame.gains_locked
            spent_s = clock.now().monotonic_s - began_s
            if proof:
                return True, round(spent_s, 2)
            if spent_s >= LOCK_S:
                break
    finally:
        camera.unlock_exposure()
    return proof, None


def _next(camera: Camera, last: Frame) -> Frame | None:
    """The next frame, None when the clip is over or the camera paused."""
    try:
        return camera.read(newer_than_s=last.exposure_start_s, timeout_s=READ_S)
    except (CameraEnded, CameraStalled):
        return None

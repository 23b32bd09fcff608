"""Cameras: picamera2, V4L2 and GStreamer through OpenCV, clips, recordings, memory. One is chosen by its source.

Nothing that a kiosk may lack (picamera2, OpenCV) is imported before a camera that needs it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hardware.clock import SystemClock
from kiosk.errors import ConfigurationError

if TYPE_CHECKING:
    from hardware.cameras.probe import Facts
    from kiosk.config.tree import CameraSettings
    from kiosk.ports import Camera, Clock


def open_camera(settings: CameraSettings, *, paced: bool = True, clock: Clock | None = None) -> Camera:
    """The camera that ``settings.source`` names; it is opened by ``with``, and may be made anew for every try.

    ``picamera2`` or ``picamera2:1``; ``0`` or ``/dev/video2``; a pipeline with a ``!``; a recording's folder; a video
    file or a folder of pictures (``paced``: at their own speed on ``clock``, else every frame at once).
    Raises ConfigurationError for a source that is none of these.
    """
    source, clock = settings.source, clock or SystemClock()
    if source == "picamera2" or (source.startswith("picamera2:") and source[10:].isdigit()):
        from hardware.cameras.picamera2_camera import Picamera2Camera

        return Picamera2Camera(
            int(source[10:] or 0),
            clock=clock,
            width_px=settings.width_px,
            height_px=settings.height_px,
            fps=settings.fps,
            rotate_deg=settings.rotate_deg,
        )
    if source.isdigit() or source.startswith("/dev/") or "!" in source:
        from hardware.cameras.opencv import OpenCvCamera

        return OpenCvCamera(
            source,
            clock=clock,
            width_px=settings.width_px,
            height_px=settings.height_px,
            fps=settings.fps,
            rotate_deg=settings.rotate_deg,
        )
    return _from_files(Path(source), settings, paced, clock)


def _from_files(path: Path, settings: CameraSettings, paced: bool, clock: Clock) -> Camera:
    if not path.exists():
        raise ConfigurationError(
            f"{settings.source!r} is no camera and no file",
            where="camera.source",
            mend="use picamera2, an index, /dev/videoN, a pipeline, a video, a folder of pictures or a recording",
        )
    if (path / "recording.json").is_file():
        from hardware.cameras.replay import ReplayCamera

        return ReplayCamera(path, clock=clock, rotate_deg=settings.rotate_deg, paced=paced)
    from hardware.cameras.clip import ClipCamera

    return ClipCamera(
        path,
        clock=clock,
        width_px=settings.width_px,
        fps=settings.fps,
        rotate_deg=settings.rotate_deg,
        paced=paced,
    )


def probe_camera(settings: CameraSettings, *, clock: Clock | None = None) -> Facts:
    """What the configured camera really delivers, measured in a few seconds: ``hardware.cameras.probe.measure``."""
    from hardware.cameras.probe import measure

    clock = clock or SystemClock()
    return measure(open_camera(settings, clock=clock), clock)

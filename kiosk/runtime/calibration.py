"""What was measured at this installation: the delay and the colours from the screen to the camera.

Made by ``kiosk liveness calibrate`` (``kiosk.site``), kept as one small JSON file, used by the attempts and by
``doctor``. Rules: a file that is damaged, of another camera or screen, or dated in the future is not used; then the
lag is unknown, as on a kiosk that was never calibrated, and is judged within ``liveness.lag_max_s``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError, InputError
from kiosk.values import Panel

FORMAT = 1
FILE = "calibration.json"
"""In the data directory."""
MOST_BYTES = 65_536
EARLIEST_S, LATEST_S = -0.03, 0.5
"""A lag outside is no delay of a screen and a camera on one clock."""
AHEAD = timedelta(days=1)
"""A clock that was not yet right may differ by this much; beyond, a date is in the future."""
LARGE_SPREAD_S = 0.02
"""The window around the calibrated lag is 50 ms: a lag that jumps by more than this belongs looked at."""
AGAIN = "run kiosk liveness calibrate"
Matrix = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """One measurement with a card or a wall before the camera. Light is linear, RGB order."""

    measured_utc: str
    """ISO 8601 with offset."""
    software: str
    camera: str
    panel: Panel
    target: Literal["card", "wall"]
    distance_mm: float
    """From the camera to the target, as told by the operator."""
    lag_s: float
    """From the moment that ``show`` returned to the exposure that saw it; median over the switches. It may be a little
    below 0 (an exposure in the middle of the picture begins later than the frame says)."""
    lag_spread_s: float
    """Largest deviation of a switch from that, of all but the worst tenth."""
    switches: int
    colour_matrix: Matrix
    """``(3, 3)``: rows camera R, G, B; columns panel R, G, B; scaled so that white gives green 1."""
    modulation: float
    """Light that full white adds to the target, in shares of the ambient light there (green)."""
    ambient_lux: float | None
    """As the camera reported it; None: it reports none."""
    luminance_ratio: float | None
    """Measured modulation over the one predicted from panel, distance and ambient light; None without the latter."""
    residual: float
    """What the model of screen and exposure leaves unexplained, in shares of the white step."""

    @property
    def measured_at(self) -> datetime:
        """When, with time zone."""
        return datetime.fromisoformat(self.measured_utc)


def to_text(calibration: Calibration) -> str:
    """The file's content: version, values, SHA-256 over the values."""
    values = asdict(calibration)
    document = {"format": FORMAT, "calibration": values, "sha256": _digest(values)}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def save(path: Path, calibration: Calibration) -> None:
    """Write the file whole or not at all. Raises InputError."""
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(to_text(calibration))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path), mend="name another --out") from error
    finally:
        if beside.exists():
            beside.unlink()


def load(path: Path) -> Calibration | None:
    """The stored calibration; None when there is none. Raises InputError for a damaged or unknown file."""
    try:
        if not path.exists():
            return None
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is too large for a calibration", where=str(path), mend=AGAIN)
        return from_text(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), mend=AGAIN) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("is damaged, or of another version", where=str(path), mend=AGAIN) from error


def from_text(text: str) -> Calibration:
    """The calibration in a file's content. Raises ValueError, KeyError or TypeError for anything else."""
    document = json.loads(text)
    values: dict[str, Any] = document["calibration"]
    if document["format"] != FORMAT or document["sha256"] != _digest(values):
        raise ValueError("format or checksum")
    rows = tuple(tuple(float(value) for value in row) for row in values["colour_matrix"])
    found = Calibration(**{**values, "panel": Panel(**values["panel"]), "colour_matrix": rows})
    figures = (found.lag_s, found.lag_spread_s, found.modulation, found.residual, *(v for row in rows for v in row))
    if not all(math.isfinite(figure) for figure in figures) or [len(row) for row in rows] != [3, 3, 3]:
        raise ValueError("not finite")
    if not EARLIEST_S <= found.lag_s <= LATEST_S or not found.lag_spread_s >= 0:
        raise ValueError("impossible lag")
    if found.measured_at.tzinfo is None or not isinstance(found.camera, str):
        raise ValueError("time without zone")
    return found


def _digest(values: dict[str, Any]) -> str:
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def why_unusable(calibration: Calibration, *, camera: str | None, panel: Panel, now: datetime, lag_max_s: float) -> str:
    """Why it must not be used for this camera (None: any) and screen at this time; empty: it may be used."""
    if calibration.measured_at > now.astimezone(UTC) + AHEAD:
        return "is dated in the future"
    if camera is not None and calibration.camera != camera:
        return f"is of another camera ({calibration.camera})"
    if calibration.panel != panel:
        return "is of another screen, or its size or luminance was set anew"
    if not calibration.lag_s <= lag_max_s:
        return f"has a delay above liveness.lag_max_s ({lag_max_s:g} s)"
    return ""


def lag_of(
    settings: Settings, calibration: Calibration | None, panel: Panel, now: Callable[[], datetime]
) -> Callable[[str], float | None]:
    """The delay to judge by, for the camera of a name: ``camera.lag_s``, else the calibration if it may be used.

    Never below 0: what is seen a little early is seen at once.
    """

    def lag_s(camera: str) -> float | None:
        if settings.camera.lag_s is not None:
            return settings.camera.lag_s
        lag_max_s = settings.liveness.lag_max_s
        if calibration is None or why_unusable(calibration, camera=camera, panel=panel, now=now(), lag_max_s=lag_max_s):
            return None
        return max(0.0, calibration.lag_s)

    return lag_s


def load_or_none(path: Path, complain: Callable[..., None]) -> Calibration | None:
    """For a starting kiosk: a damaged file is told once (``complain(event, error=...)``) and not used."""
    try:
        return load(path)
    except (InputError, ConfigurationError) as error:
        complain("CALIBRATION_DAMAGED", error=error.what)
        return None

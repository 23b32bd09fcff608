"""The faces that somebody is enrolled by: of pictures, and of whoever was just proven to be there.

Rule: all show one person; beside a liveness check each is as alike to the checked face as the door asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.enrollment.desk import SAME_PERSON, Desk, Progress, Steps, silent
from kiosk.enrollment.stills import FaceRule, QualityRule, Still
from kiosk.errors import InputError
from kiosk.values import Pixels


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reference:
    """The picture of somebody who was proven live. Biometric data: never logged."""

    pixels: Pixels
    """``(H, W, 3) uint8 RGB``."""
    sha256: str
    """Of the picture as it came."""


def living_stills(
    desk: Desk,
    steps: Steps,
    paths: Sequence[Path],
    live: Callable[[], Reference] | None,
    *,
    quality: QualityRule,
    face: FaceRule,
    progress: Progress = silent,
) -> list[Still]:
    """The faces of pictures, behind that of whoever ``live`` proves to be there. Raises InputError."""
    stills = [] if live and not paths else read_stills(desk, paths, quality=quality, face=face, progress=progress)
    if live is None:
        return stills
    steps.step = "liveness"
    reference = live()
    checked = desk.reader.read_pixels(
        reference.pixels, Path("the liveness check"), reference.sha256, quality=quality, face="largest"
    )
    refuse_mixture(desk, [checked, *stills], desk.threshold)  # whoever was not checked gets in by none of them
    return [checked, *stills]


def read_stills(
    desk: Desk, paths: Sequence[Path], *, quality: QualityRule, face: FaceRule, progress: Progress = silent
) -> list[Still]:
    """The faces of several pictures of one person. Raises InputError."""
    if not paths:
        raise InputError("no picture given", where="enroll")
    stills: list[Still] = []
    for done, path in enumerate(paths):
        progress("pictures", done, len(paths))
        still = desk.reader.read(path, quality=quality, face=face)
        if all(still.sha256 != other.sha256 for other in stills):  # the same file under two names is one picture
            stills.append(still)
    progress("pictures", len(paths), len(paths))
    refuse_mixture(desk, stills)
    return stills


def refuse_mixture(desk: Desk, stills: Sequence[Still], least: float = SAME_PERSON) -> None:
    """Raises InputError for pictures of several people; ``least``: similarity 0..100 of each to the first."""
    first = stills[0]
    for other in stills[1:]:
        similarity = desk.alike(first.embedding, other.embedding)
        if similarity < least:
            raise InputError(
                f"shows somebody else than {first.path.name} (similarity {similarity:.0f})",
                where=str(other.path),
                mend="give pictures of one person",
                reason="SEVERAL_PEOPLE",
            )

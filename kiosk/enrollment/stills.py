"""From a picture file to one usable face: which face, and whether it is good enough.

Rules: a picture that cannot be used raises InputError, one line, with the reason words of the screen. Nothing is
guessed: "only" refuses a picture with two people rather than choosing one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from kiosk.config.tree import QualityProfile
from kiosk.errors import InputError
from kiosk.ports import FaceModels, probe_of
from kiosk.reasons import Reason
from kiosk.values import Embedding, Face, Pixels, Quality, Verdict
from kiosk.visit.quality import FaceMeasures, assess

QualityRule = Literal["none", "low", "high"]
FaceRule = Literal["largest", "central", "only"]

SMALL_RATIO = 0.35
"""A face narrower than this share of the largest is background: "only" does not count it."""
_LOW = QualityProfile(yaw_deg=45.0, pitch_down_deg=30.0, pitch_up_deg=45.0, face_px=50.0)
_LOW_CHECKS = ("face", "yaw", "pitch")


class Measurer(Protocol):
    """``kiosk.runtime.measure.measure_face``."""

    def __call__(self, pixels: Pixels, face: Face, *, faces: int) -> FaceMeasures:
        """Every number of one face."""


@dataclass(frozen=True, slots=True)
class StillReader:
    """What turns a file into a face; joined by the composition root."""

    models: FaceModels
    load: Callable[[Path], Pixels]
    """``hardware.stills.load_image``."""
    measure: Measurer
    profile: QualityProfile
    """Limits of ``--quality high``."""
    crop: Callable[[Pixels, Face], bytes] = lambda _pixels, _face: b""
    """The face with a little around it as JPEG, for engines that look for themselves and for pictures that are kept."""

    def read(self, path: Path, *, quality: QualityRule = "high", face: FaceRule = "only") -> Still:
        """The chosen face of a file with its embedding. Raises InputError (see the module's rules), ModelError."""
        pixels = self.load(path)
        return self.read_pixels(pixels, path, digest_of(path), quality=quality, face=face)

    def read_pixels(
        self, pixels: Pixels, path: Path, digest: str, *, quality: QualityRule = "high", face: FaceRule = "only"
    ) -> Still:
        """As ``read``, of a picture ``(H, W, 3) uint8 RGB`` that is in memory; ``path`` is what it is called."""
        chosen = choose_face(self.models.find_still(pixels), face, (pixels.shape[1], pixels.shape[0]), where=str(path))
        measures = self.measure(pixels, chosen, faces=1)
        judged = check_quality(measures, quality, self.profile)
        if judged is not None and not judged.ok:
            raise InputError(
                f"the face is not good enough: {', '.join(judged.problems)}",
                where=str(path),
                mend=_mend(judged),
                reason=str(judged.problems[0]),
            )
        probe = probe_of(self.models, pixels, chosen)
        return Still(path, chosen, probe, measures, digest, self.crop(pixels, chosen), quality)


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One usable picture. Holds biometric data: never logged."""

    path: Path
    face: Face
    embedding: Embedding
    measures: FaceMeasures
    sha256: str
    """Of the file."""
    crop: bytes = b""
    """The face with a little around it, as JPEG."""
    rule: QualityRule = "high"
    """By which it was judged; engines are asked to judge it alike."""


def choose_face(faces: Sequence[Face], rule: FaceRule, size_px: tuple[int, int], *, where: str = "picture") -> Face:
    """The face that a rule means, in a picture of (width, height).

    ``largest`` by area; ``central`` by the distance of the box's centre to the middle; ``only`` refuses a second face.
    Raises InputError with NO_FACE or ONE_PERSON.
    """
    ordered = sorted(faces, key=lambda face: -face.box.area_px)
    if not ordered:
        raise InputError(f"no face found ({Reason.NO_FACE})", where=where, reason=Reason.NO_FACE)
    if rule == "largest":
        return ordered[0]
    if rule == "central":
        return min(ordered, key=lambda face: _off_centre(face, size_px))
    people = [face for face in ordered if face.box.width_px >= SMALL_RATIO * ordered[0].box.width_px]
    if len(people) > 1:
        mend = "use a picture of one person, or choose with --face largest or --face central"
        raise InputError(
            f"{len(people)} faces found ({Reason.ONE_PERSON})", where=where, mend=mend, reason=Reason.ONE_PERSON
        )
    return people[0]


def check_quality(measures: FaceMeasures, rule: QualityRule, profile: QualityProfile) -> Quality | None:
    """The judgement of a rule: ``none`` None, ``low`` size and the outer pose limits, ``high`` the whole profile."""
    if rule == "none":
        return None
    if rule == "high":
        return assess(measures, profile)
    return Quality(tuple(one for one in assess(measures, _LOW).measures if one.name in _LOW_CHECKS))


def _off_centre(face: Face, size_px: tuple[int, int]) -> float:
    x, y = face.box.centre_px
    return (x - size_px[0] / 2) ** 2 + (y - size_px[1] / 2) ** 2


def _mend(quality: Quality) -> str:
    """The first failed number with its limits."""
    for one in quality.measures:
        if one.verdict is not Verdict.PASS:
            low, high = one.limit
            bounds = (
                f"at least {low:g}" if high is None else f"at most {high:g}" if low is None else f"{low:g}..{high:g}"
            )
            return f"{one.name} is {one.value:.3g} {one.unit}".rstrip() + f", allowed is {bounds}"
    return ""


def digest_of(path: Path) -> str:
    """SHA-256 of the file, in hex. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be read ({why})", where=str(path)) from error

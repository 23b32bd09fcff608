"""A folder of labelled recordings as trials: the same report on sessions that somebody else made or filmed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from kiosk.errors import InputError
from kiosk.evaluation.recording import Recording
from kiosk.evaluation.trial import Trial
from kiosk.values import Liveness, LivenessResult
from kiosk.visit.challenge import GREY

DOCUMENT = "recording.json"
SPLIT = "recordings"
Read = Callable[[Path], Recording]
"""Raises InputError for a broken recording."""
Score = Callable[[Path, Recording], LivenessResult]
"""Of the folder and what was read from it. Raises InputError for a broken picture."""


def find_recordings(folder: Path) -> list[Path]:
    """Every folder below (or at) ``folder`` that holds a recording, in order. Raises InputError for none."""
    try:
        found = sorted(path.parent for path in folder.rglob(DOCUMENT))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(folder)) from error
    if not found:
        raise InputError(f"no {DOCUMENT} in any folder", where=str(folder), mend="name a folder of recordings")
    return found


def score_recordings(
    folder: Path, read: Read, score: Score, uncovered: Collection[str], progress: Callable[[str, int, int], None]
) -> tuple[list[Trial], list[str]]:
    """All recordings as trials, and one line for each that is broken or has no label. Raises InputError, ModelError.

    ``uncovered`` are the species that the gates are not meant to stop.
    """
    trials: list[Trial] = []
    broken: list[str] = []
    found = find_recordings(folder)
    for number, place in enumerate(found):
        progress("recordings", number, len(found))
        try:
            recording = read(place)
            if recording.species is None:
                raise InputError("no label.species", where=str(place), mend="add it to recording.json")
            result = score(place, recording)
        except InputError as error:
            broken.append(str(error))
            continue
        name = str(place.relative_to(folder)) if place != folder else place.name
        trials.append(_trial(name, recording, recording.species, result, recording.species not in uncovered))
    progress("recordings", len(found), len(found))
    return trials, broken


def _trial(name: str, recording: Recording, species: str, result: LivenessResult, covered: bool) -> Trial:
    """A recording holds one try; its length is that of what was shown, not that of a visit."""
    return Trial(
        id=name,
        species=species,
        covered=covered,
        split=SPLIT,
        seed=0,
        conditions={
            "ambient_lux": recording.ambient_lux,
            "distance_mm": None,
            "skin_l": None,
            "glasses": None,
            "luminance_cd_m2": recording.panel.luminance_cd_m2,
        },
        attempts=1,
        verdict=result.verdict,
        accepted=result.verdict is Liveness.LIVE,
        confidence=result.confidence,
        reasons=tuple(str(reason) for reason in result.reasons),
        gates=result.gates,
        colour_slots=sum(slot.rgb != GREY for slot in recording.slots),
        in_oval_to_verdict_s=None,
    )

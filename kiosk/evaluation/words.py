"""Plain words for the report's readers: the terms, the attacks and the gates, one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SPECIES: Mapping[str, str] = {
    "live": "a living person",
    "print_flat": "a matte print, flat",
    "print_glossy": "a print on glossy photographic paper",
    "print_bent": "a matte print, bent like a face",
    "print_eyeholes": "a print worn as a mask, with eye holes",
    "replay_lcd": "a picture on an LCD tablet",
    "replay_oled": "a picture on an OLED tablet",
    "replay_phone": "a picture on a phone",
    "replay_session": "an old genuine visit, fed in as video",
    "frozen": "the camera's last picture, repeated",
    "inject_tint": "a video fed in, tinted as a whole",
    "inject_relit": "a video fed in, relit late",
    "inject_relit_fast": "a video fed in, relit at once",
    "mask_3d": "a good three-dimensional mask",
    "second_person": "a second person behind the first",
    "face_swap": "another person takes the place during the flash",
}
"""Of ``docs/liveness.md``; a recording's label may be another one."""

GATES: Mapping[str, str] = {
    "stream": "do the pictures come from one camera, with its timing and noise?",
    "continuity": "is it one face, the same before, during and after?",
    "exposure": "did the camera's exposure and white balance stay as they were?",
    "modulation": "is the screen strong enough against the room's light?",
    "timing": "did the face's colour follow this sequence of colours?",
    "lag": "did it follow as late as this installation always does?",
    "gain": "did the face answer as strongly as screen, distance and room light let expect?",
    "contrast": "did the face answer much more than the background?",
    "shape": "did the screen's light fall as on a head's relief?",
    "relief": "did it fall as on a head rather than on a plane or a bent sheet?",
    "halves": "did light from the screen's upper and lower half fall on it as on a head?",
    "parallax": "did it move as a solid does while it came nearer?",
    "passive": "does a trained model take it for a live face?",
    "instruction": "did the head move as it was asked to?",
    "second_factor": "was a badge shown?",
}

TERMS: tuple[tuple[str, str], ...] = (
    ("APCER", "the share of attacks that the kiosk took for a genuine visitor; the smaller, the safer."),
    ("BPCER", "the share of genuine visitors that the kiosk refused; the smaller, the less annoying."),
    ("At most", "the true share is no larger than this with 95 % confidence; few tries leave a wide margin: "
                "nothing accepted in 300 tries still allows 1 %."),
    ("No answer", "the kiosk asked again until no try was left, or ended the visit since there was not one face that "
     "stayed; the door stayed locked."),
    ("Species", "one kind of attack. They are never added together: an attacker chooses the one that works."),
    ("Covered", "the flash is meant to stop this kind; a kind that is not covered is told, not held against it."),
    ("Gate", "one question about the answer to the flash; every gate must pass."),
    ("lx", "lux, the light of the room: 300 to 500 in an office, over 10 000 outdoors by day."),
    ("L*", "the lightness of the skin, 0 black to 100 white: 72 is very light skin, 30 very dark."),
)  # fmt: skip


def species(name: str) -> str:
    """With its meaning, where it is known."""
    return f"{SPECIES[name]} ({name})" if name in SPECIES else name


def gates(names: Iterable[str]) -> list[tuple[str, str]]:
    """Those of ``names`` that are known, with their questions."""
    return [(name, GATES[name]) for name in names if name in GATES]


def summary(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many of the report's targets are met, and which are not."""
    judged = [one for one in checks if one["met"] is not None]
    if not judged:
        return "No target was measured."
    missed = [one["name"] for one in judged if not one["met"]]
    told = f"{len(judged) - len(missed)} of {len(judged)} measured targets are met."
    return told + (f" Not met: {'; '.join(missed)}." if missed else "")

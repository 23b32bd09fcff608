"""The light that the screen shows while it is being calibrated: slow steps that nobody has to fear.

Rules: black, grey, white and the challenge's own softened colours, each half a second and longer, so that there are at
most two changes in any second; the sequence passes ``kiosk.visit.photosensitivity`` before it is shown, every time.
"""

from __future__ import annotations

from kiosk.errors import KioskError
from kiosk.values import Challenge, Oval, Rgb, Scene, SceneKind, Slot
from kiosk.visit import photosensitivity

BLACK: Rgb = (0, 0, 0)
GREY: Rgb = (128, 128, 128)
WHITE: Rgb = (255, 255, 255)
RED: Rgb = (255, 100, 100)
GREEN: Rgb = (100, 255, 100)
BLUE: Rgb = (100, 100, 255)
ORDER: tuple[Rgb, ...] = (
    BLACK, RED, BLACK, WHITE, GREY, BLUE, BLACK, GREEN, BLACK, WHITE, RED, BLACK, GREEN, WHITE, BLUE, BLACK, WHITE,
)  # fmt: skip
"""Shown after white; black comes again and again, so that a change of the room's light is seen."""
SHORTEST_S = 0.5
STAGGER_S = 0.16
GOLDEN = 0.618034
"""Multiples of the golden ratio fill 0..1 evenly: the switches meet all phases of the camera's rhythm."""


def phase(number: int) -> float:
    """0..1, spread evenly over any run of numbers."""
    return number * GOLDEN % 1.0


def steps(order: tuple[Rgb, ...] = ORDER, shortest_s: float = SHORTEST_S) -> Challenge:
    """The sequence; each step ``shortest_s`` to ``shortest_s + STAGGER_S`` long.

    Raises KioskError when it does not pass the check for photosensitive people.
    """
    slots = tuple(Slot(rgb, "full", shortest_s + STAGGER_S * phase(number)) for number, rgb in enumerate(order))
    challenge = Challenge(slots)
    if not photosensitivity.check(challenge).safe:
        raise KioskError("would flash too often for photosensitive people", where="the calibration's sequence")
    return challenge


def scene(slot: Slot, progress: float) -> Scene:
    """The picture of one step; ``progress`` 0..1 goes around the ring."""
    return Scene(SceneKind.FLASHING, Oval(0.5, 0.5, 0.27, 0.48), fits=True, progress=progress, flash=slot)

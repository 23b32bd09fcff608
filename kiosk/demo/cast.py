"""Who comes to the door in the demo, and what must happen.

Person A is enrolled from one photograph and walks up from another; the stranger is never enrolled. Every visit says
what is expected of it; ``passed`` in the report is computed from what happened, never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hardware.sim.actors import BentPrint, FlatPrint, LiveHead
from hardware.sim.injection import RecordedSession
from hardware.sim.light import Ambient
from hardware.sim.path import Path
from hardware.sim.portrait import Portrait
from hardware.sim.replay import ScreenReplay
from hardware.sim.story import Actor, Story
from kiosk.demo.following import Cues, Following
from kiosk.reasons import Reason
from kiosk.values import Pixels

ENROLLED_PHOTO = "obama2.jpg"
WALKING_PHOTO = "obama.jpg"
STRANGER_PHOTO = "biden.jpg"
ROOM_LUX = 250.0
BADGE = "4711"
"""Person A's."""

REFUSED = frozenset(
    {
        Reason.NOT_LIVE,
        Reason.LIVENESS_UNSURE,
        Reason.FACE_NOT_VISIBLE,
        Reason.FACE_OBSTRUCTED,
        Reason.LOW_VIDEO_QUALITY,
        Reason.FACE_NOT_ALIGNED,
        Reason.LOW_LIGHTING,
        Reason.HIGH_LIGHTING,
        Reason.FACE_CHANGED,
        Reason.FIT_TIMED_OUT,
    }
)
"""Honest words for a presentation attack: a flat refusal, or no proof of life after all tries."""


@dataclass(frozen=True, slots=True, eq=False)
class Props:
    """What the stories are made of."""

    walking: Portrait
    stranger: Portrait
    old_session: Sequence[tuple[float, Pixels]] = ()
    """(seconds since the first frame, frame) of the first visit, for the replay."""


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """One visit of the demo."""

    name: str
    expected: str
    """granted, denied or none."""
    reasons: frozenset[Reason]
    """Words allowed for the decision; empty: any."""
    story: Callable[[Props], Story]
    seconds: float
    """Longest playing time."""
    hints: tuple[Reason, ...] = ()
    """Hints that must be shown, in this order (others may come between)."""
    badge_s: float | None = None
    """When Person A's badge is shown; None: there is no badge reader."""
    cues: Cues | None = None
    """Who follows the screen's instructions in this act, if anybody does."""


def _guided(props: Props) -> Story:
    """Too far, then off-centre, then dark before a bright hall, then right."""
    path = Path.walk_up(far_mm=950.0, near_mm=800.0, walk_s=0.6).then(4.5, 420.0, x_mm=95.0).then(8.0, 410.0)
    # The commonest dark face: a sunlit hall behind the visitor, and the camera exposes for the hall.
    sunlit = Ambient(lux=60.0, backlight=40.0)
    lights = ((0.0, Ambient(lux=ROOM_LUX)), (7.0, sunlit), (11.5, Ambient(lux=ROOM_LUX)))
    return Story(actors=(LiveHead(props.walking, path),), lights=lights)


def _two_people(props: Props) -> Story:
    first = LiveHead(props.walking, Path.walk_up(near_mm=440.0).then(3.4, 440.0, x_mm=-60.0).leaving(9.0))
    beside = Path.standing(520.0, x_mm=120.0)
    second = LiveHead(props.stranger, replace(beside, enter_s=1.0, leave_s=10.0, phase=1.3))
    return Story(actors=(first, second), lights=((0.0, Ambient(lux=ROOM_LUX)),))


def _room(actor: Actor, lux: float = ROOM_LUX) -> Story:
    return Story(actors=(actor,), lights=((0.0, Ambient(lux=lux)),))


def _replayed(props: Props) -> Story:
    return Story(injections=(RecordedSession(props.old_session),), lights=((0.0, Ambient(lux=ROOM_LUX)),))


WALK = Path.walk_up()
WELCOME = frozenset({Reason.WELCOME})


def _people() -> tuple[Act, ...]:
    """Whoever is alive and well lit gets an answer."""
    return (
        Act("A, live", "granted", WELCOME, lambda props: _room(LiveHead(props.walking, WALK)), 14.0),
        Act(
            "a stranger, live",
            "denied",
            frozenset({Reason.UNKNOWN_PERSON}),
            lambda props: _room(LiveHead(props.stranger, WALK)),
            16.0,
        ),
    )


def _attacks() -> tuple[Act, ...]:
    """Whoever only looks like A is refused."""
    return (
        Act("a flat print of A", "denied", REFUSED, lambda props: _room(FlatPrint(props.walking, WALK)), 30.0),
        Act("a bent print of A", "denied", REFUSED, lambda props: _room(BentPrint(props.walking, WALK)), 30.0),
        Act("A on a tablet", "denied", REFUSED, lambda props: _room(ScreenReplay(props.walking, WALK)), 30.0),
        Act("A's old session, replayed", "denied", REFUSED, _replayed, 20.0),
    )


def _awkward() -> tuple[Act, ...]:
    """What happens on every other day."""
    return (
        Act("nobody", "none", frozenset(), lambda _props: Story(lights=((0.0, Ambient(lux=ROOM_LUX)),)), 4.0),
        Act(
            "A: far, off-centre, dark, then right",
            "granted",
            WELCOME,
            _guided,
            26.0,
            hints=(Reason.MOVE_CLOSER, Reason.MOVE_RIGHT, Reason.TOO_DARK),
        ),
        Act("two people", "none", frozenset(), _two_people, 11.5, hints=(Reason.ONE_PERSON,)),
        Act(
            "A leaves during the flash",
            "denied",
            frozenset({Reason.LEFT_DURING_CHECK, Reason.FACE_CHANGED}),
            lambda props: _room(LiveHead(props.walking, WALK.leaving(4.4, walk_s=0.8))),
            12.0,
        ),
        Act(
            "A in 4 000 lx",
            "denied",
            frozenset({Reason.HIGH_LIGHTING, Reason.TOO_BRIGHT}),
            lambda props: _room(LiveHead(props.walking, WALK), lux=4000.0),
            30.0,
        ),
    )


def _in_the_sun() -> tuple[Act, ...]:
    """No flash can be seen: a badge, and the head moves."""
    follows, turns = Cues(), Cues()
    return (
        Act(
            "A in 20 000 lx with the badge",
            "granted",
            WELCOME,
            lambda props: _room(LiveHead(props.walking, Following.after(WALK, follows)), lux=20_000.0),
            30.0,
            badge_s=1.0,
            cues=follows,
        ),
        Act(
            "a print of A in 20 000 lx with A's badge",
            "denied",
            REFUSED | {Reason.INSTRUCTION_MISSED},
            lambda props: _room(FlatPrint(props.walking, Following.after(WALK, turns)), lux=20_000.0),
            45.0,
            badge_s=1.0,
            cues=turns,
        ),
    )


def acts() -> tuple[Act, ...]:
    """The visits, in order. The first one's frames become the old session of the replay."""
    return (*_people(), *_attacks(), *_awkward(), *_in_the_sun())

"""The kinds of visitor: the living and every attack that the flash is tried against, each built into a world.

``build`` puts one of them into drawn ``Conditions``. The same species, cast, conditions and seed make the same world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.sim.actors import BentPrint, FlatPrint, LiveHead, Mask, ScreenReplay
from hardware.sim.conditions import Conditions
from hardware.sim.injection import FrozenFrame, RecordedSession
from hardware.sim.path import EYES_Y_MM, Path
from hardware.sim.portrait import Portrait
from hardware.sim.story import Actor, Injection, Story
from hardware.sim.world import World
from kiosk.errors import InputError
from kiosk.values import Face, Pixels

WALK_FROM_S = 0.2
WALK_S = 1.3
SETTLED_S = WALK_FROM_S + 0.7 + WALK_S
"""Story time at which the visitor has walked up and stands; the hold and the flash follow."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionFrame:
    """One frame of a recorded genuine session."""

    offset_s: float
    pixels: Pixels
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Whom a world is made of: the visitor (or whom the attacker imitates) and somebody else."""

    visitor: Portrait
    other: Portrait
    session: Sequence[SessionFrame] = ()
    """An old genuine session of the visitor, for ``replay_session``."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When the kiosk is expected to flash, in story time: what is swapped or frozen happens about then."""

    flash_s: float = SETTLED_S + 0.8
    flash_for_s: float = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a species brings into the world."""

    actors: tuple[Actor, ...] = ()
    injections: tuple[Injection, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """All that a species may look at while it is set up."""

    cast: Cast
    conditions: Conditions
    seed: int
    timing: Timing
    path: Path
    random: np.random.Generator


@dataclass(frozen=True, slots=True)
class Species:
    """One kind of visitor. ``covered`` says whether the flash promises to refuse it (``live``: to accept it)."""

    name: str
    description: str
    make: Callable[[Order], Scene]
    covered: bool = True


def build(species: str, cast: Cast, conditions: Conditions, seed: int, timing: Timing | None = None) -> World:
    """A world ready for ``SimDisplay`` and ``SimCamera``. Raises InputError for an unknown species."""
    if species not in SPECIES:
        raise InputError(f"no species {species!r}", where="simulated world", mend=f"one of {', '.join(SPECIES)}")
    order = Order(
        cast,
        conditions,
        seed,
        timing if timing is not None else Timing(),
        path_of(conditions, seed),
        np.random.default_rng([seed, 0x59EC]),
    )
    scene = SPECIES[species].make(order)
    return World(
        Story(scene.actors, ((0.0, conditions.ambient),), scene.injections),
        seed=conditions.room_seed * 1_000_003 + seed,
        room=conditions.room,
        panel=conditions.panel,
        optics=conditions.optics,
        lag_s=conditions.lag_s,
        lag_jitter_s=conditions.lag_jitter_s,
    )


def path_of(conditions: Conditions, seed: int) -> Path:
    """Walks up from twice the distance and stands, with this person's small movements."""
    near = conditions.distance_mm
    walk = Path.walk_up(start_s=WALK_FROM_S, walk_s=WALK_S, far_mm=min(2.0 * near, 900.0), near_mm=near)
    *before, (at_s, _) = walk.keyframes
    right, down = conditions.offset_mm
    return replace(
        walk,
        keyframes=(*before, (at_s, (right, EYES_Y_MM + down, near))),
        sway_mm=conditions.sway_mm,
        wobble_deg=conditions.wobble_deg,
        blink_every_s=conditions.blink_every_s,
        phase=float(np.random.default_rng([seed, 0x9A7]).uniform(0.0, 2.0 * np.pi)),
    )


def _live(order: Order) -> Scene:
    return Scene((LiveHead(order.cast.visitor, order.path),))


def _print_flat(order: Order) -> Scene:
    return Scene((FlatPrint(order.cast.visitor, order.path),))


def _print_bent(order: Order) -> Scene:
    radius = float(order.random.uniform(75.0, 160.0))
    return Scene((BentPrint(order.cast.visitor, order.path, radius_mm=radius),))


def _replay_lcd(order: Order) -> Scene:
    return Scene((ScreenReplay(order.cast.visitor, order.path, luminance_cd_m2=400.0, mirror=0.03),))


def _frozen(order: Order) -> Scene:
    from_s = float(order.random.uniform(SETTLED_S, order.timing.flash_s))
    return Scene((LiveHead(order.cast.visitor, order.path),), (FrozenFrame(from_s),))


def _replay_session(order: Order) -> Scene:
    frames = order.cast.session
    if not frames:
        raise InputError("replay_session needs a recorded session in the cast", where="simulated world")
    pictures = [(frame.offset_s, frame.pixels) for frame in frames]
    return Scene(injections=(RecordedSession(pictures, shown=[frame.faces for frame in frames]),))


def _mask_3d(order: Order) -> Scene:
    return Scene((Mask(order.cast.visitor, order.path),))


def _second_person(order: Order) -> Scene:
    side = float(order.random.choice([-1.0, 1.0]))
    far = order.conditions.distance_mm + float(order.random.uniform(250.0, 500.0))
    beside = replace(
        Path.standing(far, x_mm=side * 0.36 * far), blink_every_s=4.0, phase=float(order.random.uniform(0.0, 6.0))
    )
    return Scene((LiveHead(order.cast.visitor, order.path), LiveHead(order.cast.other, beside)))


_ALL = (
    Species("live", "a living person", _live),
    Species("print_flat", "a matte print on a flat sheet", _print_flat),
    Species("print_bent", "a matte print bent about a vertical axis", _print_bent),
    Species("replay_lcd", "the picture on an LCD tablet", _replay_lcd),
    Species("replay_session", "an old genuine session, injected", _replay_session),
    Species("frozen", "the camera's last picture, repeated", _frozen),
    Species("mask_3d", "a good mask: right shape, wrong paint and gloss", _mask_3d, covered=False),
    Species("second_person", "a living person with a bystander behind", _second_person),
)
SPECIES: dict[str, Species] = {species.name: species for species in _ALL}

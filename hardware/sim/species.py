"""The kinds of visitor: the living and every attack that the flash is tried against, each built into a world.

``build`` puts one of them into drawn ``Conditions``. The same species, cast, conditions and seed make the same world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.sim.actors import BentPrint, FlatPrint, LiveHead, Mask, Swapped
from hardware.sim.conditions import Conditions
from hardware.sim.glasses import Spectacles
from hardware.sim.injection import FrozenFrame, RecordedSession
from hardware.sim.path import EYES_Y_MM, Path
from hardware.sim.portrait import Portrait
from hardware.sim.relit import InjectedRelit, InjectedVideo
from hardware.sim.replay import ScreenReplay, lcd, nearer, oled
from hardware.sim.session import SessionFrame
from hardware.sim.story import Actor, Cue, Injection, Story
from hardware.sim.variants import trimmed, with_glasses, with_shape, with_skin
from hardware.sim.world import World
from hardware.sim.worn import EyeholePrint
from kiosk.errors import InputError

WALK_FROM_S = 0.2
WALK_S = 1.3
SETTLED_S = WALK_FROM_S + 0.7 + WALK_S
"""Story time at which the visitor has walked up and stands; the hold and the flash follow."""
FLASH_S = SETTLED_S + 0.8
"""Story time at which the flash is expected, where nobody tells (``World.flash_begins``)."""
FLASH_FOR_S = 2.0
"""The shortest flash: a swap after its end would be no swap during it."""
SESSION_FLASH_S = SETTLED_S + 2.4
"""When a session is flashed at that is to be replayed: later than any kiosk waits, so that it can be cued."""
PHONE_SHARE = 0.42
FINEST_PX_PER_MM = 1.2
"""Up to this resolution of the camera the portraits' finest picture is never looked at."""
FAST_S = 0.15
"""A relit injection faster than this is not covered."""


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Whom a world is made of: the visitor (or whom the attacker imitates) and somebody else."""

    visitor: Portrait
    other: Portrait
    session: Sequence[SessionFrame] = ()
    """An old genuine session of the visitor, for ``replay_session``."""


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
    flash: Cue
    path: Path
    random: np.random.Generator


@dataclass(frozen=True, slots=True)
class Species:
    """One kind of visitor. ``covered`` says whether the flash promises to refuse it (``live``: to accept it)."""

    name: str
    description: str
    make: Callable[[Order], Scene]
    covered: bool = True


def build(species: str, cast: Cast, conditions: Conditions, seed: int, flash: Cue | None = None) -> World:
    """A world ready for ``SimDisplay`` and ``SimCamera``. Raises InputError for an unknown species.

    ``flash``: when the kiosk flashes, for those who wait for it; expected at ``FLASH_S`` when not given.
    """
    if species not in SPECIES:
        raise InputError(f"no species {species!r}", where="simulated world", mend=f"one of {', '.join(SPECIES)}")
    order = Order(
        dressed(cast, conditions),
        conditions,
        seed,
        flash if flash is not None else Cue(FLASH_S),
        path_of(conditions, seed),
        np.random.default_rng([seed, 0x59EC]),
    )
    return _world(SPECIES[species].make(order), conditions, seed, order.flash)


def _world(scene: Scene, conditions: Conditions, seed: int, flash: Cue) -> World:
    return World(
        Story(scene.actors, ((0.0, conditions.ambient),), scene.injections, flash=flash),
        seed=conditions.room_seed * 1_000_003 + seed,
        room=conditions.room,
        room_seed=conditions.room_seed,
        panel=conditions.panel,
        optics=conditions.optics,
        lag_s=conditions.lag_s,
        lag_jitter_s=conditions.lag_jitter_s,
    )


def dressed(cast: Cast, conditions: Conditions) -> Cast:
    """The cast as the conditions want it: the visitor's skin, shape, glasses; others stay as photographed."""
    visitor, other = cast.visitor, cast.other
    if conditions.optics.focal_px / (conditions.distance_mm - 15.0) < FINEST_PX_PER_MM:
        visitor, other = trimmed(visitor), trimmed(other)
    if conditions.shape != (1.0, 1.0, 1.0):
        visitor = with_shape(visitor, *conditions.shape)
    if conditions.skin_l is not None:
        random = np.random.default_rng([conditions.room_seed, 0x5C1])
        visitor = with_skin(visitor, conditions.skin_l, float(random.uniform(-1.0, 1.0)))
    if conditions.glasses:
        visitor = with_glasses(visitor, Spectacles.drawn(np.random.default_rng([conditions.room_seed, 0x61A])))
    return replace(cast, visitor=visitor, other=other)


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


def _studio(order: Order) -> World:
    """The attacker's own room: the victim in the kiosk's circumstances, but with its own noise and movements."""
    conditions, seed = order.conditions, order.seed + 7_919
    head = LiveHead(order.cast.visitor, path_of(conditions, seed))
    return _world(Scene((head,)), conditions, seed, order.flash)


def _tilted(order: Order) -> Path:
    """Hand-held things are never quite square to the camera."""
    yaw, pitch, roll = (float(angle) for angle in order.random.uniform(-6.0, 6.0, 3))
    return replace(order.path, yaw_deg=yaw, pitch_deg=pitch, roll_deg=0.5 * roll)


def _live(order: Order) -> Scene:
    return Scene((LiveHead(order.cast.visitor, order.path),))


def _print_flat(order: Order) -> Scene:
    return Scene((FlatPrint(order.cast.visitor, _tilted(order)),))


def _print_glossy(order: Order) -> Scene:
    return Scene((FlatPrint(order.cast.visitor, _tilted(order), gloss=0.04),))


def _print_bent(order: Order) -> Scene:
    radius = float(order.random.uniform(75.0, 160.0))
    return Scene((BentPrint(order.cast.visitor, _tilted(order), radius_mm=radius),))


def _print_eyeholes(order: Order) -> Scene:
    radius = float(order.random.uniform(80.0, 120.0))
    return Scene((EyeholePrint(order.cast.visitor, order.cast.other, order.path, radius_mm=radius),))


def _replay_lcd(order: Order) -> Scene:
    return Scene((ScreenReplay(order.cast.visitor, _tilted(order), glass=lcd(order.random)),))


def _replay_oled(order: Order) -> Scene:
    return Scene((ScreenReplay(order.cast.visitor, _tilted(order), glass=oled(order.random)),))


def _replay_phone(order: Order) -> Scene:
    """A 6.7 inch phone: the face fits at 0.42 of its size, so the phone is held at 0.42 of the distance."""
    glass = (oled if order.random.random() < 0.7 else lcd)(order.random)
    path = nearer(_tilted(order), PHONE_SHARE)
    phone = ScreenReplay(order.cast.visitor, path, glass=glass, size_mm=(74.0, 158.0), shrunk=PHONE_SHARE, edge_mm=2.5)
    return Scene((phone,))


def _replay_session(order: Order) -> Scene:
    frames = order.cast.session
    if not frames:
        raise InputError("replay_session needs a recorded session in the cast", where="simulated world")
    pictures = [(frame.offset_s, frame.pixels) for frame in frames]
    old = RecordedSession(
        pictures, shown=[frame.faces for frame in frames], flash=order.flash, flash_offset_s=SESSION_FLASH_S
    )
    return Scene(injections=(old,))


def _frozen(order: Order) -> Scene:
    from_s = float(order.random.uniform(SETTLED_S, FLASH_S))
    return Scene((LiveHead(order.cast.visitor, order.path),), (FrozenFrame(from_s),))


def _inject_tint(order: Order) -> Scene:
    """The attacker knows the room roughly and guesses the modulation within a factor of 1.6."""
    panel, conditions = order.conditions.panel, order.conditions
    lux = panel.luminance_cd_m2 * panel.width_mm * panel.height_mm / conditions.distance_mm**2
    guess = lux / conditions.ambient_lux * float(np.exp(order.random.uniform(-0.47, 0.47)))
    return Scene(injections=(InjectedVideo(_studio(order), float(order.random.uniform(0.05, 0.4)), min(guess, 1.5)),))


def _inject_relit(order: Order) -> Scene:
    return Scene(injections=(InjectedRelit(_studio(order), float(order.random.uniform(FAST_S, 0.4))),))


def _inject_relit_fast(order: Order) -> Scene:
    return Scene(injections=(InjectedRelit(_studio(order), float(order.random.uniform(0.03, FAST_S))),))


def _mask_3d(order: Order) -> Scene:
    return Scene((Mask(order.cast.visitor, order.path),))


def _second_person(order: Order) -> Scene:
    side = float(order.random.choice([-1.0, 1.0]))
    far = order.conditions.distance_mm + float(order.random.uniform(250.0, 500.0))
    beside = replace(
        Path.standing(far, x_mm=side * 0.36 * far), blink_every_s=4.0, phase=float(order.random.uniform(0.0, 6.0))
    )
    return Scene((LiveHead(order.cast.visitor, order.path), LiveHead(order.cast.other, beside)))


def _face_swap(order: Order) -> Scene:
    """At once, as a change of the video would be, or the one steps aside for the other."""
    after_s = float(order.random.uniform(0.05, 0.6)) * FLASH_FOR_S
    change_s = 0.0 if order.random.random() < 0.5 else float(order.random.uniform(0.3, 0.6))
    after_s = max(after_s, change_s / 2.0)  # nobody slides before the flash is seen
    second = LiveHead(order.cast.other, replace(order.path, phase=order.path.phase + 1.0))
    return Scene((Swapped(LiveHead(order.cast.visitor, order.path), second, order.flash, after_s, change_s),))


_ALL = (
    Species("live", "a living person", _live),
    Species("print_flat", "a matte print on a flat sheet", _print_flat),
    Species("print_glossy", "a print on photographic paper that mirrors the screen", _print_glossy),
    Species("print_bent", "a matte print bent about a vertical axis", _print_bent),
    Species("print_eyeholes", "a print worn as a mask: living eyes that blink behind holes", _print_eyeholes),
    Species("replay_lcd", "the picture on an LCD tablet", _replay_lcd),
    Species("replay_oled", "the picture on an OLED tablet", _replay_oled),
    Species("replay_phone", "the picture on a phone, held nearer", _replay_phone),
    Species("replay_session", "an old genuine session, injected", _replay_session),
    Species("frozen", "the camera's last picture, repeated", _frozen),
    Species("inject_tint", "an injected video, tinted as a whole 50-400 ms late", _inject_tint),
    Species("inject_relit", "an injected head, relit from its mesh 150-400 ms late", _inject_relit),
    Species("inject_relit_fast", "the same 30-150 ms late", _inject_relit_fast, covered=False),
    Species("mask_3d", "a good mask: right shape, wrong paint and gloss", _mask_3d, covered=False),
    Species("second_person", "a living person with a bystander farther behind", _second_person),
    Species("face_swap", "another living person takes the place during the flash", _face_swap),
)
SPECIES: dict[str, Species] = {species.name: species for species in _ALL}

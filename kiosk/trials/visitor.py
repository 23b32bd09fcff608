"""One trial: a visitor with as many tries as the door allows, each in the same circumstances with a new challenge."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from hardware.sim.conditions import Conditions
from hardware.sim.species import SPECIES, build
from hardware.sim.story import Cue
from kiosk.config.tree import Settings
from kiosk.evaluation.trial import Trial, outcome
from kiosk.identity.scale import Scale
from kiosk.ports import FaceModels
from kiosk.trials.attempt import Outcome, SameFace, play
from kiosk.trials.film import Find
from kiosk.trials.plan import Planned
from kiosk.trials.troupe import Troupe
from kiosk.values import Face, Frame, Liveness
from kiosk.visit.light import Flash

NEARER = 0.97
"""Who is told to come closer comes a little closer than needed."""
SWAPS = frozenset({"face_swap"})
"""Species whose faces are compared by the real embedder; all others are known to stay the same."""


def visit(
    planned: Planned,
    troupe: Troupe,
    settings: Settings,
    *,
    adaptive: bool,
    same_face: SameFace | None = None,
    finder: Callable[[], Find] | None = None,
) -> Trial:
    """Play one trial to its end: an unsure verdict asks for another try, at most ``liveness.tries`` times.

    ``finder`` gives a fresh face finder for each try, instead of the simulator's own.
    """
    conditions = planned.conditions
    led = led_closer(conditions, settings)
    outcomes: list[Outcome] = []
    for number in range(1 + settings.liveness.tries):
        seed = 4 * planned.seed + number
        cast = troupe.cast(led, planned.seed, session=planned.species == "replay_session")
        world = build(planned.species, cast, led, seed, Cue(math.inf))
        done = play(
            world,
            settings,
            seed=seed,
            lag_s=conditions.lag_s if planned.calibrated else None,
            adaptive=adaptive,
            find=None if finder is None else finder(),
            same_face=same_face if planned.species in SWAPS else None,
        )
        outcomes.append(done)
        if done.ended or done.result.verdict is not Liveness.UNSURE:
            break
    last = outcomes[-1]
    accepted = last.flash is not Flash.NONE and last.result.verdict is Liveness.LIVE
    return Trial(
        id=planned.id,
        species=planned.species,
        covered=SPECIES[planned.species].covered,
        split=planned.split,
        seed=planned.seed,
        conditions={**conditions.flat(), "calibrated": planned.calibrated},
        attempts=len(outcomes),
        verdict=last.result.verdict,
        accepted=accepted,
        confidence=last.result.confidence,
        reasons=tuple(str(reason) for reason in last.result.reasons),
        gates=last.result.gates,
        colour_slots=last.colour_slots,
        in_oval_to_verdict_s=round(sum(one.seconds for one in outcomes), 4),
        flash=str(last.flash),
        fixed_length_s=round(sum(one.fixed_length_s for one in outcomes), 4),
        earlier=tuple(outcome(one.result) for one in outcomes[:-1]),
    )


def led_closer(conditions: Conditions, settings: Settings) -> Conditions:
    """The same, with the visitor as near as the kiosk wants: who has a narrow head seems farther off than they are."""
    width, far_mm = conditions.shape[0], settings.guidance.far_mm
    if conditions.distance_mm / width <= far_mm:
        return conditions
    return replace(conditions, distance_mm=NEARER * far_mm * width)


def compared_by(models: FaceModels, scale: Scale) -> SameFace:
    """The kiosk's own comparison of the faces kept during a try."""

    def same(kept: list[tuple[Frame, Face]]) -> tuple[float, ...]:
        before, *later = (models.embed(frame.pixels, face) for frame, face in kept)
        return tuple(scale.between(before, other) for other in later)

    return same

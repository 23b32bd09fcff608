"""One trial: a visitor with as many tries as the door allows, each in the same circumstances with a new challenge.

An attacker brings another sheet, screen or delay to each try.
"""

from __future__ import annotations

import math
from collections import deque
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
from kiosk.values import Embedding, Face, Frame, Liveness
from kiosk.visit.light import Flash

NEARER, BACK = 0.97, 1.03
"""Who is told to come closer, or to step back, goes a little farther than needed."""
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
    where = led(conditions, settings)
    outcomes: list[Outcome] = []
    for number in range(1 + settings.liveness.tries):
        seed = 4 * planned.seed + number
        cast = troupe.cast(where, planned.seed, session=planned.species == "replay_session")
        world = build(planned.species, cast, where, seed, Cue(math.inf))
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
        conditions={
            **conditions.flat(),
            "stood_mm": round(where.distance_mm, 1),
            "calibrated": planned.calibrated,
        },
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


def led(conditions: Conditions, settings: Settings) -> Conditions:
    """The same, with the visitor where the kiosk leads them: by its estimate, to which a narrow head seems far off."""
    width, guidance = conditions.shape[0], settings.guidance
    seems_mm = conditions.distance_mm / width
    wanted_mm = min(max(seems_mm, guidance.near_mm * BACK), guidance.far_mm * NEARER)
    moved = seems_mm < guidance.near_mm or seems_mm > guidance.far_mm
    return replace(conditions, distance_mm=wanted_mm * width) if moved else conditions


def compared_by(models: FaceModels, scale: Scale) -> SameFace:
    """The kiosk's own comparison of the faces kept during a try; each frame is embedded once."""
    known: deque[tuple[Frame, Embedding]] = deque(maxlen=8)

    def embedded(frame: Frame, face: Face) -> Embedding:
        for one, embedding in known:
            if one is frame:
                return embedding
        known.append((frame, models.embed(frame.pixels, face)))
        return known[-1][1]

    def same(kept: list[tuple[Frame, Face]]) -> tuple[float, ...]:
        before, *later = (embedded(frame, face) for frame, face in kept)
        return tuple(scale.between(before, other) for other in later)

    return same

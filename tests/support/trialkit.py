"""Trials out of thin air, for the evaluation's tests."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.evaluation.trial import Scalar, Trial
from kiosk.values import Gate, Liveness, Verdict

GATES = ("timing", "gain", "shape")


def trial(
    number: int,
    species: str = "live",
    verdict: str = "live",
    *,
    confidence: float | None = None,
    failing: Sequence[str] = (),
    insufficient: Sequence[str] = (),
    covered: bool = True,
    flash: str = "normal",
    split: str = "test",
    seconds: float | None = 3.0,
    **conditions: Scalar,
) -> Trial:
    """One trial; ``conditions`` replace those of an ordinary office."""
    known: dict[str, Scalar] = {"ambient_lux": 300.0, "distance_mm": 400.0, "skin_l": 60.0, "glasses": False}
    gates = tuple(
        Gate(
            name,
            Verdict.FAIL if name in failing else Verdict.INSUFFICIENT if name in insufficient else Verdict.PASS,
            0.5,
            0.4,
        )
        for name in GATES
    )
    return Trial(
        id=f"{species}-{number}",
        species=species,
        covered=covered,
        split=split,
        seed=number,
        conditions={**known, **conditions},
        attempts=1,
        verdict=Liveness(verdict),
        accepted=verdict == "live" and flash != "none",
        confidence={"live": 80.0, "unsure": 40.0, "spoof": 10.0}[verdict] if confidence is None else confidence,
        reasons=() if verdict == "live" else ("NOT_LIVE",),
        gates=gates,
        colour_slots=6,
        in_oval_to_verdict_s=seconds,
        flash=flash,
        fixed_length_s=5.0,
    )

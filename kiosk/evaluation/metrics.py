"""Presentation-attack figures from trials, as ISO/IEC 30107-3 reports them.

Rules:
- APCER is counted for each species and the worst species is the result; species are never pooled.
- A visitor who is accepted passed; anything else is a refusal. BPCER counts the genuine ones taken for an attack, BPNRR
  those without an answer after all tries; the targets are held against both together (``refused``), the harder figure.
- Whoever met light too bright for a flash was sent to the other path: counted beside, in no rate.
- Every rate comes with exact bounds (``bounds``). A rate of nothing is NaN, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kiosk.evaluation.bounds import Share
from kiosk.evaluation.trial import LIVE, Scalar, Trial
from kiosk.values import Liveness, Verdict

AXES = ("ambient_lux", "distance_mm", "skin_l", "glasses")
"""What a cell of the live grid is made of."""
TARGET_LUX = 1000.0
TARGET_MM = (300.0, 500.0)
"""Where the targets hold."""


@dataclass(frozen=True, slots=True)
class AttackFigures:
    """One species."""

    species: str
    covered: bool
    accepted: Share
    """APCER."""
    silent: Share
    """APNRR: no answer after all tries (refused at the door all the same)."""
    other_path: int
    """Met light too bright for a flash."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Genuine visitors of one cell or margin."""

    name: str
    as_attack: Share
    """BPCER: taken for an attack."""
    silent: Share
    """BPNRR: no answer after all tries."""
    refused: Share
    """Both together."""
    again: Share
    """Whom the first try did not let in: asked to try again, or refused at once."""
    other_path: int


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds; NaN of nothing."""

    count: int
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class DetPoint:
    """Error rates if only a confidence of at least ``threshold`` were accepted."""

    threshold: float
    apcer: float
    """Of the worst covered species."""
    bpcer: float


def flashed(trials: Iterable[Trial]) -> list[Trial]:
    """Those that were judged by a flash."""
    return [trial for trial in trials if trial.flash != "none"]


def attack_figures(trials: Sequence[Trial]) -> list[AttackFigures]:
    """Every species but the live one, the worst first; the uncovered ones at the end."""
    figures = []
    for species in sorted({trial.species for trial in trials} - {LIVE}):
        everyone = [trial for trial in trials if trial.species == species]
        judged = flashed(everyone)
        accepted = Share(sum(trial.accepted for trial in judged), len(judged))
        silent = Share(sum(trial.verdict is Liveness.UNSURE for trial in judged), len(judged))
        covered = any(trial.covered for trial in everyone)
        figures.append(AttackFigures(species, covered, accepted, silent, len(everyone) - len(judged)))
    return sorted(figures, key=lambda one: (not one.covered, -_known(one.accepted.rate), one.species))


def worst(figures: Sequence[AttackFigures]) -> AttackFigures | None:
    """The covered species with the largest APCER; among equals the one with the fewest tries."""
    covered = [one for one in figures if one.covered and one.accepted.total]
    return max(covered, key=lambda one: (one.accepted.rate, one.accepted.high), default=None)


def live_figures(trials: Sequence[Trial], name: str) -> LiveFigures:
    """Of the genuine visitors among these."""
    everyone = [trial for trial in trials if trial.species == LIVE]
    judged = flashed(everyone)
    count = len(judged)
    as_attack = sum(trial.verdict is Liveness.SPOOF for trial in judged)
    silent = sum(trial.verdict is Liveness.UNSURE for trial in judged)
    refused = sum(not trial.accepted for trial in judged)
    again = sum(not trial.accepted or trial.attempts > 1 for trial in judged)
    attack_share, silent_share, refused_share, again_share = (
        Share(some, count) for some in (as_attack, silent, refused, again)
    )
    return LiveFigures(name, attack_share, silent_share, refused_share, again_share, len(everyone) - count)


def margin(trials: Sequence[Trial], axis: str) -> list[LiveFigures]:
    """One figure for each value of one condition."""
    values = sorted({_cell_value(trial, axis) for trial in trials if trial.species == LIVE}, key=_sorting)
    return [
        live_figures([trial for trial in trials if _cell_value(trial, axis) == value], _named(axis, value))
        for value in values
    ]


def cells(trials: Sequence[Trial], axes: Sequence[str] = AXES) -> list[tuple[tuple[Scalar, ...], LiveFigures]]:
    """One figure for each combination that was tried, in order."""
    groups: dict[tuple[Scalar, ...], list[Trial]] = {}
    for trial in trials:
        if trial.species == LIVE:
            groups.setdefault(tuple(_cell_value(trial, axis) for axis in axes), []).append(trial)
    found = []
    for key in sorted(groups, key=lambda values: tuple(_sorting(value) for value in values)):
        name = ", ".join(_named(axis, value) for axis, value in zip(axes, key, strict=True))
        found.append((key, live_figures(groups[key], name)))
    return found


def in_target(trial: Trial) -> bool:
    """Whether the targets are held against this trial: light and distance as they say; unknown ones count."""
    lux, distance = trial.conditions.get("ambient_lux"), trial.conditions.get("distance_mm")
    dim = not isinstance(lux, int | float) or lux <= TARGET_LUX
    near = not isinstance(distance, int | float) or TARGET_MM[0] <= distance <= TARGET_MM[1]
    return trial.split != "information" and dim and near


def times(trials: Iterable[Trial], of: Callable[[Trial], float | None]) -> Times:
    """Median and 95th percentile (nearest rank) of what ``of`` gives."""
    known = sorted(seconds for trial in trials if (seconds := of(trial)) is not None)
    return Times(len(known), percentile(known, 0.5), percentile(known, 0.95))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least ``share`` of all do not exceed; NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def det(trials: Sequence[Trial], thresholds: Sequence[float]) -> list[DetPoint]:
    """Error rates over the confidence alone, whatever the verdict was; thresholds 0..100."""
    judged = flashed(trials)
    genuine = [trial.confidence for trial in judged if trial.species == LIVE]
    species = sorted({trial.species for trial in judged if trial.covered and trial.species != LIVE})
    attacks = [[trial.confidence for trial in judged if trial.species == one] for one in species]
    points = []
    for threshold in thresholds:
        refused = sum(one < threshold for one in genuine)
        rates = [sum(one >= threshold for one in group) / len(group) for group in attacks]
        bpcer = refused / len(genuine) if genuine else math.nan
        points.append(DetPoint(threshold, max(rates, default=math.nan), bpcer))
    return points


def stopped(trials: Sequence[Trial], verdict: Verdict = Verdict.FAIL) -> dict[str, dict[str, float]]:
    """Species to gate to the share of trials in which this gate gave ``verdict`` in the last try (0..1)."""
    table: dict[str, dict[str, float]] = {}
    for species in sorted({trial.species for trial in trials}):
        judged = [trial for trial in flashed(trials) if trial.species == species and trial.gates]
        names = dict.fromkeys(gate.name for trial in judged for gate in trial.gates)
        table[species] = {
            name: sum(any(g.name == name and g.verdict is verdict for g in t.gates) for t in judged) / len(judged)
            for name in names
        }
    return table


def alone(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """Species to gate to the trials in which this gate alone did not pass: take it away and they are through."""
    table: dict[str, dict[str, int]] = {}
    for trial in flashed(trials):
        blocking = [gate.name for gate in trial.gates if gate.verdict is not Verdict.PASS]
        if len(blocking) == 1:
            row = table.setdefault(trial.species, {})
            row[blocking[0]] = row.get(blocking[0], 0) + 1
    return table


def _known(rate: float) -> float:
    return -1.0 if math.isnan(rate) else rate


def _cell_value(trial: Trial, axis: str) -> Scalar:
    return trial.conditions.get(axis)


def _sorting(value: Scalar) -> tuple[int, float, str]:
    """None last, numbers by size, words by the alphabet."""
    if value is None:
        return 2, 0.0, ""
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, value)


_UNITS = {"ambient_lux": "{} lx", "distance_mm": "{} mm", "skin_l": "L* {}"}


_LOCKS: dict[Scalar, str] = {
    "proven": "camera locks",
    "untold": "camera cannot tell whether it locks",
    "ignored": "camera says that it locks and does not",
}


def _named(axis: str, value: Scalar) -> str:
    if axis == "glasses":
        return "glasses" if value is True else "no glasses"
    if axis == "exposure_locked" and value in _LOCKS:
        return _LOCKS[value]
    if value is None:
        return f"{axis} unknown"
    shown = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    return _UNITS.get(axis, axis + " {}").format(shown)

"""Training the confidence: separates what can be separated, is calibrated elsewhere, and gives the same bytes again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kiosk.cli.app import run_app
from kiosk.errors import InputError
from kiosk.evaluation.fusion_report import report
from kiosk.evaluation.fusion_train import rows_of, train
from kiosk.evaluation.trial import Trial, line_of
from kiosk.values import Gate, Verdict
from kiosk.visit.reflection.fusion import confidence
from tests.support.trialkit import trial

BEST = {"timing": 0.99, "lag": 0.02, "gain": 0.9, "contrast": 0.02, "shape": 0.95, "relief": 0.3}
LIMITS = {"timing": 0.85, "lag": 0.05, "gain": 0.3, "contrast": 0.25, "shape": 0.6, "relief": 0.05}
POOR = {
    "print": {"shape": 0.35, "relief": 0.03},
    "replay": {"gain": 0.1, "contrast": 0.6, "shape": 0.4},
    "recording": {"timing": 0.4},
}


def drawn(split: str, each: int, seed: int) -> list[Trial]:
    """Visitors and three species of attack with overlapping values."""
    rng = np.random.default_rng(seed)
    found = []
    for species, changes in {"live": {}, **POOR}.items():
        for number in range(each * (3 if species == "live" else 1)):
            gates = []
            for name, best in BEST.items():
                middle = changes.get(name, best)
                spread = 0.5 * abs(POOR["print"].get(name, LIMITS[name]) - best) + 0.02
                value = float(np.clip(rng.normal(middle, 0.4 * spread), 0.0, 0.999))
                good = value <= LIMITS[name] if name in ("lag", "contrast") else value >= LIMITS[name]
                gates.append(Gate(name, Verdict.PASS if good else Verdict.FAIL, value, LIMITS[name]))
            world = int(rng.integers(1 << 30))
            made = trial(number, species, "live" if species == "live" else "spoof", split=split)
            found.append(replace(made, seed=world, id=f"{split}-{species}-{number}", gates=tuple(gates)))
    return found


def test_visitors_and_attacks_are_told_apart_in_other_worlds() -> None:
    """Trained on some, most of the others lie on their side of a half; the mean error is far below a coin's."""
    model = train(rows_of(drawn("train", 60, 1)), seed=1)
    measured = report(drawn("test", 60, 2), model)
    assert measured.brier < 0.03
    at = {item.threshold: item for item in measured.at}
    assert at[50.0].bpcer < 0.05
    assert at[50.0].apcer_max < 0.1
    assert at[90.0].apcer_max_gates <= at[50.0].apcer_max_gates <= at[50.0].apcer_max
    assert at[50.0].bpcer <= at[80.0].bpcer <= at[90.0].bpcer <= at[90.0].bpcer_gates


def test_the_confidence_means_what_it_says() -> None:
    """In bins with many attempts the visitors' share lies near the mean confidence, though classes overlap."""

    def blurred(split: str, seed: int) -> list[Trial]:
        rng = np.random.default_rng(seed)
        made = []
        for number in range(3000):
            live = number % 2 == 0
            shape = float(np.clip(rng.normal(0.75 if live else 0.5, 0.15), 0, 1))
            gates = tuple(
                Gate(name, Verdict.PASS, shape if name == "shape" else BEST[name], LIMITS[name]) for name in BEST
            )
            one = trial(number, "live" if live else "print", split=split)
            made.append(replace(one, seed=seed * 100_000 + number, gates=gates, id=str(number)))
        return made

    measured = report(blurred("test", 2), train(rows_of(blurred("train", 1)), seed=1))
    crowded = [part for part in measured.bins if part.attempts >= 200]
    assert len(crowded) >= 2
    for part in crowded:
        assert part.live_percent == pytest.approx(part.mean_confidence, abs=6.0)


def test_no_weight_is_negative_and_all_are_finite() -> None:
    """Even where a bad value happens to go with visitors."""
    perverse = [
        replace(one, gates=tuple(replace(g, value=0.01) if g.name == "relief" else g for g in one.gates))
        if one.species == "live"
        else one
        for one in drawn("train", 40, 3)
    ]
    model = train(rows_of(perverse), seed=1)
    assert min(model.weights.values()) >= 0.0
    assert model.weights["relief"] == 0.0
    assert all(np.isfinite(weight) for weight in (*model.weights.values(), model.offset))


def test_species_that_are_not_covered_are_not_learned_from() -> None:
    """A mask would teach that a good face is none."""
    trials = drawn("train", 40, 4)
    masks = [replace(one, species="mask_3d", covered=False, id=f"m{one.id}") for one in trials if one.species == "live"]
    assert train(rows_of([*trials, *masks]), seed=1) == train(rows_of(trials), seed=1)


def test_a_missing_vote_does_not_make_an_attack_of_a_visitor() -> None:
    """All trials show an approach; who is there already must still get a high confidence."""
    vote = Gate("parallax", Verdict.PASS, 1.0, 0.3)
    trials = [
        replace(one, gates=(*one.gates, vote if one.species == "live" else replace(vote, value=0.0)))
        for one in drawn("train", 60, 5)
    ]
    model = train(rows_of(trials), seed=1)
    absent = [confidence(one.gates[:-1], model) for one in trials if one.species == "live"]
    assert float(np.median(absent)) > 80


def test_too_few_trials_are_refused() -> None:
    """One species alone, or a handful."""
    with pytest.raises(InputError, match="too few to learn from"):
        rows_of([one for one in drawn("train", 40, 1) if one.species == "live"])


def test_the_command_writes_the_same_bytes_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The weights are a module that carries its provenance; the text names the worst species."""
    trials = tmp_path / "trials.jsonl"
    trials.write_text("".join(line_of(one) for one in (*drawn("train", 40, 1), *drawn("test", 40, 2))))
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    assert run_app(["liveness", "train", str(trials), "--out", str(first)]) == 0
    told = capsys.readouterr().out
    assert "Brier score" in told
    assert "APCER max" in told
    assert run_app(["liveness", "train", str(trials), "--out", str(second), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["trained"]["visitors"] == 120
    assert first.read_bytes() == second.read_bytes()
    names: dict[str, object] = {}
    exec(first.read_text(), names)  # noqa: S102  # the module under test
    assert names["MODEL"] == train(rows_of(drawn("train", 40, 1)), seed=1)


def test_the_command_tells_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 2: no file, too few rows, nowhere to write; nothing half-written."""
    assert run_app(["liveness", "train", str(tmp_path / "none.jsonl")]) == 2
    few = tmp_path / "few.jsonl"
    few.write_text(line_of(trial(1)))
    assert run_app(["liveness", "train", str(few)]) == 2
    assert "too few" in capsys.readouterr().err
    trials = tmp_path / "trials.jsonl"
    trials.write_text("".join(line_of(one) for one in (*drawn("train", 40, 1), *drawn("test", 40, 2))))
    assert run_app(["liveness", "train", str(trials), "--out", str(tmp_path / "no" / "w.py")]) == 2
    assert not list(tmp_path.glob("*.part"))
    assert len(capsys.readouterr().err.strip().splitlines()) == 1

"""One trial of the liveness evaluation: somebody comes to the kiosk, and what the gates said of it in the end.

A trials file holds one JSON object a line and is only ever appended to, so that an interrupted run goes on where it
ended. No pixels, no names of people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.errors import InputError
from kiosk.values import Gate, Liveness, LivenessResult, Verdict

Scalar = str | float | int | bool | None
LIVE = "live"
"""The species of genuine visitors."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One visitor and the verdict after at most ``attempts`` tries."""

    id: str
    species: str
    covered: bool
    """Whether the gates are meant to stop this species at all."""
    split: str
    """train, test, information (light, distance or camera outside the targets) or recordings."""
    seed: int
    conditions: Mapping[str, Scalar]
    attempts: int
    verdict: Liveness
    accepted: bool
    confidence: float
    reasons: tuple[str, ...]
    gates: tuple[Gate, ...]
    colour_slots: int
    """Shown in the last attempt."""
    in_oval_to_verdict_s: float | None
    """Over all tries; None where it was not measured."""
    flash: str = "normal"
    """normal, long, or none: too bright, sent to the path without a flash."""
    fixed_length_s: float | None = None
    """What the same tries would have taken with every flash played to its end."""
    earlier: tuple[str, ...] = field(default=())
    """Verdict and first reason of each try before the last one."""

    def to_json(self) -> dict[str, Any]:
        """One line of the file."""
        return {
            "id": self.id,
            "species": self.species,
            "covered": self.covered,
            "split": self.split,
            "seed": self.seed,
            "conditions": dict(self.conditions),
            "attempts": self.attempts,
            "verdict": str(self.verdict),
            "accepted": self.accepted,
            "confidence": self.confidence,
            "reasons": list(self.reasons),
            "gates": [
                {
                    "name": gate.name,
                    "verdict": str(gate.verdict),
                    "value": gate.value,
                    "threshold": gate.threshold,
                    "unit": gate.unit,
                }
                for gate in self.gates
            ],
            "colour_slots": self.colour_slots,
            "in_oval_to_verdict_s": self.in_oval_to_verdict_s,
            "flash": self.flash,
            "fixed_length_s": self.fixed_length_s,
            "earlier": list(self.earlier),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Trial:
        """The inverse of ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        seconds, fixed = plain["in_oval_to_verdict_s"], plain.get("fixed_length_s")
        return cls(
            id=str(plain["id"]),
            species=str(plain["species"]),
            covered=bool(plain["covered"]),
            split=str(plain["split"]),
            seed=int(plain["seed"]),
            conditions=dict(plain["conditions"]),
            attempts=int(plain["attempts"]),
            verdict=Liveness(plain["verdict"]),
            accepted=bool(plain["accepted"]),
            confidence=float(plain["confidence"]),
            reasons=tuple(str(reason) for reason in plain["reasons"]),
            gates=tuple(
                Gate(
                    name=str(gate["name"]),
                    verdict=Verdict(gate["verdict"]),
                    value=None if gate["value"] is None else float(gate["value"]),
                    threshold=float(gate["threshold"]),
                    unit=str(gate.get("unit", "")),
                )
                for gate in plain["gates"]
            ),
            colour_slots=int(plain["colour_slots"]),
            in_oval_to_verdict_s=None if seconds is None else float(seconds),
            flash=str(plain.get("flash", "normal")),
            fixed_length_s=None if fixed is None else float(fixed),
            earlier=tuple(str(one) for one in plain.get("earlier", ())),
        )


def outcome(result: LivenessResult) -> str:
    """A try in two words, for ``Trial.earlier``."""
    return " ".join((str(result.verdict), *result.reasons[:1]))


def line_of(trial: Trial) -> str:
    """The trial as its line of the file, with the newline."""
    return json.dumps(trial.to_json(), allow_nan=False, separators=(",", ":")) + "\n"


def read_trials(path: Path) -> list[Trial]:
    """The trials of a file; a last line without its newline was cut off by an interruption and does not count.

    Raises InputError for a file that cannot be read and for any other line that is no trial.
    """
    return [trial for trial, _end in _lines(path)]


def mend_trials(path: Path) -> list[Trial]:
    """``read_trials``, and the file cut back to its last whole line, ready to append to. A missing one is empty."""
    if not path.exists():
        return []
    found = _lines(path)
    end = found[-1][1] if found else 0
    try:
        if path.stat().st_size > end:
            with path.open("r+b") as file:
                file.truncate(end)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from error
    return [trial for trial, _end in found]


def unique(trials: Iterable[Trial]) -> list[Trial]:
    """Each id once, the first one."""
    first: dict[str, Trial] = {}
    for trial in trials:
        first.setdefault(trial.id, trial)
    return list(first.values())


def _lines(path: Path) -> list[tuple[Trial, int]]:
    """Each trial with the position at which its line ends."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    found: list[tuple[Trial, int]] = []
    at = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        at += len(line)
        if not line.endswith(b"\n"):
            break
        try:
            found.append((Trial.from_json(json.loads(line)), at))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            mend = "name a file that this command wrote, or a new folder"
            raise InputError(f"line {number} is no trial", where=str(path), mend=mend) from error
    return found

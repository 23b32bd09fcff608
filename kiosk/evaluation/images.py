"""The passive model on folders of pictures: how well it alone tells faces from pictures of faces.

A folder holds one label, its sub-folders one person each (pictures beside them belong to nobody in particular).
Pictures of one person resemble each other, so the pooled bounds are too narrow: each person is told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.errors import InputError
from kiosk.evaluation.bounds import Share
from kiosk.evaluation.trial import LIVE

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
ALL = "all"
"""The name of the mean over the present models: what the kiosk uses."""
Score = Callable[[Path], Sequence[float] | None]
"""Probability 0..1 of life by each model; None where no face is found. Raises InputError for a broken picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One scored picture."""

    label: str
    person: str
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the models."""
        return sum(self.scores) / len(self.scores)


def pictures(folder: Path) -> list[tuple[str, Path]]:
    """(person, file) of every picture in ``folder`` and its sub-folders, in order. Raises InputError for none."""
    try:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(folder)) from error
    if not files:
        raise InputError("no pictures", where=str(folder), mend="name a folder with one sub-folder a person")
    found = []
    for path in files:
        inside = path.relative_to(folder).parts
        found.append((inside[0] if len(inside) > 1 else "-", path))
    return found


def look(
    folders: Mapping[str, Path], score: Score, progress: Callable[[str, int, int], None]
) -> tuple[list[Picture], list[str]]:
    """Score all pictures of label to folder; also one line for each that could not be used. Raises InputError."""
    listed = [(label, person, path) for label, folder in folders.items() for person, path in pictures(folder)]
    scored: list[Picture] = []
    unusable: list[str] = []
    for number, (label, person, path) in enumerate(listed):
        progress("pictures", number, len(listed))
        try:
            scores = score(path)
        except InputError as error:
            unusable.append(str(error))
            continue
        if scores is None:
            unusable.append(f"{path}: no face")
        else:
            scored.append(Picture(label, person, tuple(scores)))
    progress("pictures", len(listed), len(listed))
    return scored, unusable


def passive_figures(
    scored: Sequence[Picture], unusable: int, threshold: float, models: Sequence[str]
) -> dict[str, Any]:
    """Errors at ``threshold`` for the mean and each model, by label and by person, and how well the orders separate."""
    columns: dict[str, Callable[[Picture], float]] = {ALL: lambda one: one.mean}
    if len(models) > 1:
        columns |= {name: (lambda one, at=at: one.scores[at]) for at, name in enumerate(models)}  # type: ignore[misc]
    return {
        "threshold": threshold,
        "pictures": len(scored),
        "unusable": unusable,
        "models": {name: _of_model(scored, value, threshold) for name, value in columns.items()},
    }


def _of_model(scored: Sequence[Picture], value: Callable[[Picture], float], threshold: float) -> dict[str, Any]:
    genuine = [value(one) for one in scored if one.label == LIVE]
    attacks = [value(one) for one in scored if one.label != LIVE]
    right = sum(score >= threshold for score in genuine) + sum(score < threshold for score in attacks)
    return {
        "right": Share(right, len(scored)).to_json(),
        "separation_percent": _separation(genuine, attacks),
        "labels": [
            {
                "label": label,
                "errors": _errors([one for one in scored if one.label == label], value, threshold),
                "persons": [
                    {"person": person, "errors": _errors(group, value, threshold)}
                    for person, group in _persons(scored, label).items()
                ],
            }
            for label in dict.fromkeys(one.label for one in scored)
        ],
    }


def _persons(scored: Sequence[Picture], label: str) -> dict[str, list[Picture]]:
    groups: dict[str, list[Picture]] = {}
    for one in scored:
        if one.label == label:
            groups.setdefault(one.person, []).append(one)
    return groups


def _errors(group: Sequence[Picture], value: Callable[[Picture], float], threshold: float) -> dict[str, Any]:
    """Live pictures below the threshold, or others at or above it."""
    wrong = sum((value(one) >= threshold) is (one.label != LIVE) for one in group)
    return Share(wrong, len(group)).to_json()


def _separation(genuine: Sequence[float], attacks: Sequence[float]) -> float | None:
    """Percent of (genuine, attack) pairs in the right order, ties half: the area under the ROC curve."""
    if not genuine or not attacks:
        return None
    wins = sum((one > other) + 0.5 * (one == other) for one in genuine for other in attacks)
    return round(100.0 * wins / (len(genuine) * len(attacks)), 3)

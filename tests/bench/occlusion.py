"""Fit and judge the two occlusion scores on a folder of people: ``python -m tests.bench.occlusion DIR [--data DIR]``.

DIR is laid out like LFW (one folder a person). Half of the people fit the weights, the other half judge them. Covers
are painted (``tests.support.occlusions``), then the face is found again, as the kiosk would. Prints the weights for
``kiosk/runtime/occlusion.py`` and, for the people that were not fitted, the shares called covered at 0.5.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardware.stills import load_image
from kiosk.config.paths import data_dir
from kiosk.runtime.occlusion import covered_contrasts, sunglasses_contrasts
from kiosk.values import Face, Pixels
from models.faces import LocalFaceModels, open_models
from tests.support import occlusions

Painter = Callable[[Pixels, Face, np.random.Generator], Pixels]
ROUNDS = 2


def central(faces: list[Face], pixels: Pixels) -> Face | None:
    """The face nearest to the middle."""
    middle = np.array([pixels.shape[1], pixels.shape[0]]) / 2
    return min(faces, key=lambda face: float(np.hypot(*(face.box.centre_px - middle))), default=None)


def fit(contrasts: np.ndarray, labels: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Logistic regression by Newton's method, both classes weighted equally: intercept first."""
    design = np.column_stack([np.ones(len(contrasts)), contrasts])
    weight = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    penalty = ridge * np.diag([0.0] + [1.0] * contrasts.shape[1])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        shares = 1 / (1 + np.exp(-np.clip(design @ solution, -50, 50)))
        slope = design.T @ (weight * (shares - labels)) + penalty @ solution
        curve = (design.T * (weight * shares * (1 - shares))) @ design + penalty
        solution -= np.linalg.solve(curve, slope)
    return solution


def collect(models: LocalFaceModels, folder: Path) -> dict[str, list[tuple[int, np.ndarray, np.ndarray]]]:
    """By cover ("none" too): (number of the person, sunglasses contrasts, covered contrasts)."""
    painters: dict[str, Painter] = {
        "sunglasses": occlusions.sunglasses, "mask": occlusions.mask, "hand": occlusions.hand
    }  # fmt: skip
    rows: dict[str, list[tuple[int, np.ndarray, np.ndarray]]] = {"none": [], **{name: [] for name in painters}}
    random = np.random.default_rng(20)
    for number, person in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for path in sorted(person.glob("*.jpg")):
            pixels = load_image(path)
            face = central(models.find_still(pixels), pixels)
            if face is None:
                continue
            rows["none"].append((number, sunglasses_contrasts(pixels, face), covered_contrasts(pixels, face)))
            for name, paint in painters.items():
                for _ in range(ROUNDS):
                    painted = paint(pixels, face, random)
                    again = central(models.find_still(painted), painted)
                    if again is not None:
                        both = sunglasses_contrasts(painted, again), covered_contrasts(painted, again)
                        rows[name].append((number, *both))
    return rows


def report(rows: dict[str, list[tuple[int, np.ndarray, np.ndarray]]], score: str, positives: tuple[str, ...]) -> None:
    """Fit on the even people, judge on the odd ones, print both."""
    column = 1 if score == "sunglasses" else 2
    # The other cover is neither: a mask says nothing about sunglasses, and the reverse.
    used = ("none", *positives)
    people = np.array([row[0] for name in used for row in rows[name]])
    contrasts = np.array([row[column] for name in used for row in rows[name]])
    labels = np.array([float(name != "none") for name in used for _ in rows[name]])
    even = people % 2 == 0
    weights = fit(contrasts[even], labels[even])
    print(f"{score}: ({', '.join(f'{weight:.3f}' for weight in weights)})")  # noqa: T201 - its output
    for name, found in rows.items():
        odd = np.array([row[column] for row in found if row[0] % 2])
        shares = 1 / (1 + np.exp(-(weights[0] + odd @ weights[1:])))
        called = (shares > 0.5).mean()
        print(f"  {name:10s} n {len(odd):4d}  called {100 * called:5.1f} %  median {np.median(shares):.3f}")  # noqa: T201 - a report for a person


def main() -> int:
    """Collect once, fit both scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=None, help="data directory with the weights")
    options = parser.parse_args()
    with open_models(options.data or data_dir()) as models:
        rows = collect(models, options.folder)
    report(rows, "sunglasses", ("sunglasses",))
    report(rows, "covered", ("mask",))
    return 0


if __name__ == "__main__":
    sys.exit(main())

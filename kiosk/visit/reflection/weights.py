"""The weights of the confidence and where they come from: written by ``kiosk liveness train``."""

from __future__ import annotations

from kiosk.visit.reflection.fusion import Model

TRAINED: dict[str, str | int] = {
    "command": "kiosk liveness train G_p1.jsonl --seed 1",
    "seed": 1,
    "visitors": 75,
    "attacks": 86,
    "trials_sha256": "8aff6d50c9030090bae5871e9c1341b06e2e0aa1521f10d256021d6934bc3efc",
}

MODEL = Model(
    weights={
        "stream": 1.2362,
        "continuity": 6.1673,
        "exposure": 0.0,
        "modulation": 0.0,
        "timing": 1.8913,
        "lag": 2.7899,
        "gain": 0.0,
        "contrast": 0.0,
        "shape": 2.7002,
        "relief": 2.5931,
        "halves": 0.0,
        "parallax": 0.4935,
        "passive": 0.0,
        "weakest": 5.4998,
    },
    offset=-17.6006,
)

"""The weights of the confidence and where they come from: written by ``kiosk liveness train``."""

from __future__ import annotations

from kiosk.visit.reflection.fusion import Model

TRAINED: dict[str, str | int] = {
    "command": "kiosk liveness train trials.jsonl --seed 1",
    "seed": 1,
    "visitors": 119,
    "attacks": 511,
    "trials_sha256": "4a6fe6bfb98e6501ad838b584515720bdc160202547bda2f8f130ef5e500de76",
}

MODEL = Model(
    weights={
        "stream": 1.2829,
        "continuity": 5.3328,
        "exposure": 0.0,
        "modulation": 0.0,
        "timing": 1.7772,
        "lag": 3.5289,
        "gain": 0.6151,
        "contrast": 1.1701,
        "shape": 1.901,
        "relief": 2.6596,
        "halves": 0.1923,
        "parallax": 1.0102,
        "passive": 0.0,
        "weakest": 6.1988,
    },
    offset=-17.7086,
)

"""The weights of the confidence and where they come from: written by ``kiosk liveness train``."""

from __future__ import annotations

from kiosk.visit.reflection.fusion import Model

TRAINED: dict[str, str | int] = {
    "command": "kiosk liveness train G_train.jsonl --seed 1",
    "seed": 1,
    "visitors": 106,
    "attacks": 384,
    "trials_sha256": "e0e25a95835606745a953a00b79afef6237a0d31fc67d6ebc97cff9b98832ff5",
}

MODEL = Model(
    weights={
        "stream": 1.4157,
        "continuity": 5.4506,
        "exposure": 0.0,
        "modulation": 0.0,
        "timing": 4.1833,
        "lag": 3.4354,
        "gain": 0.3007,
        "contrast": 1.4791,
        "shape": 0.0,
        "relief": 1.6223,
        "halves": 0.0,
        "parallax": 2.5671,
        "passive": 0.0,
        "weakest": 4.6398,
    },
    offset=-17.203,
)

"""A liveness result as the plain object that ``--json``, reports and recordings' scores share."""

from __future__ import annotations

from typing import Any

from kiosk.values import LivenessResult


def liveness_to_json(result: LivenessResult) -> dict[str, Any]:
    """The documented object: verdict, confidence, reasons, gates (name, verdict, value, threshold)."""
    return {
        "verdict": str(result.verdict),
        "confidence": result.confidence,
        "reasons": [str(reason) for reason in result.reasons],
        "gates": [
            {"name": gate.name, "verdict": str(gate.verdict), "value": gate.value, "threshold": gate.threshold}
            for gate in result.gates
        ],
    }

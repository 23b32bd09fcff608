"""Whether the flash may end early: slots are shown one at a time, and enough is enough.

Pure. Asked after each colour slot from the floor on; an answer is a full verdict, None means another slot.
"""

from __future__ import annotations

from kiosk.config.tree import LivenessSettings
from kiosk.values import Liveness, LivenessResult
from kiosk.visit.evidence import Evidence
from kiosk.visit.reflection.verdict import judge

ENOUGH = 90.0
"""Confidence at which the flash ends early."""


def enough(evidence: Evidence, settings: LivenessSettings) -> LivenessResult | None:
    """LIVE with confidence to spare, judged on the slots shown so far; None: show the next slot."""
    result = judge(evidence, settings)
    return result if result.verdict is Liveness.LIVE and result.confidence >= ENOUGH else None

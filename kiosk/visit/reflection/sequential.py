"""Whether the flash may end early: slots are shown one at a time, and enough is enough.

Pure. Asked after each colour slot from the sixth on; an answer is a full verdict, None means another slot. Only LIVE
ends a flash early: who is not recognised yet may be with more light.

What a look asks for:

- the correlation that this number of colours needs so that all looks together err no more often than one test
  (``chance``: alpha spending), and with it the permutation test;
- every other gate, on the frames seen so far;
- a confidence with room to spare: noise that lifts an attack over a limit at one of seven looks lifts it barely.

The gates are asked one after the other, the cheap ones first, until one does not pass: a look that must go on costs a
few milliseconds, one that ends the flash about twenty.
"""

from __future__ import annotations

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.values import Liveness, LivenessResult, Verdict
from kiosk.visit.challenge import FLOOR
from kiosk.visit.evidence import Evidence
from kiosk.visit.reflection.verdict import conclude, findings

ENOUGH = 90.0
"""Confidence at which the flash ends early."""


def enough(evidence: Evidence, settings: LivenessSettings) -> LivenessResult | None:
    """LIVE with confidence to spare, judged on the slots shown so far; None: show the next slot."""
    if sum(1 for slot in evidence.slots if len(set(slot.rgb)) > 1) < FLOOR:
        return None
    found = []
    with np.errstate(all="ignore"):
        for item in findings(evidence, settings):
            if item.verdict is not Verdict.PASS:
                return None
            found.append(item)
    result = conclude(found)
    return result if result.verdict is Liveness.LIVE and result.confidence >= ENOUGH else None

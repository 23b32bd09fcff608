"""How well a wrong sequence answers by chance, and so what correlation each number of colours asks for.

An old recording, or a guess, answers *some* challenge of ours. Over pairs of challenges as ``kiosk.visit.challenge``
draws them, the multiple correlation of one with the other (three positive channel gains, drift removed, nothing else
wrong, no noise) passes ``LEAST_R`` with these chances (``python -m tests.bench.chance``):

- after six colours two sequences are the same in 1 of about 7 200: each colour comes once, two of them half lit. So no
  limit makes six colours safer than that, and 0.99 asks for nothing but the same sequence;
- from seven on the limits are the quantiles of 1 in 10 000.

Repeated looks: the flash is judged after each colour from the sixth on and ends at the first look that passes. By
Boole's inequality a wrong sequence passes *any* of the seven looks with at most the sum of their chances, below
0.001: the error that the permutation test allows a single one (``liveness.timing_p``). The looks' shares of
that error are fixed in advance and do not depend on what was seen, so peeking costs nothing more (alpha spending,
Lan and DeMets 1983). A genuine answer lies above 0.99 in all but weak light, and goes on where it does not.
"""

from __future__ import annotations

from kiosk.visit.challenge import FLOOR

LEAST_R = (0.99, 0.965, 0.935, 0.915, 0.88, 0.86, 0.85)
"""After six, seven ... twelve colours; more colours ask for no less than twelve."""


def least_r(colours: int) -> float:
    """Least correlation with the challenge after this many colours; 1 where they are too few for any verdict."""
    if colours < FLOOR:
        return 1.0
    return LEAST_R[min(colours - FLOOR, len(LEAST_R) - 1)]

"""Is this a living face in front of this screen, now? Gates over the light that the face sends back.

``judge`` is the whole interface; ``mesh`` is also used where pixels become evidence (``kiosk.runtime.extract``).
"""

from kiosk.visit.reflection.verdict import judge

__all__ = ["judge"]

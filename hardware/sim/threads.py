"""How many threads rendering takes: one when every core plays a world of its own."""

from __future__ import annotations

import cv2


def one_thread() -> None:
    """Keep OpenCV to the calling thread, in this process."""
    cv2.setNumThreads(1)

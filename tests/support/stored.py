"""A good calibration for tests: of a usual camera and screen, three days old at ``NOW``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kiosk.runtime.calibration import Calibration
from kiosk.values import Panel

PANEL = Panel(155.0, 88.0, 500.0)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GOOD = Calibration(
    measured_utc=(NOW - timedelta(days=3)).isoformat(),
    software="0.1.0",
    camera="v4l2 usb-1.2",
    panel=PANEL,
    target="card",
    distance_mm=400.0,
    lag_s=0.052,
    lag_spread_s=0.004,
    switches=12,
    colour_matrix=((0.7, 0.2, 0.0), (0.1, 0.8, 0.1), (0.0, 0.1, 0.9)),
    modulation=0.12,
    ambient_lux=310.0,
    luminance_ratio=0.93,
    residual=0.02,
)

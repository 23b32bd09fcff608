"""Rules for every test: examples are drawn the same way each time, and no test is judged by the wall clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "kiosk",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # also a wall clock
)
settings.load_profile("kiosk")

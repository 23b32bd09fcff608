"""Recorded liveness sessions as directories: ``recording.json``, ``frames.csv`` and PNG frames."""

from hardware.recording.read import read_recording
from hardware.recording.write import write_recording

__all__ = ["read_recording", "write_recording"]

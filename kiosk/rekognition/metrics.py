"""The server's figures for Prometheus, on an address of their own: calls, errors, times, faces.

Rules: labels are operations and error names, of which there are a few dozen; never a key, a collection, a user or
anything else that names somebody.
"""

from __future__ import annotations

from typing import Any

BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""60 ms is what a search among ten thousand faces may take."""
COUNTED = {"FaceRecords": "indexed", "UnindexedFaces": "not_indexed", "DeletedFaces": "deleted"}
"""Member of an answer to what happened to its faces."""


class Metrics:
    """Counters of one server; ``registry`` is prometheus_client's."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        self._calls = Counter(
            "kiosk_rekognition_calls", "Requests answered, by operation and error (none: it succeeded).",
            ("operation", "error"), registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "kiosk_rekognition_seconds", "Time to answer, by operation.", ("operation",), buckets=BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        self._faces = Counter(
            "kiosk_rekognition_faces", "Faces indexed, not indexed (by the quality filter), deleted.", ("what",),
            registry=self.registry,
        )  # fmt: skip
        for what in COUNTED.values():
            self._faces.labels(what)

    def answered(self, operation: str, error: str, seconds: float) -> None:
        """One request is over; ``operation`` is empty when it was refused before it was read."""
        self._calls.labels(operation or "none", error or "none").inc()
        self._seconds.labels(operation or "none").observe(seconds)

    def told(self, answer: dict[str, Any]) -> None:
        """Count the faces of an answer."""
        for member, what in COUNTED.items():
            self._faces.labels(what).inc(len(answer.get(member, ())))

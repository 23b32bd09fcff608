"""Benchmarks of single parts: perceive, step, embed, passive, search. Each returns plain figures in its unit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np

from kiosk.config.tree import Settings
from kiosk.identity.gallery import Gallery
from kiosk.ports import FaceModels, probe_of
from kiosk.runtime.perceive import Perceiver
from kiosk.values import Embedding, Face, Frame, Moment, Observation, Pixels
from kiosk.visit.events import Observed
from kiosk.visit.rules import Rules
from kiosk.visit.step import new_visit, step

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WARM = 10
"""Calls before the counting begins."""
SEARCH_SIZES = (10_000, 100_000, 1_000_000)
DIMENSIONS = 128
Progress = Callable[[str, int, int], None]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50 and p95, rounded to what a clock can tell."""
    if not values:
        return {"p50": 0.0, "p95": 0.0}
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def perceive_ms(
    settings: Settings, models: FaceModels, frames: Sequence[Frame]
) -> tuple[dict[str, float], list[Observation], list[Face]]:
    """Milliseconds a frame for landmarks, tracking and quality; also what was seen, for the benchmarks behind it."""
    perceiver = Perceiver(
        models, guidance=settings.guidance, profile=settings.quality.door, hfov_deg=settings.camera.hfov_deg
    )
    took, observations, faces = [], [], []
    for frame in frames:
        began = time.perf_counter()
        observation, face = perceiver.perceive(frame)
        took.append((time.perf_counter() - began) * 1e3)
        observations.append(observation)
        if face is not None:
            faces.append(face)
    return percentiles(took[WARM:]), observations, faces


def step_us(rules: Rules, observations: Sequence[Observation], rounds: int = 40) -> dict[str, float]:
    """Microseconds a step of the pure core over the observed frames."""
    took = []
    for _ in range(rounds):
        visit = new_visit(rules, observations[0].frame_width_px, observations[0].frame_height_px)
        for observation in observations:
            now = Moment(observation.at_s, _EPOCH, bytes(32))
            event = Observed(observation)
            began = time.perf_counter()
            visit, _effects = step(visit, event, now, rules)
            took.append((time.perf_counter() - began) * 1e6)
    return percentiles(took)


def per_call_ms(work: Callable[[], object], calls: int) -> dict[str, float]:
    """Milliseconds a call."""
    for _ in range(3):
        work()
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return percentiles(took)


def model_ms(models: FaceModels, pixels: Pixels, face: Face) -> dict[str, dict[str, float]]:
    """Milliseconds of one embedding, of one frame of a probe (by both models during a change), of one passive score."""
    return {
        "embed_ms": per_call_ms(lambda: models.embed(pixels, face), 60),
        "probe_ms": per_call_ms(lambda: probe_of(models, pixels, face), 60),
        "passive_ms": per_call_ms(lambda: models.passive_live_score(pixels, face), 60),
    }


def search_ms(model_version: str, progress: Progress, calls: int = 30) -> dict[str, float]:
    """Median milliseconds of an exact 1:N search, one template a person, random unit vectors (seeded), one thread.

    BLAS threads are the caller's business: the search is one matrix-vector product, bound by memory.
    """
    random = np.random.default_rng(5)
    figures: dict[str, float] = {}
    for number, size in enumerate(SEARCH_SIZES):
        progress("search", number, len(SEARCH_SIZES))
        vectors = random.standard_normal((size, DIMENSIONS), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        gallery = Gallery(model_version)
        gallery.replace((f"p{row}", Embedding(vectors[row], model_version)) for row in range(size))
        probe = Embedding(vectors[size // 2].copy(), model_version)
        del vectors
        figures[str(size)] = per_call_ms(lambda g=gallery, p=probe: g.search(p), calls)["p50"]  # type: ignore[misc]
        del gallery
    progress("search", len(SEARCH_SIZES), len(SEARCH_SIZES))
    return figures

"""Spectacles: what mirrors the screen is left out, what is skin stays, and a print gains nothing by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, Verdict
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.reflection import judge, shape
from kiosk.visit.reflection.amplitude import measure
from kiosk.visit.reflection.eyewear import glares, mirrors, within_reach
from kiosk.visit.reflection.mesh import LEFT_EYE, RIGHT_EYE, mesh
from kiosk.visit.reflection.shape import UNLIKELY, Shape, compare, shape_gate
from kiosk.visit.reflection.signals import gather
from kiosk.visit.reflection.templates import templates
from kiosk.visit.reflection.timing import align
from tests.support.cell_world import halves_light, session, with_frames

SETTINGS = LivenessSettings()


def glare(evidence: Evidence, strength: float = 0.25, size_mm: float = 9.0) -> Evidence:
    """The screen mirrored below both eyes, as a spot of light that albedo has no part in."""
    grid = mesh()
    spots = np.zeros((32, 32), bool)
    for rim in (LEFT_EYE, RIGHT_EYE):
        middle = grid.vertices[list(rim), :2].mean(axis=0) + np.array([0.0, 14.0])
        spots |= np.linalg.norm(grid.points[..., :2] - middle, axis=-1) < size_mm
    spots &= grid.skin

    def shine(_: int, frame: FrameEvidence) -> FrameEvidence:
        light = halves_light(evidence.slots, frame.exposure_start_s - 0.09, 0.012).mean(axis=0)
        seen = frame.map_rgb.copy()
        seen[spots] += (strength * light).astype(np.float32)
        return replace(frame, map_rgb=seen)

    return with_frames(evidence, shine)


def shape_of(evidence: Evidence) -> Shape:
    """What the shape gate sees."""
    signals = gather(evidence)
    timing = align(signals, SETTINGS)
    assert timing is not None
    found = compare(evidence, signals, timing, measure(evidence, signals, timing))
    assert found is not None
    return found


@pytest.mark.parametrize("strength", [0.05, 0.25, 1.0])
@pytest.mark.parametrize("seed", range(1, 5))
def test_a_head_with_mirroring_lenses_is_a_head(seed: int, strength: float) -> None:
    """Whether its spots need be left out or not."""
    wearer = glare(session(seed=seed, noise=0.03), strength, size_mm=14.0)
    assert shape_of(wearer).strong
    assert judge(wearer, SETTINGS).verdict is Liveness.LIVE


@pytest.mark.parametrize("room", [0, 17, 60])
def test_mirrors_are_found_and_nothing_else(room: int) -> None:
    """Two spots under the eyes on a head's own response in any room; without them nothing is suspected."""
    grid = mesh()
    points, normals = grid.points[grid.skin].astype(float), grid.normals[grid.skin].astype(float)
    head = templates(points, normals, 400.0, 50.0).scattered
    kept = np.ones(len(points), bool)
    assert not mirrors(head[room], head, kept).any()
    spots = (np.abs(np.abs(points[:, 0]) - 32.0) < 8.0) & (np.abs(points[:, 1] + 18.0) < 8.0) & within_reach()
    assert spots.sum() > 10
    found = mirrors(head[room] + 2.0 * spots, head, kept)
    assert found[spots].all()
    assert found.sum() < 4 * spots.sum()
    assert not found[~within_reach()].any()


@pytest.mark.parametrize("seed", range(1, 4))
def test_without_its_lenses_a_face_is_known_better(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the whole face does not convince, the better of both comparisons counts."""
    wearer = glare(session(seed=seed, noise=0.03), 0.3, size_mm=14.0)
    whole = shape_of(wearer)
    monkeypatch.setattr(shape, "STRONG", ((2.0, 2.0), (2.0, 2.0)))
    assert shape_of(wearer).mirrored == 0, "not enough better to make up for what was left out"
    monkeypatch.setattr(shape, "LIKELY", 0.0)
    without = shape_of(wearer)
    assert (whole.mirrored, without.mirrored > 20) == (0, True)
    assert without.r > whole.r + 0.01


def test_a_bare_face_keeps_all_its_cells() -> None:
    """Nothing mirrors, nothing is left out."""
    assert shape_of(session()).mirrored == 0


@pytest.mark.parametrize("surface", ["plane", "bent", "veil"])
def test_a_print_gains_nothing_by_spectacles(surface: str) -> None:
    """Real glasses on a photograph: the paper around them stays paper."""
    for strength in (0.1, 0.25, 1.0):
        assert judge(glare(session(surface=surface, noise=0.03), strength), SETTINGS).verdict is not Liveness.LIVE


@pytest.mark.parametrize(("r", "share", "mirrored", "strong"), [
    (0.66, 0.46, 0, True),
    (0.66, 0.44, 0, False),
    (0.82, 0.31, 0, True),
    (0.82, 0.29, 0, False),
    (0.78, 0.35, 0, False),
    (0.82, 0.31, 30, False),
    (0.82, 0.46, 30, True),
])  # fmt: skip
def test_what_convinces_alone(r: float, share: float, mirrored: int, strong: bool) -> None:
    """A good correlation makes up for a low relief, but only where nothing was left out."""
    assert replace(shape_of(session()), r=r, share=share, mirrored=mirrored).strong is strong


def test_what_is_left_out_without_a_glare_asks_for_more() -> None:
    """Brow and nose of a print bent over the face seem to mirror too; without them the rest is more like a head."""
    seen = replace(shape_of(session()), r=0.7, share=0.5, mirrored=150)
    assert shape_gate(seen, SETTINGS).verdict is Verdict.PASS
    assert seen.strong
    doubted = replace(seen, doubt=UNLIKELY)
    said = shape_gate(doubted, SETTINGS)
    assert (said.verdict, said.reason) == (Verdict.INSUFFICIENT, Reason.FACE_OBSTRUCTED)
    assert said.gate.threshold == pytest.approx(SETTINGS.shape_r + UNLIKELY)
    assert not doubted.strong
    assert shape_gate(replace(doubted, r=0.76), SETTINGS).verdict is Verdict.PASS


def test_nothing_is_left_out_of_a_face_of_which_nothing_else_was_seen() -> None:
    """What skin can answer is told by the rest of the face."""
    reach = within_reach()
    share = np.where(np.arange(len(reach)) % 7 == 0, 4.0, 1.0)
    assert not mirrors(share, np.ones((2, int(reach.sum()))), reach).any()


def test_only_a_spot_beyond_skin_is_a_glare() -> None:
    """One and a half times what nearly all of the face answers, and only near the eyes."""
    reach = within_reach()
    kept = np.ones(len(reach), bool)
    flat = np.ones(len(reach))
    near, far = int(np.flatnonzero(reach)[0]), int(np.flatnonzero(~reach)[0])
    for place, answer, found in ((near, 1.4, False), (near, 1.6, True), (far, 3.0, False)):
        share = flat.copy()
        share[place] = answer
        assert glares(share, kept) is found
    assert not glares(flat, np.zeros(len(reach), bool))


def test_only_cells_near_the_eyes_can_be_left_out() -> None:
    """Most of the face is out of any lens's reach."""
    reach = within_reach()
    assert 0.2 < reach.mean() < 0.6
    grid = mesh()
    assert not reach[(grid.forehead & (grid.points[..., 1] < -55.0))[grid.skin]].any()


def test_a_face_that_lenses_hide_asks_to_see_it() -> None:
    """Relief enough for a head but another form: with spectacles on it is a doubt, without them an attack."""
    seen = replace(shape_of(session()), r=0.5)
    hidden = shape_gate(replace(seen, mirrored=30), SETTINGS)
    assert (hidden.verdict, hidden.reason) == (Verdict.INSUFFICIENT, Reason.FACE_OBSTRUCTED)
    assert shape_gate(seen, SETTINGS).verdict is Verdict.FAIL
    assert shape_gate(replace(seen, mirrored=30, share=0.1), SETTINGS).verdict is Verdict.FAIL

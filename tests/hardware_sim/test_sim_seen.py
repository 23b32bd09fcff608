"""What a landmarker would say, said without one: the projected points lie where the film shows them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hardware.sim import seen
from hardware.sim.actors import BentPrint, FlatPrint, LiveHead
from hardware.sim.conditions import PANELS, WALLS, Conditions, draw
from hardware.sim.path import EYES_Y_MM, Path, Stand
from hardware.sim.relief import Placed, View
from hardware.sim.replay import ScreenReplay
from kiosk.values import Floats
from tests.hardware_sim.people import painted

VIEW = View(640, 480, 530.4)
TURNED = Stand(10.0, EYES_Y_MM, 420.0, yaw_deg=8.0, pitch_deg=-5.0, roll_deg=4.0)
FRONTAL = Stand(0.0, EYES_Y_MM, 400.0)


def drawn_at(actor: LiveHead | FlatPrint | BentPrint | ScreenReplay, stand: Stand, mark: tuple[int, ...]) -> Floats:
    """Where the renderer itself puts the texture's own landmark points: the nearest ray of the shading grid, px."""
    relief = actor.relief(0.0)
    placed = Placed.of(relief, stand, VIEW)
    found = []
    for index in mark:
        points = painted().landmarks_mm[index]
        if relief.imagined_mm is not None and relief.landmarks_mm is not None:
            points = relief.landmarks_mm[index]
        u = points[0] * relief.px_per_mm + relief.origin_px[0]
        v = points[1] * relief.px_per_mm + relief.origin_px[1]
        away = np.hypot(placed.u - u, placed.v - v)
        row, column = np.unravel_index(int(np.argmin(away)), away.shape)
        found.append(((column - 0.5) * 4.0, (row - 0.5) * 4.0))
    return np.array(found, np.float32)


@pytest.mark.parametrize("kind", [LiveHead, FlatPrint, BentPrint, ScreenReplay])
@pytest.mark.parametrize("stand", [FRONTAL, TURNED])
def test_landmarks_lie_where_the_renderer_draws_them(kind: type[LiveHead], stand: Stand) -> None:
    """To the spacing of the grid, turned or not: nose, chin, brows, cheeks, mouth corners."""
    marks = (1, 152, 105, 334, 50, 280, 61, 291)
    actor = kind(painted())
    points = seen.landmarks_px(actor.relief(0.0), stand, VIEW)[list(marks), :2]
    off = np.hypot(*(points - drawn_at(actor, stand, marks)).T)
    assert np.median(off) < 2.5
    assert off.max() < 6.0


@pytest.mark.parametrize("z_mm", [300.0, 500.0, 900.0])
def test_the_eyes_are_63_mm_apart(z_mm: float) -> None:
    """The focal length times 63 over the distance."""
    points = seen.landmarks_px(painted().relief, replace(FRONTAL, z_mm=z_mm), VIEW)
    eyes = float(np.hypot(*(points[473, :2] - points[468, :2])))
    assert eyes == pytest.approx(530.4 * 63.0 / z_mm, rel=0.02)


def test_a_print_is_imagined_as_deep_as_the_head() -> None:
    """A landmarker that sees a picture of a face says a face's depth."""
    head = seen.landmarks_px(painted().relief, FRONTAL, VIEW)
    sheet = seen.landmarks_px(FlatPrint(painted()).relief(0.0), FRONTAL, VIEW)
    assert np.ptp(head[:, 2]) > 60.0
    np.testing.assert_allclose(sheet[:, 2], head[:, 2], atol=1.0)
    assert head[1, 2] < head[468, 2] < head[234, 2]


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0.0, 0.0, 0.0), (15.0, 0.0, 0.0), (0.0, -10.0, 0.0), (5.0, 8.0, -12.0)]
)
def test_the_pose_is_that_of_the_stand(yaw: float, pitch: float, roll: float) -> None:
    """Signs and sizes as ``kiosk.values.Pose`` has them."""
    stand = Stand(0.0, 0.0, 800.0, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    pose = seen.pose_of(seen.landmarks_px(painted().relief, stand, VIEW))
    assert pose.yaw_deg == pytest.approx(yaw, abs=2.5)
    assert pose.pitch_deg == pytest.approx(pitch, abs=2.5)
    assert pose.roll_deg == pytest.approx(roll, abs=2.5)


def test_lids_close_the_eyes_of_the_living_only() -> None:
    """The gap between the lids vanishes in a blink; a print does not blink."""
    shut = replace(FRONTAL, lids=1.0)
    gap = {}
    for name, actor in (("live", LiveHead(painted())), ("print", FlatPrint(painted()))):
        points = seen.landmarks_px(actor.relief(0.0), shut, VIEW)
        gap[name] = float(np.hypot(*(points[159, :2] - points[145, :2])))
    assert gap["live"] < 0.5 < gap["print"]


def test_out_of_sight_is_not_seen() -> None:
    """Beside the picture, or before it came."""
    assert seen.actor_face(LiveHead(painted(), Path.standing(400.0, x_mm=900.0)), 1.0, VIEW) is None
    assert seen.actor_face(LiveHead(painted(), Path.walk_up(start_s=2.0)), 1.0, VIEW) is None
    assert seen.actor_face(LiveHead(painted(), Path.standing()), 1.0, VIEW) is not None


def test_trembling_is_repeatable_and_as_large_as_said() -> None:
    """About a third of a hundredth of the eye distance, the same for the same seed."""
    face = seen.actor_face(LiveHead(painted()), 0.0, VIEW)
    assert face is not None
    first, twin = seen.Tremble(seed=4), seen.Tremble(seed=4)
    shaken = np.array([first.of(face, (640, 480)).landmarks for _ in range(60)])
    again = np.array([twin.of(face, (640, 480)).landmarks for _ in range(60)])
    np.testing.assert_array_equal(shaken, again)
    spread = (shaken - shaken.mean(axis=1, keepdims=True)).std(axis=0)[:, :2].mean() / face.eye_distance_px
    assert spread == pytest.approx(0.0036, rel=0.2)
    off = np.median(np.hypot(*(shaken.mean(axis=0) - face.landmarks)[:, :2].T)) / face.eye_distance_px
    assert 0.008 < off < 0.045


def test_the_splits_share_no_panel_wall_or_room() -> None:
    """Else a model could know its test worlds."""
    assert not set(PANELS["train"]) & set(PANELS["test"])
    assert not set(WALLS["train"]) & set(WALLS["test"])
    drawn = {split: [draw(np.random.default_rng([9, n]), split) for n in range(60)] for split in ("train", "test")}  # type: ignore[arg-type]
    rooms = [{one.room_seed for one in worlds} for worlds in drawn.values()]
    assert not rooms[0] & rooms[1]


def test_conditions_are_drawn_from_the_seed_within_their_ranges() -> None:
    """The same generator, the same circumstances; flat rows are JSON."""
    one, twin = (draw(np.random.default_rng(5), "train", lux=(900.0, 1000.0)) for _ in range(2))
    assert one == twin
    assert 900.0 <= one.ambient_lux <= 1000.0
    assert 300.0 <= one.distance_mm <= 500.0
    row = json.loads(json.dumps(one.flat()))
    assert row["ambient_lux"] == pytest.approx(one.ambient_lux, abs=1e-3)
    assert row["luminance_cd_m2"] == one.panel.luminance_cd_m2
    assert Conditions().ambient.lux == 300.0

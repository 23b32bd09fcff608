"""The plan: repeatable, whole cells, and splits that share nothing."""

from __future__ import annotations

import itertools

import pytest

from hardware.sim.species import SPECIES
from kiosk.errors import InputError
from kiosk.trials.plan import GRID_GLASSES, GRID_LUX, GRID_MM, GRID_SKIN_L, known_species, plan
from kiosk.trials.troupe import PHOTOS, STRANGERS


def test_every_cell_of_the_live_grid_is_filled_alike() -> None:
    """A cell with fewer tries would be known worse than the others."""
    trials = [one for one in plan(["live"], 150, 1, "test") if one.split == "test"]
    cells = [(c.ambient_lux, c.distance_mm, c.skin_l, c.glasses) for c in (one.conditions for one in trials)]
    wanted = set(itertools.product(GRID_LUX, GRID_MM, GRID_SKIN_L, GRID_GLASSES))
    assert set(cells) == wanted
    assert {cells.count(cell) for cell in wanted} == {len(cells) // len(wanted)}


def test_each_attack_gets_as_many_tries_as_asked_for_under_its_own_id() -> None:
    """And no id or seed occurs twice."""
    trials = plan(list(SPECIES), 20, 1, "test")
    for name in SPECIES:
        if name != "live":
            wanted = 20 if SPECIES[name].covered else 2
            assert sum(one.species == name for one in trials) == wanted
    assert len({one.id for one in trials}) == len(trials)
    assert len({one.seed for one in trials}) == len(trials)


def test_the_same_seed_plans_the_same_run_and_another_one_another() -> None:
    """Down to the circumstances."""
    assert plan(["print_flat"], 5, 1, "test") == plan(["print_flat"], 5, 1, "test")
    assert {one.conditions for one in plan(["print_flat"], 5, 1, "test")}.isdisjoint(
        one.conditions for one in plan(["print_flat"], 5, 2, "test")
    )


def test_a_longer_run_holds_the_shorter_one() -> None:
    """So that more tries can be added to a folder."""
    few = {one.id: one for one in plan(["print_bent", "live"], 10, 1, "test")}
    many = {one.id: one for one in plan(["print_bent", "live"], 200, 1, "test")}
    assert all(many[key] == one for key, one in few.items())


def test_more_visitors_are_added_without_more_attacks() -> None:
    """Rare refusals need many visitors: the same ones first, in whole cells, the attacks as they were."""
    usual, many = (plan(["print_flat", "live"], 10, 1, "test", visitors) for visitors in (None, 130))
    grid = [one for one in many if one.species == "live" and one.split == "test"]
    assert len(grid) == 240
    known = {one.id: one for one in many}
    assert all(known[one.id] == one for one in usual)
    assert [one.species for one in many].count("print_flat") == 10


def test_the_splits_share_no_face_room_wall_or_panel() -> None:
    """What was trained on is not tested on."""
    train, test = (plan(["live", "print_flat"], 60, 1, split) for split in ("train", "test"))  # type: ignore[arg-type]
    for part in ("panel", "wall", "room_seed"):
        assert {getattr(one.conditions, part) for one in train}.isdisjoint(
            getattr(one.conditions, part) for one in test
        )
    assert set(PHOTOS["train"]).isdisjoint(PHOTOS["test"])


def test_nobody_is_swapped_for_the_same_man() -> None:
    """Of the public photographs one shows one man, the others another."""
    for split, visitors in PHOTOS.items():
        for visitor, stranger in zip(visitors, STRANGERS[split], strict=True):
            assert ("biden" in visitor) != ("biden" in stranger)


def test_bright_light_and_cameras_that_do_not_lock_are_information_only() -> None:
    """The targets end at 1 000 lx and ask for a lock; an attack has the better camera."""
    trials = plan(["live", "print_flat"], 40, 1, "test")
    for one in trials:
        odd = one.conditions.ambient_lux > 1000.0 or one.conditions.exposure_locked != "proven"
        assert (one.split == "information") == (odd and one.species == "live")
    assert {one.conditions.exposure_locked for one in trials if one.species == "live"} == {
        "proven",
        "untold",
        "ignored",
    }
    assert {one.conditions.exposure_locked for one in trials if one.species != "live"} == {"proven"}


def test_an_unknown_species_is_told_with_the_known_ones() -> None:
    """A typing error must not become a run without that species."""
    assert known_species([]) == list(SPECIES)
    assert known_species(["live", "frozen", "live"]) == ["live", "frozen"]
    with pytest.raises(InputError, match=r"print_flta.*print_flat"):
        known_species(["print_flta"])

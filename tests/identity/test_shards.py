"""Shards: the same one for everybody everywhere, filled alike, and the fewest moves when there is one more."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.identity.shards import collection_of, moves, names, shard_of

PEOPLE = [f"person-{number}" for number in range(4000)]


@given(st.text(min_size=1), st.integers(1, 200))
def test_everybody_has_a_shard_that_there_is(person: str, shards: int) -> None:
    """And one shard more moves a person into the new one or not at all."""
    now = shard_of(person, shards)
    assert 0 <= now < shards
    assert shard_of(person, shards + 1) in (now, shards)


def test_shards_are_filled_alike() -> None:
    """Within a sixth of each other: 1 000 people each, give or take 27."""
    counts = Counter(shard_of(person, 4) for person in PEOPLE)
    assert max(counts.values()) < 1.17 * min(counts.values())


def test_one_shard_more_moves_one_person_in_five() -> None:
    """All of them into the new one."""
    found = list(moves(PEOPLE, 4, 5))
    assert {move.target for move in found} == {4}
    assert 0.17 < len(found) / len(PEOPLE) < 0.23
    assert list(moves(PEOPLE, 3, 3)) == []


def test_another_start_of_the_program_finds_the_same_shard() -> None:
    """The language's own hash is salted anew at every start."""
    code = "from kiosk.identity.shards import shard_of; print([shard_of(f'person-{n}', 7) for n in range(50)])"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{[shard_of(person, 7) for person in PEOPLE[:50]]}\n"}


def test_collections_are_named_by_their_shard() -> None:
    """A single one bears the bare name."""
    assert names("door", 1) == ("door",)
    assert collection_of("door", "anybody", 1) == "door"
    assert collection_of("door", "ada", 3) in names("door", 3)
    with pytest.raises(ValueError, match="no shard"):
        shard_of("ada", 0)

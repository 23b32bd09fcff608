"""The trials file: whole lines only, whatever interrupted the writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import InputError
from kiosk.evaluation.trial import Trial, line_of, mend_trials, read_trials, unique
from tests.support.trialkit import trial

SOME = [trial(1), trial(2, "print_flat", "spoof", failing=["shape"], skin_l=None), trial(3, seconds=None)]


def test_a_trial_survives_its_line(tmp_path: Path) -> None:
    """Every field, missing ones too."""
    path = tmp_path / "trials.jsonl"
    path.write_text("".join(map(line_of, SOME)), encoding="utf-8")
    assert read_trials(path) == SOME


@given(cut=st.integers(1, 2000))
def test_a_half_written_last_line_is_dropped(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Wherever the power went: the whole lines before stay, and what is appended then is readable."""
    path = tmp_path_factory.mktemp("cut") / "trials.jsonl"
    whole = "".join(map(line_of, SOME)).encode()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    kept = mend_trials(path)
    assert kept == SOME[: len(kept)]
    with path.open("a", encoding="utf-8") as file:
        file.write(line_of(trial(9)))
    assert read_trials(path) == [*kept, trial(9)]


@pytest.mark.parametrize("line", ["{}\n", "[]\n", "nonsense\n", '{"id": 3}\n'])
def test_a_foreign_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    """Half of a figure must not be made from somebody else's file."""
    path = tmp_path / "trials.jsonl"
    path.write_text(line_of(SOME[0]) + line, encoding="utf-8")
    with pytest.raises(InputError, match="line 2 is no trial"):
        read_trials(path)


def test_no_file_is_no_trials_yet(tmp_path: Path) -> None:
    """For a new run; reading one that must be there is an error."""
    assert mend_trials(tmp_path / "none.jsonl") == []
    with pytest.raises(InputError):
        read_trials(tmp_path / "none.jsonl")


def test_the_first_of_equal_ids_counts() -> None:
    """Two runs into one file do not count anybody twice."""
    again: list[Trial] = [SOME[0], SOME[1], SOME[0]]
    assert unique(again) == SOME[:2]

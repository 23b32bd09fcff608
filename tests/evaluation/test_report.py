"""The report: figures from trials, targets judged honestly, pages that stand alone."""

from __future__ import annotations

import csv
import io
import itertools
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from hardware.sim.species import SPECIES as SIMULATED
from kiosk.errors import InputError
from kiosk.evaluation import words
from kiosk.evaluation.pages import apcer_csv, bpcer_csv, html, markdown
from kiosk.evaluation.plots import plots
from kiosk.evaluation.report import agreement_of, figures
from kiosk.evaluation.trial import Trial
from kiosk.evaluation.write import write_report
from kiosk.visit.policy import MOVEMENT_GATES
from kiosk.visit.reflection.fusion import SCALES
from tests.support.trialkit import trial

ABOUT = {"synthetic": True, "command": "kiosk liveness evaluate --out DIR", "notes": ["<b>a note & more</b>"]}


def grid(refused: int = 0, skin: float = 30.0) -> list[Trial]:
    """A live grid of 24 cells with ten visitors each, of whom ``refused`` with one skin are taken for an attack."""
    found, left = [], refused
    cells = itertools.product((300.0, 1000.0), (300.0, 500.0), (72.0, 50.0, 30.0), (False, True))
    for number, (lux, distance, l_star, glasses) in enumerate(cell for cell in cells for _ in range(10)):
        bad = left > 0 and l_star == skin
        left -= bad
        found.append(
            trial(number, verdict="spoof" if bad else "live", ambient_lux=lux, distance_mm=distance, skin_l=l_star,
                  glasses=glasses, failing=["shape"] if bad else [])
        )  # fmt: skip
    return found


def attacks(accepted: int = 0, count: int = 300) -> list[Trial]:
    """Prints, of which some get in, and an uncovered mask that does."""
    prints = [
        trial(n, "print_flat", "live" if n < accepted else "spoof", failing=() if n < accepted else ["shape"])
        for n in range(count)
    ]
    return [*prints, trial(0, "mask_3d", "live", covered=False)]


def met(report: dict[str, Any], beginning: str) -> bool | None:
    """Whether the target whose name begins so is met."""
    (found,) = (one["met"] for one in report["targets"] if one["name"].startswith(beginning))
    assert found is None or isinstance(found, bool)
    return found


def test_a_good_run_meets_every_target() -> None:
    """The mask is told of but is not held against it."""
    report = figures([*grid(), *attacks()], ABOUT)
    assert all(one["met"] for one in report["targets"])
    assert report["apcer_max"]["species"] == "print_flat"
    assert report["apcer_max"]["accepted"]["high_percent"] == pytest.approx(0.994, abs=0.01)


def test_missed_targets_are_missed() -> None:
    """Four prints in 300 are more than one percent; twenty refusals of one skin are worse than twice the mean."""
    report = figures([*grid(refused=20), *attacks(accepted=4)], ABOUT)
    assert met(report, "largest APCER") is False
    assert met(report, "genuine visitors refused") is False
    assert met(report, "most refused skin tone over the mean") is False
    assert met(report, "fewest tries") is True


def test_too_few_tries_are_no_proof() -> None:
    """Nothing accepted in 299."""
    assert met(figures(attacks(count=299), ABOUT), "fewest tries") is False


def test_what_was_not_measured_is_not_met() -> None:
    """A run of attacks says nothing about visitors."""
    report = figures(attacks(), ABOUT)
    assert met(report, "genuine visitors refused") is None
    assert met(report, "median time") is None


def test_bright_light_is_told_apart() -> None:
    """Beyond 1 000 lx refusals are information."""
    bright = [trial(n, verdict="spoof", ambient_lux=4000.0, split="information") for n in range(9)]
    report = figures([*grid(), *bright], ABOUT)
    assert report["live"]["refused"]["count"] == 0
    assert report["information"][0]["refused"]["count"] == 9
    assert met(report, "genuine visitors refused") is True


def test_the_report_is_plain_json_and_its_pages_hold_its_figures() -> None:
    """Nothing that is not a number, and the same figures everywhere."""
    report = figures([*grid(refused=3), *attacks(accepted=1)], ABOUT)
    again = json.loads(json.dumps(report, allow_nan=False))
    drawings = plots(again)
    page, text = html(again, drawings), markdown(again, list(drawings), "report-")
    for said in ("Synthetic", "1 of 300 = 0.3 %", "3 of 240"):
        assert said in page
        assert said in text
    rows = list(csv.DictReader(io.StringIO(bpcer_csv(again))))
    assert len(rows) == 24
    assert sum(int(row["count"]) for row in rows) == 3
    assert [row["species"] for row in csv.DictReader(io.StringIO(apcer_csv(again)))] == ["print_flat", "mask_3d"]


def test_the_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    """No script, no picture or style from elsewhere; a note cannot become markup."""
    report = figures([*grid(), *attacks()], ABOUT)
    page = html(report, plots(report))
    assert "<script" not in page
    assert "src=" not in page
    assert "<b>a note" not in page
    assert "&lt;b&gt;a note &amp; more" in page


def test_the_page_explains_its_words_and_says_the_result_first() -> None:
    """A reader who knows no abbreviation; what is not met stands before the tables."""
    report = figures([*grid(), *attacks(accepted=4)], ABOUT)
    page, text = html(report, plots(report)), markdown(report, [], "")
    for told in (page, text):
        assert told.index("Not met: largest APCER") < told.index("Targets")
        assert "the share of attacks that the kiosk took for a genuine visitor" in told
        assert "a matte print, flat (print_flat)" in told
        assert "did the face&#x27;s colour follow" in told or "did the face's colour follow" in told
    assert "name='viewport'" in page
    assert words.summary(figures([*grid(), *attacks()], ABOUT)["targets"]) == "7 of 7 measured targets are met."
    assert words.summary([]) == "No target was measured."


def test_every_simulated_species_and_every_gate_has_plain_words() -> None:
    """A new one must be explained where it is reported."""
    assert set(words.SPECIES) == set(SIMULATED)
    assert set(words.GATES) >= {*SCALES, *MOVEMENT_GATES}
    assert words.species("a_label_of_yours") == "a_label_of_yours"


def test_drawings_tell_their_lines_apart_without_colour() -> None:
    """Dashes for the second line, words at each limit, a name for who hears the page."""
    drawn = plots(figures([*grid(refused=3), *attacks(accepted=2)], ABOUT))
    lines = [line for line in ET.fromstring(drawn["det"]).iter() if line.tag.endswith("polyline")]
    assert [line.get("stroke-dasharray") for line in lines] == ["6 4", None]
    assert "limit 1 %" in drawn["apcer"]
    assert all("role='img' aria-label='" in svg for svg in drawn.values())


def test_drawings_are_well_formed() -> None:
    """Whatever there is to draw, also almost nothing."""
    for some in ([*grid(3), *attacks(2)], attacks(), grid(), [trial(1)], [trial(1, "frozen", "unsure")]):
        for svg in plots(figures(some, ABOUT)).values():
            assert ET.fromstring(svg).tag.endswith("svg")
            assert "nan" not in svg


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    """No temporary file stays; a place that cannot be written is one line."""
    files = write_report(tmp_path / "out", figures([*grid(), *attacks()], ABOUT))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="choose another --out"):
        write_report(tmp_path / "file", figures(attacks(), ABOUT))


def test_two_ways_of_playing_are_compared_trial_by_trial() -> None:
    """Which way they differ matters: an attack that only the short-cut stops is the dangerous one."""
    one = [trial(1), trial(2, "print_flat", "live"), trial(3, verdict="unsure")]
    other = [trial(1), trial(2, "print_flat", "spoof"), trial(3)]
    found = agreement_of(one, other)
    assert found["alike"]["count"] == 1
    assert (found["accepted_only_here"], found["accepted_only_there"]) == (["print_flat-2"], ["live-3"])

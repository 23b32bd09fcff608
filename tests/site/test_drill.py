"""The drill: counted as it went, kept at every step, and with no door anywhere."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.sim.actors import FlatPrint, LiveHead
from hardware.sim.light import Ambient
from hardware.sim.path import Path as Walk
from hardware.sim.story import Story
from hardware.sim.world import World
from kiosk.cli import rig
from kiosk.cli.drill import Terminal, begin, play, write_report
from kiosk.errors import InputError
from kiosk.evaluation.bounds import Share
from kiosk.reasons import Reason
from kiosk.runtime.visitlog import VisitEntry
from kiosk.site import drillfile
from kiosk.site.drill import USUAL, Choice, Drill, Step, Try, outcome, plan, walk
from kiosk.site.drillreport import ENOUGH, ENOUGH_TRIES, advice, result, rows, to_html, to_json, to_markdown
from kiosk.values import Gate, Liveness, LivenessResult, Verdict
from kiosk.visit.messages import message_for
from tests.support.simfaces import portrait
from tests.support.simrig import OPTICS, SETTINGS, simulated

STEPS = (Step("live", 2), Step("print_flat", 2))
NEW = Drill(STEPS, "2026-11-22T09:00:00+00:00")


class Script:
    """An operator who answers from a list, GO when it is over."""

    def __init__(self, *answers: Choice) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, int]] = []

    def _next(self) -> Choice:
        return self.answers.pop(0) if self.answers else Choice.GO

    def ready(self, step: Step, number: int) -> Choice:
        """Before a try."""
        self.asked.append(("ready", step.species, number))
        return self._next()

    def seen(self, step: Step, number: int, found: Try) -> Choice:
        """After it."""
        assert found.species == step.species
        self.asked.append(("seen", step.species, number))
        return self._next()


def tried(species: str, accepted: bool = False, **changed: object) -> Try:
    """One try."""
    one = Try(
        species,
        "live" if accepted else "spoof",
        accepted,
        "" if accepted else "NOT_LIVE",
        1,
        () if accepted else ("shape",),
        "2026-11-22T09:00:00+00:00",
    )
    return replace(one, **changed)  # type: ignore[arg-type]


def played(*answers: Choice, begun: Drill = NEW) -> tuple[Drill, Script, list[Drill]]:
    """A drill in which genuine visits pass and prints do not."""
    operator, kept = Script(*answers), []
    done = walk(begun, operator, lambda step: tried(step.species, step.species == "live"), kept.append)
    return done, operator, kept


def test_every_step_is_walked_in_order() -> None:
    """And every try is kept before the operator is asked about it."""
    done, operator, kept = played()
    assert [one.species for one in done.tries] == ["live", "live", "print_flat", "print_flat"]
    assert [len(one.tries) for one in kept] == [1, 2, 3, 4]
    assert operator.asked[:4] == [("ready", "live", 1), ("seen", "live", 1), ("ready", "live", 2), ("seen", "live", 2)]
    assert done.next_step is None


def test_a_repeated_try_does_not_count_and_is_noted() -> None:
    """Nothing is repeated until it pleases without a trace."""
    done, operator, kept = played(Choice.GO, Choice.REPEAT)
    assert len(done.tries) == 4
    assert [one.species for one in done.repeated] == ["live"]
    assert [len(one.tries) for one in kept][:3] == [1, 0, 1]
    assert operator.asked[2] == ("ready", "live", 1)
    assert "Repeated, and so not in the table: genuine visit 1." in advice(done)
    assert not done.attack_accepted


def test_an_accepted_attack_cannot_be_repeated_away() -> None:
    """It stays in the report, first among what was repeated, and in the exit code."""
    kept: list[Drill] = []
    outcomes = iter([tried("print_flat", True), tried("print_flat")])
    begun = replace(NEW, steps=(Step("print_flat", 1),))
    done = walk(begun, Script(Choice.GO, Choice.REPEAT), lambda _step: next(outcomes), kept.append)
    assert [one.accepted for one in done.tries] == [False]
    assert done.attack_accepted
    assert to_json(done)["attack_accepted"] is True
    assert any(line.startswith("Accepted, then repeated") for line in advice(done))


@given(
    answers=st.lists(st.sampled_from(Choice), max_size=30),
    outcomes=st.lists(st.booleans(), min_size=40, max_size=40),
    cut=st.integers(0, 12),
)
def test_whatever_is_answered_no_accepted_attack_is_lost(answers: list[Choice], outcomes: list[bool], cut: int) -> None:
    """Stopped, cut off and taken up again at any moment: what was kept holds every try that was played to its end."""
    happened: list[Try] = []
    kept = [NEW]
    drawn = iter(outcomes)

    def attempt(step: Step) -> Try | None:
        if len(happened) == cut and len(kept) < 100:
            kept.extend([kept[-1]] * 100)  # only once: the power went
            raise KeyboardInterrupt
        happened.append(tried(step.species, next(drawn)))
        return happened[-1]

    for _session in range(2):
        with contextlib.suppress(KeyboardInterrupt):
            walk(replace(kept[-1], skipped=()), Script(*answers), attempt, kept.append)
        answers = []
    last = kept[-1]
    assert sorted(map(repr, (*last.tries, *last.repeated))) == sorted(map(repr, happened))
    assert last.attack_accepted is any(one.accepted and one.species != "live" for one in happened)
    assert all(len(last.of(step.species)) <= step.tries for step in last.steps)


def test_a_skipped_step_is_left_out_and_can_be_taken_up(tmp_path: Path) -> None:
    """The next session asks again."""
    done, operator, kept = played(Choice.SKIP)
    assert done.skipped == ("live",)
    assert [one.species for one in done.tries] == ["print_flat"] * 2
    drillfile.save(tmp_path, kept[-1])
    assert begin(tmp_path, []).skipped == ()
    assert ("ready", "live", 2) not in operator.asked
    assert to_json(done)["finished"] is False


@pytest.mark.parametrize("answers", [(Choice.STOP,), (Choice.GO, Choice.STOP)])
def test_a_stopped_drill_goes_on_where_it_was(tmp_path: Path, answers: tuple[Choice, ...]) -> None:
    """Nothing is lost, nothing is asked twice."""
    first, _operator, _kept = played(*answers)
    assert len(first.tries) == len(answers) - 1
    drillfile.save(tmp_path, first)
    again = begin(tmp_path, [])
    assert again == first
    done, _operator, _kept = played(begun=again)
    assert len(done.tries) == 4


def test_a_try_that_is_cut_off_does_not_count() -> None:
    """Ctrl-C in the middle of it."""
    kept: list[Drill] = []
    done = walk(NEW, Script(), lambda _step: None, kept.append)
    assert (done, kept) == (NEW, [])


def test_the_file_keeps_everything(tmp_path: Path) -> None:
    """Value for value."""
    done, _operator, _kept = played(Choice.GO, Choice.REPEAT)
    done = replace(done, camera="cam", skipped=("print_bent",), facts={"screen": "7 inch", "delay": "as set"})
    drillfile.save(tmp_path, done)
    assert drillfile.load(tmp_path) == done
    assert [one.name for one in tmp_path.iterdir()] == [drillfile.STATE]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "steps": [], "tries": []}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    """One line; it is not overwritten."""
    (tmp_path / drillfile.STATE).write_text(text)
    with pytest.raises(InputError, match="damaged"):
        begin(tmp_path, [])
    assert (tmp_path / drillfile.STATE).read_text() == text


def test_other_folders_and_other_steps_are_refused(tmp_path: Path) -> None:
    """A drill is not mixed with anything."""
    drillfile.save(tmp_path / "drill", NEW)
    with pytest.raises(InputError, match="other steps"):
        begin(tmp_path / "drill", ["live=3"])
    assert begin(tmp_path / "drill", ["live=2", "print_flat=2"]) == NEW
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InputError, match="something else"):
        begin(tmp_path, [])


def test_steps_are_read_strictly() -> None:
    """The usual ones by default."""
    assert plan([]) == tuple(Step(*usual) for usual in USUAL)
    assert plan(["print_bent=3"]) == (Step("print_bent", 3),)
    for word in ("print=3", "live", "live=0", "live=-1", "live=many", "live=501"):
        with pytest.raises(InputError):
            plan([word])


GATES = (Gate("shape", Verdict.PASS, 0.9, 0.6), Gate("passive", Verdict.PASS, 0.9, 0.5))


def entry(reason: Reason | None, verdict: Liveness | None) -> VisitEntry:
    """A visit that was decided so."""
    made = VisitEntry(0.0, attempts=1, decision="denied", reason=reason)
    made.liveness = None if verdict is None else LivenessResult(verdict, 50.0, GATES)
    return made


@pytest.mark.parametrize(
    ("reason", "verdict", "accepted"),
    [
        (Reason.UNKNOWN_PERSON, Liveness.LIVE, True),
        (Reason.FACE_CHANGED, Liveness.LIVE, False),
        (Reason.MATCH_LATE, Liveness.LIVE, False),
        (Reason.NOT_LIVE, Liveness.SPOOF, False),
        (Reason.LIVENESS_UNSURE, Liveness.UNSURE, False),
        (Reason.UNKNOWN_PERSON, None, False),
        (None, None, False),
    ],
)
def test_accepted_is_refused_for_identity_alone(
    reason: Reason | None, verdict: Liveness | None, accepted: bool
) -> None:
    """Anything else would not have opened, whoever was enrolled."""
    assert outcome("live", entry(reason, verdict), "now").accepted is accepted


def test_no_visit_at_all_is_no_answer() -> None:
    """A print that no detector takes for a face."""
    one = outcome("print_flat", None, "now")
    assert (one.accepted, one.verdict, one.reason) == (False, "none", "NO_FACE")


# --- the report


def drilled(live: int, prints: int) -> Drill:
    """So many of five accepted."""
    return replace(
        NEW,
        steps=(Step("live", 5), Step("print_flat", 5)),
        tries=tuple(tried("live", n < live) for n in range(5))
        + tuple(tried("print_flat", n < prints) for n in range(5)),
    )


def test_the_advice_says_how_little_five_tries_say() -> None:
    """0 of 5: at most 45 %."""
    (line,) = advice(drilled(5, 0))
    assert line.startswith("flat print: 0 of 5 accepted; the true share is at most 45 % (95 % bound). So few tries say")
    assert Share(0, ENOUGH_TRIES).high <= ENOUGH < Share(0, ENOUGH_TRIES - 1).high
    many = replace(NEW, steps=(Step("live", 1), Step("print_flat", 150)), tries=(tried("live", True),))
    many = replace(many, tries=many.tries + (tried("print_flat"),) * 150)
    assert advice(many) == ["flat print: 0 of 150 accepted; the true share is at most 2 % (95 % bound)."]


def test_an_accepted_attack_comes_first() -> None:
    """With what to do."""
    first, *_ = advice(drilled(3, 1))
    assert first.startswith("1 of 5 tries with a flat print was accepted")
    assert "second factor" in first


def test_refused_visitors_are_explained() -> None:
    """By light where the light is to blame, else by the gate."""
    assert any(
        "2 of 5 genuine visits were refused (true share at most 81 %): NOT_LIVE 2. Most often" in x
        for x in advice(drilled(3, 0))
    )
    dim = replace(NEW, tries=(tried("live", reason="HIGH_LIGHTING"),))
    assert any("outshines" in line for line in advice(dim))


def test_the_figures_are_never_pooled() -> None:
    """One row a species, exact bounds."""
    report = to_json(drilled(5, 1))
    assert [row["species"] for row in report["species"]] == ["live", "print_flat"]
    assert report["species"][1]["accepted"]["count"] == 1
    assert report["species"][1]["accepted"]["high_percent"] == pytest.approx(65.74, abs=0.01)
    assert report["finished"] is True
    assert [row.silent.count for row in rows(replace(NEW, tries=(tried("live", verdict="unsure"),)))] == [1]


def test_the_pages_hold_the_same_and_are_safe() -> None:
    """Names from outside are escaped."""
    done = replace(drilled(5, 0), camera="<script>", facts={"screen": "7 inch | bright"})
    page, text = to_html(done), to_markdown(done)
    assert "<script>" not in page
    assert "0 to 45 %" in page
    assert "| flat print | 5 | 0 | 0 to 45 % | 0 | shape 5 |" in text
    assert "http" not in page


def test_the_result_comes_first_and_codes_are_explained() -> None:
    """An accepted attack cannot be overread, not even a repeated one; gates and reasons in words."""
    done = drilled(4, 0)
    assert result(done) == "No attack was accepted. 4 of 5 genuine visits were accepted."
    again = replace(done, repeated=(tried("print_flat", True),))
    assert result(again).startswith("ATTACKS WERE ACCEPTED: flat print 1.")
    assert result(NEW) == "Nothing was tried."
    page, text = to_html(done), to_markdown(done)
    for told in (page, text):
        assert told.index("No attack was accepted") < told.index("What to do")
        assert "as on a head's relief?" in unescape(told)
        assert message_for(Reason.NOT_LIVE).headline in unescape(told)


def test_nothing_tried_is_a_report_too(tmp_path: Path) -> None:
    """Stopped at once."""
    write_report(tmp_path, NEW)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["species"], report["finished"]) == ([], False)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["report.html", "report.json", "report.md"]


# --- at the terminal, and in the simulated world


def typed(text: str, stop: bool = False) -> Terminal:
    """An operator who typed this."""
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    return Terminal(read, lambda: stop, lambda: None)


def test_the_operator_answers_by_letters(capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is asked again; the end of the input stops."""
    terminal = typed("\nx\nr\nk\n")
    assert terminal.ready(STEPS[0], 1) is Choice.GO
    assert terminal.seen(STEPS[0], 1, tried("live")) is Choice.REPEAT
    assert terminal.ready(STEPS[1], 1) is Choice.SKIP
    assert terminal.ready(STEPS[1], 1) is Choice.STOP
    told = capsys.readouterr()
    assert told.out == ""
    assert "Hold up a sharp colour print" in told.err
    assert "refused, NOT_LIVE (shape)" in told.err
    assert typed("\n", stop=True).ready(STEPS[0], 1) is Choice.STOP


def test_an_accepted_attack_is_told_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    """The operator must not miss it."""
    typed("\n").seen(STEPS[1], 1, tried("print_flat", True))
    assert "ACCEPTED" in capsys.readouterr().err


def test_a_drill_in_the_simulated_world(tmp_path: Path) -> None:
    """A living person, then a print of them, before the kiosk's own loop: the one is accepted, the other is not."""
    first = LiveHead(portrait(), Walk.walk_up(far_mm=700.0, near_mm=400.0).leaving(8.0))
    second = FlatPrint(portrait(), replace(Walk.walk_up(start_s=14.0, far_mm=700.0, near_mm=400.0), enter_s=14.0))
    world = World(Story((first, second), ((0.0, Ambient(lux=250.0)),)), seed=4, optics=OPTICS)
    with simulated(world) as devices:
        begun = begin(tmp_path / "drill", ["live=1", "print_flat=1"])
        done = play(SETTINGS, devices, begun, tmp_path / "drill", Script(), lambda: False)
    live, flat = done.tries
    assert (live.verdict, live.accepted) == ("live", True), live
    assert (flat.accepted, flat.attempts >= 1) == (False, True), flat
    assert drillfile.load(tmp_path / "drill") == done
    assert done.camera == "sim:0"
    assert done.began_utc


def test_there_is_no_door_in_a_rig() -> None:
    """The one module that puts rigs together knows no door but the one that refuses."""
    source = Path(rig.__file__).read_text(encoding="utf-8")
    assert "hardware.doors" not in source
    assert "NoDoor()" in source

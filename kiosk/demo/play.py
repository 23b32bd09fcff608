"""Plays the cast through the real application in the simulated world and reports what happened.

Only the camera, the display, the clock and the relay are simulated; perception, visit, liveness, matching, store and
events are the product's own. Exit code 1 of ``kiosk demo`` means that a visit was not as expected.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.displays.render import render
from hardware.displays.screen import open_display
from hardware.displays.video import VideoWriter, contact_sheet
from hardware.doors.memory import MemoryDoor
from hardware.sim.badge import SimBadges
from hardware.sim.camera import SimCamera
from hardware.sim.clock import START_S, SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.portrait import Portrait
from hardware.sim.sensor import CameraOptics
from hardware.sim.story import Story
from hardware.sim.world import World
from hardware.stills import load_image
from kiosk.config.tree import CameraSettings, DisplaySettings, DoorSettings, LivenessSettings, Settings
from kiosk.demo.cast import BADGE, ENROLLED_PHOTO, STRANGER_PHOTO, WALKING_PHOTO, Act, Props, acts
from kiosk.demo.film import PICTURE_FPS, Film, Window
from kiosk.enrollment.register import enroll_images
from kiosk.errors import InputError, ModelError
from kiosk.ports import Matcher
from kiosk.records.store import Store
from kiosk.runtime.badges import Badges
from kiosk.runtime.desk import desk_of
from kiosk.runtime.feed import InlineFeed
from kiosk.runtime.journal import no_journal
from kiosk.runtime.loop import Loop, Turn, Watcher
from kiosk.runtime.visitlog import VisitEntry, VisitLog
from kiosk.runtime.wiring import Adapters, assemble, open_matcher
from kiosk.runtime.worker import InlineWorker
from kiosk.values import Pixels, SceneKind
from models import manifest
from models.faces import LocalFaceModels, open_models
from models.segmenter import person_matte

SEED = 20
SHORTEST_EXPOSURE_S = 0.0001
"""As short as a Raspberry Pi camera's: 20 000 lx do not blind it."""
AFTER_S = 1.0
"""Played on after the decision, so that the film shows the result."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What stays the same from visit to visit."""

    settings: Settings
    models: LocalFaceModels
    store: Store
    props: Props


def demo_settings() -> Settings:
    """The product's defaults (lag unknown), a relay in memory, and badges allowed where the sun leaves no flash."""
    return Settings(
        camera=CameraSettings(source="simulation"),
        liveness=LivenessSettings(path="auto"),
        door=DoorSettings(kind="memory"),
    )


def play(
    data: Path, out: Path, *, progress: Progress, window: bool = False, cast: Sequence[Act] | None = None
) -> dict[str, Any]:
    """Play every act; writes ``demo.mp4``, ``contact-sheet.png`` and ``report.json`` into ``out``; returns the report.

    ``cast``: other acts than all of ``kiosk.demo.cast``. Raises ModelError where weights or photographs are missing,
    InputError where ``out`` cannot be written.
    """
    absent = manifest.missing(data, ("core", "demo"))
    if absent:
        names = ", ".join(one.name for one in absent)
        raise ModelError(f"the demo needs {names}", where=str(data), mend="run ./setup.sh demo or kiosk models fetch")
    _make_folder(out)
    visits: list[dict[str, Any]] = []
    with ExitStack() as stack:
        stage = open_stage(data, stack)
        shown: tuple[Watcher, ...] = ()
        if window:
            shown = (Window(stack.enter_context(open_display(DisplaySettings(fullscreen=False)))),)
        film = Film(stack.enter_context(VideoWriter(out / "demo.mp4", PICTURE_FPS)))
        cast = acts() if cast is None else cast
        for number, act in enumerate(cast):
            progress("visits", number, len(cast))
            report, stage = _perform(stage, act, film, shown, seed=SEED + number)
            visits.append(report)
            film.end(f"{act.name}: {report['decision']} {report['reason'] or ''}".strip())
        progress("visits", len(cast), len(cast))
    contact_sheet(film.stills, out / "contact-sheet.png")
    passed = sum(1 for visit in visits if visit["passed"])
    report = {"visits": visits, "passed": passed, "failed": len(visits) - passed}
    _write_report(out / "report.json", report)
    return report


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", where=str(out), mend="choose another --out") from error


def _write_report(path: Path, report: dict[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"cannot be written ({error.strerror})", where=str(path), mend="free some space") from error


def open_stage(data: Path, stack: ExitStack) -> Stage:
    """Models, the enrolled Person A in a store of its own, and the props; all of it closed with ``stack``.

    The store lies in a temporary folder: nothing that is there already can be met, let alone removed.
    Raises ModelError, InputError and the RecordsError family.
    """
    models = stack.enter_context(open_models(data))
    records = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-demo-")))
    store = stack.enter_context(Store.in_directory(records, create=True))
    photos = {
        name: data / manifest.item(name).folder / name for name in (ENROLLED_PHOTO, WALKING_PHOTO, STRANGER_PHOTO)
    }
    settings = demo_settings()
    enroll_images(desk_of(store, models, settings), "Person A", [photos[ENROLLED_PHOTO]], badge=BADGE)

    def portrait(name: str) -> Portrait:
        return Portrait.of(load_image(photos[name]), models.find_still, lambda pixels: person_matte(pixels, data))

    return Stage(settings, models, store, Props(portrait(WALKING_PHOTO), portrait(STRANGER_PHOTO)))


class _Recorder:
    """Keeps the camera's frames of a visit: the old session of a later replay."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Pixels]] = []

    def turned(self, turn: Turn) -> None:
        """Keep the frame of one turn."""
        if turn.frame is not None:
            self.frames.append((turn.frame.exposure_start_s - START_S, turn.frame.pixels))


def _perform(
    stage: Stage, act: Act, film: Film, shown: tuple[Watcher, ...], *, seed: int
) -> tuple[dict[str, Any], Stage]:
    """One act from an idle kiosk to the end of its visit; the first act's frames become the props' old session."""
    log = VisitLog()
    recorder = _Recorder()
    wanted = not stage.props.old_session
    listens = () if act.cues is None else (act.cues,)
    watchers: tuple[Watcher, ...] = (log, film, *((recorder,) if wanted else ()), *listens, *shown)
    pulses = run_story(stage, act.story(stage.props), act.seconds, watchers, seed=seed, film=film, act=act)
    report = judge_act(act, log.visits, pulses)
    if wanted:
        props = Props(stage.props.walking, stage.props.stranger, tuple(recorder.frames))
        stage = Stage(stage.settings, stage.models, stage.store, props)
    return report, stage


def run_story(
    stage: Stage,
    story: Story,
    seconds: float,
    watchers: tuple[Watcher, ...],
    *,
    seed: int = SEED,
    film: Film | None = None,
    act: Act | None = None,
    matcher: Matcher | None = None,
) -> int:
    """Run the loop in a fresh world until the story's visit is over or ``seconds`` of its time passed.

    Returns the door's pulses. ``seed`` draws the world's noise and the challenges: two stories of one seed would
    flash the same colours, which no real kiosk ever does.
    """
    clock = SimClock(seed)
    world = World(story, seed=seed, optics=CameraOptics(exposure_low_s=SHORTEST_EXPOSURE_S))
    with ExitStack() as stack:
        display = stack.enter_context(SimDisplay(world, clock, renderer=render))
        feed = stack.enter_context(InlineFeed(lambda: SimCamera(world, clock), clock))
        door = stack.enter_context(MemoryDoor(lambda: clock.now_s))
        worker = stack.enter_context(InlineWorker())
        matcher = matcher or open_matcher(stage.store, stage.models, stage.settings)
        badges = None
        if act is not None and act.badge_s is not None:
            reader = stack.enter_context(SimBadges(clock, ((act.badge_s, BADGE),)))
            badges = Badges(reader, stage.store)
        adapters = Adapters(
            clock, feed, display, door, stage.models, matcher, stage.store, worker, no_journal, badges=badges
        )
        if film is not None and act is not None:
            film.begin(act.name, display, act.hints[-1] if act.hints else None)
        loop = assemble(stage.settings, adapters, watchers)
        _turn_until_over(loop, clock, seconds)
        for watcher in watchers:
            if isinstance(watcher, VisitLog):
                watcher.finish(clock.now_s)
        return door.pulses


def _turn_until_over(loop: Loop, clock: SimClock, seconds: float) -> None:
    decided_s: float | None = None
    while clock.now_s - START_S < seconds:
        turn = loop.turn()
        if decided_s is None and turn.scene.kind in (SceneKind.GRANTED, SceneKind.DENIED):
            decided_s = turn.at_s
        if decided_s is not None and turn.at_s - decided_s > AFTER_S:
            return


def judge_act(act: Act, visits: list[VisitEntry], pulses: int) -> dict[str, Any]:
    """What happened against what was expected."""
    last = next((visit for visit in reversed(visits) if visit.decision != "none"), visits[-1] if visits else None)
    decision = "none" if last is None else last.decision
    reason = None if last is None else last.reason
    hints = [hint for visit in visits for hint in visit.hints]
    passed = (
        decision == act.expected
        and (not act.reasons or reason in act.reasons)
        and pulses == (1 if act.expected == "granted" else 0)
        and _in_order(act.hints, hints)
    )
    details: dict[str, Any] = {} if last is None else last.to_json()
    return {
        "name": act.name,
        "expected": act.expected,
        "decision": decision,
        "reason": None if reason is None else str(reason),
        "similarity": details.get("similarity"),
        "liveness": details.get("liveness"),
        "in_oval_to_decision_s": details.get("in_oval_to_decision_s"),
        "door_pulses": pulses,
        "hints": [str(hint) for hint in hints],
        "passed": passed,
    }


def _in_order(wanted: tuple[object, ...], shown: list[Any]) -> bool:
    rest = iter(shown)
    return all(any(hint is one for hint in rest) for one in wanted)

"""The drill: staff try genuine visits and simple attacks at their own kiosk, one after the other, and it is counted.

Rules: there is no door (``kiosk.site.nobody``); every try is kept on the disk as soon as it is over, so that a drill
can be stopped and taken up again; a try that is repeated is counted as such, nothing is repeated until it pleases.
A try is *accepted* when the kiosk's own decision found no fault but that the person is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from kiosk.errors import InputError
from kiosk.reasons import Reason
from kiosk.runtime.visitlog import VisitEntry
from kiosk.values import Liveness, Verdict

FORMAT = 1
LIVE = "live"
MOST_TRIES = 500
SPECIES: Mapping[str, tuple[str, str]] = {
    LIVE: ("genuine visit", "Step up as you would to the door, look at the camera, hold still while it flashes."),
    "print_flat": (
        "flat print",
        "Hold up a sharp colour print of a face, life-size and flat, where your face would be; keep your own away.",
    ),
    "print_bent": (
        "bent print",
        "Bend the same print about a vertical axis, like a face around a tin; hold it up, and tilt it a little.",
    ),
    "replay_phone": (
        "phone or tablet",
        "Show a photo or a video of a face on a phone or tablet at full brightness, held so that it fits the oval.",
    ),
    "print_glossy": ("glossy print", "Hold up a print on glossy photo paper, life-size and flat."),
    "print_eyeholes": ("print with eye holes", "Wear a life-size print with the eyes cut out, and blink."),
}
"""Name to title and what to do; the first four are the usual drill."""
USUAL: tuple[tuple[str, int], ...] = ((LIVE, 5), ("print_flat", 5), ("print_bent", 5), ("replay_phone", 5))


class Choice(StrEnum):
    """What the operator wants."""

    GO = "go"
    REPEAT = "repeat"
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Try:
    """One try, in words and numbers."""

    species: str
    verdict: str
    """live, spoof, unsure, or none: nothing came to a flash."""
    accepted: bool
    reason: str
    attempts: int
    gates: tuple[str, ...]
    """Those that did not pass in the last attempt."""
    at_utc: str


@dataclass(frozen=True, slots=True)
class Step:
    """Tries of one species."""

    species: str
    tries: int

    @property
    def title(self) -> str:
        """For people."""
        return SPECIES[self.species][0]

    @property
    def instruction(self) -> str:
        """What to do."""
        return SPECIES[self.species][1]


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill as far as it has come."""

    steps: tuple[Step, ...]
    began_utc: str
    camera: str = ""
    tries: tuple[Try, ...] = ()
    skipped: tuple[str, ...] = ()
    repeated: tuple[Try, ...] = ()
    """Tries that the operator repeated: outside the count, but not forgotten."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of the installation, for the report: plain values."""

    def of(self, species: str) -> tuple[Try, ...]:
        """The tries of one species."""
        return tuple(one for one in self.tries if one.species == species)

    @property
    def attack_accepted(self) -> bool:
        """Whether any attack passed, counted or repeated."""
        return any(one.accepted and one.species != LIVE for one in (*self.tries, *self.repeated))

    @property
    def next_step(self) -> Step | None:
        """Where it goes on; None: all is done."""
        return next(
            (
                step
                for step in self.steps
                if step.species not in self.skipped and len(self.of(step.species)) < step.tries
            ),
            None,
        )


class Operator(Protocol):
    """Who is asked and told: a person at the terminal, or a script."""

    def ready(self, step: Step, number: int) -> Choice:
        """Before try ``number`` (from 1): GO, SKIP (the rest of the step) or STOP."""

    def seen(self, step: Step, number: int, found: Try) -> Choice:
        """After it: GO, REPEAT (this one does not count) or STOP."""


def plan(words: Sequence[str]) -> tuple[Step, ...]:
    """Steps from ``species=tries``; without any the usual ones. Raises InputError."""
    steps: dict[str, Step] = {}
    for word in words:
        species, _, tries = word.partition("=")
        if species not in SPECIES:
            raise InputError(f"no step {species!r}", where="--step", mend=f"known are {', '.join(SPECIES)}")
        if not tries.isdecimal() or not 1 <= int(tries) <= MOST_TRIES:
            raise InputError(f"{word!r} is no step", where="--step", mend=f"write {species}=5, 1 to {MOST_TRIES} tries")
        steps[species] = Step(species, int(tries))
    return tuple(steps.values()) or tuple(Step(*usual) for usual in USUAL)


def outcome(species: str, entry: VisitEntry | None, at_utc: str) -> Try:
    """What one visit says; None: no face came to be served."""
    if entry is None:
        return Try(species, "none", False, str(Reason.NO_FACE), 0, (), at_utc)
    result = entry.liveness
    # The rig knows nobody: a visit that is refused for that alone would have opened to somebody enrolled.
    accepted = entry.reason is Reason.UNKNOWN_PERSON and result is not None and result.verdict is Liveness.LIVE
    gates = () if result is None else tuple(gate.name for gate in result.gates if gate.verdict is not Verdict.PASS)
    return Try(
        species,
        "none" if result is None else str(result.verdict),
        accepted,
        "" if accepted or entry.reason is None else str(entry.reason),
        entry.attempts,
        gates,
        at_utc,
    )


def walk(
    drill: Drill,
    operator: Operator,
    attempt: Callable[[Step], Try | None],
    keep: Callable[[Drill], None],
) -> Drill:
    """Go on until all is done or the operator stops. ``attempt`` plays one try (None: stopped in the middle of it);
    ``keep`` stores the drill after each change."""
    while (step := drill.next_step) is not None:
        number = len(drill.of(step.species)) + 1
        choice = operator.ready(step, number)
        if choice is Choice.STOP:
            break
        if choice is Choice.SKIP:
            drill = replace(drill, skipped=(*drill.skipped, step.species))
            keep(drill)
            continue
        found = attempt(step)
        if found is None:
            break
        # Kept before anybody is asked: a drill that is cut off here has this try.
        counted = replace(drill, tries=(*drill.tries, found))
        keep(counted)
        choice = operator.seen(step, number, found)
        drill = replace(drill, repeated=(*drill.repeated, found)) if choice is Choice.REPEAT else counted
        if choice is Choice.REPEAT:
            keep(drill)
        if choice is Choice.STOP:
            break
    return drill

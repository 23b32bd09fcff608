"""The report of a drill: counts with exact bounds, never pooled, and plain advice.

Rule: a handful of tries proves little, and the report says how little: nothing in 5 tries still allows 45 %.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from kiosk import __version__
from kiosk.evaluation import words
from kiosk.evaluation.bounds import Share
from kiosk.evaluation.pages import page, table
from kiosk.reasons import Reason
from kiosk.site.drill import LIVE, SPECIES, Drill, Try
from kiosk.visit.messages import message_for

ENOUGH = 0.05
"""An upper bound that says something."""
ENOUGH_TRIES = 59
"""None accepted in so many has an upper bound of ``ENOUGH``."""
HEAD = ("what was tried", "tries", "accepted", "true share accepted", "without an answer", "gates that refused")
ROOM = frozenset({Reason.HIGH_LIGHTING, Reason.TOO_BRIGHT})
NOTES = (
    "A drill counts what staff held up on one day; it is no laboratory test and finds no unknown attack.",
    "The true share accepted lies between the bounds given (exact, Clopper and Pearson, each one-sided at 95 %); kinds "
    "of attack are never added together. Without an answer: the kiosk asked for another try until it gave up.",
    "Good 3-D masks and injected video that is relit at once are not covered by the flash: use a second factor there.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One species."""

    species: str
    accepted: Share
    silent: Share
    """Without an answer: unsure to the end, or never found fit to be flashed."""
    reasons: tuple[tuple[str, int], ...]
    """Why refused, the commonest first."""
    gates: tuple[tuple[str, int], ...]

    @property
    def title(self) -> str:
        """For people."""
        return SPECIES[self.species][0]


def rows(drill: Drill) -> list[Row]:
    """One for each species that was tried, in the order of the plan."""
    order = dict.fromkeys([step.species for step in drill.steps] + [one.species for one in drill.tries])
    return [_row(species, drill.of(species)) for species in order if drill.of(species)]


def _row(species: str, tries: Sequence[Try]) -> Row:
    total = len(tries)
    reasons = Counter(one.reason for one in tries if one.reason)
    gates = Counter(gate for one in tries if not one.accepted for gate in one.gates)
    return Row(
        species,
        Share(sum(one.accepted for one in tries), total),
        Share(sum(one.verdict in ("unsure", "none") for one in tries), total),
        tuple(reasons.most_common()),
        tuple(gates.most_common()),
    )


def result(drill: Drill) -> str:
    """The outcome in one or two sentences, for whoever reads no further."""
    found = rows(drill)
    attacks = [one for one in (*drill.tries, *drill.repeated) if one.species != LIVE]
    through = [one.species for one in attacks if one.accepted]
    said = ["No attack was accepted."] if attacks and not through else []
    if through:  # by kind: they are never added together
        said.append(f"ATTACKS WERE ACCEPTED: {_counted(through)}.")
    said += [
        f"{row.accepted.count} of {row.accepted.total} genuine visits {'was' if row.accepted.count == 1 else 'were'} "
        "accepted."
        for row in found
        if row.species == LIVE
    ]
    return " ".join(said) or "Nothing was tried."


def meanings(drill: Drill) -> list[tuple[str, str]]:
    """The codes that this report uses, in plain words."""
    found = rows(drill)
    gates = dict.fromkeys(name for row in found for name, _ in row.gates)
    reasons = dict.fromkeys(name for row in found for name, _ in row.reasons)
    known = [(name, f"the visitor read: {message_for(Reason(name)).headline}.") for name in reasons if name in _REASONS]
    return [*known, *((f"gate {name}", question) for name, question in words.gates(gates))]


_REASONS = frozenset(map(str, Reason))


def advice(drill: Drill) -> list[str]:
    """Plain sentences, the gravest first."""
    said: list[str] = []
    found = rows(drill)
    for row in found:
        if row.species != LIVE and row.accepted.count:
            were = "was" if row.accepted.count == 1 else "were"
            said.append(
                f"{row.accepted.count} of {row.accepted.total} tries with a {row.title} {were} accepted: do not let "
                "the face alone open this door. Add a second factor (a badge reader or a keypad in series), check "
                "light, screen and camera (docs/liveness.md), then drill again."
            )
    for row in found:
        if row.species == LIVE and row.accepted.count < row.accepted.total:
            said.append(_refused(row))
    for row in found:
        if row.species != LIVE and not row.accepted.count:
            high = f"{100 * row.accepted.high:.0f} %"
            line = f"{row.title}: 0 of {row.accepted.total} accepted; the true share is at most {high} (95 % bound)."
            if row.accepted.high > ENOUGH:
                line += f" So few tries say little: none of {ENOUGH_TRIES} would say at most {100 * ENOUGH:.0f} %."
            said.append(line)
    said += _repeated(drill.repeated)
    missing = [step for step in drill.steps if len(drill.of(step.species)) < step.tries]
    if missing:
        said.append("Not finished: " + ", ".join(f"{s.title} {len(drill.of(s.species))} of {s.tries}" for s in missing))
    if not any(row.species == LIVE for row in found):
        said.append("No genuine visit was tried: a kiosk that refuses everybody stops every attack.")
    return said


def _repeated(tries: Sequence[Try]) -> list[str]:
    """What was repeated; an attack that had been accepted is not made undone by a second try."""
    lines = []
    through = [one.species for one in tries if one.accepted and one.species != LIVE]
    if through:
        lines.append(f"Accepted, then repeated and so not in the table: {_counted(through)}. Count them as accepted.")
    if tries:
        lines.append(f"Repeated, and so not in the table: {_counted([one.species for one in tries])}.")
    return lines


def _refused(row: Row) -> str:
    lost = row.accepted.total - row.accepted.count
    share = Share(lost, row.accepted.total)
    why = ", ".join(f"{reason} {count}" for reason, count in row.reasons)
    were = "was" if lost == 1 else "were"
    line = (
        f"{lost} of {share.total} genuine visits {were} refused (true share at most {100 * share.high:.0f} %): {why}."
    )
    if any(reason in ROOM for reason, _ in row.reasons):
        line += " The room outshines the screen: shade it, come nearer, or use a brighter screen."
    elif row.gates:
        line += f" Most often not passed: {row.gates[0][0]} (docs/liveness.md)."
    return line


def to_json(drill: Drill) -> dict[str, Any]:
    """The whole report as a plain object."""
    return {
        "format": 1,
        "began_utc": drill.began_utc,
        "software": __version__,
        "camera": drill.camera,
        **dict(drill.facts),
        "species": [
            {
                "species": row.species,
                "title": row.title,
                "accepted": row.accepted.to_json(),
                "no_answer": row.silent.to_json(),
                "reasons": dict(row.reasons),
                "gates": dict(row.gates),
            }
            for row in rows(drill)
        ],
        "repeated": dict(Counter(one.species for one in drill.repeated)),
        "attack_accepted": drill.attack_accepted,
        "skipped": list(drill.skipped),
        "result": result(drill),
        "finished": drill.next_step is None and not drill.skipped,
        "advice": advice(drill),
        "notes": list(NOTES),
    }


def to_html(drill: Drill) -> str:
    """One page without anything from elsewhere."""
    said = "".join(f"<li>{escape(line)}</li>" for line in advice(drill))
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in meanings(drill))
    notes = "".join(f"<p>{escape(line)}</p>" for line in NOTES)
    body = (
        f"<h1>Spoof drill</h1><p class='summary'><strong>{escape(result(drill))}</strong></p>"
        f"<p>{escape(_where(drill))}</p><h2>What to do</h2><ul>{said}</ul>"
        f"<h2>What was counted</h2>{table(HEAD, _cells(drill))}"
    )
    if terms:
        body += f"<h2>Words</h2><dl>{terms}</dl>"
    return page("Spoof drill", f"{body}<h2>What it does not say</h2><footer>{notes}</footer>")


def to_markdown(drill: Drill) -> str:
    """The same as text."""
    lines = ["# Spoof drill", "", f"**{result(drill)}**", "", _where(drill), "", "## What to do", ""]
    lines += [f"- {line}" for line in advice(drill)]
    lines += ["", "## What was counted", "", _line(HEAD), _line(["---"] * len(HEAD))]
    lines += [_line(cells) for cells in _cells(drill)]
    if terms := meanings(drill):
        lines += ["", "## Words", "", *(f"- **{term}**: {meaning}" for term, meaning in terms)]
    return "\n".join([*lines, "", "## What it does not say", "", *(f"{line}\n" for line in NOTES)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _where(drill: Drill) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in drill.facts.items())
    camera = f" at {drill.camera}" if drill.camera else ""
    begun = drill.began_utc[:16].replace("T", " ")
    return f"Begun {begun} UTC{camera}; {facts or 'no facts noted'}; software {__version__}."


def _cells(drill: Drill) -> list[tuple[str, ...]]:
    cells: list[tuple[str, ...]] = []
    for row in rows(drill):
        share = row.accepted
        stopped = ", ".join(f"{name} {count}" for name, count in row.gates[:4]) or "-"
        bounds = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
        cells.append((row.title, f"{share.total}", f"{share.count}", bounds, f"{row.silent.count}", stopped))
    return cells


def _counted(words: Sequence[str]) -> str:
    return ", ".join(f"{SPECIES[word][0]} {count}" for word, count in Counter(words).items())

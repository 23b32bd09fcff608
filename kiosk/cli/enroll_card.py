"""``kiosk enroll card``: with an identity card or a badge that bears a photograph; staff confirm what it says."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.cli.enrollment import (
    DuplicateOption,
    FaceOption,
    LiveOption,
    LocalOption,
    QualityOption,
    RecordingOption,
    SessionOption,
    refuse_unchecked,
)
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from kiosk.enrollment.card import Card


def card(
    picture: Annotated[Path, typer.Argument(metavar="CARD", help="Picture of the card.")],
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE...]", help="Pictures of the person, taken now.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option("--name", "-n", help="The name as you confirm it.")] = None,
    badge: Annotated[str | None, typer.Option("--badge", "-b", help="The badge number as you confirm it.")] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take what the card says where nothing else is given, without asking.")
    ] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Only show what the card says; enroll nobody.")] = False,
    allow_expired: Annotated[bool, typer.Option("--allow-expired", help="Also with a card that has expired.")] = False,
    quality: QualityOption = "high",
    face: FaceOption = "only",
    allow_duplicate: DuplicateOption = False,
    live: LiveOption = False,
    recording: RecordingOption = None,
    session: SessionOption = None,
    local_only: LocalOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Enroll a person whose living face is the one on a card; you confirm the name and the badge that it proposes."""
    from kiosk.cli.checked import live_reference
    from kiosk.enrollment.card import CardRules, read_card, register_with_card
    from kiosk.enrollment.settle import settle
    from kiosk.runtime.desk import open_cards, open_desk

    settings, pictures = load(config), images or []
    reference = live_reference(settings, live=live, recording=recording, session=session, quiet=json)
    if not propose:
        refuse_unchecked(settings, unchecked=reference is not None, mend="give --live, --recording or --session")
        _refuse_absent(bool(pictures), reference is not None)
    with (
        open_desk(settings, data_dir(), create=True, local_only=local_only) as opened,
        open_cards(settings, data_dir(), local_only=local_only) as reader,
        progress(quiet=json) as advance,
    ):
        settle(opened.desk.registry)
        found = read_card(opened.desk, picture, reader.read)
        _show(found, json=json and propose)
        if propose:
            return
        name = _confirmed("name", name, found.reading.fields.name, accept=accept) or ""
        badge = _confirmed("badge", badge, _value(found, "badge_number"), accept=accept, needed=False)
        rules = CardRules(settings.enrollment.card_similarity, allow_expired, quality, face, allow_duplicate)
        someone = register_with_card(
            opened.desk, found, name, pictures, badge=badge, today=date.today(), rules=rules, live=reference,
            progress=advance,
        )  # fmt: skip
    if json:
        emit({"person_id": someone.person_id, "name": someone.name, "badge": someone.badge})
    else:
        say(f"enrolled {someone.name}{f' with badge {someone.badge}' if someone.badge else ''} as {someone.person_id}")


def _refuse_absent(pictures: bool, checked: bool) -> None:
    if not pictures and not checked:
        mend = "give a picture of the person, --live, --recording or --session"
        raise InputError("a card alone proves nothing", where="enroll card", mend=mend)


def _show(card: Card, *, json: bool) -> None:
    """What was read, on standard output as JSON, or for people on standard error beside the questions."""
    reading = card.reading
    if json:
        rows = {field: _plain(read) for field, read in reading.fields}
        differ = {one.field: [_plain(read) for read in one.readings] for one in reading.conflicts}
        problems = list(reading.problems)
        emit({"name": reading.fields.name, "fields": rows, "conflicts": differ, "problems": problems})
        return
    for field, read in reading.fields:
        sure = "confirmed by a check digit" if read.confirmed else "not confirmed"
        complain(f"card: {field.replace('_', ' ')}: {read.value} ({read.source}, {sure})")
    for conflict in reading.conflicts:
        values = ", ".join(f"{read.value} ({read.source})" for read in conflict.readings)
        complain(f"card: {conflict.field.replace('_', ' ')}: sources differ: {values}")
    for problem in reading.problems:
        complain(f"card: {problem}")


def _plain(read: Any) -> dict[str, object]:
    told = {"value": str(read.value), "source": read.source, "confirmed": read.confirmed}
    return told | ({} if read.confidence is None else {"confidence": round(read.confidence, 1)})


def _value(card: Card, field: str) -> str | None:
    read = dict(card.reading.fields).get(field)
    return None if read is None else str(read.value)


def _confirmed(what: str, given: str | None, proposed: str | None, *, accept: bool, needed: bool = True) -> str | None:
    """As given, else as proposed and accepted, else as somebody at the terminal says."""
    if given is not None:
        return given
    if accept and (proposed is not None or not needed):
        return proposed
    if sys.stdin is not None and sys.stdin.isatty():
        answer: str = typer.prompt(f"{what.capitalize()} (- for none)", default=proposed or "-", err=True)
        if answer.strip() not in ("", "-") or not needed:
            return None if answer.strip() in ("", "-") else answer
    if needed or proposed is not None:
        told = f"the {what} is not confirmed" if proposed else f"the card says no {what} that can be read"
        raise ConfigurationError(told, where="enroll card", mend=f"give --{what}, or --accept what the card says")
    return None

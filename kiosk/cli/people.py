"""``kiosk people``: who is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import KioskError, UnknownPerson

if TYPE_CHECKING:
    from kiosk.records.store import PersonDetails, Store

people = typer.Typer(help="The people who are enrolled.", no_args_is_help=True)


def _open_store(config: Path | None) -> Store:
    """The store for looking something up. Raises UnknownPerson when nobody was ever enrolled."""
    from kiosk.records.store import DATABASE, Store

    data = data_dir()
    if not (data / DATABASE).exists():
        raise UnknownPerson("nobody is enrolled yet", where=str(data), mend="kiosk enroll --name NAME PICTURE")
    return Store.in_directory(data, key_file=load(config).records.key_file, create=False)


def _plain(details: PersonDetails) -> dict[str, object]:
    person = details.person
    return {
        "person_id": person.person_id,
        "name": person.name,
        "badge": person.badge,
        "active": details.active,
        "no_flash": details.no_flash,
        "templates": sum(details.templates.values()),
        "created": details.created,
    }


@people.command("list")
def list_people(
    part: Annotated[str, typer.Argument(help="Part of a name or badge.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Everybody, by name."""
    from kiosk.records.store import DATABASE

    if not (data_dir() / DATABASE).exists():
        load(config)
        if not json:
            say("nobody is enrolled yet")
        return
    with _open_store(config) as store:
        for details in store.people(part):
            if json:
                emit(_plain(details))
            else:
                state = "" if details.active else "  suspended"
                badge = f"  badge {details.person.badge}" if details.person.badge else ""
                count = sum(details.templates.values())
                say(f"{details.person.name}{badge}  {count} templates  {details.person.person_id}{state}")


@people.command()
def show(
    who: Annotated[str, typer.Argument(help="Name, badge or id.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One person."""
    with _open_store(config) as store:
        plain = _plain(store.details(who))
    if json:
        emit(plain)
    else:
        for key, value in plain.items():
            say(f"{key:10} {'-' if value is None else value}")


@people.command("set")
def set_person(
    who: Annotated[str, typer.Argument(help="Name, badge or id.")],
    flash: Annotated[
        bool,
        typer.Option("--flash/--no-flash", help="Whether the screen may flash at them; without, they need a badge."),
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change how a person is checked: somebody who must not see flashes shows a badge and moves the head instead."""
    with _open_store(config) as store:
        person = store.set_no_flash(who, not flash)
    if json:
        emit({"person_id": person.person_id, "no_flash": not flash})
        return
    say(f"{person.name} is checked with {'a' if flash else 'no'} flash")
    if not flash and person.badge is None:
        say(f"{person.name} has no badge yet: without one the screen cannot know them and will flash")


@people.command()
def remove(
    who: Annotated[str, typer.Argument(help="Name, badge or id.")],
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write down, as JSON, what was removed where.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a person, here and in every engine: name, badge, templates, pictures; past events keep only the id.

    Exit code 1 when an engine did not answer: no door lets the person in any more, and the next kiosk enroll settle
    erases what is left.
    """
    from kiosk.enrollment.remove import remove_person
    from kiosk.runtime.desk import open_registry

    with _open_store(config) as store:
        store.person(who)  # a wrong name is told before engines are opened
        with open_registry(load(config), data_dir(), store) as registry:
            removed = remove_person(registry, who)
        person = removed.removal.person
        told = proof_of(store, person.person_id)
    if proof is not None:
        _write(proof, told)
    for problem in removed.problems:
        complain(problem)
    if json:
        emit({"removed": person.person_id, "faces_erased": removed.erased, "waiting": removed.waiting})
    else:
        say(f"removed {person.name}")
    if removed.waiting:
        raise typer.Exit(1)


@people.command()
def proof(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="The id of somebody who was removed.")],
    config: ConfigOption = None,
) -> None:
    """What was removed of a person, when, and by which events of the audit chain, as JSON.

    Exit code 1 when something is still to be erased.
    """
    with _open_store(config) as store:
        told = proof_of(store, person_id)
    emit(told)
    if not told["complete"]:
        raise typer.Exit(1)


def proof_of(store: Store, person_id: str) -> dict[str, object]:
    """From the audit chain and the tasks that are left. Raises UnknownPerson: nobody of this id was removed."""
    events = [event for event in store.events_of(person_id) if event.kind in ("PERSON_REMOVED", "FACES_ERASED")]
    here = any(details.person.person_id == person_id for details in store.people())
    if here or not events:
        raise UnknownPerson("nobody of this id was removed", where=person_id, mend="kiosk people list: who is enrolled")
    waiting = [f"{task.engine} {task.collection}".strip() for task in store.enrollments().tasks(person_id)]
    chain = store.verify_chain()
    return {
        "person_id": person_id,
        "complete": not waiting and chain.ok,
        "events": [
            {"number": one.event_id, "utc": one.utc, "kind": one.kind, **one.details, "sha256": one.digest.hex()}
            for one in events
        ],
        "waiting": sorted(set(waiting)),
        "chain": "whole" if chain.ok else chain.problem,
        "chain_head": chain.head.text,
    }


def _write(file: Path, told: dict[str, object]) -> None:
    from json import dumps

    try:
        file.write_text(dumps(told, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        mend = f"kiosk people proof {told['person_id']}"
        raise KioskError(f"the proof cannot be written ({error.strerror})", where=str(file), mend=mend) from error

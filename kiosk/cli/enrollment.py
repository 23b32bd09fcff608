"""``kiosk enroll`` and ``kiosk people``: who is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import UnknownPerson

if TYPE_CHECKING:
    from kiosk.records.store import PersonDetails, Store

QualityOption = Annotated[
    Literal["none", "low", "high"],
    typer.Option("--quality", help="high: all limits of enrollment; low: pose limits and 50x50 px; none: any face."),
]
FaceOption = Annotated[
    Literal["largest", "central", "only"],
    typer.Option("--face", help="Which face of a picture: only refuses a picture with several."),
]
PicturesArgument = Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures of one person.")]

people = typer.Typer(help="The people who are enrolled.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(enroll)


def enroll(
    images: PicturesArgument,
    name: Annotated[str, typer.Option("--name", "-n", help="The person's name.")],
    badge: Annotated[str | None, typer.Option("--badge", "-b", help="Badge number.")] = None,
    quality: QualityOption = "high",
    face: FaceOption = "only",
    allow_duplicate: Annotated[
        bool, typer.Option("--allow-duplicate", help="Enroll a face that is already enrolled under another name.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Enroll a person from one or more pictures: all of it or nothing."""
    from kiosk.enrollment.register import enroll_images
    from kiosk.runtime.desk import open_desk

    with open_desk(load(config), data_dir(), create=True) as opened, progress(quiet=json) as advance:
        person = enroll_images(
            opened.desk,
            name,
            images,
            badge=badge,
            quality=quality,
            face=face,
            allow_duplicate=allow_duplicate,
            progress=advance,
        )
    if json:
        emit({"person_id": person.person_id, "name": person.name, "badge": person.badge, "templates": len(images)})
    else:
        say(
            f"enrolled {person.name} with {len(images)} template{'s' if len(images) != 1 else ''} as {person.person_id}"
        )


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
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a person: name, badge and templates; past events keep only the id."""
    with _open_store(config) as store:
        person = store.remove_person(who)
    if json:
        emit({"removed": person.person_id})
    else:
        say(f"removed {person.name}")

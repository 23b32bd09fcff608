"""``kiosk enroll``: from pictures into the records, here and in every engine; one by one or many at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from kiosk.config.tree import Settings
    from kiosk.enrollment.settle import Settled
    from kiosk.runtime.desk import OpenDesk

QualityOption = Annotated[
    Literal["none", "low", "high"],
    typer.Option("--quality", help="high: all limits of enrollment; low: pose limits and 50x50 px; none: any face."),
]
FaceOption = Annotated[
    Literal["largest", "central", "only"],
    typer.Option("--face", help="Which face of a picture: only refuses a picture with several."),
]
PicturesArgument = Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures of one person.")]
DuplicateOption = Annotated[
    bool, typer.Option("--allow-duplicate", help="Although somebody else is enrolled with the same face.")
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="Check at this kiosk that the person is there: its picture is one more.")
]
RecordingOption = Annotated[
    Path | None, typer.Option("--recording", metavar="DIR", help="As --live, by a recording of the check.")
]
SessionOption = Annotated[
    str | None, typer.Option("--session", metavar="ID", help="As --live, by a liveness session of the first engine.")
]
UncheckedOption = Annotated[
    bool, typer.Option("--unchecked", help="Although this site enrolls only who is checked to be there.")
]
LocalOption = Annotated[
    bool, typer.Option("--local-only", help="Ask and tell no engine elsewhere; kiosk reindex makes up for it.")
]


class DefaultGroup(TyperGroup):
    """``kiosk enroll ada.jpg`` is ``kiosk enroll person ada.jpg``: the first word is a command only if it is one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual command before anything else than a command or a call for help."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["person", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultGroup,
    help="Enroll people: a person (the usual command), new pictures, or many at once.",
    no_args_is_help=True,
)


@app.command()
def person(
    images: Annotated[list[Path] | None, typer.Argument(metavar="[IMAGE...]", help="Pictures of one person.")] = None,
    *,
    name: Annotated[str, typer.Option("--name", "-n", help="The person's name.")],
    badge: Annotated[str | None, typer.Option("--badge", "-b", help="Badge number.")] = None,
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
    """Enroll a person from one or more pictures, here and in every engine: all of it or nothing."""
    from kiosk.cli.checked import live_reference
    from kiosk.enrollment.register import enroll_images
    from kiosk.enrollment.settle import settle
    from kiosk.runtime.desk import open_desk

    settings, pictures = load(config), images or []
    reference = live_reference(settings, live=live, recording=recording, session=session, quiet=json)
    refuse_unchecked(settings, unchecked=reference is not None, mend="give --live, --recording or --session")
    if not pictures and reference is None:
        mend = "name pictures, or give --live, --recording or --session"
        raise InputError("no picture given", where="enroll", mend=mend)
    with (
        open_desk(settings, data_dir(), create=True, local_only=local_only) as opened,
        progress(quiet=json) as advance,
    ):
        settle(opened.desk.registry)
        someone = enroll_images(
            opened.desk,
            name,
            pictures,
            badge=badge,
            quality=quality,
            face=face,
            allow_duplicate=allow_duplicate,
            live=reference,
            progress=advance,
        )
        count = _stored(opened, someone.person_id)
    if json:
        emit({"person_id": someone.person_id, "name": someone.name, "badge": someone.badge, "templates": count})
    else:
        templates = _templates(count, len(pictures) + (reference is not None))
        say(f"enrolled {someone.name} with {templates} as {someone.person_id}")


@app.command()
def update(
    who: Annotated[str, typer.Argument(help="Name, badge or id.")],
    images: PicturesArgument,
    quality: QualityOption = "high",
    face: FaceOption = "only",
    allow_duplicate: DuplicateOption = False,
    unchecked: UncheckedOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put new pictures in the place of a person's old ones; the face must be the one that is enrolled.

    Exit code 1 when something lags behind: the change stands.
    """
    from kiosk.enrollment.update import update_images
    from kiosk.runtime.desk import open_desk

    settings = load(config)
    refuse_unchecked(settings, unchecked=unchecked)
    with open_desk(settings, data_dir(), create=False) as opened, progress(quiet=json) as advance:
        updated = update_images(
            opened.desk,
            who,
            images,
            quality=quality,
            face=face,
            allow_duplicate=allow_duplicate,
            progress=advance,
        )
        count = _stored(opened, updated.person.person_id)
    for problem in updated.problems:
        complain(problem)
    if json:
        emit({"person_id": updated.person.person_id, "templates": count, "waiting": updated.waiting})
    else:
        say(f"{updated.person.name} has {_templates(count, len(images), 'new ')}")
        if updated.waiting:
            say("old faces and pictures in a place that did not answer are erased later (kiosk enroll settle)")
    if updated.problems:
        raise typer.Exit(1)


def _stored(opened: OpenDesk, person_id: str) -> int:
    """How many templates of the person the book holds."""
    return len(opened.desk.registry.book.templates_of(person_id, opened.models.embedding_version))


def _templates(count: int, given: int, kind: str = "") -> str:
    """As a person says it, and why there are fewer than pictures."""
    told = f"{count} {kind}template{'s' if count != 1 else ''}"
    return told if count == given else f"{told} of {given} pictures (the same one counts once)"


def refuse_unchecked(settings: Settings, *, unchecked: bool, mend: str = "add --unchecked") -> None:
    """Raises ConfigurationError where the site's policy asks for a check that is not made."""
    if settings.enrollment.live and not unchecked:
        raise ConfigurationError(
            "this site enrolls only who is checked to be there", where="enrollment.live", mend=mend
        )


@app.command()
def settle(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Finish what was cut off: take back faces in engines, and pictures outside, that no enrolled face is from.

    Every enrollment does so first, and kiosk-settle.timer every hour. Exit code 1 when something is left: an engine did
    not answer, or a call may still be on its way (half an hour).
    """
    from kiosk.enrollment.settle import settle as settled
    from kiosk.records.store import Store
    from kiosk.runtime.desk import open_registry

    settings = load(config)
    with (
        Store.in_directory(data_dir(), key_file=settings.records.key_file, create=False) as store,
        open_registry(settings, data_dir(), store) as registry,
    ):
        done = settled(registry)
    _tell(done, json=json)


def _tell(done: Settled, *, json: bool) -> None:
    for problem in done.problems:
        complain(problem)
    if json:
        emit({"faces_erased": done.erased, "waiting": done.waiting})
    else:
        say(f"{done.erased} faces erased, {done.waiting} tasks left")
    if done.waiting:
        raise typer.Exit(1)

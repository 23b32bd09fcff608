"""The root of the command line: registers the commands and turns faults into one line and an exit code.

Exit codes: 0 done, 1 done but the answer is no (a demo visit went wrong, doctor found a fault), 2 could not be
done (one line says why), 130 interrupted, 141 the reader of the output went away (as any command ended by SIGPIPE).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer

from kiosk.cli import (
    bench,
    doctor,
    drill,
    engines,
    enroll_batch,
    enroll_card,
    enrollment,
    images,
    liveness,
    models,
    people,
    play,
    rekognition,
    screens,
)
from kiosk.cli.common import complain, say
from kiosk.errors import KioskError

INTERRUPTED = 130
OUTPUT_GONE = 141
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""UsageError of the click that this typer carries (newer typers bring their own copy)."""

app = typer.Typer(
    name="kiosk",
    help="Face-access kiosk: guides a face, proves it live, matches it, answers at the door.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
play.register(app)
doctor.register(app)
screens.register(app)
drill.register(app)
images.register(app)
bench.register(app)
app.add_typer(models.app, name="models")
enrollment.app.command()(enroll_card.card)
enrollment.app.command()(enroll_batch.batch)
app.command()(enroll_batch.reindex)
app.add_typer(enrollment.app, name="enroll")
app.add_typer(people.people, name="people")
app.add_typer(engines.app, name="engines")
app.add_typer(liveness.app, name="liveness")
app.add_typer(rekognition.app, name="rekognition")


@app.callback()
def root() -> None:
    """Face-access kiosk: guides a face, proves it live, matches it, answers at the door."""


def run_app(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code. Faults are printed as one line."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="kiosk", standalone_mode=False)
    except USAGE_ERROR as error:
        return _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except KioskError as error:
        return _complain(str(error))
    except SystemExit:  # click's answer to a broken pipe, and nothing else without its standalone mode
        return OUTPUT_GONE
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
    except Exception as error:
        # The last border: a bug is one line too, unless its trace is asked for.
        if os.environ.get("KIOSK_TRACEBACK"):
            raise
        return _complain(f"internal error ({type(error).__name__}); report it with the trace of KIOSK_TRACEBACK=1")
    if code == INTERRUPTED:
        complain("interrupted")
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> int:
    message: str = error.format_message() if hasattr(error, "format_message") else str(error)
    message = message.replace("Value error, ", "")  # how pydantic begins
    if "\n" in message:  # called without arguments: the message is the help page
        say(message)
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "kiosk"
    return _complain(f"{message.rstrip('.')}; see {command} --help")


def _complain(line: str) -> int:
    complain(line)
    return 2

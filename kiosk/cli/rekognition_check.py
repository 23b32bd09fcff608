"""``kiosk rekognition check``: carry out a liveness session at this kiosk, or by a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.checked import by_camera, by_recording
from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, say
from kiosk.cli.database import DatabaseOption, server_shelf, with_database
from kiosk.cli.liveness_site import CameraOption, DisplayOption, real_display
from kiosk.config.load import load
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from kiosk.records.shelf import Shelf
    from kiosk.rekognition.sessions import Outcome, Session


def check(
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="As CreateFaceLivenessSession gave it.")],
    recording: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Judge this recording instead of filming somebody.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=170, help="Give up after this time.")] = 90.0,
    camera: CameraOption = None,
    display: DisplayOption = None,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Carry out a liveness session: somebody steps up as to the door; no door is touched, nobody is identified.

    A kiosk that runs must be stopped first: it has the camera. Exit code 1 when nobody was judged in time; the session
    is FAILED then.
    """
    from kiosk.runtime.wiring import with_overrides

    settings = with_database(with_overrides(load(config), camera=camera, display=display), database)
    if recording is None:
        real_display(settings, "the check")
    with server_shelf(settings, create=False) as shelf:
        session = _started(shelf, session_id)
        outcome: Outcome | None = None
        try:
            if recording is not None:
                outcome = by_recording(settings, recording, session.audit_limit, quiet=json)
            else:
                outcome = by_camera(settings, session.audit_limit, seconds)
        finally:  # whatever goes wrong, the program that waits for it is told
            kept = shelf.end_session(session_id, outcome)
    if outcome is None:
        complain("nobody was judged in time: the session failed")
        raise typer.Exit(1)
    if not kept:
        raise KioskError("the session expired meanwhile", where=session_id, mend="make another one")
    if json:
        emit({"session_id": session_id, "status": "SUCCEEDED", "confidence": outcome.confidence})
    else:
        say(f"session {session_id}: confidence {outcome.confidence:.0f}")


def _started(shelf: Shelf, session_id: str) -> Session:
    session = shelf.session(session_id)
    if session is None:
        raise KioskError("there is no such session", where=session_id, mend="CreateFaceLivenessSession makes one")
    if "FaceMovementAndLightChallenge" not in session.challenges:
        raise KioskError(
            "the session asks for a check without light", where=session_id, mend="that needs a badge: not offered here"
        )
    if not shelf.start_session(session_id):
        raise KioskError(f"the session is {session.status}", where=session_id, mend="make another one")
    return session

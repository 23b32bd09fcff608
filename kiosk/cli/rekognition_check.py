"""``kiosk rekognition check``: carry out a liveness session at this kiosk, or by a recording."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.cli.database import DatabaseOption, server_shelf, with_database
from kiosk.cli.liveness_site import CameraOption, DisplayOption, real_display
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from kiosk.config.tree import Settings
    from kiosk.records.shelf import Shelf
    from kiosk.rekognition.sessions import Outcome, Session
    from kiosk.site.keeping import Kept


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
                outcome = _by_recording(settings, recording, session, quiet=json)
            else:
                outcome = _by_camera(settings, session, seconds)
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


def _by_recording(settings: Settings, folder: Path, session: Session, *, quiet: bool) -> Outcome:
    from hardware.recording.read import read_recording
    from hardware.stills import encode_jpeg
    from kiosk.cli.kept import Evidences
    from kiosk.rekognition.checking import outcome_of
    from kiosk.visit.reflection import judge
    from models.faces import open_models

    found = read_recording(folder)
    with Evidences(data_dir(), keep=False) as evidences, progress(quiet=quiet) as advance:
        evidence = evidences.of(folder, found, progress=lambda done, total: advance("frames", done, total))
    result = judge(evidence, settings.liveness)
    begin_s = found.slots[0].visible_at_s
    before = [frame.load() for frame in found.frames if frame.exposure_start_s < begin_s]
    during = [frame.load() for frame in found.frames if frame.exposure_start_s >= begin_s]
    with open_models(data_dir()) as models:
        return outcome_of(result, before, during, session.audit_limit, models, encode_jpeg)


def _by_camera(settings: Settings, session: Session, seconds: float) -> Outcome | None:
    from hardware.stills import encode_jpeg
    from kiosk.cli.play import stop_on_signals
    from kiosk.cli.rig import place_of, real_devices, rig_loop
    from kiosk.errors import DisplayClosed
    from kiosk.rekognition.checking import outcome_of
    from kiosk.site.keeping import Keeper

    with stop_on_signals() as stop, real_devices(settings, data_dir()) as devices:
        keeper = Keeper(place_of(settings, devices))
        loop = rig_loop(settings, devices, (keeper,))
        began_s = devices.clock.now().monotonic_s
        judged: list[Kept] = []
        with suppress(DisplayClosed):
            while not (judged or stop.is_set() or devices.feed.ended):
                if devices.clock.now().monotonic_s - began_s >= seconds:
                    break
                loop.turn()
                judged = keeper.take()
        if not judged:
            if devices.feed.fault is not None:
                raise devices.feed.fault
            return None
        kept = judged[0]
        begin_s = kept.slots[0].visible_at_s
        before = [frame.pixels for frame in kept.frames if frame.exposure_start_s < begin_s]
        during = [frame.pixels for frame in kept.frames if frame.exposure_start_s >= begin_s]
        return outcome_of(kept.result, before, during, session.audit_limit, devices.models, encode_jpeg)

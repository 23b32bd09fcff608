"""One liveness check at this kiosk, by camera and screen or by a recording; no door is touched."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.common import progress
from kiosk.cli.liveness_site import real_display
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, InputError

LIVE_WAIT_S = 90.0

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk.config.tree import Settings
    from kiosk.enrollment.living import Reference
    from kiosk.rekognition.sessions import Outcome
    from kiosk.site.keeping import Kept


def by_recording(settings: Settings, folder: Path, audit_limit: int, *, quiet: bool) -> Outcome:
    """Judge a recording. Raises InputError, ModelError."""
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
        return outcome_of(result, before, during, audit_limit, models, encode_jpeg)


def by_camera(settings: Settings, audit_limit: int, seconds: float) -> Outcome | None:
    """Film and judge whoever steps up; None: nobody was judged in time. Raises what a part that failed raises."""
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
        return outcome_of(kept.result, before, during, audit_limit, devices.models, encode_jpeg)


def live_reference(
    settings: Settings, *, live: bool, recording: Path | None, session: str | None, quiet: bool
) -> Callable[[], Reference] | None:
    """What has somebody checked when it is called, and gives the picture that proves it; None: nobody asked for it.

    Raises ConfigurationError for several ways at once. The call raises InputError for whoever is not proven live.
    """
    if (live, recording is not None, session is not None).count(True) > 1:
        raise ConfigurationError(
            "are several ways to do one thing", where="--live, --recording, --session", mend="give one"
        )
    if session is not None:
        return lambda: _proven(*_of_session(settings, session), where=session)
    if recording is not None:
        return lambda: _of_outcome(by_recording(settings, recording, 0, quiet=quiet), str(recording))
    if live:
        real_display(settings, "the check")
        return lambda: _of_outcome(by_camera(settings, 0, LIVE_WAIT_S), "the liveness check")
    return None


def _of_outcome(outcome: Outcome | None, where: str) -> Reference:
    if outcome is None:
        raise InputError("nobody was judged in time", where=where, mend="try again", reason="SESSION_NOT_DONE")
    content = b"" if outcome.reference is None else outcome.reference.jpeg
    return _proven(outcome.confidence, content, where=where)


def _of_session(settings: Settings, session: str) -> tuple[float, bytes]:
    from kiosk.runtime.engines import open_sessions

    with open_sessions(settings) as sessions:
        found = sessions.result(session)
    if found.status != "SUCCEEDED":
        mend = "carry it out first, or make another one"
        raise InputError(f"the session is {found.status}", where=session, mend=mend, reason="SESSION_NOT_DONE")
    return found.confidence, found.reference


def _proven(confidence: float, content: bytes, *, where: str) -> Reference:
    from hashlib import sha256

    from hardware.stills import decode_image
    from kiosk.enrollment.living import Reference
    from kiosk.identity.sessions import LIVE

    if confidence < LIVE:
        told = f"was not proven live (confidence {confidence:.0f}, needed {LIVE:.0f})"
        raise InputError(told, where=where, mend="try again, or enroll in person", reason="NOT_LIVE")
    if not content:
        raise InputError("gave no picture of the face", where=where, mend="try again", reason="SESSION_NOT_DONE")
    return Reference(decode_image(content), sha256(content).hexdigest())

"""``kiosk doctor``: one line for each part, with the mend; nothing is moved, opened or changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.config.tree import Settings
from kiosk.errors import KioskError
from kiosk.values import Panel

Result = Literal["ok", "warning", "fault"]
UNITS = Path("/etc/systemd/system")
LEAST_FREE_MB = 500
FULL_MB = 20
"""Below this the next events and templates may not fit."""
LEAST_FPS_RATIO = 0.8
"""A camera that delivers less than this share of what was asked for is worth a warning."""
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No true clock shows an earlier time than this program's."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    part: str
    result: Result
    found: str
    mend: str = ""


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(doctor)


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check camera, display, weights, door (dry), clock and storage; exit code 1 when something is at fault."""
    settings = load(config)
    checks = list(examine(settings, data_dir()))
    for check in checks:
        if json:
            emit(asdict(check))
        else:
            say(f"{check.result:8} {check.part:9} {check.found}" + (f"; {check.mend}" if check.mend else ""))
    if any(check.result == "fault" for check in checks):
        raise typer.Exit(1)


def examine(settings: Settings, data: Path) -> Iterator[Check]:
    """All checks, the quick ones first. A part that raises is a fault with its own mend."""
    cameras: list[str] = []
    parts: tuple[tuple[str, Callable[[Settings, Path], Check]], ...] = (
        ("clock", _clock),
        ("storage", _storage),
        ("records", _records),
        ("weights", _weights),
        ("faces", _faces),
        ("passive", _passive),
        ("engines", _engines),
        ("kpi", _kpi),
        ("network", _network),
        ("door", _door),
        ("display", _display),
        ("camera", partial(_camera, cameras=cameras)),
        ("liveness", partial(_calibration, cameras=cameras)),
    )
    for part, examined in parts:
        try:
            yield examined(settings, data)
        except KioskError as error:
            where = f"{error.where}: " if error.where else ""
            yield Check(part, "fault", " ".join(f"{where}{error.what}".split()), error.mend)


def _clock(_settings: Settings, _data: Path) -> Check:
    now = datetime.now(UTC)
    if now < BUILT:
        return Check("clock", "fault", f"shows {now:%Y-%m-%d %H:%M} UTC, which is past", "set the time, enable NTP")
    if not Path("/run/systemd/timesync/synchronized").exists():
        return Check("clock", "warning", f"{now:%Y-%m-%d %H:%M} UTC, not known to be synchronized", "enable NTP")
    return Check("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC, synchronized")


def _storage(_settings: Settings, data: Path) -> Check:
    if not data.is_dir():
        found = "is no folder" if data.exists() else "does not exist"
        return Check("storage", "fault", f"{data} {found}", "run ./setup.sh, or set KIOSK_DATA_DIR")
    free_mb = shutil.disk_usage(data).free // 2**20
    probe = data / f".doctor-{time.monotonic_ns()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check("storage", "fault", f"{data} cannot be written: {error.strerror}", "mend the mount or its owner")
    if free_mb < LEAST_FREE_MB:
        result: Result = "fault" if free_mb < FULL_MB else "warning"
        return Check("storage", result, f"{free_mb} MB free in {data}", f"free at least {LEAST_FREE_MB} MB")
    return Check("storage", "ok", f"{free_mb} MB free in {data}")


def _records(settings: Settings, data: Path) -> Check:
    from kiosk.records.store import DATABASE, Store

    if not (data / DATABASE).exists():
        return Check("records", "warning", "nobody is enrolled yet", "kiosk enroll --name NAME PICTURE")
    with Store.in_directory(data, key_file=settings.records.key_file, create=False) as store:
        report = store.check()
        waiting = len({task.person_id for task in store.enrollments().tasks()})
    if not report.ok:
        return Check("records", "fault", "; ".join(report.problems), "restore a backup")
    if waiting:
        found = f"{report.people} people; of {waiting} more or former ones something is to be cleared in other places"
        return Check("records", "warning", found, "kiosk enroll settle")
    return Check("records", "ok", f"{report.people} people, {report.events} events; database and event chain are whole")


def _weights(settings: Settings, data: Path) -> Check:
    from models import manifest
    from models.faces import kind_of

    named = [manifest.item(kind_of(name).weights) for name in settings.identity.embedders if name is not None]
    wanted = dict.fromkeys((*manifest.select(("core",)), *named))
    bad = {one: complaint for one in wanted if (complaint := manifest.check(one, data))}
    if bad:
        groups = sorted({one.group for one in bad} - set(manifest.DEFAULT_GROUPS))
        mend = " ".join(["kiosk models fetch", *(f"--group {group}" for group in ("core", *groups) if groups)])
        return Check("weights", "fault", "; ".join(f"{one.name} {complaint}" for one, complaint in bad.items()), mend)
    return Check("weights", "ok", "every hash is right")


def _faces(settings: Settings, data: Path) -> Check:
    """Whether everybody who is enrolled is known by a face model in use; suspended people too, or they are enrolled
    anew under another name."""
    from kiosk.records.store import DATABASE, Store
    from models.faces import kind_of

    present, before = (None if name is None else kind_of(name).version for name in settings.identity.embedders)
    models = f"by {present}" + (f", before {before}" if before else "")
    if not (data / DATABASE).exists():
        return Check("faces", "ok", models)
    with Store.in_directory(data, key_file=settings.records.key_file, create=False) as store:
        held = [frozenset(one.templates) for one in store.people()]
    waiting = [versions for versions in held if present not in versions]
    lost = [versions for versions in waiting if before not in versions]
    if any(lost):
        found = f"{len(lost)} of {len(held)} people are known by no face model in use ({models})"
        return Check("faces", "warning", found, "set identity.embedder_before, or kiosk reindex")
    if lost:
        found = f"{len(lost)} of {len(held)} people have no face on this machine ({models})"
        return Check("faces", "warning", found, "kiosk enroll update")
    if waiting:
        found = f"{len(waiting)} of {len(held)} people are known by the model of before only ({models})"
        return Check("faces", "warning", found, "kiosk reindex")
    if before is not None:
        first = "kiosk reindex --finish, then " if any(len(versions) > 1 for versions in held) else ""
        mend = f"{first}remove identity.embedder_before"
        return Check("faces", "warning", f"everybody has moved to {present}", mend)
    return Check("faces", "ok", f"{models}: {len(held)} people")


def _passive(_settings: Settings, data: Path) -> Check:
    from models.faces import open_models

    with open_models(data) as models:
        present, known = models.passive_models
    found = f"{present} of {known} models"
    if present < known:
        return Check("passive", "warning", found, "kiosk models fetch --group passive-extra [--from DIR]")
    return Check("passive", "ok", found)


def _engines(settings: Settings, _data: Path) -> Check:
    from kiosk.runtime.engines import examined

    found = examined(settings)
    if found.nearly_full:
        return Check("engines", "warning", f"{found.told}; {found.nearly_full}", found.mend)
    return Check("engines", "ok", found.told)


def _kpi(settings: Settings, _data: Path) -> Check:
    from kiosk.kpi.opening import described

    found, address = described(settings.kpi), settings.kpi.address
    if address is not None and not address.loopback:
        return Check("kpi", "warning", f"{found}, in plain HTTP for whoever reaches it", "only on a private network")
    return Check("kpi", "ok", found)


def _network(settings: Settings, _data: Path) -> Check:
    """Whether the sandbox of the installed door fits the configuration; this command runs outside of it."""
    from kiosk.config.needs import network

    wanted, drop_in = network(settings), UNITS / "kiosk.service.d" / "network.conf"
    found = "the door needs one" if wanted else "the door needs none"
    if (UNITS / "kiosk.service").exists():
        try:
            allowed = drop_in.read_text(encoding="utf-8") if drop_in.exists() else ""
        except (OSError, UnicodeDecodeError):
            allowed = ""
        if allowed.strip() != wanted.strip():
            return Check("network", "warning", f"{found}, kiosk.service has another rule", "sudo ./setup.sh install")
    return Check("network", "ok", found)


def _door(settings: Settings, _data: Path) -> Check:
    from hardware.doors import probe_door_dry

    facts = probe_door_dry(settings.door)
    found = ", ".join(f"{key} {value}" for key, value in facts.items())
    if settings.door.kind == "memory":
        return Check("door", "warning", found, "a memory door opens nothing: set door.kind")
    return Check("door", "ok", found)


def _display(settings: Settings, _data: Path) -> Check:
    from hardware.displays.screen import open_display

    if settings.display.kind == "memory":
        return Check("display", "warning", "memory: nobody sees it", "set display.kind")
    with open_display(settings.display) as display:
        width, height = display.size_px
    return Check("display", "ok", f"{width}x{height}, set as {settings.display.luminance_cd_m2:g} cd/m2")


def _camera(settings: Settings, _data: Path, cameras: list[str]) -> Check:
    from hardware.cameras import probe_camera

    facts = probe_camera(settings.camera)
    cameras.append(str(facts.get("name")))
    found = ", ".join(f"{key} {value}" for key, value in facts.items())
    fps = facts.get("fps")
    if isinstance(fps, int | float) and fps < LEAST_FPS_RATIO * settings.camera.fps:
        return Check("camera", "warning", found, "give it more light or a lower resolution")
    if facts.get("lock") is False:
        return Check("camera", "fault", found, "this camera refuses to lock its exposure: no check can pass")
    return Check("camera", "ok", found)


def _calibration(settings: Settings, data: Path, cameras: list[str]) -> Check:
    """``cameras``: the name of the camera that was probed, empty when it could not be."""
    from kiosk.runtime import calibration

    lag_s, mend = settings.camera.lag_s, calibration.AGAIN
    if lag_s is not None:
        return Check("liveness", "ok", f"lag {lag_s:g} s, as set")
    found = calibration.load(data / calibration.FILE)
    if found is None:
        return Check("liveness", "warning", "never calibrated: the lag is unknown", mend)
    display, now = settings.display, datetime.now(UTC)
    panel = Panel(display.width_mm, display.height_mm, display.luminance_cd_m2)
    why = calibration.why_unusable(
        found, camera=cameras[0] if cameras else None, panel=panel, now=now, lag_max_s=settings.liveness.lag_max_s
    )
    if why:
        return Check("liveness", "warning", f"the calibration {why}, so it is not used", mend)
    told = f"lag {found.lag_s * 1000:.0f} ms, spread {found.lag_spread_s * 1000:.0f} ms, {found.measured_utc[:10]}"
    days = (now - found.measured_at).days
    if days > settings.camera.calibration_days:
        return Check("liveness", "warning", f"the calibration is {days} days old ({told})", mend)
    if found.lag_spread_s > calibration.LARGE_SPREAD_S:
        return Check("liveness", "warning", f"the lag is not steady ({told})", f"end other programs and {mend}")
    return Check("liveness", "ok", f"calibrated: {told}")

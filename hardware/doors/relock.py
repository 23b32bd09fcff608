"""Drive the relay to the locked level after the kiosk ended, however it ended: for ``ExecStopPost``.

``python -m hardware.doors.relock --config PATH``. Rules: reads only the ``[door]`` table, without the settings tree
(a wrong setting elsewhere must not keep a door open); for a real relay imports neither numpy nor pydantic, which may
be what crashed; one plain line on standard error and exit code 2 when it could not; a memory door is already locked.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from hardware.doors import make_line
from hardware.doors.line import RelayLine
from kiosk.errors import ConfigurationError, DoorError, KioskError

DEFAULTS: dict[str, str | bool] = {
    "kind": "gpiozero",
    "pin": "GPIO17",
    "pin_factory": "lgpio",
    "chip": "/dev/gpiochip0",
    "active_low": True,
}
"""The defaults of ``DoorSettings``; a test keeps them equal."""
TRIES = 5
PAUSE_S = 0.2


def main(arguments: Sequence[str] | None = None, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Lock and say how it went: 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m hardware.doors.relock", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--config", type=Path, required=True, help="the kiosk's TOML file")
    config = parser.parse_args(arguments).config
    try:
        line = line_of(config)
        lock(line, sleep)
    except KioskError as error:
        sys.stderr.write(f"relock: {error}\n")
        return 2
    sys.stderr.write(f"relock: {line.name} is locked\n")
    return 0


def line_of(config: Path) -> RelayLine:
    """The relay line that the file names. Raises ConfigurationError."""
    try:
        table = tomllib.loads(config.read_text(encoding="utf-8")).get("door", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(config)) from error
    chosen = {**DEFAULTS, **{key: table[key] for key in DEFAULTS if key in table}}
    if not isinstance(chosen["active_low"], bool):
        raise ConfigurationError("must be true or false", where=f"{config}: door.active_low")
    return make_line(
        str(chosen["kind"]),
        pin=str(chosen["pin"]),
        pin_factory=str(chosen["pin_factory"]),
        chip=str(chosen["chip"]),
        active_low=chosen["active_low"],
    )


def lock(line: RelayLine, sleep: Callable[[float], None]) -> None:
    """Take the line at the locked level; a busy line is tried again, its holder may be dying. Raises DoorError."""
    for attempt in range(1, TRIES + 1):
        try:
            line.open()
            line.drive(False)
        except DoorError:
            if attempt == TRIES:
                raise
            sleep(PAUSE_S)
        else:
            return
        finally:
            line.release()


if __name__ == "__main__":
    raise SystemExit(main())

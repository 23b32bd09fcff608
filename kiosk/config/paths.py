"""Where things lie: the data directory and the default configuration file.

Rules: nothing is created here, and the environment is read when asked, never at import.
"""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.errors import ConfigurationError

CONFIG_FILE = Path("/etc/kiosk/kiosk.toml")
"""The installed configuration; optional."""
INSTALLED_DATA = Path("/var/lib/kiosk")
"""Data of an installed kiosk; the unit's StateDirectory."""


def data_dir() -> Path:
    """The absolute directory of weights, records and written reports.

    ``KIOSK_DATA_DIR`` when set and not empty, else ``var/`` beside the sources of a checkout, else ``/var/lib/kiosk``.
    Raises ConfigurationError for the home of an unknown user.
    """
    given = os.environ.get("KIOSK_DATA_DIR", "")
    if given:
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError as error:
            raise ConfigurationError(f"{given!r} names no user's folder", where="KIOSK_DATA_DIR") from error
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / "kiosk").is_dir():
        return root / "var"
    return INSTALLED_DATA

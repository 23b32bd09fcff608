"""The command line. ``kiosk --help`` lists the commands; every command takes ``--json``."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point: every expected fault is one plain line on standard error and exit code 2."""
    from kiosk.cli.app import run_app  # late: typer and rich load only when a command runs

    sys.exit(run_app(sys.argv[1:]))

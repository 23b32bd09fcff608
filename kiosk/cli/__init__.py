"""The command line. ``kiosk --help`` lists the commands; every command takes ``--json``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point: every expected fault is one plain line on standard error and exit code 2."""
    # Before numpy is loaded: BLAS threads that spin beside the landmark and camera threads cost more than they give.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from kiosk.cli.app import run_app  # late: typer and rich load only when a command runs

    sys.exit(run_app(sys.argv[1:]))

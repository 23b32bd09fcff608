"""The command line. ``kiosk --help`` lists the commands; every command takes ``--json``."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Entry point: every expected fault is one plain line on standard error and exit code 2."""
    # Before numpy is loaded: BLAS threads that spin beside the landmark and camera threads cost more than they give.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Modules stay: to search them for garbage, while they load and at the end, is a tenth of a short command's time.
    gc.disable()
    try:
        from kiosk.cli.app import run_app  # late: typer and rich load only when a command runs

        gc.freeze()
        gc.enable()
        code = run_app(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were still loading
        sys.stderr.write("kiosk: interrupted\n")
        code = 130
    sys.exit(code)

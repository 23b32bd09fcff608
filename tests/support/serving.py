"""``kiosk rekognition serve`` as a process of its own, and boto3's client for it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

WAIT_S = 120.0
"""Longest wait for a process; nothing is judged by it."""
REGION = "eu-central-1"


@dataclass(frozen=True)
class Running:
    """A server process."""

    url: str
    process: subprocess.Popen[str]

    def client(self, key: dict[str, str], **more: Any) -> Any:
        """boto3's own client."""
        return boto3.session.Session().client(
            "rekognition",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            config=Config(retries={"max_attempts": 0}),
            **more,
        )


@contextmanager
def serving(*options: str) -> Iterator[Running]:
    """The server until the block ends, on a port of its own."""
    words = ["rekognition", "serve", "--listen", "127.0.0.1:0", *options]
    command = [sys.executable, "-c", "from kiosk.cli import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next((one for one in process.stdout if one.startswith("listening on ")), "")
            assert line, process.stderr.read() if process.stderr else ""
            yield Running(line.removeprefix("listening on ").strip(), process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()  # else leaving the block would wait for ever
                raise

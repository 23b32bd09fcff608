"""Words: every reason is used and explained, and nothing in the project names a registry, a secret or a home."""

from __future__ import annotations

import ast
import re

import pytest

from kiosk.reasons import Reason
from kiosk.visit.messages import message_for
from tests.support.sources import name, parsed, product, tracked

FORBIDDEN = (
    # Package registries: the clients know where to look, and a site may use a mirror.
    r"pypi\s*\.\s*org|files\.pythonhosted|registry\.npmjs|npmjs\.org|piwheels|pypi\.python",
    r"deb\.debian\.org|archive\.ubuntu|security\.debian|ports\.ubuntu|archive\.raspberry",
    # Somebody's machine.
    r"(?<![\w.])/(?:root|home/[a-z]\w*|Users/\w+)/(?!\$)",
    # Secrets.
    r"AKIA[0-9A-Z]{16}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY|ghp_[A-Za-z0-9]{30}",
)
TEXTS = {".py", ".md", ".toml", ".sh", ".txt", ".cfg", ".ini", ".yml", ".yaml", ".service", ".tmpfiles", ".json", ""}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    """The visitor is always told something."""
    assert message_for(reason).headline.strip()


def test_every_reason_is_used() -> None:
    """A reason that nothing gives is a promise that nothing keeps."""
    used: set[str] = set()
    for path in product():
        if name(path) in {"kiosk/reasons.py", "kiosk/visit/messages.py"}:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason":
                used.add(node.attr)
    assert {reason.name for reason in Reason} - used == set()


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_names_a_registry_a_home_or_a_secret(pattern: str) -> None:
    """Sources of packages are the clients' configuration; secrets are files."""
    wrong = []
    for path in tracked():
        if path.suffix in TEXTS and name(path) not in {"tests/architecture/test_words.py", "LICENSE"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            wrong += [f"{name(path)}: {found[0]}" for found in re.finditer(pattern, text)]
    assert not wrong, "\n".join(wrong)


def test_no_picture_of_a_person_is_committed() -> None:
    """Pictures in the repository are drawings of the screen, under docs/images."""
    pictures = [name(path) for path in tracked() if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".mp4", ".onnx"}]
    assert [path for path in pictures if not path.startswith("docs/images/")] == []

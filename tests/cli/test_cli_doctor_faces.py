"""What doctor says of the face models while they change: the change is over when nobody at all is left behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kiosk.cli import doctor
from kiosk.config.tree import IdentitySettings, Settings
from kiosk.records.store import Store
from kiosk.values import NewTemplate
from models import embedder
from tests.support.facekit import someone

FIRST, SECOND = (embedder.KINDS[name].version for name in ("sface", "fr_feature"))
CHANGE = Settings(identity=IdentitySettings(embedder="fr_feature", embedder_before="sface"))


def told(data: Path, *people: str) -> tuple[str, str]:
    """(found, mend) of doctor's line when each is known by these models, comma between; ``-`` before: suspended."""
    with Store.in_directory(data, create=True) as store:
        for number, held in enumerate(people):
            templates = [
                NewTemplate(
                    someone(number, version=version), hashlib.sha256(f"{number}{version}".encode()).hexdigest(), {}
                )
                for version in held.removeprefix("-").split(",")
                if version
            ]
            store.add_person(f"Person {number}", templates=templates)
            if held.startswith("-"):
                store.set_active(f"Person {number}", False)
    check = doctor._faces(CHANGE, data)
    return check.found.split(" (")[0], check.mend


@pytest.mark.parametrize(
    ("people", "found", "mend"),
    [
        ((SECOND, f"{FIRST},{SECOND}"), f"everybody has moved to {SECOND}", "kiosk reindex --finish, then remove"),
        ((SECOND, SECOND), f"everybody has moved to {SECOND}", "remove identity.embedder_before"),
        ((SECOND, FIRST), "1 of 2 people are known by the model of before only", "kiosk reindex"),
        ((SECOND, f"-{FIRST}"), "1 of 2 people are known by the model of before only", "kiosk reindex"),
        ((SECOND, FIRST, "older+1"), "1 of 3 people are known by no face model in use", "set identity.embedder_before"),
        ((SECOND, ""), "1 of 2 people have no face on this machine", "kiosk enroll update"),
    ],
)
def test_nobody_is_forgotten(tmp_path: Path, people: tuple[str, ...], found: str, mend: str) -> None:
    """Suspended people count: without the older model they could be enrolled anew under another name."""
    line, what = told(tmp_path, *people)
    assert line == found
    assert what.startswith(mend)

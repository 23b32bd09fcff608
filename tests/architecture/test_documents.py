"""Documents keep up with the code: every command is listed and exists, links lead somewhere, pages stay short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from kiosk.cli.app import app
from kiosk.reasons import Reason
from tests.support.sources import ROOT, name, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]


def commands(command: object, words: tuple[str, ...] = ("kiosk",)) -> set[str]:
    """Every command of the tree below ``command``, as it is typed."""
    inner = getattr(command, "commands", None)
    if not inner:
        return {" ".join(words)}
    return set().union(*(commands(part, (*words, word)) for word, part in inner.items()))


def test_the_list_of_commands_is_complete_and_true() -> None:
    """docs/cli.md against the command line itself."""
    listed = set(re.findall(r"(?m)^\| `(kiosk [a-z ]+)` \|", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")))
    assert listed == commands(typer.main.get_command(app))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_a_page_exist(page: Path) -> None:
    """What stands in a code span or block after ``kiosk`` can be typed."""
    known = commands(typer.main.get_command(app))
    first = {command.split()[1] for command in known}
    for typed in re.findall(r"(?m)(?:`|^|sudo |bin/)kiosk ([a-z]+)\b", page.read_text(encoding="utf-8")):
        assert typed in first, f"kiosk {typed}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page: Path) -> None:
    """Relative links and pictures."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{name(page)} links to {target}"


def test_pages_stay_short() -> None:
    """A decision fits on a page, the rules for taking part on two; make has at most eight targets."""
    for path in (ROOT / "docs" / "adr").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, path.name
        assert "change our mind" in text, path.name
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 100
    targets = re.findall(r"(?m)^[a-z]+:.*##", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert 0 < len(targets) <= 8


def test_the_readme_begins_with_what_it_is() -> None:
    """Picture, the two commands, wiring and limits within the first page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [
        text.index(part) for part in ("kiosk-screen.png", "./setup.sh demo", "./setup.sh test", "Wiring", "Limits")
    ]
    assert places == sorted(places)
    assert len(text.splitlines()) <= 100


def test_every_reason_of_the_operators_table_exists() -> None:
    """Words in capitals in docs/operate.md are reasons."""
    named = re.findall(r"`([A-Z]{2,}_[A-Z_]+)`", (ROOT / "docs" / "operate.md").read_text(encoding="utf-8"))
    assert named
    assert set(named) <= {reason.value for reason in Reason}

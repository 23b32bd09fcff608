"""Enroll and identify a folder of people: ``python -m tests.bench.lfw DIR [--embedder NAME] [--before NAME]``.

DIR is laid out like LFW (one folder a person). The first picture of everybody with several is enrolled, their others
are searched, and people with one picture are strangers. As ``kiosk enroll`` and ``kiosk identify`` with ``--quality
none --face central``. With ``--before`` every second person is known by that model only, as in the middle of a change
of models. Exit code 1 when fewer than 95 % are found, or anybody is confused or falsely accepted.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from hardware.stills import load_image
from kiosk.config.paths import data_dir
from kiosk.config.tree import IdentitySettings, QualityProfile
from kiosk.enrollment.stills import StillReader
from kiosk.errors import InputError
from kiosk.identity.matcher import LocalMatcher
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import empty_galleries, scale_of
from models.faces import open_models

LEAST_FOUND = 0.95
ANYBODY = IdentitySettings.model_construct(threshold=0.0, margin=0.0)
"""Names the best candidate, whoever it is."""
Files = list[tuple[str, Path]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted."""

    enrolled: int
    searched: int
    strangers: int
    unusable: int
    threshold: float
    margin: float
    found_first: float
    """Share of the searched whose best candidate is the right person, at any similarity."""
    found: float
    """Share of the searched who are named, and rightly."""
    confused: int
    """Searched people who are named as somebody else."""
    accepted: int
    """Strangers who are named at all."""
    highest_stranger: float

    @property
    def good(self) -> bool:
        """Whether the aim is met."""
        return self.found >= LEAST_FOUND and self.confused == 0 and self.accepted == 0


def parts(folder: Path) -> tuple[Files, Files, Files]:
    """(enrolled, searched, strangers) as (person, file)."""
    enrolled: Files = []
    searched: Files = []
    strangers: Files = []
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(person.glob("*.jpg"))
        if len(files) == 1:
            strangers.append((person.name, files[0]))
        elif files:
            enrolled.append((person.name, files[0]))
            searched += [(person.name, file) for file in files[1:]]
    return enrolled, searched, strangers


def run(folder: Path, data: Path, settings: IdentitySettings) -> Figures:
    """Enroll, search, count."""
    enrolled, searched, strangers = parts(folder)
    unusable = found_first = found = confused = accepted = 0
    highest = 0.0
    with open_models(data, settings.embedders) as models:
        reader = StillReader(models, load_image, measure_face, QualityProfile())
        galleries = empty_galleries(models)
        matcher = LocalMatcher(galleries, scale_of, settings, lambda _badge: None)
        anyway = LocalMatcher(galleries, scale_of, ANYBODY, lambda _badge: None)
        for number, (person, file) in enumerate(enrolled):
            try:
                template = reader.read(file, quality="none", face="central").embedding
            except InputError:
                unusable += 1
                continue
            if number % 2 and galleries.before is not None and template.before is not None:
                galleries.before.add(person, template.before)
            else:
                galleries.present.add(person, template)
        for person, file in searched:
            try:
                probe = reader.read(file, quality="none", face="central").embedding
            except InputError:
                unusable += 1
                continue
            match = matcher.search(probe, deadline_s=1.0)
            found_first += anyway.search(probe, deadline_s=1.0).person_id == person
            found += match.person_id == person
            confused += match.person_id not in (None, person)
        for _, file in strangers:
            try:
                probe = reader.read(file, quality="none", face="central").embedding
            except InputError:
                unusable += 1
                continue
            match = matcher.search(probe, deadline_s=1.0)
            accepted += match.person_id is not None
            highest = max(highest, match.similarity)
    count = max(1, len(searched))
    return Figures(
        len(enrolled), len(searched), len(strangers), unusable, settings.threshold, settings.margin,
        found_first / count, found / count, confused, accepted, highest,
    )  # fmt: skip


def main() -> int:
    """Print the figures; 1 when the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=None, help="data directory with the weights")
    parser.add_argument("--embedder", default="sface", help="as [identity] embedder")
    parser.add_argument("--before", default=None, help="as [identity] embedder_before")
    parser.add_argument("--threshold", type=float, default=None, help="similarity, default as configured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    given = {"embedder": options.embedder, "embedder_before": options.before}
    given |= {} if options.threshold is None else {"threshold": options.threshold}
    figures = run(options.folder, options.data or data_dir(), IdentitySettings.model_validate(given))
    if options.json:
        sys.stdout.write(json.dumps({**asdict(figures), "good": figures.good}) + "\n")
    else:
        sys.stdout.write(
            f"{figures.enrolled} enrolled, {figures.searched} searched, {figures.strangers} strangers, "
            f"{figures.unusable} pictures unusable\n"
            f"found first                {100 * figures.found_first:6.2f} %\n"
            f"found at {figures.threshold:.1f}, margin {figures.margin:.1f}  {100 * figures.found:6.2f} %\n"
            f"confused                   {figures.confused:6d}\n"
            f"strangers accepted         {figures.accepted:6d}  (highest similarity {figures.highest_stranger:.2f})\n"
        )
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main())

"""The people of the trials: two public photographs to train on, two others to test on, and their old sessions.

Two real persons only; what varies between visitors beyond them (skin, glasses, the head's shape) is the conditions'.
The two of the test set are of one man, of whom the train set has a third photograph: who wants more faces adds them
here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from hardware.sim.conditions import Conditions, Split
from hardware.sim.portrait import Portrait
from hardware.sim.session import SessionFrame, record_session
from hardware.sim.species import SESSION_FLASH_S, Cast, build
from hardware.stills import load_image
from kiosk.config.tree import Settings
from kiosk.errors import ModelError
from kiosk.evaluation.trial import LIVE
from kiosk.visit.challenge import draw
from models import manifest
from models.faces import LocalFaceModels, open_models
from models.segmenter import person_matte

PHOTOS: dict[Split, tuple[str, str]] = {"train": ("biden.jpg", "obama3.jpg"), "test": ("obama.jpg", "obama2.jpg")}
STRANGERS: dict[Split, tuple[str, str]] = {"train": ("obama3.jpg", "biden.jpg"), "test": ("biden.jpg", "biden.jpg")}
"""Who stands behind each of them, or takes the place: another man. The test set borrows its stranger from the other."""


@dataclass(slots=True)
class Troupe:
    """Everybody who can be cast in one split."""

    split: Split
    visitors: list[Portrait]
    others: list[Portrait]
    """Of each visitor."""
    settings: Settings
    _sessions: dict[tuple[int, tuple[int, int]], list[SessionFrame]] = field(default_factory=dict)

    @classmethod
    def of(cls, split: Split, data: Path, models: LocalFaceModels, settings: Settings) -> Troupe:
        """From the demo's photographs. Raises ModelError where they are missing."""

        def portrait(name: str) -> Portrait:
            photo = manifest.item(name)
            if not manifest.is_present(photo, data):
                raise ModelError(f"{name} is missing", where=str(data), mend="kiosk models fetch --group demo")
            pixels = load_image(photo.path(data))
            return Portrait.of(pixels, models.find_still, lambda still: person_matte(still, data))

        made = {name: portrait(name) for name in {*PHOTOS[split], *STRANGERS[split]}}
        visitors, others = ([made[name] for name in names[split]] for names in (PHOTOS, STRANGERS))
        return cls(split, visitors, others, settings)

    def cast(self, conditions: Conditions, seed: int, *, session: bool) -> Cast:
        """Who acts in the trial of this seed."""
        number = seed % len(self.visitors)
        old = self._session(number, conditions) if session else []
        return Cast(self.visitors[number], self.others[number], old)

    def _session(self, number: int, conditions: Conditions) -> list[SessionFrame]:
        """A genuine visit of this visitor in an ordinary morning of this camera, filmed once."""
        key = number, (conditions.width_px, conditions.height_px)
        if key not in self._sessions:
            morning = Conditions(
                panel=conditions.panel, fps=conditions.fps, width_px=key[1][0], height_px=key[1][1], room_seed=77
            )
            world = build(LIVE, Cast(self.visitors[number], self.others[number]), morning, 7_000 + number)
            shown = draw(hashlib.sha256(b"yesterday %d" % number).digest(), self.settings.liveness)
            self._sessions[key] = record_session(world, shown.slots, SESSION_FLASH_S)
        return self._sessions[key]


def open_troupe(split: Split, data: Path, settings: Settings) -> Troupe:
    """The troupe with models opened for as long as it takes. Raises ModelError."""
    with open_models(data, embed_threads=1) as models:
        return Troupe.of(split, data, models, settings)

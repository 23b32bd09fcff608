"""Everybody who is known on this machine: by its face model, and, while people move to it, by the one before.

Rules: whoever has a template of the present model is known by that alone, so nobody is compared twice. Somebody who is
just moving may be in both galleries for a moment, never in neither: a reader looks at the older one first, a writer
fills the newer one first, and of the records the older ones are read first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kiosk.identity.gallery import Gallery
from kiosk.values import Embedding


class Templates(Protocol):
    """``TemplateSource.templates``."""

    def __call__(self, model_version: str, *, without: str | None = None) -> Sequence[tuple[str, Embedding]]:
        """(person_id, template) of one model version; of nobody who has one of ``without``. Raises RecordsError."""


class Galleries:
    """The gallery of the present model, and during a change the one of the model before. Safe from several threads."""

    def __init__(self, present: Gallery, before: Gallery | None = None) -> None:
        self.present = present
        self.before = before

    def __len__(self) -> int:
        """Number of templates that are searched."""
        return len(self.present) + self.waiting

    @property
    def versions(self) -> frozenset[str]:
        """Of the models in use."""
        return frozenset(one.model_version for one in (self.present, self.before) if one is not None)

    @property
    def waiting(self) -> int:
        """Of these, how many are of people who have not moved to the present model."""
        return 0 if self.before is None else len(self.before)

    @property
    def people(self) -> int:
        """Number of people with at least one template."""
        return self.present.people + (0 if self.before is None else self.before.people)

    def fill(self, templates: Templates) -> None:
        """Replace everything. Raises RecordsError, MatchError."""
        version = self.present.model_version
        older = [] if self.before is None else templates(self.before.model_version, without=version)
        self.present.replace(templates(version))
        if self.before is not None:
            self.before.replace(older)

    def add(self, person_id: str, template: Embedding) -> None:
        """One more template of the present model; whoever was known by the model before is known by this one now.

        Raises MatchError for an unusable one.
        """
        self.present.add(person_id, template)
        if self.before is not None:
            self.before.remove(person_id)

"""Which parts are out of order: a loss is journaled once, its recovery once.

Parts report by ``failed`` and ``recovered`` (their events are returned for use at once) or are watched by a probe
that ``drain`` asks each turn. ``drain`` is level-triggered: it tells every difference between what is and what it
told before, so a fault whose returned event was not used reaches the visit one turn later. A fault may therefore be
told twice, never lost; the core takes a known fault as no news.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.errors import KioskError
from kiosk.reasons import Reason
from kiosk.visit.events import PartFailed, PartRecovered

FAULTS = (
    Reason.CAMERA_LOST,
    Reason.DISPLAY_LOST,
    Reason.MODELS_LOST,
    Reason.RECORDS_LOST,
    Reason.DOOR_LOST,
)
Change = PartFailed | PartRecovered
Probe = Callable[[], KioskError | None]
"""What is wrong with a part now, None when nothing is. Must not wait and must not raise."""


class Health:
    """The faults that are present. Not thread-safe: the loop owns it."""

    def __init__(self, journal: Callable[..., None]) -> None:
        """``journal(event, **keys)`` hears PART_FAILED and PART_RECOVERED, once per change."""
        self._journal = journal
        self._errors: dict[Reason, KioskError] = {}
        self._told: set[Reason] = set()
        self._probes: dict[Reason, Probe] = {}

    @property
    def faults(self) -> tuple[Reason, ...]:
        """Faults present now, in the order of ``FAULTS``."""
        return tuple(fault for fault in FAULTS if fault in self._errors)

    def error(self, fault: Reason) -> KioskError | None:
        """What the part said when it failed, None when it works."""
        return self._errors.get(fault)

    def watch(self, fault: Reason, probe: Probe) -> None:
        """Ask ``probe`` at every drain. One probe a fault; a watched fault should not be reported by hand too."""
        _known(fault)
        self._probes[fault] = probe

    def failed(self, fault: Reason, error: KioskError) -> tuple[Change, ...]:
        """A part failed; empty when that is known. ValueError when ``fault`` is no fault."""
        _known(fault)
        if fault in self._errors:
            return ()
        self._errors[fault] = error
        self._journal("PART_FAILED", fault=str(fault), error=str(error))
        return (PartFailed(fault),)

    def recovered(self, fault: Reason) -> tuple[Change, ...]:
        """A part works; empty when it did before."""
        _known(fault)
        if self._errors.pop(fault, None) is None:
            return ()
        self._journal("PART_RECOVERED", fault=str(fault))
        return (PartRecovered(fault),)

    def drain(self) -> tuple[Change, ...]:
        """Ask the probes, then tell what changed since the last drain."""
        for fault, probe in self._probes.items():
            error = probe()
            if error is None:
                self.recovered(fault)
            else:
                self.failed(fault, error)
        present = set(self._errors)
        changes: list[Change] = [PartFailed(fault) for fault in FAULTS if fault in present - self._told]
        changes += [PartRecovered(fault) for fault in FAULTS if fault in self._told - present]
        self._told = present
        return tuple(changes)


def _known(fault: Reason) -> None:
    if fault not in FAULTS:
        raise ValueError(f"{fault} is not a fault of a part")

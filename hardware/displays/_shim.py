"""Stands in for ``kiosk.visit.messages`` until it lands."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.reasons import Reason


@dataclass(frozen=True, slots=True)
class Message:
    """Text and detail."""

    text: str
    detail: str = ""


def message(reason: Reason) -> Message:
    """The reason word in lower case."""
    return Message(reason.replace("_", " ").capitalize(), "Please try again")

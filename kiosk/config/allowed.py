"""Says in plain words what a setting may be: its kind, its range, its choices.

Used by the messages of ``kiosk.config.load`` and the comments of the example file, so both say the same.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kiosk.config.tree import Settings

_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
}


def field_at(keys: tuple[str | int, ...]) -> FieldInfo | None:
    """The setting at a path such as ``("camera", "fps")``; None when the path leads to no setting."""
    group: type[BaseModel] | None = Settings
    found: FieldInfo | None = None
    named = False
    for key in keys:
        if named:  # a table's own name, chosen by whoever wrote it
            named = False
            continue
        if found is not None and get_origin(found.annotation) is tuple:  # a place in a list
            return found
        found = None if group is None else group.model_fields.get(str(key))
        if found is None:
            return None
        group = group_of(found.annotation)
        named = get_origin(found.annotation) is dict
    return found


def group_of(annotation: Any) -> type[BaseModel] | None:
    """The group that a setting is, or that its named tables are; None for a plain value."""
    if get_origin(annotation) is dict:
        annotation = get_args(annotation)[1]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def wanted(keys: tuple[str | int, ...]) -> str:
    """The mend for a wrong value, such as ``wanted: a number from 5 to 120``."""
    found = field_at(keys)
    return f"wanted: {allowed(found)}" if found is not None else "see docs/kiosk.example.toml"


def allowed(setting: FieldInfo) -> str:
    """What one setting may be: ``a number from 5 to 120``, ``one of "door", "enroll"``, ``true or false``."""
    kind = _without_none(setting.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"a table with {', '.join(kind.model_fields)}"
    if get_origin(kind) is dict:
        inner = group_of(kind)
        return f"tables by name, each with {', '.join(inner.model_fields if inner else ())}"
    if get_origin(kind) is tuple:
        return f"a list of {_choices(get_args(kind)[0])}"
    if get_origin(kind) is Literal:
        return f"one of {_choices(kind)}"
    return _KINDS[kind] + _bounds(setting.metadata)


def _choices(kind: Any) -> str:
    return ", ".join(f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in get_args(kind))


def _without_none(kind: Any) -> Any:
    parts = [part for part in get_args(kind) if part is not NoneType]
    return parts[0] if NoneType in get_args(kind) and len(parts) == 1 else kind


def _bounds(metadata: list[Any]) -> str:
    low = high = ""
    for rule in metadata:
        if isinstance(rule, annotated_types.Ge):
            low = f"from {rule.ge:g}" if isinstance(rule.ge, int | float) else ""
        elif isinstance(rule, annotated_types.Gt):
            low = f"above {rule.gt:g}" if isinstance(rule.gt, int | float) else ""
        elif isinstance(rule, annotated_types.Le):
            high = f"to {rule.le:g}" if isinstance(rule.le, int | float) else ""
        elif isinstance(rule, annotated_types.Lt):
            high = f"below {rule.lt:g}" if isinstance(rule.lt, int | float) else ""
        elif isinstance(rule, annotated_types.MaxLen):
            high = f"of at most {rule.max_length} characters"
        elif isinstance(rule, annotated_types.MinLen):
            low = f"of at least {rule.min_length} character{'s' if rule.min_length > 1 else ''}"
    return "".join(f" {part}" for part in (low, high) if part)

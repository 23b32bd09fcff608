"""Reads the one TOML file into the settings tree, or says in one line what is wrong with it.

Rules: a file that was named must exist; an unknown key is refused with the nearest known name; types are taken
strictly ("30" is not 30, "no" is not false), because a relay setting that was guessed opens doors. Of several
faults the first in the file is reported: one line names the file, the line, the key, the value and what is allowed.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kiosk.config.allowed import field_at, group_of, wanted
from kiosk.config.lines import line_of
from kiosk.config.paths import CONFIG_FILE
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError

LARGEST_BYTES = 256 * 1024
"""A configuration larger than this is some other file."""


def load(path: Path | None = None, *, default: Path = CONFIG_FILE) -> Settings:
    """The settings of ``path``; without one, of ``default`` where that exists, else all defaults.

    Raises ConfigurationError: missing, unreadable, not UTF-8, not TOML, an unknown key or a value that is not allowed.
    """
    if path is None:
        if not default.exists():
            return Settings()
        path = default
    return parse(_read(path), str(path))


def parse(text: str, where: str) -> Settings:
    """The settings of a TOML text; ``where`` is the file's name in the messages. Raises ConfigurationError."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not valid TOML: {error}", where=where, mend="correct that line") from None
    try:
        return Settings.model_validate(_over(Settings(), tree), strict=True)
    except ValidationError as error:
        faults = [(line_of(text, fault["loc"]) or 0, fault) for fault in error.errors()]
        line, first = min(faults, key=lambda item: item[0])
        raise _explained(first, where=f"{where}:{line}" if line else where, more=len(faults) - 1) from None


def replaced(settings: Settings, keys: tuple[str, str], value: object, *, where: str) -> Settings:
    """The settings with another value of ``(group, key)``, given by the option ``where``. Raises ConfigurationError."""
    tree = settings.model_dump()
    tree[keys[0]][keys[1]] = value
    try:
        return Settings.model_validate(tree, strict=True)
    except ValidationError as error:
        raise ConfigurationError(f"{value!r} is not allowed", where=where, mend=wanted(keys)) from error


def _read(path: Path) -> str:
    where = str(path)
    try:
        if path.is_dir():
            raise ConfigurationError("is a directory, not a file", where=where, mend="name the TOML file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        mend = "create it from docs/kiosk.example.toml or name another with --config"
        raise ConfigurationError("no such configuration file", where=where, mend=mend) from None
    except OSError as error:
        mend = "make it readable for the user that runs the kiosk"
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=where, mend=mend) from error
    if len(raw) > LARGEST_BYTES:
        raise ConfigurationError(f"larger than {LARGEST_BYTES // 1024} KiB", where=where, mend="name the TOML file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("not UTF-8 text", where=f"{where}:{line}", mend="save it as UTF-8") from None


def _explained(fault: ErrorDetails, *, where: str, more: int) -> ConfigurationError:
    keys = fault["loc"]
    dotted = ".".join(str(key) for key in keys)
    rest = f" (and {more} more after this)" if more else ""
    if fault["type"] == "extra_forbidden":
        return ConfigurationError(f"unknown setting {dotted}{rest}", where=where, mend=_nearest(keys))
    if fault["type"] == "value_error":
        # What a whole group says is about two of its settings; what one setting says is told without its value, which
        # may hold a password that was not to stand here.
        one = field_at(keys)
        alone = one is not None and group_of(one.annotation) is None
        mend = wanted(keys) if alone else "change one of the two"
        return ConfigurationError(f"[{dotted}] {fault['ctx']['error']}{rest}", where=where, mend=mend)
    shown = "a table" if isinstance(fault["input"], dict) else repr(fault["input"])[:80]
    return ConfigurationError(f"{dotted} = {shown} is not allowed{rest}", where=where, mend=wanted(keys))


def _nearest(keys: tuple[str | int, ...]) -> str:
    """The mend for an unknown key: the nearest name in its group, else its name in another group, else the choices."""
    group = _group(keys[:-1])
    word = str(keys[-1])
    near = difflib.get_close_matches(word, list(group.model_fields), n=1, cutoff=0.6)
    if near:
        return f"did you mean {'.'.join([*map(str, keys[:-1]), near[0]])}?"
    everywhere = {dotted.rsplit(".", 1)[-1]: dotted for dotted in _dotted(Settings)}
    elsewhere = difflib.get_close_matches(word, list(everywhere), n=1, cutoff=0.8)
    if elsewhere:
        return f"did you mean {everywhere[elsewhere[0]]}?"
    return f"known here: {', '.join(group.model_fields)}"


def _group(keys: tuple[str | int, ...]) -> type[BaseModel]:
    group: type[BaseModel] = Settings
    for key in keys:
        if str(key) in group.model_fields:  # else it is the name of a table
            group = group_of(group.model_fields[str(key)].annotation) or group
    return group


def _dotted(group: type[BaseModel], before: str = "") -> list[str]:
    names: list[str] = []
    for name, setting in group.model_fields.items():
        inner = setting.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += _dotted(inner, f"{before}{name}.")
        else:
            names.append(before + name)
    return names


def _over(defaults: BaseModel, tree: dict[str, Any]) -> dict[str, Any]:
    """The file's values over the defaults, text made a path where the tree wants one (TOML has no path type).

    The defaults are laid under explicitly because a group may differ from its class's defaults: a file that sets one
    limit of [quality.enroll] keeps the other limits of *enroll*.
    """
    made: dict[str, Any] = dict(tree)
    for name, setting in type(defaults).model_fields.items():
        default = getattr(defaults, name)
        value = tree.get(name, {} if isinstance(default, BaseModel) else default)
        if isinstance(value, dict) and isinstance(default, BaseModel):
            value = _over(default, value)
        elif isinstance(value, str) and (setting.annotation is Path or Path in get_args(setting.annotation)):
            value = Path(value)
        made[name] = value
    return made

"""Requests checked and answers shaped by AWS's own description of the service, which botocore brings.

Rules: what botocore's client would send is understood and what it could not read is never sent. Types, required
members, lengths, ranges, patterns and enumerations are checked here, on the server: clients check only some of them.
Members that the description does not know are ignored in a request, as AWS ignores them, and a mistake in an answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from kiosk.errors import ConfigurationError, RekognitionFault
from kiosk.rekognition.faults import invalid_parameter, malformed

SERVICE = "rekognition"
TARGET = "RekognitionService."
CONTENT_TYPE = "application/x-amz-json-1.1"
MOST_DEPTH = 12
"""Nesting of a request; the deepest real one has 6."""


@cache
def service() -> Any:
    """botocore's ``ServiceModel`` of Rekognition (untyped library). Raises ConfigurationError without botocore."""
    try:
        from botocore.loaders import Loader
        from botocore.model import ServiceModel
    except ImportError as error:
        raise ConfigurationError(
            "botocore is missing",
            where="rekognition",
            mend="pip install 'door-kiosk[server]'; on a device sudo ./setup.sh install server",
        ) from error
    return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)


def operation_of(target: str) -> Any:
    """The operation that ``X-Amz-Target`` names. Raises RekognitionFault (UnknownOperationException)."""
    name = target.removeprefix(TARGET)
    if name == target or name not in service().operation_names:
        raise RekognitionFault("UnknownOperationException", "no such operation")
    return service().operation_model(name)


def read_request(operation: Any, body: bytes) -> dict[str, Any]:
    """The request's members, blobs decoded. Raises RekognitionFault for anything that the operation does not take."""
    try:
        found = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise malformed("the body is no JSON") from error
    if not isinstance(found, dict):
        raise malformed("the body is no JSON object")
    shape = operation.input_shape
    return {} if shape is None else _read_structure(shape, found, "", 0)


def write_answer(operation: Any, answer: Mapping[str, Any]) -> bytes:
    """The answer as the operation's JSON. Raises ValueError for one that does not fit: a mistake in this program."""
    shape = operation.output_shape
    plain = {} if shape is None else _write(shape, answer, operation.name)
    return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _read_structure(shape: Any, value: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
    present = {name: one for name, one in value.items() if one is not None and name in shape.members}
    for name in shape.required_members:
        if name not in present:
            raise invalid_parameter(f"{_named(path, name)} is missing")
    return {name: _read(shape.members[name], one, _named(path, name), depth + 1) for name, one in present.items()}


def _read(shape: Any, value: Any, path: str, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise malformed("nested too deeply")
    match shape.type_name, value:
        case "structure", dict():
            return _read_structure(shape, value, path, depth)
        case "list", list():
            _check_size(shape, len(value), path, "items")
            return [_read(shape.member, one, f"{path}[{at}]", depth + 1) for at, one in enumerate(value)]
        case "map", dict():
            _check_size(shape, len(value), path, "entries")
            return {
                _read(shape.key, key, path, depth + 1): _read(shape.value, one, f"{path}.{key}", depth + 1)
                for key, one in value.items()
                if one is not None
            }
        case "string", str():
            return _text(shape, value, path)
        case "blob", str():
            return _blob(shape, value, path)
        case "boolean", bool():
            return value
        case "integer" | "long", int() | float() if _is_number(value) and value == int(value):
            _check_range(shape, value, path)
            return int(value)
        case "float" | "double", int() | float() if _is_number(value):
            _check_range(shape, value, path)
            return float(value)
    raise malformed(f"{path} is no {shape.type_name}")


def _is_number(value: Any) -> bool:
    """Finite, of a size that a float can have, and no truth value."""
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@cache
def pattern_of(text: str) -> re.Pattern[str] | None:
    r"""A pattern of the description, compiled; None for one that Python's ``re`` does not know (``\p{L}``, of tags)."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _text(shape: Any, value: str, path: str) -> str:
    _check_size(shape, len(value), path, "characters")
    wanted, allowed = shape.metadata.get("pattern"), shape.metadata.get("enum")
    pattern = None if wanted is None else pattern_of(wanted)
    if pattern is not None and not pattern.fullmatch(value):
        raise invalid_parameter(f"{path} does not match {wanted}")
    if allowed and value not in allowed:
        raise invalid_parameter(f"{path} is not one of {', '.join(allowed)}")
    return value


def _blob(shape: Any, value: str, path: str) -> bytes:
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed(f"{path} is no base64") from error
    if len(content) > shape.metadata.get("max", len(content)):
        raise RekognitionFault("ImageTooLargeException", f"{path} has more than {shape.metadata['max']} bytes")
    _check_size(shape, len(content), path, "bytes")
    return content


def _check_size(shape: Any, count: int, path: str, what: str) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", count)
    if not least <= count <= most:
        raise invalid_parameter(f"{path} has {count} {what}; {least} to {most} are allowed")


def _check_range(shape: Any, value: float, path: str) -> None:
    least, most = shape.metadata.get("min", value), shape.metadata.get("max", value)
    if not least <= value <= most:
        raise invalid_parameter(f"{path} must be {f'at least {least}' if value < least else f'at most {most}'}")


def _named(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _write(shape: Any, value: Any, path: str) -> Any:
    match shape.type_name:
        case "structure":
            unknown = set(value) - set(shape.members)
            missing = set(shape.required_members) - {name for name, one in value.items() if one is not None}
            if unknown or missing:
                raise ValueError(f"{path}: unknown {sorted(unknown)}, missing {sorted(missing)}")
            return {
                name: _write(shape.members[name], one, f"{path}.{name}")
                for name, one in value.items()
                if one is not None
            }
        case "list":
            return [_write(shape.member, one, path) for one in value]
        case "blob":
            return base64.b64encode(value).decode()
        case "timestamp" if isinstance(value, datetime):
            return value.timestamp()
        case "string" if isinstance(value, str):
            allowed = shape.metadata.get("enum")
            if allowed and value not in allowed:
                raise ValueError(f"{path}: {value!r} is not one of {allowed}")
            return str(value)
        case "float" | "double" if math.isfinite(value):
            return float(value)
        case "integer" | "long" if isinstance(value, int):
            return int(value)
        case "boolean" if isinstance(value, bool):
            return value
    raise ValueError(f"{path}: {type(value).__name__} is no {shape.type_name}")

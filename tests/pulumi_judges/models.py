"""Holds calls against botocore's service models: AWS's own description of what each operation takes.

botocore itself checks types, required members and lower bounds; patterns, enumerations, upper bounds and members that
no model knows are checked here as well. A pattern must fit the whole text, as it must for the services.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, cast

import botocore.session
import regex
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from calls import Call, Json

NUMBERS = ("integer", "long", "float", "double")
SURROGATES = regex.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})")
SCALARS: dict[str, type | tuple[type, ...]] = {"string": str, "boolean": bool, "blob": (bytes, str)}


def problems(call: Call) -> list[str]:
    """One sentence for each rule of the model that the call breaks."""
    service = _service(call.service)
    if call.operation not in service.operation_names:
        return [f"{call}: {call.service} has no such operation"]
    shape = _operation(call.service, call.operation).input_shape
    if shape is None:
        return [f"{call} takes no members"] if call.parameters else []
    return [f"{call} {sentence}" for sentence in _judge(shape, call.parameters, "")]


@cache
def _service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


@cache
def _operation(service: str, operation: str) -> OperationModel:
    return _service(service).operation_model(operation)


def _judge(shape: Shape, value: object, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _list(shape, value, path)
    elif isinstance(shape, MapShape):
        yield from _map(shape, value, path)
    elif shape.type_name in NUMBERS:
        yield from _number(shape, value, path)
    elif not isinstance(value, SCALARS.get(shape.type_name, (str, datetime))):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif isinstance(shape, StringShape):
        yield from _string(shape, str(value), path)


def _structure(shape: StructureShape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no structure"
        return
    entries = cast("Json", value)
    members = shape.members
    for name in shape.required_members:
        if name not in entries:
            yield f"{path}: {name} is required and missing"
    if shape.is_tagged_union and len(entries) != 1:
        yield f"{path}: takes exactly one of {', '.join(sorted(members))}"
    for name, each in entries.items():
        if name not in members:
            yield f"{path}: {name} is no member of {shape.name}"
        else:
            yield from _judge(members[name], each, f"{path}.{name}" if path else name)


def _list(shape: ListShape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    entries = cast("list[Any]", value)
    yield from _bounds(shape, len(entries), path, "entries")
    for index, each in enumerate(entries):
        yield from _judge(shape.member, each, f"{path}[{index}]")


def _map(shape: MapShape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no map"
        return
    entries = cast("Json", value)
    yield from _bounds(shape, len(entries), path, "entries")
    for key, each in entries.items():
        yield from _judge(shape.key, key, f"{path}.{key} (key)")
        yield from _judge(shape.value, each, f"{path}.{key}")


def _number(shape: Shape, value: object, path: str) -> Iterator[str]:
    whole = shape.type_name in {"integer", "long"}
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        yield f"{path}: {value!r} is no {shape.type_name}"
        return
    yield from _bounds(shape, value, path, "")


def _string(shape: StringShape, text: str, path: str) -> Iterator[str]:
    yield from _bounds(shape, len(text), path, "characters")
    if shape.enum and text not in shape.enum:
        yield f"{path}: {text!r} is none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(str(pattern)).fullmatch(text):
        yield f"{path}: {text!r} does not fit {pattern}"


@cache
def _compiled(pattern: str) -> "regex.Pattern[str]":
    # The patterns are Java's: it has classes that the standard library's `re` does not know, and writes a character
    # beyond 16 bits as two.
    return regex.compile(SURROGATES.sub(_character, pattern))


def _character(pair: "regex.Match[str]") -> str:
    high, low = (int(each, 16) for each in pair.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _bounds(shape: Shape, size: float, path: str, unit: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    # Some models write a bound as text.
    if low is not None and size < float(low):
        yield f"{path}: {size} {unit} is below {low}".replace("  ", " ")
    if high is not None and size > float(high):
        yield f"{path}: {size} {unit} is above {high}".replace("  ", " ")

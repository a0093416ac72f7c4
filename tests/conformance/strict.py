"""Checks raw answers against AWS's service models, member by member.

botocore's parsers skip what they do not know and leave out what is missing or misspelt. This does not: an unknown member,
a value of the wrong type, a text outside its enumeration and an absent required member are errors.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.parsers import create_parser


def check_against_model(operation_model: OperationModel, response_dict: dict[str, Any], **_: object) -> None:
    """Handler of botocore's `before-parse` event."""
    shape = operation_model.output_shape
    if response_dict["status_code"] >= 300 or shape is None:
        return
    protocol = operation_model.service_model.resolved_protocol
    body = response_dict["body"]
    if protocol == "json":
        check_value(shape, json.loads(body), operation_model.name)
    elif protocol == "smithy-rpc-v2-cbor":
        assert response_dict["headers"]["smithy-protocol"] == "rpc-v2-cbor"
        parser = create_parser(protocol)
        check_value(shape, parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)), operation_model.name)
    elif protocol == "query":
        root = ElementTree.fromstring(body)
        assert local(root) == f"{operation_model.name}Response", root.tag
        wrapper = operation_model.metadata.get("resultWrapper") or shape.serialization.get("resultWrapper")
        names = {local(child): child for child in root}
        assert set(names) == {wrapper, "ResponseMetadata"}, names
        check_element(shape, names[wrapper], operation_model.name)
    else:
        assert protocol == "rest-xml", protocol
        check_element(shape, ElementTree.fromstring(body), operation_model.name)


def local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def check_scalar(shape: Shape, value: object, place: str) -> None:
    if isinstance(shape, StringShape) and shape.enum:
        assert value in shape.enum, f"{place}: {value!r} is none of {shape.enum}"


def check_value(shape: Shape, value: Any, place: str) -> None:
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{place}: the model knows no {sorted(unknown)}"
        absent = set(shape.required_members) - set(value)
        assert not absent, f"{place}: required {sorted(absent)}"
        for name, member in value.items():
            check_value(shape.members[name], member, f"{place}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), f"{place}: {value!r}"
        for item in value:
            check_value(shape.member, item, f"{place}[]")
    elif isinstance(shape, MapShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        for item in value.values():
            check_value(shape.value, item, f"{place}{{}}")
    else:
        kinds = {"string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float), "float": (int, float)}
        kind = kinds.get(shape.type_name)
        assert kind is None or isinstance(value, kind), f"{place}: {value!r} is no {shape.type_name}"
        check_scalar(shape, value, place)


def check_element(shape: Shape, element: ElementTree.Element, place: str) -> None:
    if isinstance(shape, StructureShape):
        members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for child in element:
            assert local(child) in members, f"{place}: the model knows no {local(child)}"
            name, member = members[local(child)]
            check_element(member, child, f"{place}.{name}")
        present = {members[local(child)][0] for child in element}
        absent = set(shape.required_members) - present
        assert not absent, f"{place}: required {sorted(absent)}"
    elif isinstance(shape, ListShape):
        assert not shape.serialization.get("flattened"), f"{place}: flattened lists are not checked here"
        expected = shape.member.serialization.get("name", "member")
        for child in element:
            assert local(child) == expected, f"{place}: {local(child)} instead of {expected}"
            check_element(shape.member, child, f"{place}[]")
    else:
        text = element.text or ""
        if shape.type_name in {"integer", "long"}:
            int(text)
        elif shape.type_name in {"double", "float"}:
            float(text)
        elif shape.type_name == "boolean":
            assert text in {"true", "false"}, f"{place}: {text!r}"
        check_scalar(shape, text, place)

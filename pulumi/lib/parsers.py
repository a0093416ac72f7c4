"""Parsers of configuration values: text in, value out, `ValueError` with a sentence when it is malformed.

Pure: no configuration, no AWS, no Pulumi.
"""

import ipaddress
import json
import re
from collections.abc import Callable
from typing import cast

from lib import selection

Parser = Callable[[str], str]

LONGEST_NAME = 253
WIDEST_VPC = 16
NARROWEST_VPC = 21


def pattern(regex: str, sentence: str) -> Parser:
    """A parser that takes what matches `regex` in full."""
    compiled = re.compile(regex, re.ASCII)

    def parse(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(sentence)
        return text

    return parse


def choice(*allowed: str) -> Parser:
    """A parser that takes one of a few words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError("must be one of: " + ", ".join(allowed))
        return text

    return parse


def number(low: int, high: int, unit: str) -> Callable[[str], int]:
    """A parser for a whole number within bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text) or not low <= int(text) <= high:
            msg = f"must be a whole number of {unit} from {low} to {high}"
            raise ValueError(msg)
        return int(text)

    return parse


def one_of(unit: str, *allowed: int) -> Callable[[str], int]:
    """A parser for one of the few numbers that AWS takes."""

    def parse(text: str) -> int:
        if text not in {str(value) for value in allowed}:
            raise ValueError(f"must be a number of {unit} that AWS takes: " + ", ".join(map(str, allowed)))
        return int(text)

    return parse


def boolean(text: str) -> bool:
    """Takes `true` and `false` and nothing that only looks like them."""
    if text not in {"true", "false"}:
        msg = "must be true or false"
        raise ValueError(msg)
    return text == "true"


# The partition `aws` alone: the policies name it, and neither China's regions nor those of a government share its
# accounts.  Theirs are cn-north-1, us-gov-west-1, us-iso-east-1, eu-isoe-west-1, eusc-de-east-1.
_REGION = r"(?!cn-)[a-z]{2}-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d"


def region(text: str) -> str:
    """Takes a region of the partition `aws`."""
    return pattern(_REGION, "must be a region of the partition aws, such as us-east-1")(text)


def arn(service: str, resource: str) -> Parser:
    """A parser for the ARN of one kind of resource."""
    return pattern(
        rf"arn:aws:{service}:{_REGION}:\d{{12}}:{resource}",
        f"must be an ARN like arn:aws:{service}:REGION:ACCOUNT:..., of the partition aws",
    )


def dns_name(text: str) -> str:
    """Takes a host name of at least two labels, without the final dot."""
    label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
    name = text.removesuffix(".")
    if len(name) > LONGEST_NAME or not re.fullmatch(rf"{label}(\.{label})+", name):
        msg = "must be a host name such as app.example.com, without scheme, port or wildcard"
        raise ValueError(msg)
    return name.lower()


def network(text: str) -> str:
    """Takes a private IPv4 network, written with its network address."""
    try:
        parsed = ipaddress.IPv4Network(text)
    except ValueError as error:
        msg = f"must be an IPv4 network such as 10.42.0.0/16: {error}"
        raise ValueError(msg) from error
    if not parsed.is_private:
        msg = "must be a private network (10/8, 172.16/12 or 192.168/16)"
        raise ValueError(msg)
    return str(parsed)


def vpc_network(text: str) -> str:
    """Takes a network that can be cut into six subnets that hold load balancer nodes, tasks and databases."""
    cidr = network(text)
    if not WIDEST_VPC <= ipaddress.IPv4Network(cidr).prefixlen <= NARROWEST_VPC:
        msg = "must have a prefix from /16 (AWS's largest) to /21 (eight subnets of 256 addresses)"
        raise ValueError(msg)
    return cidr


def words(item: Parser) -> Callable[[str], tuple[str, ...]]:
    """A parser for a list: JSON, as Pulumi hands over a YAML list, or separated by commas."""

    def parse(text: str) -> tuple[str, ...]:
        if text.lstrip().startswith("["):
            loaded: object = json.loads(text)
            items = [str(each) for each in cast("list[object]", loaded)]
        else:
            items = [each.strip() for each in text.split(",")]
        if not items or len(set(items)) != len(items):
            msg = "must be a list of at least one, without repeats"
            raise ValueError(msg)
        return tuple(item(each) for each in items)

    return parse


_DATABASE = pattern(r"[A-Za-z0-9_$-]{1,64}", "each must be a MySQL database name of 1 to 64 characters, no wildcard")


def databases(text: str) -> tuple[str, ...]:
    """Takes the names of an application's databases; two that differ by case alone are one on many servers."""
    names = words(_DATABASE)(text)
    for name in names:
        owner = selection.owner(name)
        if owner is not None:
            msg = f"{name!r} belongs to {owner} and is never replicated"
            raise ValueError(msg)
    if len({name.lower() for name in names}) != len(names):
        msg = "must be a list of at least one, without repeats, upper and lower case being the same"
        raise ValueError(msg)
    return names


def table_mappings(text: str) -> str:
    """Takes the JSON of DMS table mappings that include something, and nothing that is no application's."""
    try:
        listed = selection.rules(text)
    except json.JSONDecodeError as error:
        msg = f"must be the JSON of DMS table mappings: {error}"
        raise ValueError(msg) from error
    if not selection.includes_something(listed):
        msg = 'must hold "rules" with at least one of rule-type "selection" and rule-action "include"'
        raise ValueError(msg)
    taken = selection.owned(listed)
    if taken:
        named = ", ".join(f"{name!r} of {selection.owner(name)}" for name in taken)
        msg = (
            f"takes {named}, which must never be replicated: name the application's databases in place of a wildcard, "
            f"or leave each of these out by a rule with rule-action exclude; of {selection.TAPCTL!r} only "
            f"{' and '.join(selection.CARRIED)} are carried over"
        )
        raise ValueError(msg)
    changed = selection.transformations(listed)
    if changed:
        msg = (
            f"has the transformation rules {', '.join(map(repr, changed))}: both streams use these mappings, and the "
            "way back would change what is changed already; leave them out, and keep names and columns the same"
        )
        raise ValueError(msg)
    return json.dumps(json.loads(text), sort_keys=True)


def certificate(text: str) -> str:
    """Takes one or more PEM certificates."""
    if not re.search(r"-----BEGIN CERTIFICATE-----\s.+-----END CERTIFICATE-----", text, re.DOTALL):
        msg = "must be PEM text: pulumi config set KEY < us-east-1-bundle.pem"
        raise ValueError(msg)
    return text.strip() + "\n"

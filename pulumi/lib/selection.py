"""What table mappings select, and the schemas that are no application's: the server's, DMS's and tapctl's.  Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

OWNED: Mapping[str, str] = dict.fromkeys(
    ("mysql", "sys", "performance_schema", "information_schema"), "the server itself"
) | {"awsdms_control": "DMS itself", "tapctl": "tapctl itself"}
"""Who owns a schema that is no application's; names in lower case."""

# Of these schemas only some tables stay on their side.  What tapctl keeps for a cutover is true on one server alone;
# its heartbeat and its markers are there to be carried over.
_LOCAL_TABLES: Mapping[str, tuple[str, ...]] = {"tapctl": ("kept", "turn")}


@dataclass(frozen=True)
class _Rule:
    """A selection rule: patterns for the schema and the table."""

    includes: bool
    schema: str
    table: str


def owned(rules: Iterable[object]) -> list[str]:
    """What the selection rules take that is not theirs to take, as `schema` or `schema.table`.

    Exclusions win over inclusions, whatever their order (DMS guide, "Selection rules and actions").
    """
    told = list(_selections(rules))
    included = [rule for rule in told if rule.includes]
    excluded = [rule for rule in told if not rule.includes]
    found: list[str] = []
    for schema in OWNED:
        tables = _LOCAL_TABLES.get(schema)
        if tables is None:
            taken = any(_matches(rule.schema, schema, any_case=True) for rule in included)
            left_out = any(_matches(rule.schema, schema) and rule.table == "%" for rule in excluded)
            found.extend([schema] if taken and not left_out else [])
            continue
        for table in tables:
            taken = any(
                _matches(rule.schema, schema, any_case=True) and _matches(rule.table, table, any_case=True)
                for rule in included
            )
            left_out = any(_matches(rule.schema, schema) and _matches(rule.table, table) for rule in excluded)
            found.extend([f"{schema}.{table}"] if taken and not left_out else [])
    return found


def owner(name: str) -> str | None:
    """Who owns a schema, or the schema of a table; `None` for an application's."""
    return OWNED.get(name.split(".", 1)[0].lower())


def includes_something(rules: Iterable[object]) -> bool:
    """Whether anything would be replicated at all."""
    return any(rule.includes for rule in _selections(rules))


def transformations(rules: Iterable[object]) -> list[str]:
    """The names, or actions, of the rules that change names, columns or values on the way.

    Both streams use the same mappings, so such a rule changes what it has changed once more on the way back: a renamed
    table is looked for under a name that it never had there (DMS guide, "Transformation rules and actions").
    """
    found: list[str] = []
    for each in rules:
        rule = cast("dict[str, object]", each) if isinstance(each, dict) else {}
        if rule.get("rule-type") == "transformation":
            found.append(str(rule.get("rule-name") or rule.get("rule-action") or "without a name"))
    return found


def _selections(rules: Iterable[object]) -> Iterator[_Rule]:
    for each in rules:
        if not isinstance(each, dict):
            continue
        rule = cast("dict[str, object]", each)
        action, locator = rule.get("rule-action"), rule.get("object-locator")
        if rule.get("rule-type") != "selection" or action not in {"include", "explicit", "exclude"}:
            continue
        names = cast("dict[str, object]", locator) if isinstance(locator, dict) else {}
        yield _Rule(
            includes=action != "exclude",
            schema=str(names.get("schema-name", "")),
            table=str(names.get("table-name", "")),
        )


def _matches(pattern: str, name: str, *, any_case: bool = False) -> bool:
    """Whether a pattern of DMS matches (guide, "Wildcards in table mapping"): `%`, `_`, `[_]`, `[ab]` and `[a-d]`.

    Whether DMS tells upper and lower case apart depends on the server, so an inclusion counts in any case and an
    exclusion only in its own.
    """
    parts = re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL)
    translated = "".join(
        ".*" if part == "%" else "." if part == "_" else _class(part) if len(part) > 1 else re.escape(part)
        for part in parts
    )
    try:
        return re.fullmatch(translated, name, re.IGNORECASE if any_case else 0) is not None
    except re.error:
        # Nobody knows what `[z-a]` is to DMS: an inclusion takes everything, an exclusion nothing.
        return any_case


def _class(part: str) -> str:
    """A set of characters as `re` writes it."""
    inside = part[1:-1].replace("\\", "\\\\").replace("^", "\\^")
    return f"[{inside}]"

"""What table mappings select, and the schemas that are no application's: the server's, DMS's and tapctl's.  Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

OWNED: Mapping[str, str] = dict.fromkeys(
    ("mysql", "sys", "performance_schema", "information_schema"), "the server itself"
) | {"awsdms_control": "DMS itself", "tapctl": "tapctl itself"}
"""Who owns a schema that is no application's; names in lower case."""

TAPCTL = "tapctl"
CARRIED = ("heartbeat", "marker")
"""The tables of tapctl that are there to be carried over: a row that was written on one side and read on the other
tells that a stream works, and a marker that nothing was lost."""

# What tapctl keeps for a cutover is true on one server alone.
_LOCAL = ("kept", "turn")


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
        of_it = [rule for rule in included if _matches(rule.schema, schema, any_case=True)]
        without = [rule for rule in excluded if _matches(rule.schema, schema)]
        if schema == TAPCTL:
            found.extend(f"{schema}.{table}" for table in _kept_back(of_it, without))
        elif of_it and not any(rule.table == "%" for rule in without):
            found.append(schema)
    return found


def _kept_back(included: Iterable[_Rule], excluded: list[_Rule]) -> list[str]:
    """The tables of tapctl that stay where they are and that rules take all the same."""
    found: dict[str, None] = {}
    for rule in included:
        taken = [table for table in (*_LOCAL, *CARRIED) if _matches(rule.table, table, any_case=True)]
        # A table that tapctl does not have is none that may be carried either; it is told as it was written.
        for table in taken or [rule.table]:
            left_out = any(each.table == table or _matches(each.table, table) for each in excluded)
            if table not in CARRIED and not left_out:
                found[table] = None
    return list(found)


def not_carried(rules: Iterable[object]) -> list[str]:
    """The tables of tapctl that are there to be carried over, and that the selection rules leave out."""
    told = list(_selections(rules))
    left: list[str] = []
    for table in CARRIED:
        # As strict as can be, the other way round: who is left out without being told hears nothing.
        included = any(each.includes and _takes(each, table) for each in told)
        if not included or any(not each.includes and _takes(each, table, any_case=True) for each in told):
            left.append(f"{TAPCTL}.{table}")
    return left


def _takes(rule: _Rule, table: str, *, any_case: bool = False) -> bool:
    return _matches(rule.schema, TAPCTL, any_case=any_case) and _matches(rule.table, table, any_case=any_case)


def rules(mappings: str) -> list[object]:
    """The rules in the JSON of table mappings."""
    loaded: object = json.loads(mappings)
    found = cast("dict[str, object]", loaded).get("rules") if isinstance(loaded, dict) else None
    return cast("list[object]", found) if isinstance(found, list) else []


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

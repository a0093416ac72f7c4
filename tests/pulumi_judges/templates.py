"""Holds resources against CloudFormation's own schemas, as cfn-lint ships them.

Names, types, patterns, enumerations, bounds, and what a schema demands or excludes together. Everything goes into one
template, so that one run judges a whole stack.
"""

import json
import re
from typing import cast

from cfnlint.api import lint  # pyright: ignore[reportMissingTypeStubs] -- typed, without a mark that says so

from calls import Properties, Translated


def problems(stack: list[Translated], region: str) -> list[str]:
    """One sentence for each rule that a resource breaks."""
    rows = {_logical(each): each for each in stack}
    resources = {
        _logical(each): {"Type": properties.type, "Properties": properties.properties}
        for each, properties in described(stack)
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    found: list[str] = []
    for match in lint(json.dumps(template), regions=[region]):
        if match.rule.severity != "error":
            continue
        path = [str(part) for part in cast("list[object]", getattr(match, "path", ()))]
        each = rows.get(path[1]) if len(path) > 1 else None
        who = f"{each.resource.type} {each.resource.name}" if each else "the template"
        found.append(f"{who}: {match.rule.id} {'.'.join(path[3:])}: {match.message}")
    return found


def described(stack: list[Translated]) -> list[tuple[Translated, Properties]]:
    """The resources that CloudFormation has a schema for."""
    return [(each, each.properties) for each in stack if isinstance(each.properties, Properties)]


def _logical(each: Translated) -> str:
    kind = re.sub(r"\W", "", each.resource.type.rsplit(":", 1)[-1])
    return kind + re.sub(r"\W", "", each.resource.name.title())

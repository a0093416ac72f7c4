"""What the program asked for, by configuration: recorded by the program's interpreter, read by the judges."""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import services
from calls import Inputs, Json, Resource, Translated

HERE = Path(__file__).resolve().parent
PYTHON = "TAPCTL_PROGRAM_PYTHON"


class RefusedConfigurationError(Exception):
    """The program did not take a configuration that is meant to work."""


@dataclass(frozen=True)
class Recording:
    """One run of the program."""

    name: str
    resources: list[Resource]

    def one(self, type_: str) -> Resource:
        """The first resource of a type, by name."""
        return min((each for each in self.resources if each.type == type_), key=lambda each: each.name)

    def translated(self) -> list[Translated]:
        """Every resource as calls, in an order in which it can be created."""
        return [services.judged(each) for each in ordered(self.resources)]


def record(names: Iterable[str]) -> Json:
    """Runs the program once for each name."""
    python = os.environ.get(PYTHON)
    if not python:
        msg = f"{PYTHON} names no interpreter of the Pulumi program: run `make judge`, which finds or makes it"
        raise RuntimeError(msg)
    command = [python, str(HERE / "record.py"), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = f"the program could not be recorded:\n{done.stderr}"
        raise RuntimeError(msg)
    return cast("Json", json.loads(done.stdout))


def read(name: str, run: Json) -> Recording:
    """One recorded run, as resources."""
    if refused := run.get("refused"):
        msg = f"the program refused the configuration {name!r}: {refused}"
        raise RefusedConfigurationError(msg)
    region, account = str(run["region"]), str(run["account"])
    rows = cast("list[dict[str, Any]]", run["resources"])
    return Recording(name, [resource(row, region, account) for row in rows])


def resource(row: Json, region: str, account: str) -> Resource:
    """One recorded resource."""
    return Resource(
        type=row["type"],
        name=row["name"],
        id=row["id"],
        inputs=Inputs(row["inputs"]),
        outputs=row["outputs"],
        depends_on=tuple(row["depends_on"]),
        home=region,
        account=account,
    )


def ordered(resources: list[Resource]) -> list[Resource]:
    """Dependencies first, and otherwise by type and name: the same order whatever the registrations came in."""
    waiting = sorted(resources, key=lambda each: (each.type, each.name))
    names = {each.name for each in waiting}
    made: list[Resource] = []
    while waiting:
        # A name may be used by resources of several types: all of them come first.
        blocked = {each.name for each in waiting}
        ready = [each for each in waiting if not ((set(each.depends_on) & names) - {each.name} & blocked)]
        if not ready:
            msg = "resources wait for each other: " + ", ".join(each.name for each in waiting)
            raise ValueError(msg)
        made += ready
        waiting = [each for each in waiting if each not in ready]
    return made

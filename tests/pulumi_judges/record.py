"""Runs the Pulumi program under its own mocks, once per configuration, and prints what it asked for as JSON.

    record.py NAME...

The program's interpreter runs it (`tests/pulumi_engine/toolchain.py venv`); the judges' own has no Pulumi.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "pulumi"
sys.path[:0] = [str(PROGRAM), str(PROGRAM / "tests"), str(HERE.parent / "pulumi_engine"), str(HERE)]

import catalogue  # noqa: E402 -- the path is what the lines above say
import world  # noqa: E402
from configurations import Configuration, named  # noqa: E402
from recorder import deploy  # noqa: E402


def recorded(configuration: Configuration) -> dict[str, Any]:
    """Every cloud resource of one configuration, in the order of registration, with the ids that the mocks gave."""
    cloud = configuration.cloud(world.empty())
    region, account = str(cloud["region"]), str(cloud["account"])
    resources: list[dict[str, Any]] = []
    for each in deploy(cloud, **configuration.changes).cloud():
        where = str(each.inputs.get("region", region))
        id_, outputs = catalogue.make(catalogue.Making(each.type, each.name, each.inputs, where, account, 1))
        resources.append(
            {
                "type": each.type,
                "name": each.name,
                "id": id_,
                "inputs": each.inputs,
                "outputs": each.outputs | outputs,
                "depends_on": list(each.depends_on),
            }
        )
    return {"region": region, "account": account, "resources": resources}


def attempted(configuration: Configuration) -> dict[str, Any]:
    """One configuration, or why the program refused it: the others are judged all the same."""
    try:
        return recorded(configuration)
    except Exception as refused:  # noqa: BLE001 -- whatever it is, it belongs to this configuration
        return {"refused": f"{type(refused).__name__}: {refused}"}


def main(names: list[str]) -> None:
    """Prints one JSON object: the configurations by name."""
    print(json.dumps({name: attempted(named(name)) for name in names}))


if __name__ == "__main__":
    main(sys.argv[1:])

"""What tapctl prints with --json, held against the schemas that docs/json.md promises to scripts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conftest import PATIENCE, Simulator

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


class Bastion:
    """Runs tapctl on a simulator, with a state folder of its own."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.outputs = folder / "outputs-of-the-stack.json"
        self.outputs.write_text(json.dumps(simulator.outputs), encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TAPCTL_"))}
        self.environment = {
            **kept,
            "AWS_ENDPOINT_URL": simulator.endpoint,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "HOME": str(folder),
            "TAPCTL_STATE_DIR": str(folder / "state"),
        }

    def run(self, *words: str) -> tuple[int, Any]:
        """The exit code and the one object on stdout."""
        command = [os.environ["TAPCTL_BIN"], "--outputs", str(self.outputs), *words, "--json"]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE
        )
        return ended.returncode, json.loads(ended.stdout)


@pytest.fixture
def bastion(tmp_path: Path, start: Callable[..., Simulator]) -> Bastion:
    return Bastion(tmp_path, start())


def holds(name: str, found: object) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    validator(schema).validate(found)


@pytest.mark.parametrize("name", ["status", "gates", "dns", "doctor", "journal"])
def test_what_is_looked_at_is_as_promised(bastion: Bastion, name: str) -> None:
    _, found = bastion.run(name)
    holds(name, found)


def test_a_step_and_the_way_back_are_as_promised(bastion: Bastion) -> None:
    for words in (("shift", "--step", "+10", "--dry-run"), ("shift", "--step", "+10", "--yes"), ("rollback", "--yes")):
        code, found = bastion.run(*words)
        assert code == 0, found
        holds("shift", found)
    holds("journal", bastion.run("journal")[1])
    holds("status", bastion.run("status")[1])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("shift", "--to", "60", "--yes"), 3),
        (("shift", "--to", "101", "--yes"), 2),
        (("status", "--profile", "nobody"), 6),
    ],
)
def test_a_failure_is_as_promised(bastion: Bastion, words: tuple[str, ...], code: int) -> None:
    found_code, found = bastion.run(*words)
    assert (found_code, sorted(found)) == (code, ["error", "schema"])
    holds("error", found)


def test_the_schemas_see_a_number_that_was_invented_and_a_key_that_is_gone(bastion: Bastion) -> None:
    _, found = bastion.run("status")
    without = {key: value for key, value in found.items() if key != "ready_to_shift"}
    as_text = {**found, "replication": {**found["replication"], "lag_s": "3 s"}}
    for broken in (without, as_text):
        with pytest.raises(jsonschema.ValidationError):
            holds("status", broken)

"""The stack outputs, and what the folder must not hold."""

import json
from pathlib import Path

import pulumi
from recorder import Recording, deploy

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


# What a stack has only where it is configured.
GIVEN = {"legacyAppSecretArn", "legacyTapctlSecretArn"}
SEPARATE = {"appSecretArn", "appReadOnlySecretArn", "dmsSecretArn", "tapctlSecretArn"}


def test_the_outputs_are_exactly_the_keys_of_the_fixture(usual: Recording, full: Recording) -> None:
    keys = set(json.loads(OUTPUTS.read_text(encoding="utf-8")))
    assert set(full.outputs) == keys
    assert set(usual.outputs) == keys - GIVEN
    assert set(deploy(databaseAccounts="shared").outputs) == keys - GIVEN - SEPARATE


def test_every_output_has_a_value(full: Recording) -> None:
    assert [key for key, value in full.outputs.items() if not value] == []


def test_the_folder_never_shadows_the_sdk() -> None:
    assert not (REPOSITORY / "pulumi" / "__init__.py").exists()
    assert Path(pulumi.__file__).parent != REPOSITORY / "pulumi"

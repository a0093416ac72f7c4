"""Secrets that change while something reads the old ones: what stands can read until what comes after it stands."""

import json

import pytest
from moves import LEGACY, NEW, REVERSE

import world
from driver import Engine

pytestmark = pytest.mark.engine

OTHER_APP = world.APP_SECRET.replace("legacy-app", "legacy-app-2")
OTHER_SOURCE = f"{world.SOURCE_SECRET[:-6]}Z9y8X7"
EXECUTION, DMS = "migration-execution-role-prod", "migration-dms-secrets-role-prod"


def readable(engine: Engine, role: str) -> set[str]:
    """Every secret that the role may read now."""
    policies = [each["outputs"] for each in engine.world.resources("aws:iam/rolePolicy:RolePolicy")]
    return {
        arn
        for each in policies
        if each["role"] == role
        for statement in json.loads(each["policy"])["Statement"]
        if "secretsmanager:GetSecretValue" in statement["Action"]
        for arn in statement["Resource"]
    }


def given(engine: Engine) -> None:
    with engine.world.change() as cloud:
        secrets = cloud["given"]["secrets"]
        secrets[OTHER_APP], secrets[OTHER_SOURCE] = secrets[world.APP_SECRET], secrets[world.SOURCE_SECRET]


CHANGES = {
    "the-application": (EXECUTION, "update:migration-service-prod", {"legacyAppSecretArn": OTHER_APP}),
    "the-readers": (EXECUTION, "update:migration-service-prod", {"databaseAccounts": "shared"}),
    "the-source": (DMS, "update:migration-dms-legacy-source-prod", {"sourceDbSecretArn": OTHER_SOURCE}),
    "the-target": (DMS, "update:migration-dms-aurora-target-prod", {"databaseAccounts": "shared"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_stands_reads_its_secrets_until_its_successor_stands(deployed: Engine, what: str) -> None:
    role, fault, change = CHANGES[what]
    given(deployed)
    deployed.world.move_weights({LEGACY: 90, NEW: 10})
    before = readable(deployed, role)
    deployed.world.set_control(fail={fault: "no such luck"})
    deployed.set_config(**change)
    # A second failure finds the state of the first one, in which the new revision stands already.
    for _ in range(2):
        failed = deployed.up()
        assert failed.exit_code != 0
        assert "no such luck" in failed.messages
        assert readable(deployed, role) > before
    deployed.world.set_control()
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    after = readable(deployed, role)
    # Who is not needed any more is not read by anybody.
    assert len(after) == len(before)
    assert after != before
    assert deployed.world.tasks()[REVERSE] == "ready"

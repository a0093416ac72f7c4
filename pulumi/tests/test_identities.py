"""Accounts that a cutover could not lock out: refused before anything is created."""

import json

import pulumi
import pytest
from recorder import deploy, settings
from standing import STACK, Json, refusal

import driver
import world

AURORA, LEGACY = "aurora.example.com", "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"
MASTER = "arn:aws:secretsmanager:us-west-2:123456789012:secret:migration-db-secret-prod-a1B2c3"


def tasks(host: str, secret: str) -> Json:
    """A stack whose tasks write to `host` with the account of `secret`, with all traffic on it."""
    told = [
        {
            "environment": [{"name": "DB_WRITER_HOST", "value": host}],
            "secrets": [{"name": "DB_WRITER_USERNAME", "valueFrom": f"{secret}:username::"}],
        }
    ]
    cloud = driver.with_weights(driver.empty_cloud(), 0, 100)
    cloud["state"] = {
        f"{STACK}aws:ecs/taskDefinition:TaskDefinition::migration-app-prod": {
            "outputs": {"containerDefinitions": json.dumps(told)}
        },
        f"{STACK}aws:rds/cluster:Cluster::migration-aurora-prod": {"outputs": {"endpoint": AURORA}},
        f"{STACK}aws:secretsmanager/secret:Secret::migration-db-secret-prod": {"outputs": {"arn": MASTER}},
        f"{STACK}aws:secretsmanager/secret:Secret::migration-dms-secret-prod": {"outputs": {}},
    }
    return cloud


@pytest.mark.parametrize("given", [None, world.APP_SECRET], ids=["never-set", "set-in-this-run"])
def test_another_writer_is_refused_while_tasks_run_as_dms(given: str | None) -> None:
    """For minutes both would be written to: those of before cannot be locked out of the legacy database."""
    text = refusal(tasks(LEGACY, world.SOURCE_SECRET), writer="aurora", legacyAppSecretArn=given)
    assert "tap:writer is 'aurora', but the tasks that run log in to the legacy database as DMS does" in text
    assert "tapctl config set legacyAppSecretArn ARN --stack prod" in text
    assert "pulumi config rm imageTag" in text


def test_another_writer_is_refused_while_tasks_run_as_auroras_master_user() -> None:
    text = refusal(tasks(AURORA, MASTER), writer="legacy", databaseAccounts="shared")
    assert "tap:writer is 'legacy', but the tasks that run log in to Aurora as its master user" in text
    assert "tapctl config set databaseAccounts separate --stack prod" in text


@pytest.mark.parametrize(
    ("host", "secret", "changes"),
    [
        # The writer stays.
        (LEGACY, world.SOURCE_SECRET, {"writer": "legacy"}),
        (AURORA, MASTER, {"writer": "aurora", "databaseAccounts": "shared"}),
        # An account that can be locked.
        (LEGACY, world.APP_SECRET, {"writer": "aurora", "legacyAppSecretArn": world.APP_SECRET}),
        (AURORA, world.APP_SECRET, {"writer": "legacy", "legacyAppSecretArn": world.APP_SECRET}),
        # The tasks go in the same run, and nobody comes in their place.
        (LEGACY, world.SOURCE_SECRET, {"writer": "aurora", "imageTag": None}),
        (AURORA, MASTER, {"writer": "legacy", "databaseAccounts": "shared", "imageTag": None}),
    ],
)
def test_a_writer_that_can_be_moved_is_not_refused(host: str, secret: str, changes: dict[str, str | None]) -> None:
    assert deploy(tasks(host, secret), **changes).outputs["databaseWriter"] == changes["writer"]


@pytest.mark.parametrize("changes", [{}, {"legacyAppSecretArn": world.APP_SECRET}], ids=["not-set", "set"])
def test_a_stack_without_tasks_may_begin_with_any_writer(changes: dict[str, str | None]) -> None:
    cloud = driver.with_weights(driver.empty_cloud(), 0, 100)
    assert deploy(cloud, writer="aurora", **changes).outputs["databaseWriter"] == "aurora"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"legacyAppSecretArn": world.SOURCE_SECRET}, "tap:legacyAppSecretArn is the secret of sourceDbSecretArn"),
        (
            {"legacyTapctlSecretArn": world.SOURCE_SECRET},
            "tap:legacyTapctlSecretArn is the secret of sourceDbSecretArn",
        ),
        (
            {"legacyAppSecretArn": world.APP_SECRET, "legacyTapctlSecretArn": world.APP_SECRET},
            "tap:legacyTapctlSecretArn is the secret of legacyAppSecretArn",
        ),
    ],
)
def test_each_account_has_a_secret_of_its_own(keys: dict[str, str | None], named: str) -> None:
    with pytest.raises(pulumi.RunError, match=named):
        settings(**keys)


@pytest.mark.parametrize(
    ("username", "whose"),
    [
        ("repl", "the account by which DMS logs in to the legacy database"),
        ("dms", "an account of this stack in Aurora"),
        ("app_ro", "an account of this stack in Aurora"),
        ("tapctl", "an account of this stack in Aurora"),
        ("migration", "Aurora's master user"),
    ],
)
def test_the_applications_account_is_nobody_elses(username: str, whose: str) -> None:
    """The SQL task would give it the application's password, and its streams would not log in any more."""
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][world.SOURCE_SECRET]["username"] = "repl"
    cloud["given"]["secrets"][world.APP_SECRET] = {"username": username}
    text = refusal(cloud, legacyAppSecretArn=world.APP_SECRET)
    assert f"tap:legacyAppSecretArn leads to the account {username}, which is {whose}" in text
    assert "Wanted: an account of the application's own" in text


@pytest.mark.parametrize("username", [None, "", 1])
def test_a_secret_without_a_username_starts_no_task(username: object) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][world.APP_SECRET] = {"username": username}
    assert "leads to a secret without a username" in refusal(cloud, legacyAppSecretArn=world.APP_SECRET)


def test_an_account_that_cannot_be_looked_up_is_a_warning_at_first_and_a_refusal_later() -> None:
    unknown = world.APP_SECRET.replace("legacy-app", "elsewhere")
    made = deploy(legacyAppSecretArn=unknown)
    assert any(unknown in line and "the first `up` goes on without it" in line for line in made.said)
    later = tasks(LEGACY, world.APP_SECRET)
    assert "allow secretsmanager:GetSecretValue" in refusal(later, legacyAppSecretArn=unknown)

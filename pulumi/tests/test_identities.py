"""Accounts that a cutover could not lock out: refused before anything is created."""

import json

import pulumi
import pytest
from recorder import deploy, passed, settings
from standing import STACK, Json, refusal

import driver
import world

AURORA, LEGACY = "aurora.example.com", "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"
MASTER = "arn:aws:secretsmanager:us-west-2:123456789012:secret:migration-db-secret-prod-a1B2c3"


APP = f"{STACK}aws:ecs/taskDefinition:TaskDefinition::migration-app-prod"
SERVICE = f"{STACK}aws:ecs/service:Service::migration-service-prod"
MADE_APP = MASTER.replace("db-secret", "app-secret")
OTHER = world.SOURCE_SECRET.replace("legacy-db", "legacy-db-2")


def told(host: str, secret: str) -> str:
    return json.dumps(
        [
            {
                "environment": [{"name": "DB_WRITER_HOST", "value": host}],
                "secrets": [{"name": "DB_WRITER_USERNAME", "valueFrom": f"{secret}:username::"}],
            }
        ]
    )


def tasks(host: str, secret: str) -> Json:
    """A stack whose tasks write to `host` with the account of `secret`, with all traffic on it."""
    cloud = driver.with_weights(driver.empty_cloud(), 0, 100)
    cloud["given"]["secrets"][OTHER] = cloud["given"]["secrets"][world.SOURCE_SECRET]
    cloud["state"] = {
        APP: {"outputs": {"arn": "app:2", "containerDefinitions": told(host, secret)}},
        f"{STACK}aws:rds/cluster:Cluster::migration-aurora-prod": {"outputs": {"endpoint": AURORA}},
        f"{STACK}aws:secretsmanager/secret:Secret::migration-db-secret-prod": {"outputs": {"arn": MASTER}},
        f"{STACK}aws:secretsmanager/secret:Secret::migration-app-secret-prod": {"outputs": {"arn": MADE_APP}},
        f"{STACK}aws:secretsmanager/secret:Secret::migration-dms-secret-prod": {"outputs": {}},
    }
    return cloud


def half_way(cloud: Json, host: str, secret: str, *, rolling: int = 0) -> Json:
    """The last rollout did not finish: the service runs another revision than the state's, with `rolling` of that."""
    service: Json = {"name": "migration-service-prod", "cluster": "migration-cluster-prod", "taskDefinition": "app:1"}
    cloud["state"][SERVICE] = {"outputs": service}
    if rolling:
        service = service | {"taskDefinition": "app:2"}
    service["deployments"] = [
        {"taskDefinition": "app:1", "runningCount": 4, "status": "ACTIVE"},
        {"taskDefinition": "app:2", "runningCount": rolling, "status": "PRIMARY"},
    ]
    cloud["given"]["services"] = [service]
    newest = {"arn": "app:2", "containerDefinitions": cloud["state"][APP]["outputs"]["containerDefinitions"]}
    cloud["given"]["taskDefinitions"] = [{"arn": "app:1", "containerDefinitions": told(host, secret)}, newest]
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
        (LEGACY, world.SOURCE_SECRET, {"writer": "aurora", "sourceDbSecretArn": OTHER}),
        (LEGACY, OTHER, {"writer": "aurora"}),
        (LEGACY, OTHER, {"writer": "aurora", "legacyAppSecretArn": world.APP_SECRET}),
        (LEGACY, MADE_APP, {"writer": "aurora"}),
        (AURORA, OTHER, {"writer": "legacy", "legacyAppSecretArn": world.APP_SECRET}),
        (AURORA, MASTER, {"writer": "legacy", "databaseAccounts": "separate"}),
        (AURORA, world.APP_SECRET, {"writer": "legacy"}),
    ],
)
def test_only_the_applications_own_account_can_be_locked(
    host: str, secret: str, changes: dict[str, str | None]
) -> None:
    """Whatever else changes in the same run: today's configuration does not tell what those of before log in by."""
    text = refusal(tasks(host, secret), **changes)
    assert f"tap:writer is '{changes['writer']}', but the tasks that run log in to " in text
    assert "tapctl rollback --stack prod, pulumi config rm imageTag" in text


MOVE: dict[str, str | None] = {"writer": "aurora", "legacyAppSecretArn": world.APP_SECRET}


@pytest.mark.parametrize("rolling", [0, 2], ids=["rolled-back", "rolling"])
def test_what_the_service_runs_counts_and_not_the_newest_revision(rolling: int) -> None:
    """The rollout of the account of its own failed: the tasks of before, which run again, log in as DMS."""
    cloud = half_way(tasks(LEGACY, world.APP_SECRET), LEGACY, world.SOURCE_SECRET, rolling=rolling)
    text = refusal(cloud, **MOVE)
    assert "tap:writer is 'aurora', but the last rollout did not finish: the service still runs app:1" in text
    assert "do: pulumi config set writer legacy, then: tapctl up --stack prod" in text
    assert passed(cloud, legacyAppSecretArn=world.APP_SECRET)


def test_a_rollout_that_did_not_finish_is_finished_or_taken_back() -> None:
    """The move itself failed: the newest revision writes to Aurora, and what runs to the legacy database."""
    cloud = half_way(tasks(AURORA, world.APP_SECRET), LEGACY, world.APP_SECRET)
    for writer in ("aurora", "legacy"):
        assert passed(cloud, writer=writer, legacyAppSecretArn=world.APP_SECRET)
    cloud = half_way(tasks(AURORA, world.APP_SECRET), LEGACY, world.SOURCE_SECRET)
    assert "but the tasks that run log in to the legacy database as DMS does" in refusal(cloud, **MOVE)


def test_a_service_that_cannot_be_looked_at_is_a_refusal_and_one_that_is_gone_is_none() -> None:
    cloud = half_way(tasks(LEGACY, world.APP_SECRET), LEGACY, world.APP_SECRET)
    for question, permission in (("getService", "DescribeServices"), ("getTaskDefinition", "DescribeTaskDefinition")):
        assert f"allow ecs:{permission}" in refusal(cloud | {"deny": [question]}, **MOVE)
    cloud["given"]["services"] = []
    assert passed(cloud, **MOVE)


@pytest.mark.parametrize(
    ("host", "secret", "changes"),
    [
        # The writer stays.
        (LEGACY, world.SOURCE_SECRET, {"writer": "legacy"}),
        (AURORA, MASTER, {"writer": "aurora", "databaseAccounts": "shared"}),
        # An account that can be locked.
        (LEGACY, world.APP_SECRET, {"writer": "aurora", "legacyAppSecretArn": world.APP_SECRET}),
        (AURORA, world.APP_SECRET, {"writer": "legacy", "legacyAppSecretArn": world.APP_SECRET}),
        (AURORA, MADE_APP, {"writer": "legacy"}),
        # The tasks go in the same run, and nobody comes in their place.
        (LEGACY, world.SOURCE_SECRET, {"writer": "aurora", "imageTag": None}),
        (AURORA, MASTER, {"writer": "legacy", "databaseAccounts": "shared", "imageTag": None}),
    ],
)
def test_a_writer_that_can_be_moved_is_not_refused(host: str, secret: str, changes: dict[str, str | None]) -> None:
    assert passed(tasks(host, secret), **changes)


@pytest.mark.parametrize(
    ("secret", "changes", "back"),
    [
        (world.APP_SECRET, {"writer": "aurora"}, f"set legacyAppSecretArn {world.APP_SECRET}"),
        (world.APP_SECRET, {"writer": "legacy"}, f"set legacyAppSecretArn {world.APP_SECRET}"),
        (OTHER, MOVE, f"set legacyAppSecretArn {OTHER}"),
        (MADE_APP, MOVE, "rm legacyAppSecretArn"),
        (MADE_APP, MOVE | {"writer": "legacy"}, "rm legacyAppSecretArn"),
        (MASTER, MOVE, "rm legacyAppSecretArn"),
        (MASTER, MOVE | {"databaseAccounts": "shared"}, "rm legacyAppSecretArn"),
    ],
)
def test_an_account_that_aurora_does_not_know_is_refused(
    secret: str, changes: dict[str, str | None], back: str
) -> None:
    """Only the SQL task tells Aurora an account and its password."""
    text = refusal(tasks(AURORA, secret), **changes)
    assert f"but the tasks that run write to Aurora by {secret}: only the SQL task tells Aurora another" in text
    assert f"do: pulumi config {back}, then: tapctl up --stack prod" in text


@pytest.mark.parametrize(
    ("secret", "changes"),
    [
        (world.APP_SECRET, {"legacyAppSecretArn": world.APP_SECRET}),
        (MADE_APP, {}),
        # The secrets of 'separate' are made in any case, and the SQL task has read them.
        (MASTER, {}),
        (MADE_APP, {"databaseAccounts": "shared"}),
    ],
)
def test_an_account_that_aurora_knows_is_not(secret: str, changes: dict[str, str | None]) -> None:
    assert passed(tasks(AURORA, secret), writer="aurora", **changes)


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


@pytest.mark.parametrize(("username", "whose"), [("app", "legacyAppSecretArn"), ("repl", "sourceDbSecretArn")])
def test_tapctls_account_is_nobody_elses(username: str, whose: str) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["secrets"][world.SOURCE_SECRET]["username"] = "repl"
    cloud["given"]["secrets"][world.TAPCTL_SECRET]["username"] = username
    config: dict[str, str | None] = {
        "legacyAppSecretArn": world.APP_SECRET,
        "legacyTapctlSecretArn": world.TAPCTL_SECRET,
    }
    text = refusal(cloud, **config)
    assert f"tap:legacyTapctlSecretArn leads to the account {username}, which is " in text
    assert f"({whose})" in text


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
    text = refusal(later, legacyAppSecretArn=unknown)
    assert f"the secret {unknown} cannot be looked up (secretsmanager:GetSecretValue)" in text
    assert "set the key that names it" in text

"""What a stack that stands refuses to change: for good, downwards, or while it has traffic."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from moves import EVERYTHING
from recorder import deploy, passed
from standing import STACK, Json, refusal, running

import driver
import lib.settings
import world
from lib.settings import read_region

FIXED: list[tuple[str, str, Json]] = [
    ("environmentSuffix", "blue", {}),
    ("vpcCidr", "10.43.0.0/16", {}),
    ("accountId", "210987654321", {}),
    (
        "legacyRegion",
        "eu-west-1",
        {"legacy_5xx": {"type": "aws:cloudwatch/metricAlarm:MetricAlarm", "outputs": {"region": "us-east-1"}}},
    ),
    (
        "recordName",
        "other.example.com",
        {"new": {"type": world.RECORD, "outputs": {"name": "app.example.com", "zoneId": world.ZONE_ID}}},
    ),
    (
        "dmsAccountRoles",
        "existing",
        {"dms_vpc_role": {"type": "aws:iam/role:Role", "outputs": {"name": "dms-vpc-role"}}},
    ),
    (
        "hostedZoneName",
        "example.com",
        {"new": {"type": world.RECORD, "outputs": {"name": "app.example.com", "zoneId": "Z0OTHER"}}},
    ),
]


@pytest.mark.parametrize(("key", "value", "resources"), FIXED, ids=[key for key, _, _ in FIXED])
def test_a_key_that_is_fixed_for_good_is_refused_with_how_to_move(key: str, value: str, resources: Json) -> None:
    cloud = running(**resources)
    text = refusal(cloud, **{key: value})
    assert f"tap:{key} " in text
    assert "do: pulumi config set " in text


def test_every_fixed_key_has_its_row() -> None:
    from lib import keys  # noqa: PLC0415 -- the table itself is what is looked at

    fixed = {key.name for key in keys.KEYS if key.change is keys.Change.FIXED}
    # The zone has two names.
    assert fixed == {key for key, _, _ in FIXED} | {"hostedZoneId"}


@pytest.mark.parametrize(("key", "zone"), [("recordName", world.ZONE_ID), ("hostedZoneName", "Z0OTHER")])
def test_the_legacy_record_alone_fixes_its_name_and_its_zone(key: str, zone: str) -> None:
    """The first `up` failed before the new record: to follow the corrected key would delete the live name's record."""
    record = {"type": world.RECORD, "outputs": {"name": "app.example.com", "zoneId": zone}}
    value = {"recordName": "other.example.com", "hostedZoneName": "example.com"}[key]
    text = refusal(running(legacy=record), **{key: value})
    assert f"tap:{key} " in text
    assert "hand the name back first: `tapctl release`" in text


OTHER = "db-2.example.com"
REPLICATION = "urn:pulumi:prod::tap::tap:stack:TapStack$tap:replication:Replication::migration-replication-prod"
TASKS_OF_BEFORE = json.dumps(
    [{"environment": [{"name": "DB_WRITER_HOSTS", "value": f"aurora.example.com:3306,{OTHER}:3306"}]}]
)


def moved_source(status: str, *, earlier: bool = False) -> Json:
    """A stack that replicates from another database than the configuration says, the secret included."""
    there: Json = {}
    if earlier:
        there["app"] = {
            "type": "aws:ecs/taskDefinition:TaskDefinition",
            "outputs": {"containerDefinitions": TASKS_OF_BEFORE},
        }
        there["aurora"] = {"type": "aws:rds/cluster:Cluster", "outputs": {"endpoint": "aurora.example.com"}}
    cloud = driver.with_tasks(running(**there), forward=status, reverse="ready")
    if not earlier:
        cloud["state"][REPLICATION] = {"outputs": {"source": f"{OTHER}:3306"}}
    return cloud


@pytest.mark.parametrize("status", ["running", "stopped", "failed"])
@pytest.mark.parametrize("earlier", [False, True], ids=["said", "of-an-earlier-version"])
def test_the_source_of_a_stream_that_has_run_stays(status: str, *, earlier: bool) -> None:
    text = refusal(moved_source(status, earlier=earlier), sourceDbCaCertificate=EVERYTHING["sourceDbCaCertificate"])
    assert "tap:sourceDbEndpoint makes legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com:3306 the source" in text
    assert f"the forward stream is {status} with a checkpoint in the binary log of {OTHER}:3306" in text
    assert f"do: pulumi config set sourceDbEndpoint {OTHER}" in text


def test_the_source_of_a_stream_that_has_never_run_may_change() -> None:
    assert passed(moved_source("ready"))


LISTENER = {"type": "aws:lb/listener:Listener", "outputs": {"certificateArn": EVERYTHING["certificateArn"]}}
GROUP = {"type": "aws:lb/targetGroup:TargetGroup", "outputs": {"port": 8080, "name": "migration-tg-8080-prod"}}
SERVICE = "migration-service-prod"


def serving(*ports: int, made: int = 8080, service: bool = True) -> Json:
    """A stack with a target group for the port `made` and tasks that answer on `ports`, one revision for each."""
    group = {"type": GROUP["type"], "outputs": {"port": made, "name": f"migration-tg-{made}-prod"}}
    secret: Json = {"type": "aws:secretsmanager/secret:Secret", "outputs": {}}
    cloud = running(https=LISTENER, tg=group, dms_secret=secret)
    if service:
        revisions = [f"app:{port}" for port in ports]
        known: Json = {"name": SERVICE, "cluster": "migration-cluster-prod", "taskDefinition": revisions[0]}
        known["deployments"] = [{"taskDefinition": each, "runningCount": 2} for each in revisions]
        cloud["state"][f"{STACK}aws:ecs/service:Service::{SERVICE}"] = {"outputs": known}
        cloud["given"]["services"] = [known]
        cloud["given"]["taskDefinitions"] = [
            {"arn": f"app:{port}", "containerDefinitions": json.dumps([{"portMappings": [{"containerPort": port}]}])}
            for port in ports
        ]
    return cloud


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda: {"containerPort": "9090"},
            "tap:containerPort is 9090, but the tasks that have traffic answer on 8080",
        ),
        (dict, "tap:certificateArn is not set any more, but the new stack has traffic on 443"),
        (lambda: {"imageTag": None}, "tap:imageTag is not set any more, which deletes the service"),
    ],
)
def test_what_would_answer_nobody_is_refused_while_there_is_traffic(
    change: Callable[[], dict[str, str | None]], words: str
) -> None:
    text = refusal(driver.with_weights(serving(8080), 90, 10), **change())
    assert words in text
    assert "tapctl rollback --stack prod" in text
    assert passed(driver.with_weights(serving(8080), 100, 0), **change())


HTTPS = {"certificateArn": EVERYTHING["certificateArn"]}


@pytest.mark.parametrize("ports", [(8080,), (8080, 9090)], ids=["rolled-back", "rolling"])
def test_the_port_that_counts_is_that_of_the_tasks_that_run(ports: tuple[int, ...]) -> None:
    """The last run made the new target group and failed before the tasks: the configuration and the state agree."""
    cloud = driver.with_weights(serving(*ports, made=9090), 90, 10)
    text = refusal(cloud, containerPort="9090", **HTTPS)
    assert "tap:containerPort is 9090, but the tasks that have traffic answer on 8080" in text
    # To go back is no way out of it.
    assert "pulumi config set containerPort" not in text
    assert "do: tapctl rollback --stack prod" in text


def test_to_go_back_to_the_port_that_serves_makes_another_group() -> None:
    cloud = driver.with_weights(serving(8080, made=9090), 90, 10)
    text = refusal(cloud, containerPort="8080", **HTTPS)
    assert (
        "is 8080, on which the tasks that have traffic answer, but the last run has made a target group for 9090"
        in text
    )
    assert "do: tapctl rollback --stack prod" in text
    assert passed(driver.with_weights(serving(8080, made=9090), 100, 0), containerPort="8080", **HTTPS)


@pytest.mark.parametrize("made", [8080, 9090])
def test_where_no_service_runs_no_port_serves(made: int) -> None:
    cloud = driver.with_weights(serving(made=made, service=False), 90, 10)
    assert passed(cloud, containerPort="9090", **HTTPS)


def test_the_region_stays_for_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key has it, so no row of a key refuses it."""
    file = tmp_path / "AWS_REGION"
    file.write_text("us-east-2\n", encoding="utf-8")
    monkeypatch.setattr(lib.settings, "read_region", lambda: read_region(file))
    there = {"sourceDbSecretArn": world.SOURCE_SECRET.replace("us-west-2", "us-east-2")}
    text = refusal(running(), **there)
    assert "lib/AWS_REGION is 'us-east-2', but the stack was made in 'us-west-2', which stays for good" in text
    assert "do: echo us-west-2 > lib/AWS_REGION" in text


def test_a_target_group_that_has_the_right_port_keeps_its_name() -> None:
    old = {"type": GROUP["type"], "outputs": {"port": 8080, "name": "migration-tg-prod"}}
    assert deploy(running(tg=old)).one("lb/targetGroup:TargetGroup").inputs["name"] == "migration-tg-prod"
    moved = deploy(running(tg=old), containerPort="9090").one("lb/targetGroup:TargetGroup")
    assert moved.inputs["name"].startswith("migration-tg-9090-prod-")


def test_a_stack_of_an_earlier_version_makes_its_accounts_before_it_uses_them() -> None:
    old: Json = {"dms_aurora_target": {"type": "aws:dms/endpoint:Endpoint", "outputs": {}}}
    text = refusal(running(**old))
    assert "tap:databaseAccounts is 'separate', but the stack runs as Aurora's master user" in text
    assert "do: pulumi config set databaseAccounts shared" in text
    assert deploy(running(**old), databaseAccounts="shared").named("migration-dms-secret-prod")
    secret: Json = {"type": "aws:secretsmanager/secret:Secret", "outputs": {}}
    assert deploy(running(**old, dms_secret=secret))


@pytest.mark.parametrize("given", [None, "8.0.mysql_aurora.3.11.0"])
def test_a_newer_default_is_for_new_stacks(given: str | None) -> None:
    """Another version restarts the database, in the middle of a migration."""
    old: Json = {"type": "aws:rds/cluster:Cluster", "outputs": {"engineVersion": "8.0.mysql_aurora.3.10.0"}}
    made = deploy(running(aurora=old), auroraEngineVersion=given)
    wanted = given or "8.0.mysql_aurora.3.10.0"
    assert made.one("rds/cluster:Cluster").inputs["engineVersion"] == wanted
    assert {each.inputs["engineVersion"] for each in made.of("rds/clusterInstance:ClusterInstance")} == {wanted}
    assert deploy().one("rds/cluster:Cluster").inputs["engineVersion"] == "8.0.mysql_aurora.3.10.6"


CLUSTER: Json = {"type": "aws:rds/cluster:Cluster", "outputs": {"engineVersion": "8.0.mysql_aurora.3.10.6"}}
INSTANCE: Json = {
    "type": "aws:dms/replicationInstance:ReplicationInstance",
    "outputs": {"engineVersion": "3.6.1", "allocatedStorage": 200.0},
}


@pytest.mark.parametrize(
    ("key", "lower", "higher"),
    [
        ("auroraEngineVersion", "8.0.mysql_aurora.3.9.9", "8.0.mysql_aurora.3.11.0"),
        ("dmsEngineVersion", "3.5.10", "3.10.0"),
        ("dmsStorage", "199", "1000"),
    ],
)
def test_what_aws_lets_only_grow_is_refused_before_the_run(key: str, lower: str, higher: str) -> None:
    there = {"aurora": CLUSTER, "dms": INSTANCE}
    whole: dict[str, str | None] = {"dmsStorage": "200"}
    text = refusal(running(**there), **(whole | {key: lower}))
    assert f"tap:{key} is " in text
    assert "AWS takes nothing lower" in text
    assert f"do: pulumi config set {key} " in text
    assert deploy(running(**there), **(whole | {key: higher})).of("rds/cluster:Cluster")
    # A default that is lower than what stands is a refusal for the size, and none for a version.
    assert "tap:dmsStorage is 100, but the stack has 200" in refusal(running(**there))


@pytest.mark.parametrize(
    ("key", "kind"), [("sourceDbCaCertificate", "dms_ca"), ("auroraCaCertificate", "dms_aurora_ca")]
)
def test_an_authority_may_be_exchanged_and_not_be_taken_away(key: str, kind: str) -> None:
    there: Json = {kind: {"type": "aws:dms/certificate:Certificate", "outputs": {"certificateId": "a"}}}
    text = refusal(running(**there))
    assert f"tap:{key} is not set any more, but the endpoints trust the certificate of before" in text
    assert f"do: pulumi config set {key} < bundle.pem" in text
    assert deploy(running(**there), **{key: EVERYTHING[key]}).one("dms/certificate:Certificate")

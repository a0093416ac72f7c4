"""Changes of a stack that runs, on the real engine and with the refusals of AWS: what each key does, and the end."""

import re
from dataclasses import dataclass, field

import pytest
from moves import (
    CA,
    CERTIFICATE,
    EVERYTHING,
    FORWARD,
    LEGACY,
    MAPPINGS,
    NEW,
    OTHER_CA,
    PEERING,
    REPLACED,
    REVERSE,
    UPDATED,
)

import one_off
import world
from cloud import CONFIGURATION
from driver import Engine, Run
from lib import keys
from lib.naming import digest

pytestmark = pytest.mark.engine

OTHER_SOURCE = f"{world.SOURCE_SECRET[:-6]}Z9y8X7"
OTHER_APP = world.APP_SECRET.replace("legacy-app", "legacy-app-2")
TASKS = {FORWARD: UPDATED, REVERSE: UPDATED}
APP = {"migration-app-prod": REPLACED, "migration-service-prod": UPDATED}


@dataclass(frozen=True)
class Row:
    """One key: its new value, and what that does to which resource."""

    key: str
    value: str
    does: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


def other_source(engine: Engine) -> None:
    with engine.world.change() as cloud:
        same = cloud["given"]["secrets"][world.SOURCE_SECRET]
        cloud["given"]["secrets"][OTHER_SOURCE] = same
        cloud["given"]["secrets"][OTHER_APP] = {"username": "app"}
        cloud["given"]["balancers"]["legacy-web-2"] = {
            "dnsName": "legacy-web-2-1.us-east-1.elb.amazonaws.com",
            "zoneId": "Z35SXDOTRQ7X7K",
            "ports": {"80": "http", "443": "https"},
        }


def mail(address: str) -> str:
    return f"migration-alerts-prod-mail-{digest(address)}"


def reads(role: str, *secrets: str) -> str:
    told = "\n".join([*sorted(secrets), str(EVERYTHING["sourceDbSecretKmsKeyArn"])])
    return f"migration-{role}-prod-secrets-{digest(told)}-policy"


ENDPOINTS = [
    f"migration-dms-{kind}-prod" for kind in ("legacy-source", "legacy-target", "aurora-source", "aurora-target")
]

# Every key that may change, all at once while both streams run: the run would fail on the first that may not.
ROWS = [
    Row("owner", "another-team", {"migration-vpc-prod": UPDATED, "migration-aurora-prod": UPDATED}),
    Row("natGateways", "single", {"migration-nat-3-prod": {"delete"}, "migration-private-rt-3-prod-out": UPDATED}),
    Row("sourceDbNames", "shop,billing,stock", TASKS),
    Row("sourceDbSecretArn", OTHER_SOURCE, {ENDPOINTS[0]: UPDATED, ENDPOINTS[1]: UPDATED}),
    Row(
        "sourceDbSecretKmsKeyArn",
        str(EVERYTHING["sourceDbSecretKmsKeyArn"]),
        {
            reads("execution-role", world.APP_SECRET, "db-secret"): {"create"},
            reads("dms-secrets-role", "db-secret", OTHER_SOURCE): {"create"},
        },
    ),
    Row("sourceDbCaCertificate", OTHER_CA, {"migration-dms-ca-prod": REPLACED, ENDPOINTS[0]: UPDATED}),
    Row("auroraCaCertificate", CA, {"migration-dms-aurora-ca-prod": {"create"}, ENDPOINTS[2]: UPDATED}),
    Row("databaseAccounts", "shared", {ENDPOINTS[2]: UPDATED, ENDPOINTS[3]: UPDATED, **APP}),
    Row("legacyTapctlSecretArn", str(EVERYTHING["legacyTapctlSecretArn"])),
    Row("legacyFollowsWriter", "true"),
    Row("legacyLbName", "legacy-web-2", {LEGACY: UPDATED, "migration-legacy-5xx-prod": UPDATED}),
    Row("legacyLbDnsName", "legacy-web-2-1.us-east-1.elb.amazonaws.com"),
    Row("legacyLbZoneId", "Z35SXDOTRQ7X7K"),
    Row("auroraEngineVersion", "8.0.mysql_aurora.3.10.7", {"migration-aurora-prod": UPDATED}),
    Row("auroraInstanceClass", "db.r6g.xlarge", {"migration-aurora-instance-1-prod": UPDATED}),
    Row("binlogRetentionHours", "96", {"migration-sql-prod": REPLACED}),
    Row("sqlImage", "registry.example.com/mysql:8.4", {"migration-sql-prod": REPLACED}),
    Row("writer", "aurora", {LEGACY: UPDATED, NEW: UPDATED}),
    Row("imageTag", "2026-11-24-5e6f7a8", APP),
    Row("containerUser", "1000:1000", APP),
    Row("containerReadOnly", "true", APP),
    Row("taskCpu", "1024", APP),
    Row("taskMemory", "2048", APP),
    Row("certificateArn", CERTIFICATE, {"migration-https-prod": {"create"}, "migration-http-prod": UPDATED}),
    Row("dmsInstanceClass", "dms.r6i.large", {"migration-dms-prod": UPDATED}),
    Row("dmsStorage", "200", {"migration-dms-prod": UPDATED, "migration-dms-disk-prod": UPDATED}),
    Row("dmsEngineVersion", "3.6.2", {"migration-dms-prod": UPDATED}),
    Row("dmsMultiAz", "true", {"migration-dms-prod": UPDATED}),
    Row("tableMappings", MAPPINGS, TASKS),
    Row("lobMode", "limited", TASKS),
    Row("lobMaxSizeKb", "512", TASKS),
    Row("loopbackPrevention", "true", TASKS),
    Row("fullLoadSubTasks", "16", TASKS),
    Row(
        "alarmEmail",
        "other@example.com",
        {mail(CONFIGURATION["alarmEmail"]): {"delete"}, mail("other@example.com"): {"create"}},
    ),
    Row("logRetentionDays", "60", {"migration-app-logs-prod": UPDATED}),
    Row("flowLogs", "true", {"migration-flow-logs-prod-vpc": {"create"}}),
    Row("startReplication", "true"),
]
# The ways to the legacy database, which change while nobody uses them.
WAYS = [
    Row("legacyVpcId", "vpc-1a1b2c3d4e5f60718", {f"migration-peering-prod-{PEERING['legacyVpcId']}": {"delete"}}),
    Row("legacyVpcCidr", "10.1.0.0/16", {"migration-private-rt-1-prod-legacy-10-1-0-0-16": {"create"}}),
    Row(
        "legacyRouteTableIds",
        "rtb-1a1b2c3d4e5f60718,rtb-2a1b2c3d4e5f60718",
        {
            "migration-legacy-route-prod-rtb-0a1b2c3d4e5f60718": {"delete"},
            "migration-legacy-route-prod-rtb-1a1b2c3d4e5f60718": UPDATED,
            "migration-legacy-route-prod-rtb-2a1b2c3d4e5f60718": {"create"},
        },
    ),
    Row(
        "legacyDbSecurityGroupId",
        "sg-1a1b2c3d4e5f60718",
        {f"migration-peering-prod-database-{PEERING['legacyDbSecurityGroupId']}": {"delete"}},
    ),
]
ALONE = {"containerPort", "sourceDbEndpoint", "sourceDbPort", "legacyAppSecretArn"}
"""Proved in tests of their own: refused while the new stack has traffic, once the forward stream has run, or together
with another writer."""


def test_every_key_has_its_row() -> None:
    proved = {row.key for row in [*ROWS, *WAYS]} | ALONE
    assert proved == {key.name for key in keys.KEYS if key.change is not keys.Change.FIXED}


HALVES = (
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions",
)
"""Settings of a peering, which the provider deletes by forgetting them (`schema.NoopContext`); the stand-in has them
by the peering's id, so that to forget an earlier one takes the later one away."""


def standing(engine: Engine) -> list[tuple[str, str]]:
    return sorted((each["type"], each["name"]) for each in engine.world.resources() if each["type"] not in HALVES)


ONE_WAY = {"auroraEngineVersion", "dmsEngineVersion", "dmsStorage", "auroraCaCertificate", "loopbackPrevention"}
"""What AWS lets only grow or does not take away, and what both streams need while they run."""
AURORA_CA = ("aws:dms/certificate:Certificate", "migration-dms-aurora-ca-prod")


def back_again(engine: Engine) -> None:
    """Every key that can has its first value again."""
    first = CONFIGURATION | PEERING | {"sourceDbCaCertificate": CA, "legacyAppSecretArn": world.APP_SECRET}
    moved = [key for key in keys.KEYS if key.name in {row.key for row in ROWS} - ONE_WAY]
    engine.set_config(
        **{key.name: first.get(key.name) or str(key.default) for key in moved if key.name in first or key.default}
    )
    engine.unset_config(*(key.name for key in moved if key.name not in first and key.default is None))


def wrong(up: Run, rows: list[Row]) -> dict[tuple[str, str], set[str] | None]:
    """What a run has not done to a resource and should have."""
    return {
        (row.key, name): up.operations.get(name)
        for row in rows
        for name, wanted in row.does.items()
        if not wanted <= up.operations.get(name, set())
    }


def test_all_changes_at_once_then_none_then_the_way_back_then_a_clean_end(peered: Engine) -> None:
    before = standing(peered)
    other_source(peered)
    peered.set_config(**{row.key: row.value for row in ROWS})
    up = peered.up(refresh=True)
    assert up.exit_code == 0, up.messages
    assert wrong(up, ROWS) == {}
    # Nothing that holds data, the name or the network goes; nor does a stream end in another state than before.
    replaced = {name for name, done in up.operations.items() if done & (REPLACED | {"delete"})}
    kinds = ("aurora-prod", "aurora-instance", "vpc-prod", "subnet", "dms-prod", "dms-task", "dms-reverse", "new-prod")
    assert not [name for name in replaced if any(f"migration-{kind}" in name for kind in kinds)]
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "running"}
    again = peered.up()
    assert (again.exit_code, again.changes) == (0, {}), again.messages
    # Without traffic, since the certificate goes as well.
    peered.world.move_weights({LEGACY: 100, NEW: 0})
    back_again(peered)
    back = peered.up()
    assert back.exit_code == 0, back.messages
    assert standing(peered) == sorted([*before, AURORA_CA])
    assert peered.world.tasks() == {FORWARD: "running", REVERSE: "running"}
    with peered.world.change() as cloud:
        # A zone is impaired at the end as well.
        cloud["given"]["letters"] = "bcd"
    gone = peered.destroy()
    assert gone.exit_code == 0, gone.messages
    assert peered.world.resources() == []


def test_the_port_of_the_container_changes_without_traffic_and_not_with_it(deployed: Engine) -> None:
    deployed.world.move_weights({LEGACY: 90, NEW: 10})
    deployed.set_config(containerPort="9090")
    refused = deployed.up()
    assert refused.exit_code != 0
    assert "tap:containerPort is 9090, but the tasks that have traffic answer on 8080" in refused.messages
    # The target group is there, and the tasks are those of before: neither way is one for traffic.
    deployed.world.move_weights({LEGACY: 100, NEW: 0})
    deployed.world.set_control(fail={"update:migration-service-prod": "tasks failed to start: rolled back"})
    assert deployed.up().exit_code != 0
    deployed.world.set_control()
    deployed.world.move_weights({LEGACY: 90, NEW: 10})
    for port, words in (
        ("9090", "is 9090, but the tasks that have traffic answer on 8080"),
        ("8080", "but the last run has made a target group for 9090"),
    ):
        deployed.set_config(containerPort=port)
        refused = deployed.up()
        assert refused.exit_code != 0
        assert f"tap:containerPort is {port}" in refused.messages
        assert words in refused.messages
    deployed.set_config(containerPort="9090")
    deployed.world.move_weights({LEGACY: 100, NEW: 0})
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    assert up.operations["migration-service-prod"] >= UPDATED
    group = deployed.world.named("migration-tg-prod")["outputs"]
    assert group["port"] == 9090
    assert re.fullmatch(r"migration-tg-9090-prod-[0-9a-f]{6}", group["name"])


def test_a_task_that_somebody_runs_holds_the_end_up_until_it_is_over(deployed: Engine) -> None:
    """Its script lasts for less than the ten minutes that the provider goes on asking ECS."""
    told = deployed.outputs()
    network = {"subnets": told["privateSubnetIds"][:1], "securityGroups": [told["sqlSecurityGroupId"]]}
    task = {"cluster": told["ecsClusterName"], "taskDefinition": told["sqlTaskDefinitionArn"]}
    with deployed.world.change() as changed:
        one_off.run(changed, task | {"networkConfiguration": {"awsvpcConfiguration": network}})
    held = deployed.destroy()
    assert held.exit_code != 0
    # Whichever of them is asked first.
    assert re.search("while Tasks are active|has a dependent object|has dependencies", held.messages)
    left = {each["name"] for each in deployed.world.resources()}
    assert {"migration-cluster-prod", "migration-sql-sg-prod", "migration-private-subnet-1-prod"} <= left
    with deployed.world.change() as changed:
        one_off.end(changed)
    assert deployed.destroy().exit_code == 0
    assert deployed.world.resources() == []


def test_the_service_goes_without_traffic_and_not_with_it(deployed: Engine) -> None:
    before = deployed.world.resources()
    deployed.world.move_weights({LEGACY: 0, NEW: 100})
    deployed.unset_config("imageTag")
    refused = deployed.up()
    assert refused.exit_code != 0
    assert "tap:imageTag is not set any more, which deletes the service, but the new stack has traffic" in (
        refused.messages
    )
    assert len(deployed.world.resources()) == len(before)
    deployed.world.move_weights({LEGACY: 100, NEW: 0})
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    assert deployed.world.resources("aws:ecs/service:Service") == []


def test_the_applications_account_changes_until_aurora_is_the_writer_and_not_afterwards(deployed: Engine) -> None:
    other_source(deployed)
    deployed.set_config(legacyAppSecretArn=OTHER_APP)
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    assert {name: up.operations[name] for name in APP if not APP[name] <= up.operations[name]} == {}
    deployed.world.move_weights({LEGACY: 0, NEW: 100})
    deployed.set_config(writer="aurora")
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    before = deployed.world.resources()
    for writer in ("aurora", "legacy"):
        for value in (None, world.APP_SECRET):
            deployed.set_config(writer=writer, **({} if value is None else {"legacyAppSecretArn": value}))
            if value is None:
                deployed.unset_config("legacyAppSecretArn")
            refused = deployed.up()
            assert refused.exit_code != 0
            assert f"but the tasks that run write to Aurora by {OTHER_APP}" in refused.messages
            assert deployed.world.resources() == before


def test_the_ways_to_the_legacy_database_stay_while_they_are_used(peered: Engine) -> None:
    peered.set_config(natGateways="single", loopbackPrevention="true")
    up = peered.up()
    assert up.exit_code == 0, up.messages
    before = len(peered.world.resources())
    peered.set_config(natGateways="per-zone")
    peered.unset_config(*PEERING)
    refused = peered.up()
    assert refused.exit_code != 0
    users = "the forward stream and the reverse stream and"
    assert f"tap:legacyVpcId is not set any more, but {users} the tasks, which have traffic" in refused.messages
    assert "tap:natGateways is 'per-zone', but its routes lead over 1 of 3 gateways" in refused.messages
    assert len(peered.world.resources()) == before
    peered.set_config(natGateways="single", **(PEERING | {row.key: row.value for row in WAYS}))
    refused = peered.up()
    assert refused.exit_code != 0
    for row in WAYS:
        assert f"tap:{row.key} " in refused.messages
    assert len(peered.world.resources()) == before
    for task in (FORWARD, REVERSE):
        peered.world.set_task(task, "stopped")
    peered.world.move_weights({LEGACY: 100, NEW: 0})
    up = peered.up()
    assert up.exit_code == 0, up.messages
    assert wrong(up, WAYS) == {}
    peered.set_config(natGateways="per-zone")
    peered.unset_config(*PEERING)
    up = peered.up()
    assert up.exit_code == 0, up.messages
    assert len(peered.world.resources("aws:ec2/natGateway:NatGateway")) == 3
    assert peered.world.resources("aws:ec2/vpcPeeringConnection:VpcPeeringConnection") == []


BACK = {
    "the port": ("update:migration-service-prod", {"containerPort": "9090"}, {"containerPort": "8080"}),
    "the authority": (
        "update:migration-dms-legacy-source-prod",
        {"sourceDbCaCertificate": OTHER_CA},
        {"sourceDbCaCertificate": CA},
    ),
    "the legacy network and the mail": (
        "update:migration-service-prod",
        {
            "legacyVpcId": "vpc-1a1b2c3d4e5f60718",
            "legacyVpcCidr": "10.1.0.0/16",
            "legacyDbSecurityGroupId": "sg-1a1b2c3d4e5f60718",
            "alarmEmail": "other@example.com",
            "imageTag": "2026-11-24-5e6f7a8",
        },
        PEERING | {key: CONFIGURATION[key] for key in ("alarmEmail", "imageTag")},
    ),
}


@pytest.mark.parametrize("what", BACK, ids=[name.replace(" ", "-") for name in BACK])
def test_a_replacement_that_failed_halfway_can_be_taken_back(peered: Engine, what: str) -> None:
    """What was to go is still there, under its name, when the old value comes back; and so the other way round."""
    fault, there, back = BACK[what]
    peered.world.move_weights({LEGACY: 100, NEW: 0})
    peered.set_config(loopbackPrevention="true")
    assert peered.up(refresh=True).exit_code == 0
    if "legacyVpcId" in there:
        # The ways change while nobody uses them.
        for task in (FORWARD, REVERSE):
            peered.world.set_task(task, "stopped")
    before, streams = standing(peered), peered.world.tasks()
    for config in (there, back, there):
        # As if DMS's own tests of the endpoints were over in time: the streams are not what is looked at here.
        peered.world.set_control(fail={fault: "no such luck"}, quick=True)
        peered.set_config(**config)
        failed = peered.up()
        assert failed.exit_code != 0
        assert "no such luck" in failed.messages
        assert "xists" not in failed.messages
    peered.world.set_control(quick=True)
    peered.set_config(**back)
    up = peered.up()
    assert up.exit_code == 0, up.messages
    assert standing(peered) == before
    assert peered.world.tasks() == streams
    again = peered.up()
    assert (again.exit_code, again.changes) == (0, {}), again.messages


def test_the_source_changes_until_the_forward_stream_has_run_and_not_afterwards(deployed: Engine) -> None:
    with deployed.world.change() as cloud:
        cloud["given"]["secrets"][world.SOURCE_SECRET] = {"host": "db-2.example.com", "port": 3307}
    deployed.set_config(sourceDbEndpoint="db-2.example.com", sourceDbPort="3307", sourceDbCaCertificate=CA)
    up = deployed.up()
    assert up.exit_code == 0, up.messages
    assert up.operations["migration-app-prod"] >= REPLACED
    for rule in ("migration-dms-sg-prod-to-legacy-database", "migration-sql-sg-prod-to-legacy-database"):
        assert up.operations[rule] >= UPDATED
    deployed.world.set_task(FORWARD, "running")
    with deployed.world.change() as cloud:
        cloud["given"]["secrets"][world.SOURCE_SECRET] = {"host": "db-3.example.com", "port": 3307}
    deployed.set_config(sourceDbEndpoint="db-3.example.com")
    refused = deployed.up()
    assert refused.exit_code != 0
    assert "with a checkpoint in the binary log of db-2.example.com:3307" in refused.messages
    assert deployed.world.tasks()[FORWARD] == "running"


FIXED = {
    "environmentSuffix": "blue",
    "vpcCidr": "10.43.0.0/16",
    "accountId": "210987654321",
    "legacyRegion": "eu-west-1",
    "recordName": "other.example.com",
    "hostedZoneName": "example.net",
}


def test_a_stack_does_not_follow_another_region(deployed: Engine) -> None:
    (deployed.program / "lib" / "AWS_REGION").write_text("us-east-2\n", encoding="utf-8")
    before = deployed.world.resources()
    deployed.set_config(
        sourceDbSecretArn=world.SOURCE_SECRET.replace("us-west-2", "us-east-2"),
        legacyAppSecretArn=world.APP_SECRET.replace("us-west-2", "us-east-2"),
    )
    up = deployed.up()
    assert up.exit_code != 0
    assert "lib/AWS_REGION is 'us-east-2', but the stack was made in 'us-west-2'" in up.messages
    assert deployed.world.resources() == before


def test_a_key_that_is_fixed_for_good_changes_nothing(deployed: Engine) -> None:
    with deployed.world.change() as cloud:
        cloud["given"]["zones"]["Z0OTHER"] = "example.net"
    before = deployed.world.resources()
    for key, value in FIXED.items():
        old = CONFIGURATION.get(key)
        deployed.set_config(**{key: value})
        up = deployed.up()
        assert up.exit_code != 0, key
        assert f"tap:{key} " in up.messages
        assert "Traceback" not in up.messages
        assert deployed.world.resources() == before
        if old is None:
            deployed.unset_config(key)
        else:
            deployed.set_config(**{key: old})


def test_a_resource_that_is_called_otherwise_now_is_the_same_one(fresh: Engine) -> None:
    """A stack of a version that called routes, peering and rule otherwise: `aliases` keep each where it is."""
    lib = fresh.program / "lib"
    now = {name: (lib / name).read_text(encoding="utf-8") for name in ("peering.py", "monitoring.py")}
    before = dict(now)
    for name, new, old in (
        ("peering.py", 'f"{route_name}-{legacy_id}"', 'args.naming.numbered("legacy-route", number)'),
        ("peering.py", 'f"{route_name}-{range_}"', "route_name"),
        ("peering.py", 'f"{peering_name}-{args.legacy.vpc_id}"', "peering_name"),
        (
            "peering.py",
            'f"{peering_name}-database-{args.legacy.db_security_group_id}"',
            'f"{peering_name}-database"',
        ),
        ("monitoring.py", 'f"{name}-mail-{digest(self._args.alarm_email)}"', 'f"{name}-mail"'),
    ):
        assert new in before[name]
        before[name] = before[name].replace(new, old)
    for name, text in before.items():
        (lib / name).write_text(text, encoding="utf-8")
    fresh.make_stack(**PEERING)
    assert fresh.up().exit_code == 0
    called = {each["name"] for each in fresh.world.resources()}
    assert {"migration-legacy-route-1-prod", "migration-legacy-route-2-prod", "migration-alerts-prod-mail"} <= called
    for name, text in now.items():
        (lib / name).write_text(text, encoding="utf-8")
    up = fresh.up()
    assert (up.exit_code, up.changes) == (0, {}), up.messages
    assert fresh.destroy().exit_code == 0
    assert fresh.world.resources() == []

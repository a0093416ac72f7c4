"""Weights that tapctl has moved stay where they are, whatever `up` comes afterwards."""

import pytest
from moves import CA

import world
from driver import Engine

pytestmark = pytest.mark.engine

FORWARD, REVERSE = "migration-dms-task-prod", "migration-dms-reverse-task-prod"
LEGACY, NEW = "migration-legacy-prod", "migration-new-prod"
MOVED = {LEGACY: 70, NEW: 30}
OVER = {LEGACY: 0, NEW: 100}


@pytest.mark.parametrize("refresh", [True, False], ids=["refreshed", "not-refreshed"])
@pytest.mark.parametrize(
    ("writer", "moved"), [("legacy", MOVED), ("aurora", OVER)], ids=["nothing-else", "health-evaluation-changes"]
)
def test_an_up_leaves_the_weights_alone(deployed: Engine, writer: str, moved: dict[str, int], *, refresh: bool) -> None:
    assert deployed.world.weights() == {LEGACY: 100, NEW: 0}
    deployed.world.move_weights(moved)
    deployed.set_config(writer=writer)
    up = deployed.up(refresh=refresh)
    assert up.exit_code == 0, up.messages
    assert deployed.world.weights() == moved
    records = deployed.world.resources(world.RECORD)
    assert {each["outputs"]["aliases"][0]["evaluateTargetHealth"] for each in records} == {writer == "legacy"}


def test_another_writer_is_refused_while_the_tasks_cannot_be_locked_out(fresh: Engine) -> None:
    """What the tasks of before log in with stands in the state alone: the configuration may have moved on."""
    fresh.make_stack()
    assert fresh.up().exit_code == 0
    fresh.world.move_weights(OVER)
    fresh.set_config(writer="aurora", legacyAppSecretArn=world.APP_SECRET)
    up = fresh.up()
    assert up.exit_code != 0
    assert "tap:writer is 'aurora', but the tasks that run log in to the legacy database as DMS does" in up.messages


def runs(engine: Engine) -> str:
    return engine.world.named("migration-service-prod")["outputs"]["taskDefinition"]


def test_another_writer_is_refused_whatever_else_changes_and_whatever_failed_before(fresh: Engine) -> None:
    """By another secret of DMS in the same run, and by a rollout of the tasks' own account that did not finish."""
    fresh.make_stack(sourceDbCaCertificate=CA)
    assert fresh.up().exit_code == 0
    fresh.world.set_task(FORWARD, "stopped")
    fresh.world.set_task(REVERSE, "running")
    fresh.world.move_weights(OVER)
    other = f"{world.SOURCE_SECRET[:-6]}Z9y8X7"
    with fresh.world.change() as cloud:
        cloud["given"]["secrets"][other] = cloud["given"]["secrets"][world.SOURCE_SECRET]
    before = runs(fresh)
    fresh.set_config(writer="aurora", sourceDbSecretArn=other)
    up = fresh.up()
    assert up.exit_code != 0
    assert f"tap:writer is 'aurora', but the tasks that run log in to the legacy database by {world.SOURCE_SECRET}" in (
        up.messages
    )
    fresh.world.set_control(fail={"update:migration-service-prod": "tasks failed to start: rolled back"})
    fresh.set_config(
        writer="legacy",
        sourceDbSecretArn=world.SOURCE_SECRET,
        legacyAppSecretArn=world.APP_SECRET,
        loopbackPrevention="true",
    )
    failed = fresh.up()
    assert "tasks failed to start" in failed.messages
    fresh.world.set_control()
    fresh.set_config(writer="aurora")
    up = fresh.up()
    assert up.exit_code != 0
    assert f"the last rollout did not finish: the service still runs {before}" in up.messages
    assert runs(fresh) == before
    for writer in ("legacy", "aurora"):
        fresh.set_config(writer=writer)
        up = fresh.up()
        assert up.exit_code == 0, up.messages
    assert runs(fresh) != before


def test_two_writers_are_refused(deployed: Engine) -> None:
    before = deployed.world.resources()
    deployed.world.move_weights(MOVED)
    deployed.set_config(writer="aurora")
    up = deployed.up()
    assert up.exit_code != 0
    assert "tap:writer is 'aurora', but app.example.com has 70 legacy / 30 new" in up.messages
    assert "tapctl shift --stack prod --to 100" in up.messages
    assert {each["name"]: each["outputs"] for each in before if each["type"] != world.RECORD} == {
        each["name"]: each["outputs"] for each in deployed.world.resources() if each["type"] != world.RECORD
    }


def test_after_a_refresh_there_is_nothing_left_to_say_about_them(deployed: Engine) -> None:
    deployed.world.move_weights(MOVED)
    up = deployed.up(refresh=True)
    assert up.exit_code == 0, up.messages
    assert up.changes == {}


IGNORING = """
import pulumi
import pulumi_aws as aws

healthy = pulumi.Config().get("health") != "no"
aws.route53.Record(
    "pair",
    zone_id="Z0123456789ABCDEFGHIJ",
    name="other.example.com",
    type="A",
    set_identifier="one",
    weighted_routing_policies=[{"weight": 100}],
    aliases=[{"name": "lb.example.com", "zone_id": "Z1", "evaluate_target_health": healthy}],
    opts=pulumi.ResourceOptions(ignore_changes=["weightedRoutingPolicies"]),
)
"""


def test_ignoring_changes_alone_would_move_them_back(fresh: Engine) -> None:
    """The reason for reading the weights, and proof that the stand-in would show a program that loses them."""
    (fresh.program / "__main__.py").write_text(IGNORING, encoding="utf-8")
    fresh.make_stack(**{"aws:region": "us-west-2"})
    assert fresh.up().exit_code == 0
    fresh.world.move_weights({"one": 70})
    fresh.set_config(health="no")
    up = fresh.up()
    assert up.exit_code == 0, up.messages
    assert fresh.world.weights() == {"one": 100}


def test_the_legacy_record_is_adopted_with_its_weight(fresh: Engine) -> None:
    record = {"zone_id": world.ZONE_ID, "name": "app.example.com", "type": "A", "set_identifier": LEGACY, "weight": 80}
    with fresh.world.change() as cloud:
        cloud["given"]["records"].append(record)
    fresh.make_stack()
    up = fresh.up()
    assert up.exit_code == 0, up.messages
    assert fresh.world.weights() == {LEGACY: 80, NEW: 0}


def test_a_new_record_that_is_alone_keeps_everything(deployed: Engine) -> None:
    """Somebody took the legacy record away: Route 53 answers with the other one, whatever its weight."""
    deployed.world.move_weights({LEGACY: 0, NEW: 0})
    with deployed.world.change() as cloud:
        cloud["resources"] = {key: each for key, each in cloud["resources"].items() if each["name"] != LEGACY}
    up = deployed.up(refresh=True)
    assert up.exit_code == 0, up.messages
    assert deployed.world.weights() == {LEGACY: 0, NEW: 1}


def release_to_new(engine: Engine) -> dict[str, object]:
    """`tapctl release --to new`: one batch takes the pair away and puts a plain record there, behind Pulumi's back."""
    balancer = engine.world.named("migration-alb-prod")["outputs"]["dnsName"]
    plain: dict[str, object] = {
        "zone_id": world.ZONE_ID,
        "name": "app.example.com",
        "type": "A",
        "set_identifier": None,
        "weight": None,
        "alias": f"dualstack.{balancer}.",
    }
    with engine.world.change() as cloud:
        cloud["resources"] = {key: each for key, each in cloud["resources"].items() if each["type"] != world.RECORD}
        cloud["given"]["records"].append(plain)
    return plain


@pytest.mark.parametrize("refresh", [True, False], ids=["refreshed", "not-refreshed"])
def test_an_up_after_the_name_was_given_to_this_stack_leaves_it_alone(deployed: Engine, *, refresh: bool) -> None:
    """For good: the legacy stack may be gone, and later images still roll out."""
    plain = release_to_new(deployed)
    with deployed.world.change() as cloud:
        cloud["given"]["balancers"] = {}
    deployed.set_config(writer="aurora", imageTag="2026-11-24-5e6f7a8")
    up = deployed.up(refresh=refresh)
    assert up.exit_code == 0, up.messages
    assert "app.example.com is a plain record that leads to this stack" in up.messages
    assert deployed.world.resources(world.RECORD) == []
    assert deployed.world.read()["given"]["records"] == [plain]
    assert "2026-11-24-5e6f7a8" in deployed.world.named("migration-app-prod")["outputs"]["containerDefinitions"]
    again = deployed.up(refresh=refresh)
    assert (again.exit_code, again.changes) == (0, {}), again.messages


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"type": "A", "set_identifier": None, "weight": None}, "plain A record"),
        ({"type": "A", "set_identifier": "blue-green", "weight": 50}, "'blue-green' that is not of this stack"),
    ],
)
def test_a_name_that_is_taken_is_refused_before_anything_exists(
    fresh: Engine, record: dict[str, object], reason: str
) -> None:
    with fresh.world.change() as cloud:
        cloud["given"]["records"].append({"zone_id": world.ZONE_ID, "name": "app.example.com", **record})
    fresh.make_stack()
    up = fresh.up()
    assert up.exit_code != 0
    assert reason in up.messages
    assert fresh.world.resources() == []

"""Alarms, topics and the dashboard."""

import json
from pathlib import Path
from typing import Any

import pytest
from moves import EVERYTHING
from recorder import Recording, deploy

import driver

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


def alarms(recording: Recording) -> dict[str, dict[str, Any]]:
    return {each.name: each.inputs for each in recording.of("cloudwatch/metricAlarm:MetricAlarm")}


def test_alarms(usual: Recording) -> None:
    made = alarms(usual)
    assert made["migration-task-count-prod"]["threshold"] == 4
    assert all(each["alarmActions"] for each in made.values())
    disk = made["migration-dms-disk-prod"]
    assert (disk["metricName"], disk["comparisonOperator"]) == ("FreeStorageSpace", "LessThanThreshold")
    assert disk["threshold"] == 20 * 1024**3
    legacy = {name: each for name, each in made.items() if each.get("region") == "us-east-1"}
    assert {each["metricName"] for each in legacy.values()} == {"HTTPCode_Backend_5XX", "HTTPCode_ELB_5XX"}
    assert all(":us-east-1:" in each["alarmActions"][0] for each in legacy.values())
    # tapctl asks both regions about every name, and an alarm that nobody names nobody judges.
    assert set(legacy) < set(usual.outputs["alarmNames"])


def test_both_streams_have_alarms_on_both_kinds_of_lag(usual: Recording) -> None:
    made = alarms(usual)
    for prefix, arn in (("dms", "dmsTaskArn"), ("dms-reverse", "dmsReverseTaskArn")):
        for kind, metric in (("lag", "CDCLatencyTarget"), ("source-lag", "CDCLatencySource")):
            alarm = made[f"migration-{prefix}-{kind}-prod"]
            assert (alarm["metricName"], alarm["threshold"]) == (metric, 60)
            assert alarm["dimensions"] == {
                "ReplicationInstanceIdentifier": "migration-dms-prod",
                "ReplicationTaskIdentifier": usual.outputs[arn].rsplit(":", 1)[-1],
            }
            # No data is not good news.
            assert alarm["treatMissingData"] == "missing"
            assert alarm["insufficientDataActions"]


FORWARD = {"migration-dms-lag-prod", "migration-dms-source-lag-prod"}
REVERSE = {"migration-dms-reverse-lag-prod", "migration-dms-reverse-source-lag-prod"}


@pytest.mark.parametrize(
    ("writer", "forward", "reverse", "loopback", "counts"),
    [
        ("legacy", "ready", "ready", "false", FORWARD),
        ("legacy", "running", "ready", "false", FORWARD),
        ("aurora", "stopped", "running", "false", REVERSE),
        # The way back is meant to run: its silence has to be heard.
        ("aurora", "stopped", "stopped", "false", REVERSE),
        ("legacy", "running", "running", "true", FORWARD | REVERSE),
        ("aurora", "running", "running", "true", FORWARD | REVERSE),
        # Armed: both are started and resumed without an `up`, so no later one would let their alarms ring.
        ("legacy", "ready", "ready", "true", FORWARD | REVERSE),
        ("legacy", "running", "ready", "true", FORWARD | REVERSE),
        ("aurora", "stopped", "running", "true", FORWARD | REVERSE),
    ],
)
def test_only_the_streams_that_are_meant_to_run_wake_anybody(
    writer: str, forward: str, reverse: str, loopback: str, counts: set[str]
) -> None:
    cloud = driver.with_tasks(driver.empty_cloud(), forward=forward, reverse=reverse)
    if writer == "aurora":
        driver.with_weights(cloud, 0, 100)
    ca = EVERYTHING["sourceDbCaCertificate"]
    made = deploy(cloud, writer=writer, loopbackPrevention=loopback, sourceDbCaCertificate=ca)
    loud = {name for name, each in alarms(made).items() if each["actionsEnabled"]}
    assert loud & (FORWARD | REVERSE) == counts
    assert set(made.outputs["alarmNames"]) & (FORWARD | REVERSE) == counts
    assert made.outputs["dmsForwardLagAlarmName"] == "migration-dms-lag-prod"
    assert made.outputs["dmsReverseLagAlarmName"] == "migration-dms-reverse-lag-prod"
    of_the_writer = "dmsReverseLagAlarmName" if writer == "aurora" else "dmsForwardLagAlarmName"
    assert made.outputs["lagAlarmName"] == made.outputs[of_the_writer]


def test_mail_only_when_an_address_is_given(usual: Recording) -> None:
    mails = [
        (each.inputs.get("region"), each.inputs["endpoint"])
        for each in usual.of("sns/topicSubscription:TopicSubscription")
    ]
    assert mails == [(None, "on-call@example.com"), ("us-east-1", "on-call@example.com")]
    assert deploy(alarmEmail=None).of("sns/topicSubscription:TopicSubscription") == []


def test_the_dashboard_shows_both_stacks_and_both_streams(usual: Recording) -> None:
    body = json.loads(usual.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])
    text = json.dumps(body)
    assert all(usual.outputs[arn].rsplit(":", 1)[-1] in text for arn in ("dmsTaskArn", "dmsReverseTaskArn"))
    assert all(
        metric in text for metric in ("FullLoadThroughputRowsTarget", "CDCChangesDiskTarget", "FreeStorageSpace")
    )
    shown = {
        (each["properties"]["region"], metric[0])
        for each in body["widgets"]
        for metric in each["properties"]["metrics"]
    }
    assert shown == {
        ("us-west-2", "AWS/DMS"),
        ("us-west-2", "AWS/ECS"),
        ("us-west-2", "ECS/ContainerInsights"),
        ("us-west-2", "AWS/ApplicationELB"),
        ("us-west-2", "AWS/RDS"),
        ("us-east-1", "AWS/ELB"),
    }
    places = [(each["x"], each["y"]) for each in body["widgets"]]
    assert len(set(places)) == len(places)

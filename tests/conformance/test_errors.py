"""Faults and refusals: each service says them in the words of its own protocol, and botocore finds the code."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from conftest import LEGACY, NEW, Simulator

CALLS: dict[str, tuple[str, str, Callable[[Any], object]]] = {
    "route53": ("route53", LEGACY, lambda client: client.list_hosted_zones()),
    "cloudwatch": ("cloudwatch", NEW, lambda client: client.describe_alarms()),
    "dms": ("dms", NEW, lambda client: client.describe_replication_tasks()),
    "ecs": ("ecs", NEW, lambda client: client.describe_clusters()),
    "elbv2": ("elbv2", NEW, lambda client: client.describe_load_balancers()),
    "elb": ("elb", LEGACY, lambda client: client.describe_load_balancers()),
    "sts": ("sts", NEW, lambda client: client.get_caller_identity()),
    "secretsmanager": ("secretsmanager", NEW, lambda client: client.describe_secret(SecretId="migration-db-secret-prod")),
}
JSON_SERVICES = {"dms", "ecs", "secretsmanager"}
CLOUDWATCH_PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]


@pytest.fixture(autouse=True)
def _clean(sim: Simulator) -> Iterator[None]:
    yield
    sim.clear_faults()


def code_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    assert response["Error"]["Message"], response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("ExpiredToken", 403), ("AccessDenied", 403)])
def test_general_errors_in_each_dialect(sim: Simulator, service: str, code: str, status: int) -> None:
    name, region, call = CALLS[service]
    client = sim.client(name, region)
    sim.fault(service=service, code=code, count=1)
    expected = (f"{code}Exception", 400) if service in JSON_SERVICES else (code, 400 if service == "cloudwatch" else status)
    assert code_of(lambda: call(client)) == expected
    call(client)


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_cloudwatch_says_the_same_in_each_protocol(sim: Simulator, protocol: str) -> None:
    client = sim.client("cloudwatch", NEW, protocol)
    for code in ("Throttling", "ExpiredToken", "AccessDenied"):
        sim.fault(service="cloudwatch", code=code, count=1)
        assert code_of(client.describe_alarms)[0] == code


def test_denied_calls_name_the_action(sim: Simulator) -> None:
    sim.fault(service="dms", code="AccessDenied", count=1)
    with pytest.raises(ClientError, match="not authorized to perform: dms:DescribeReplicationTasks"):
        sim.client("dms").describe_replication_tasks()


def test_a_code_of_ones_own_with_status_and_message(sim: Simulator) -> None:
    sim.fault(service="ecs", operation="DescribeClusters", code="ServerException", status=500, message="no luck", count=1)
    with pytest.raises(ClientError, match="no luck") as caught:
        sim.client("ecs").describe_clusters()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize("service", CALLS)
def test_dropped_connections_and_garbage(sim: Simulator, service: str) -> None:
    name, region, call = CALLS[service]
    client = sim.client(name, region, strict=False)
    sim.fault(service=service, drop=True, count=1)
    with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
        call(client)
    sim.fault(service=service, garbage=True, count=1)
    with pytest.raises((ResponseParserError, UnicodeDecodeError)):
        call(client)
    call(client)


def test_the_fifth_and_later_calls_of_a_second_are_throttled(start: Callable[..., Simulator]) -> None:
    route53 = start("--speed", "0.01").client("route53", LEGACY)
    for _ in range(5):
        route53.list_hosted_zones()
    assert code_of(route53.list_hosted_zones) == ("Throttling", 400)


def test_a_second_change_while_the_first_is_processed(start: Callable[..., Simulator]) -> None:
    simulator = start("--speed", "0.01")
    route53 = simulator.client("route53", LEGACY)

    def change(name: str) -> object:
        record = {"Name": name, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        zone = simulator.outputs["hostedZoneId"]
        return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    change("a.example.com")
    assert code_of(lambda: change("b.example.com")) == ("PriorRequestNotComplete", 400)
    simulator.advance(1)
    change("b.example.com")


def test_unsigned_and_misdirected_requests(sim: Simulator) -> None:
    request = urllib.request.Request(sim.endpoint + "/2013-04-01/hostedzone")
    with pytest.raises(urllib.request.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 403 and b"MissingAuthenticationToken" in caught.value.read()


def test_before_provisioning_each_service_says_what_is_missing(start: Callable[..., Simulator]) -> None:
    simulator = start("--scenario", "fresh")
    outputs = simulator.outputs
    dms, ecs, elbv2 = (simulator.client(name) for name in ("dms", "ecs", "elbv2"))

    def filtered(name: str, key: str) -> dict[str, object]:
        return {"Filters": [{"Name": name, "Values": [outputs[key]]}]}

    missing: list[tuple[str, Callable[[], object]]] = [
        (
            "ResourceNotFoundFault",
            lambda: dms.describe_replication_tasks(**filtered("replication-task-arn", "dmsTaskArn")),
        ),
        (
            "ResourceNotFoundFault",
            lambda: dms.describe_replication_instances(
                **filtered("replication-instance-arn", "dmsReplicationInstanceArn")
            ),
        ),
        (
            "ResourceNotFoundFault",
            lambda: dms.describe_table_statistics(ReplicationTaskArn=outputs["dmsTaskArn"]),
        ),
        (
            "ClusterNotFoundException",
            lambda: ecs.describe_services(cluster=outputs["ecsClusterName"], services=[outputs["ecsServiceName"]]),
        ),
        ("ClusterNotFoundException", lambda: ecs.list_tasks(cluster=outputs["ecsClusterName"])),
        ("LoadBalancerNotFound", lambda: elbv2.describe_load_balancers(LoadBalancerArns=[outputs["albArn"]])),
        ("TargetGroupNotFound", lambda: elbv2.describe_target_health(TargetGroupArn=outputs["targetGroupArn"])),
        (
            "ResourceNotFoundException",
            lambda: simulator.client("secretsmanager").describe_secret(SecretId=outputs["dbSecretArn"]),
        ),
    ]
    for code, call in missing:
        assert code_of(call) == (code, 400)
    cloudwatch = simulator.client("cloudwatch")
    assert cloudwatch.describe_alarms(AlarmNames=outputs["alarmNames"])["MetricAlarms"] == []
    assert ecs.describe_clusters(clusters=[outputs["ecsClusterArn"]])["failures"][0]["reason"] == "MISSING"
    simulator.advance(600)
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_operations_that_are_not_served(sim: Simulator) -> None:
    assert code_of(lambda: sim.client("ecs").list_clusters())[0] == "UnknownOperationException"
    assert code_of(lambda: sim.client("elbv2").describe_rules())[0] == "InvalidAction"
    assert code_of(lambda: sim.client("route53").list_health_checks()) == ("UnknownOperationException", 404)
    assert code_of(lambda: sim.client("cloudwatch").list_dashboards())[0] == "UnknownOperationException"


def test_the_simulators_own_paths_say_what_is_wrong(sim: Simulator) -> None:
    assert sim.request("/_sim/nothing")[0] == 404
    assert sim.request("/_sim/state", {})[0] == 405
    for fault in ({}, {"service": "s3", "drop": True}, {"service": "dms"}, {"service": "dms", "latency": 1}):
        status, body = sim.request("/_sim/fault", fault)
        assert status == 400 and body["error"], fault
    for report in ({}, {"resources": "x"}, {"resources": [1]}):
        assert sim.request("/_sim/stack", report)[0] == 400
    for amount in (-1, "x", None, 1e12):
        assert sim.request("/_sim/advance", {"seconds": amount})[0] == 400

"""Every operation that the simulator serves, called by botocore and checked against AWS's models."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conftest import LEGACY, NEW, Simulator

ZONE = "Z0123456789ABCDEFGHIJ"
CLOUDWATCH_PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]


def refused(call: Any, /, **arguments: object) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def now(sim: Simulator) -> dt.datetime:
    return dt.datetime.fromisoformat(sim.state()["simulator"]["now"])


# Route 53


def test_hosted_zones(sim: Simulator) -> None:
    route53 = sim.client("route53", LEGACY)
    zone = route53.list_hosted_zones()["HostedZones"][0]
    assert (zone["Id"], zone["Name"], zone["Config"]["PrivateZone"]) == (f"/hostedzone/{ZONE}", "example.com.", False)
    by_name = route53.list_hosted_zones_by_name(DNSName="example.com", MaxItems="1")
    assert [zone["Id"] for zone in by_name["HostedZones"]] == [f"/hostedzone/{ZONE}"]
    assert route53.list_hosted_zones_by_name(DNSName="zzz.test")["HostedZones"] == []
    assert len(route53.get_hosted_zone(Id=ZONE)["DelegationSet"]["NameServers"]) == 4
    assert refused(route53.get_hosted_zone, Id="ZNONE") == ("NoSuchHostedZone", "No hosted zone found with ID: ZNONE", 404)


def test_records_are_listed_in_pages_without_loss(sim: Simulator) -> None:
    route53 = sim.client("route53", LEGACY)
    whole = route53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]
    paginator = route53.get_paginator("list_resource_record_sets")
    pages = list(paginator.paginate(HostedZoneId=ZONE, PaginationConfig={"PageSize": 3}))
    assert len(pages) > 3
    assert [record for page in pages for record in page["ResourceRecordSets"]] == whole
    assert any(record["Name"] == "\\052.dev.example.com." for record in whole)
    group = [record for record in whole if record["Name"] == "app.example.com."]
    assert [(record["SetIdentifier"], record["Weight"]) for record in group] == [("migration-legacy-prod", 100), ("migration-new-prod", 0)]
    assert all(record["AliasTarget"]["EvaluateTargetHealth"] and "TTL" not in record for record in group)


def test_a_listing_starts_where_it_is_told(sim: Simulator) -> None:
    route53 = sim.client("route53", LEGACY)
    start = {"StartRecordName": "app.example.com", "StartRecordType": "A", "StartRecordIdentifier": "migration-new-prod"}
    page = route53.list_resource_record_sets(HostedZoneId=ZONE, MaxItems="1", **start)
    assert [record["SetIdentifier"] for record in page["ResourceRecordSets"]] == ["migration-new-prod"]
    assert page["IsTruncated"] and page["NextRecordName"] == "_a79865eb4cd1a6ab990a45779b4e0b96.app.example.com."
    code, _, _ = refused(route53.list_resource_record_sets, HostedZoneId=ZONE, StartRecordType="A")
    assert code == "InvalidInput"


def test_a_change_is_pending_then_in_sync(sim: Simulator) -> None:
    route53 = sim.client("route53", LEGACY)
    record = {"Name": "judge.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    batch = {"Comment": "judge", "Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    info = route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]
    assert (info["Status"], info["Comment"]) == ("PENDING", "judge")
    assert info["Id"].startswith("/change/C")
    sim.advance(90)
    assert route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    batch["Changes"][0]["Action"] = "DELETE"
    other = route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]
    assert other["Id"] != info["Id"]
    code, _, status = refused(route53.get_change, Id="CNONE")
    assert (code, status) == ("NoSuchChange", 404)


def test_input_that_the_model_forbids(sim: Simulator) -> None:
    route53 = sim.client("route53", LEGACY)

    def change(**record: object) -> tuple[str, str, int]:
        changes = [{"Action": "CREATE", "ResourceRecordSet": {"Name": "j.example.com", "Type": "A", **record}}]
        return refused(route53.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch={"Changes": changes})

    values = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    assert change(SetIdentifier="x", Weight=256, **values)[0] == "InvalidInput"
    assert change(Weight=1, **values)[0] == "InvalidInput"
    assert change(SetIdentifier="x", **values)[0] == "InvalidInput"
    assert change()[0] == "InvalidInput"
    empty = refused(route53.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch={"Changes": []})
    assert empty[0] == "InvalidInput"


# CloudWatch, in each of its protocols

TASK = [("ReplicationInstanceIdentifier", "migration-dms-prod"), ("ReplicationTaskIdentifier", "62C7F3D905AE15A4183896667A")]
ALB = [("LoadBalancer", "app/migration-alb-prod/c3dd17d39b6c0f74")]
GROUP = [*ALB, ("TargetGroup", "targetgroup/migration-tg-8080-prod/5c78072eeb2cdf0b")]
SERVICE = [("ClusterName", "migration-cluster-prod"), ("ServiceName", "migration-service-prod")]
CLASSIC = [("LoadBalancerName", "legacy-web")]
WRITER = [("DBClusterIdentifier", "migration-aurora-prod"), ("Role", "WRITER")]
NEW_METRICS = [
    ("AWS/DMS", "CDCLatencySource", TASK, "Maximum"),
    ("AWS/DMS", "CDCLatencyTarget", TASK, "Maximum"),
    ("AWS/DMS", "CDCIncomingChanges", TASK, "Average"),
    ("AWS/DMS", "CDCThroughputRowsSource", TASK, "Average"),
    ("AWS/DMS", "CDCThroughputRowsTarget", TASK, "Average"),
    ("AWS/DMS", "CPUUtilization", TASK[:1], "Average"),
    ("AWS/DMS", "FreeableMemory", TASK[:1], "Minimum"),
    ("AWS/ECS", "CPUUtilization", SERVICE, "Average"),
    ("AWS/ECS", "MemoryUtilization", SERVICE, "Maximum"),
    ("AWS/ApplicationELB", "RequestCount", ALB, "Sum"),
    ("AWS/ApplicationELB", "TargetResponseTime", ALB, "p99"),
    ("AWS/ApplicationELB", "HealthyHostCount", GROUP, "Minimum"),
    ("AWS/ApplicationELB", "UnHealthyHostCount", GROUP, "Minimum"),
    ("AWS/RDS", "CPUUtilization", WRITER, "Average"),
    ("AWS/RDS", "DatabaseConnections", WRITER, "Maximum"),
    ("AWS/RDS", "FreeableMemory", [("DBInstanceIdentifier", "migration-aurora-instance-1-prod")], "Average"),
    ("AWS/RDS", "AuroraReplicaLag", [("DBInstanceIdentifier", "migration-aurora-instance-2-prod")], "Maximum"),
    ("AWS/RDS", "AuroraReplicaLagMaximum", WRITER[:1], "Maximum"),
]
LEGACY_METRICS = [
    ("AWS/ELB", "RequestCount", CLASSIC, "Sum"),
    ("AWS/ELB", "HTTPCode_Backend_5XX", CLASSIC, "Sum"),
    ("AWS/ELB", "Latency", CLASSIC, "p99"),
    ("AWS/ELB", "HealthyHostCount", CLASSIC, "Minimum"),
    ("AWS/ELB", "UnHealthyHostCount", CLASSIC, "Minimum"),
    ("AWS/ELB", "SurgeQueueLength", CLASSIC, "Maximum"),
    ("AWS/RDS", "CPUUtilization", [("DBInstanceIdentifier", "legacy-db")], "Average"),
    ("AWS/RDS", "DatabaseConnections", [("DBInstanceIdentifier", "legacy-db")], "Average"),
]

# A balancer without weight gets no requests, and publishes nothing of them.
IDLE = [("AWS/ApplicationELB", "RequestCount"), ("AWS/ApplicationELB", "TargetResponseTime")]


def queries(metrics: list[tuple[str, str, list[tuple[str, str]], str]], period: int = 60) -> list[dict[str, Any]]:
    return [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                },
                "Period": period,
                "Stat": stat,
            },
        }
        for index, (namespace, name, dimensions, stat) in enumerate(metrics)
    ]


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_metric_data_of_both_regions(sim: Simulator, protocol: str) -> None:
    end = now(sim)
    window = {"StartTime": end - dt.timedelta(hours=1), "EndTime": end}
    for region, metrics, others in [(NEW, NEW_METRICS, LEGACY_METRICS), (LEGACY, LEGACY_METRICS, NEW_METRICS)]:
        cloudwatch = sim.client("cloudwatch", region, protocol)
        results = cloudwatch.get_metric_data(MetricDataQueries=queries(metrics), **window)["MetricDataResults"]
        assert [result["Id"] for result in results] == [f"m{index}" for index in range(len(metrics))]
        for metric, result in zip(metrics, results, strict=True):
            assert result["StatusCode"] == "Complete"
            assert len(result["Values"]) == len(result["Timestamps"]), metric
            assert len(result["Values"]) == 0 if metric[:2] in IDLE else len(result["Values"]) >= 50, metric
            assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
            assert all(stamp.second == 0 for stamp in result["Timestamps"])
        elsewhere = cloudwatch.get_metric_data(MetricDataQueries=queries(others), **window)["MetricDataResults"]
        assert all(result["Values"] == [] for result in elsewhere)


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_metric_data_in_pages_oldest_first(sim: Simulator, protocol: str) -> None:
    cloudwatch = sim.client("cloudwatch", NEW, protocol)
    end = now(sim) - dt.timedelta(minutes=5)
    arguments = {
        "MetricDataQueries": queries(NEW_METRICS[:3]),
        "StartTime": end - dt.timedelta(minutes=30),
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    whole = {result["Id"]: result["Values"] for result in cloudwatch.get_metric_data(**arguments)["MetricDataResults"]}
    paged: dict[str, list[float]] = {}
    for page in cloudwatch.get_paginator("get_metric_data").paginate(**arguments, MaxDatapoints=25):
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 25
        for result in page["MetricDataResults"]:
            paged.setdefault(result["Id"], []).extend(result["Values"])
    assert paged == whole


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_sums_of_a_longer_period_are_sums_of_its_minutes(sim: Simulator, protocol: str) -> None:
    cloudwatch = sim.client("cloudwatch", LEGACY, protocol)
    end = (now(sim) - dt.timedelta(minutes=10)).replace(second=0, microsecond=0)
    window = {"StartTime": end - dt.timedelta(minutes=10), "EndTime": end}

    def total(period: int) -> tuple[int, float]:
        data = cloudwatch.get_metric_data(MetricDataQueries=queries(LEGACY_METRICS[:1], period), **window)
        values = data["MetricDataResults"][0]["Values"]
        return len(values), sum(values)

    assert total(60) == (10, total(300)[1])
    assert total(300)[0] == 2


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_alarms(sim: Simulator, protocol: str) -> None:
    cloudwatch = sim.client("cloudwatch", NEW, protocol)
    answer = cloudwatch.describe_alarms(AlarmNames=sim.outputs["alarmNames"])
    alarms = {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}
    there = sim.client("cloudwatch", LEGACY, protocol).describe_alarms(AlarmNames=sim.outputs["alarmNames"])
    elsewhere = {alarm["AlarmName"] for alarm in there["MetricAlarms"]}
    assert set(alarms) | elsewhere == set(sim.outputs["alarmNames"])
    assert not set(alarms) & elsewhere
    assert answer["CompositeAlarms"] == []
    assert all(alarm["StateUpdatedTimestamp"] <= now(sim) for alarm in alarms.values())
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 2, 2, 2, 1]
    legacy = sim.client("cloudwatch", LEGACY, protocol).describe_alarms(AlarmNamePrefix="migration-")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in legacy] == ["migration-legacy-5xx-prod", "migration-legacy-elb-5xx-prod"]
    calm = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert all(alarm["StateValue"] == "ALARM" for alarm in calm)


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_metrics_are_listed(sim: Simulator, protocol: str) -> None:
    cloudwatch = sim.client("cloudwatch", NEW, protocol)
    found = cloudwatch.list_metrics(Namespace="AWS/DMS", Dimensions=[{"Name": TASK[1][0], "Value": TASK[1][1]}])
    names = {metric["MetricName"] for metric in found["Metrics"]}
    assert {"CDCLatencySource", "CDCLatencyTarget"} <= names
    assert cloudwatch.list_metrics(Namespace="AWS/ELB")["Metrics"] == []


@pytest.mark.parametrize("protocol", CLOUDWATCH_PROTOCOLS)
def test_metric_queries_that_cannot_be_answered(sim: Simulator, protocol: str) -> None:
    cloudwatch = sim.client("cloudwatch", NEW, protocol)
    end = now(sim)
    window = {"StartTime": end - dt.timedelta(minutes=5), "EndTime": end}

    def code(**changes: object) -> str:
        arguments = {"MetricDataQueries": queries(NEW_METRICS[:1]), **window, **changes}
        return refused(cloudwatch.get_metric_data, **arguments)[0]

    assert code(EndTime=window["StartTime"]) == "ValidationError"
    assert code(MetricDataQueries=queries(NEW_METRICS[:1]) * 2) == "ValidationError"
    assert code(MetricDataQueries=queries(NEW_METRICS[:1], 61)) == "ValidationError"
    assert code(MetricDataQueries=[{"Id": "e1", "Expression": "m1/m2"}]) == "ValidationError"
    assert code(NextToken="nonsense") == "InvalidNextToken"
    many = [{**query, "Id": f"q{index}"} for index, query in enumerate(queries(NEW_METRICS[:1]) * 501)]
    assert code(MetricDataQueries=many) == "ValidationError"
    assert refused(cloudwatch.describe_alarms, MaxRecords=0)[0] == "InvalidParameterValue"


# DMS


def test_replication_tasks(sim: Simulator) -> None:
    dms = sim.client("dms")
    forward, reverse = dms.describe_replication_tasks()["ReplicationTasks"]
    assert (forward["Status"], forward["MigrationType"]) == ("running", "full-load-and-cdc")
    assert (reverse["Status"], reverse["MigrationType"]) == ("ready", "cdc")
    stats = forward["ReplicationTaskStats"]
    assert (stats["FullLoadProgressPercent"], stats["TablesLoaded"], stats["TablesErrored"]) == (100, 12, 0)
    by_arn = [{"Name": "replication-task-arn", "Values": [sim.outputs["dmsTaskArn"]]}]
    one = dms.describe_replication_tasks(Filters=by_arn, WithoutSettings=True)["ReplicationTasks"]
    assert [task["ReplicationTaskArn"] for task in one] == [sim.outputs["dmsTaskArn"]]
    assert "ReplicationTaskSettings" not in one[0] and "ReplicationTaskSettings" in forward
    assert refused(sim.client("dms", LEGACY).describe_replication_tasks, Filters=by_arn)[0] == "ResourceNotFoundFault"
    assert sim.client("dms", LEGACY).describe_replication_tasks()["ReplicationTasks"] == []


def test_replication_instance_endpoints_and_connections(sim: Simulator) -> None:
    dms = sim.client("dms")
    instance = dms.describe_replication_instances()["ReplicationInstances"][0]
    assert instance["ReplicationInstanceIdentifier"] == sim.outputs["dmsReplicationInstanceId"]
    assert instance["ReplicationInstanceStatus"] == "available"
    connections = dms.describe_connections()["Connections"]
    assert [connection["Status"] for connection in connections] == ["successful", "successful"]
    by_type = [{"Name": "endpoint-type", "Values": ["source"]}]
    endpoints = dms.describe_endpoints(Filters=by_type)["Endpoints"]
    assert [endpoint["EngineName"] for endpoint in endpoints] == ["mysql"]


def test_table_statistics(sim: Simulator) -> None:
    dms = sim.client("dms")
    arn = sim.outputs["dmsTaskArn"]
    tables = dms.describe_table_statistics(ReplicationTaskArn=arn, MaxRecords=500)["TableStatistics"]
    assert len(tables) == 12
    assert {(table["TableState"], table["ValidationState"]) for table in tables} == {("Table completed", "Validated")}
    assert all(table["AppliedInserts"] <= table["Inserts"] for table in tables)
    named = dms.describe_table_statistics(ReplicationTaskArn=arn, Filters=[{"Name": "table-name", "Values": ["orders"]}])
    assert [table["TableName"] for table in named["TableStatistics"]] == ["orders"]
    reverse = dms.describe_table_statistics(ReplicationTaskArn=sim.outputs["dmsReverseTaskArn"])
    assert reverse["TableStatistics"] == []
    assert refused(dms.describe_table_statistics, ReplicationTaskArn=arn + "X")[0] == "ResourceNotFoundFault"
    assert refused(dms.describe_table_statistics, ReplicationTaskArn=arn, MaxRecords=5)[0] == "InvalidParameterValueException"
    later = dms.describe_table_statistics(ReplicationTaskArn=arn)["TableStatistics"]
    assert sum(table["Inserts"] for table in later) >= sum(table["Inserts"] for table in tables)


# ECS


def test_the_service(sim: Simulator) -> None:
    ecs = sim.client("ecs")
    cluster, name = sim.outputs["ecsClusterName"], sim.outputs["ecsServiceName"]
    answer = ecs.describe_services(cluster=cluster, services=[name, "other"])
    service = answer["services"][0]
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (4, 4, 0)
    assert [(one["status"], one["rolloutState"]) for one in service["deployments"]] == [("PRIMARY", "COMPLETED")]
    assert service["events"][0]["message"].endswith("has reached a steady state.")
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    for wrong in [{"cluster": "other"}, {}]:
        assert refused(ecs.describe_services, services=[name], **wrong)[0] == "ClusterNotFoundException"
    elsewhere = sim.client("ecs", LEGACY)
    assert refused(elsewhere.describe_services, cluster=cluster, services=[name])[0] == "ClusterNotFoundException"


def test_clusters_and_tasks(sim: Simulator) -> None:
    ecs = sim.client("ecs")
    cluster = sim.outputs["ecsClusterArn"]
    answer = ecs.describe_clusters(clusters=[cluster, "other"])
    assert [(one["status"], one["runningTasksCount"]) for one in answer["clusters"]] == [("ACTIVE", 4)]
    assert len(answer["failures"]) == 1
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=cluster, serviceName=sim.outputs["ecsServiceName"], PaginationConfig={"PageSize": 3}
    )
    arns = [arn for page in pages for arn in page["taskArns"]]
    assert len(arns) == 4
    described = ecs.describe_tasks(cluster=cluster, tasks=[*arns, "0" * 32])
    assert {task["lastStatus"] for task in described["tasks"]} == {"RUNNING"}
    assert {task["availabilityZone"] for task in described["tasks"]} == {"us-west-2a", "us-west-2b", "us-west-2c"}
    assert len(described["failures"]) == 1


# Load balancers


def test_the_application_load_balancer(sim: Simulator) -> None:
    elbv2 = sim.client("elbv2")
    balancer = elbv2.describe_load_balancers(LoadBalancerArns=[sim.outputs["albArn"]])["LoadBalancers"][0]
    assert (balancer["DNSName"], balancer["CanonicalHostedZoneId"]) == (sim.outputs["albDnsName"], sim.outputs["albZoneId"])
    group = elbv2.describe_target_groups(LoadBalancerArn=sim.outputs["albArn"])["TargetGroups"][0]
    assert group["TargetGroupArn"] == sim.outputs["targetGroupArn"]
    health = elbv2.describe_target_health(TargetGroupArn=sim.outputs["targetGroupArn"])["TargetHealthDescriptions"]
    assert [target["TargetHealth"]["State"] for target in health] == ["healthy"] * 4
    stranger = [{"Id": "192.0.2.1", "Port": 8080}]
    unused = elbv2.describe_target_health(TargetGroupArn=sim.outputs["targetGroupArn"], Targets=stranger)
    assert unused["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "unused"
    elsewhere = sim.client("elbv2", LEGACY)
    arn = sim.outputs["targetGroupArn"]
    assert refused(elsewhere.describe_target_health, TargetGroupArn=arn)[0] == "TargetGroupNotFound"
    assert refused(elsewhere.describe_load_balancers, Names=["x"])[0] == "LoadBalancerNotFound"
    assert elsewhere.describe_load_balancers()["LoadBalancers"] == []


def test_the_classic_load_balancer(sim: Simulator) -> None:
    elb = sim.client("elb", LEGACY)
    name = sim.outputs["legacyLbName"]
    balancer = elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"][0]
    assert balancer["DNSName"] == sim.outputs["legacyLbDnsName"]
    assert balancer["CanonicalHostedZoneNameID"] == "Z35SXDOTRQ7X7K"
    states = elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
    assert [state["State"] for state in states] == ["InService"] * 6
    assert refused(elb.describe_instance_health, LoadBalancerName="other")[0] == "LoadBalancerNotFound"
    assert refused(sim.client("elb").describe_instance_health, LoadBalancerName=name)[0] == "LoadBalancerNotFound"


# STS and Secrets Manager


def test_identity(sim: Simulator) -> None:
    for region in (LEGACY, NEW):
        identity = sim.client("sts", region).get_caller_identity()
        assert identity["Account"] == "123456789012"
        assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/oncall-role/bastion"


def test_the_secret_is_described_and_never_shown(sim: Simulator) -> None:
    secrets = sim.client("secretsmanager")
    secret = secrets.describe_secret(SecretId=sim.outputs["dbSecretArn"])
    assert (secret["Name"], secret["RotationEnabled"]) == ("migration-db-secret-prod", False)
    assert refused(secrets.describe_secret, SecretId="other")[0] == "ResourceNotFoundException"
    assert refused(secrets.get_secret_value, SecretId=sim.outputs["dbSecretArn"])[0] == "UnknownOperationException"


def test_every_operation_that_is_served_was_judged(sim: Simulator) -> None:
    """Runs last in this file: what the tests above have not called is named here."""
    _, served = sim.request("/_sim/operations")
    called = set(sim.state()["requests"])
    missing = {f"{service}:{name}" for service, names in served.items() for name in names} - called
    assert not missing

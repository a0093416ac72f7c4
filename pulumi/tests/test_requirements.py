"""One test per requirement, on what the program asks the engine for."""

import itertools
import json
from pathlib import Path

import pulumi
import pytest
from conftest import EVERYTHING
from recorder import Recording, Registered, deploy, settings

import driver
from lib import task_settings
from lib.preflight import DMS_ROLE_NAMES

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


def in_region(resources: list[Registered], region: str | None) -> list[Registered]:
    return [each for each in resources if each.inputs.get("region") == region]


def environment(recording: Recording) -> dict[str, str]:
    (container,) = json.loads(recording.one("ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    return {each["name"]: each["value"] for each in container["environment"]}


def secrets(recording: Recording) -> dict[str, str]:
    (container,) = json.loads(recording.one("ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    return {each["name"]: each["valueFrom"] for each in container["secrets"]}


def statements(policy: str) -> list[dict[str, object]]:
    return json.loads(policy)["Statement"]


# Outputs


def test_the_outputs_are_exactly_the_keys_of_the_fixture(usual: Recording) -> None:
    assert sorted(usual.outputs) == sorted(json.loads(OUTPUTS.read_text(encoding="utf-8")))


def test_every_output_has_a_value(full: Recording) -> None:
    assert [key for key, value in full.outputs.items() if not value] == []


# Network


def test_subnets_in_three_zones(usual: Recording) -> None:
    subnets = usual.of("ec2/subnet:Subnet")
    zones = [each.inputs["availabilityZone"] for each in subnets]
    assert sorted(zones) == sorted(2 * ["us-west-2a", "us-west-2b", "us-west-2c"])
    assert len({each.inputs["cidrBlock"] for each in subnets}) == 6


@pytest.mark.parametrize(("switch", "gateways"), [("per-zone", 3), ("single", 1)])
def test_nat_gateways_in_public_subnets(switch: str, gateways: int) -> None:
    made = deploy(natGateways=switch)
    nats = made.of("ec2/natGateway:NatGateway")
    assert len(nats) == len(made.of("ec2/eip:Eip")) == gateways
    public = made.outputs["publicSubnetIds"]
    assert [each.inputs["subnetId"] for each in nats] == public[:gateways]
    out = [each for each in made.of("ec2/route:Route") if "natGatewayId" in each.inputs]
    assert len({each.inputs["routeTableId"] for each in out}) == 3
    assert len({each.inputs["natGatewayId"] for each in out}) == gateways


def test_the_s3_endpoint_is_on_the_private_routes(usual: Recording) -> None:
    endpoint = usual.one("ec2/vpcEndpoint:VpcEndpoint").inputs
    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["serviceName"] == "com.amazonaws.us-west-2.s3"
    assert len(endpoint["routeTableIds"]) == 3


def test_who_may_come_in(usual: Recording) -> None:
    groups = {each.outputs["arn"].rsplit("/", 1)[-1]: each.name for each in usual.of("ec2/securityGroup:SecurityGroup")}
    ways = {
        (
            groups[rule.inputs["securityGroupId"]],
            groups.get(rule.inputs.get("referencedSecurityGroupId"), rule.inputs.get("cidrIpv4")),
            rule.inputs["fromPort"],
        )
        for rule in usual.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    }
    assert ways == {
        ("migration-alb-sg-prod", "0.0.0.0/0", 80),
        ("migration-task-sg-prod", "migration-alb-sg-prod", 8080),
        ("migration-aurora-sg-prod", "migration-task-sg-prod", 3306),
        ("migration-aurora-sg-prod", "migration-dms-sg-prod", 3306),
    }


def test_no_peering_unless_it_is_configured(usual: Recording) -> None:
    assert usual.of("ec2/vpcPeeringConnection:VpcPeeringConnection") == []
    assert in_region(list(usual.cloud()), "us-east-1") == []
    assert any("no peering" in line for line in usual.said)


def test_peering_routes_resolves_and_lets_in_on_both_sides(full: Recording) -> None:
    assert full.one("ec2/vpcPeeringConnection:VpcPeeringConnection").inputs["peerRegion"] == "us-east-1"
    accepter = full.one("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter").inputs
    assert (accepter["region"], accepter["autoAccept"]) == ("us-east-1", True)
    routes = [each for each in full.of("ec2/route:Route") if "vpcPeeringConnectionId" in each.inputs]
    assert [each.inputs["destinationCidrBlock"] for each in in_region(routes, None)] == 3 * ["10.0.0.0/16"]
    assert [each.inputs["destinationCidrBlock"] for each in in_region(routes, "us-east-1")] == 2 * ["10.42.0.0/16"]
    dns = full.of("ec2/peeringConnectionOptions:PeeringConnectionOptions")
    sides = [each.inputs.get("requester") or each.inputs.get("accepter") for each in dns]
    assert sides == 2 * [{"allowRemoteVpcDnsResolution": True}]
    (rule,) = in_region(full.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule"), "us-east-1")
    assert rule.inputs["securityGroupId"] == "sg-0a1b2c3d4e5f60718"
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"]) == ("10.42.0.0/16", 3306)


# Aurora and its secret


def test_one_writer_and_two_readers_in_three_zones(usual: Recording) -> None:
    instances = usual.of("rds/clusterInstance:ClusterInstance")
    assert len({each.inputs["availabilityZone"] for each in instances}) == len(instances) == 3
    first, *others = instances
    assert first.inputs["promotionTier"] == 0
    # The first instance of a cluster becomes the writer.
    assert all(first.name in each.depends_on for each in others)


def test_the_cluster(usual: Recording) -> None:
    cluster = usual.one("rds/cluster:Cluster").inputs
    wanted = {
        "engine": "aurora-mysql",
        "storageEncrypted": True,
        "deletionProtection": False,
        "skipFinalSnapshot": True,
        "backupRetentionPeriod": 1,
        "enabledCloudwatchLogsExports": ["error", "slowquery"],
    }
    assert wanted.items() <= cluster.items()
    subnets = usual.one("rds/subnetGroup:SubnetGroup").inputs["subnetIds"]
    assert subnets == usual.outputs["privateSubnetIds"]


def test_the_way_back_has_its_binary_log_from_the_first_boot(usual: Recording) -> None:
    group = usual.one("rds/clusterParameterGroup:ClusterParameterGroup")
    parameters = {each["name"]: each["value"] for each in group.inputs["parameters"]}
    assert parameters["binlog_format"] == "ROW"
    assert usual.one("rds/cluster:Cluster").inputs["dbClusterParameterGroupName"] == group.inputs["name"]


def test_the_password_is_of_the_alphabet_that_rds_and_dms_share(usual: Recording) -> None:
    (password,) = [each for each in usual.cloud() if each.type.startswith("random:")]
    assert not set(password.inputs["overrideSpecial"]) & set(";:+%/@\" .'\\")
    assert 24 <= password.inputs["length"] <= 41


def test_the_secret_holds_what_dms_asks_for(usual: Recording) -> None:
    content = json.loads(usual.one("secretsmanager/secretVersion:SecretVersion").inputs["secretString"])
    assert {"username", "password", "host", "port"} <= set(content)
    assert content["host"] == usual.outputs["auroraWriterEndpoint"]
    assert not [each for each in usual.cloud() if "rotation" in each.type.lower()]


# Containers


def test_the_repository(usual: Recording) -> None:
    repository = usual.one("ecr/repository:Repository").inputs
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["forceDelete"] is True
    rules = json.loads(usual.one("ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert {rule["selection"]["tagStatus"] for rule in rules} == {"untagged", "any"}


def test_the_service(usual: Recording) -> None:
    service = usual.one("ecs/service:Service")
    wanted = {
        "desiredCount": 4,
        "launchType": "FARGATE",
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "waitForSteadyState": True,
    }
    assert wanted.items() <= service.inputs.items()
    network = service.inputs["networkConfiguration"]
    assert network["assignPublicIp"] is False
    assert network["subnets"] == usual.outputs["privateSubnetIds"]
    assert usual.one("ecs/taskDefinition:TaskDefinition").inputs["networkMode"] == "awsvpc"
    assert usual.one("ecs/cluster:Cluster").inputs["settings"] == [{"name": "containerInsights", "value": "enabled"}]


def test_scaling_in_both_directions_that_updates_do_not_undo(usual: Recording) -> None:
    target = usual.one("appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (4, 12)
    assert target["resourceId"] == "service/migration-cluster-prod/migration-service-prod"
    policy = usual.one("appautoscaling/policy:Policy").inputs["targetTrackingScalingPolicyConfiguration"]
    assert (policy["targetValue"], policy["disableScaleIn"]) == (70, False)
    assert policy["predefinedMetricSpecification"] == {"predefinedMetricType": "ECSServiceAverageCPUUtilization"}
    assert usual.one("ecs/service:Service").ignore_changes == ("desiredCount",)


def test_without_an_image_there_is_no_service_to_crash(usual: Recording) -> None:
    bare = deploy(imageTag=None)
    missing = {each.name for each in usual.cloud()} - {each.name for each in bare.cloud()}
    assert missing == {
        "migration-app-prod",
        "migration-service-prod",
        "migration-scaling-prod",
        "migration-scaling-prod-cpu",
        "migration-task-count-prod",
    }
    assert any("pulumi config set imageTag" in line for line in bare.said)
    assert sorted(bare.outputs) == sorted(usual.outputs)


@pytest.mark.parametrize("writer", ["legacy", "aurora"])
def test_exactly_one_database_is_written_to(writer: str) -> None:
    made = deploy(writer=writer)
    told, hidden = environment(made), secrets(made)
    aurora, legacy = made.outputs["dbSecretArn"], settings().source.secret_arn
    hosts = {"legacy": settings().source.endpoint, "aurora": made.outputs["auroraWriterEndpoint"]}
    assert told["DB_WRITER_HOST"] == hosts[writer]
    assert told["DB_READER_HOST"] == made.outputs["auroraReaderEndpoint"]
    arn = {"legacy": legacy, "aurora": aurora}[writer]
    assert (hidden["DB_WRITER_USERNAME"], hidden["DB_WRITER_PASSWORD"]) == (f"{arn}:username::", f"{arn}:password::")
    assert hidden["DB_READER_PASSWORD"] == f"{aurora}:password::"
    assert made.outputs["databaseWriter"] == writer


def test_the_writer_is_the_legacy_database_unless_told(usual: Recording) -> None:
    assert usual.outputs["databaseWriter"] == "legacy"


# Load balancer


def test_the_load_balancer_is_public_and_its_targets_are_not(usual: Recording) -> None:
    balancer = usual.one("lb/loadBalancer:LoadBalancer").inputs
    assert balancer["internal"] is False
    assert balancer["subnets"] == usual.outputs["publicSubnetIds"]
    group = usual.one("lb/targetGroup:TargetGroup").inputs
    assert group["targetType"] == "ip"
    health = group["healthCheck"]
    assert (health["path"], health["interval"], health["protocol"]) == ("/health", 30, "HTTP")
    assert group["stickiness"] == {"type": "lb_cookie", "enabled": True, "cookieDuration": 60}


def test_http_alone(usual: Recording) -> None:
    listener = usual.one("lb/listener:Listener").inputs
    assert (listener["port"], listener["defaultActions"][0]["type"]) == (80, "forward")


def test_https_when_there_is_a_certificate(full: Recording) -> None:
    http, https = full.of("lb/listener:Listener")
    assert http.inputs["defaultActions"][0]["redirect"]["protocol"] == "HTTPS"
    assert (https.inputs["port"], https.inputs["certificateArn"]) == (443, EVERYTHING["certificateArn"])
    assert https.inputs["defaultActions"][0]["type"] == "forward"
    rules = in_region(full.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule"), None)
    assert {each.inputs["fromPort"] for each in rules if each.inputs.get("cidrIpv4") == "0.0.0.0/0"} == {80, 443}


# Replication


def test_the_replication_instance(usual: Recording) -> None:
    instance = usual.one("dms/replicationInstance:ReplicationInstance").inputs
    assert instance["replicationInstanceClass"] == "dms.t3.medium"
    assert instance["publiclyAccessible"] is False
    subnets = usual.one("dms/replicationSubnetGroup:ReplicationSubnetGroup").inputs["subnetIds"]
    assert subnets == usual.outputs["privateSubnetIds"]


def test_endpoints_read_their_credentials_from_secrets(usual: Recording) -> None:
    endpoints = usual.of("dms/endpoint:Endpoint")
    assert len(endpoints) == 4
    for endpoint in endpoints:
        assert not {"password", "username", "serverName"} & set(endpoint.inputs)
        assert ":role/migration-dms-secrets-role-prod" in endpoint.inputs["secretsManagerAccessRoleArn"]
    role = usual.named("migration-dms-secrets-role-prod").inputs
    assert statements(role["assumeRolePolicy"])[0]["Principal"] == {"Service": "dms.us-west-2.amazonaws.com"}


def test_the_forward_task_and_the_way_back(usual: Recording) -> None:
    back, forward = usual.of("dms/replicationTask:ReplicationTask")
    assert (forward.inputs["migrationType"], back.inputs["migrationType"]) == ("full-load-and-cdc", "cdc")
    assert back.inputs["startReplicationTask"] is False
    ends = {each.outputs["endpointArn"]: each.name for each in usual.of("dms/endpoint:Endpoint")}
    assert [ends[forward.inputs[key]] for key in ("sourceEndpointArn", "targetEndpointArn")] == [
        "migration-dms-legacy-source-prod",
        "migration-dms-aurora-target-prod",
    ]
    assert [ends[back.inputs[key]] for key in ("sourceEndpointArn", "targetEndpointArn")] == [
        "migration-dms-aurora-source-prod",
        "migration-dms-legacy-target-prod",
    ]


@pytest.mark.parametrize("start", ["true", "false"])
def test_the_forward_task_starts_when_told_and_the_way_back_never(start: str) -> None:
    back, forward = deploy(startReplication=start).of("dms/replicationTask:ReplicationTask")
    assert forward.inputs["startReplicationTask"] is (start == "true")
    assert back.inputs["startReplicationTask"] is False


def test_no_setting_of_a_task_loses_data() -> None:
    told = json.loads(task_settings.settings_json())
    assert told["FullLoadSettings"]["TargetTablePrepMode"] == "DO_NOTHING"
    assert told["TargetMetadata"]["FullLobMode"] is True
    assert told["TargetMetadata"]["LimitedSizeLobMode"] is False
    assert told["ErrorBehavior"]["DataTruncationErrorPolicy"] == "SUSPEND_TABLE"
    assert "IGNORE_RECORD" not in told["ErrorBehavior"].values()
    assert told["ValidationSettings"]["EnableValidation"] is True
    tables = told["ControlTablesSettings"]
    assert all(tables[f"{table}TableEnabled"] for table in ("Status", "SuspendedTables", "History"))
    assert told["Logging"]["EnableLogging"] is True
    # DMS refuses a task whose settings name the log group.
    assert not {"CloudWatchLogGroup", "CloudWatchLogStream"} & set(told["Logging"])


def test_table_mappings_come_from_the_database_names_or_from_configuration(usual: Recording) -> None:
    back, forward = usual.of("dms/replicationTask:ReplicationTask")
    rules = json.loads(forward.inputs["tableMappings"])["rules"]
    assert [rule["object-locator"]["schema-name"] for rule in rules] == ["shop", "billing"]
    assert forward.inputs["tableMappings"] == back.inputs["tableMappings"]
    own = '{"rules": [{"rule-action": "include", "rule-type": "selection"}]}'
    assert deploy(tableMappings=own).of("dms/replicationTask:ReplicationTask")[0].inputs["tableMappings"] == own


def test_an_underscore_in_a_database_name_is_no_wildcard() -> None:
    (rule,) = json.loads(task_settings.mappings_json(["my_shop"]))["rules"]
    assert rule["object-locator"]["schema-name"] == "my[_]shop"


def test_tls_to_the_legacy_database_when_its_authority_is_given(usual: Recording, full: Recording) -> None:
    assert {each.inputs["sslMode"] for each in usual.of("dms/endpoint:Endpoint")} == {"none"}
    modes = {each.name: each.inputs["sslMode"] for each in full.of("dms/endpoint:Endpoint")}
    assert {name for name, mode in modes.items() if mode == "verify-ca"} == {
        "migration-dms-legacy-source-prod",
        "migration-dms-legacy-target-prod",
    }


def test_the_log_group_of_dms_is_the_one_that_dms_writes_to(usual: Recording) -> None:
    names = {each.inputs["name"] for each in usual.of("cloudwatch/logGroup:LogGroup")}
    assert f"dms-tasks-{usual.outputs['dmsReplicationInstanceId']}" in names
    assert names == set(usual.outputs["logGroupNames"])


def test_the_account_wide_roles_are_a_switch(usual: Recording, full: Recording) -> None:
    def roles(recording: Recording) -> set[str]:
        return {each.inputs["name"] for each in recording.of("iam/role:Role")}

    assert not roles(usual) & set(DMS_ROLE_NAMES)
    assert set(DMS_ROLE_NAMES) <= roles(full)
    group = full.one("dms/replicationSubnetGroup:ReplicationSubnetGroup")
    assert "migration-dms-vpc-role-prod-policy" in group.depends_on


@pytest.mark.parametrize(
    ("roles", "switch", "reason"),
    [
        ({}, "existing", "no dms-vpc-role and no dms-cloudwatch-logs-role"),
        ({"dms-vpc-role": {}}, "existing", "no dms-cloudwatch-logs-role"),
        ({"dms-vpc-role": {"Environment": "blue"}}, "create", "belongs to the stack 'blue'"),
        ({"dms-vpc-role": {}}, "create", "outside Pulumi"),
    ],
)
def test_account_wide_roles_that_would_fail_halfway(roles: dict[str, object], switch: str, reason: str) -> None:
    with pytest.raises(pulumi.RunError, match=f"tap:dmsAccountRoles.*{reason}"):
        deploy(driver.empty_cloud(roles=roles), dmsAccountRoles=switch)


def test_the_stack_that_owns_the_roles_may_come_again() -> None:
    own = {name: {"Environment": "prod"} for name in DMS_ROLE_NAMES}
    assert deploy(driver.empty_cloud(roles=own), dmsAccountRoles="create").of(
        "iam/rolePolicyAttachment:RolePolicyAttachment"
    )


# Routing


def test_the_weighted_pair(usual: Recording) -> None:
    legacy, new = usual.of("route53/record:Record")
    assert [each.inputs["weightedRoutingPolicies"] for each in (legacy, new)] == [[{"weight": 100}], [{"weight": 0}]]
    assert [each.inputs["setIdentifier"] for each in (legacy, new)] == ["migration-legacy-prod", "migration-new-prod"]
    assert legacy.inputs["aliases"][0]["zoneId"] == "Z35SXDOTRQ7X7K"
    assert legacy.inputs["aliases"][0]["name"] == usual.outputs["legacyLbDnsName"]
    assert new.inputs["aliases"][0]["name"] == usual.outputs["albDnsName"]
    # Alone, the new record would take all traffic.
    assert legacy.name in new.depends_on


@pytest.mark.parametrize(("writer", "evaluated"), [("legacy", True), ("aurora", False)])
def test_health_moves_traffic_only_while_both_stacks_write_to_one_database(writer: str, *, evaluated: bool) -> None:
    records = deploy(writer=writer).of("route53/record:Record")
    assert {each.inputs["aliases"][0]["evaluateTargetHealth"] for each in records} == {evaluated}


@pytest.mark.parametrize("zone", [{"hostedZoneName": "example.com"}, {"hostedZoneId": "Z0123456789ABCDEFGHIJ"}])
def test_the_zone_by_name_or_by_id(zone: dict[str, str | None]) -> None:
    neither: dict[str, str | None] = {"hostedZoneName": None, "hostedZoneId": None}
    records = deploy(**(neither | zone)).of("route53/record:Record")
    assert {each.inputs["zoneId"] for each in records} == {"Z0123456789ABCDEFGHIJ"}


def test_a_record_outside_the_zone_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"tap:recordName .* not in the zone"):
        deploy(recordName="app.example.org")


# Monitoring


def test_alarms(usual: Recording) -> None:
    alarms = {each.name: each.inputs for each in usual.of("cloudwatch/metricAlarm:MetricAlarm")}
    assert sorted(alarms) == sorted(usual.outputs["alarmNames"])
    task = usual.outputs["dmsTaskArn"].rsplit(":", 1)[-1]
    for name, metric in (("dms-lag", "CDCLatencyTarget"), ("dms-source-lag", "CDCLatencySource")):
        alarm = alarms[f"migration-{name}-prod"]
        assert (alarm["metricName"], alarm["threshold"]) == (metric, 60)
        assert alarm["dimensions"] == {
            "ReplicationInstanceIdentifier": "migration-dms-prod",
            "ReplicationTaskIdentifier": task,
        }
        # No data is not good news.
        assert alarm["treatMissingData"] == "missing"
        assert alarm["insufficientDataActions"]
    assert usual.outputs["lagAlarmName"] == "migration-dms-lag-prod"
    assert alarms["migration-task-count-prod"]["threshold"] == 4
    assert all(each["alarmActions"] for each in alarms.values())


def test_mail_only_when_an_address_is_given(usual: Recording) -> None:
    assert usual.one("sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "on-call@example.com"
    assert deploy(alarmEmail=None).of("sns/topicSubscription:TopicSubscription") == []


def test_the_dashboard_shows_both_stacks(usual: Recording) -> None:
    body = json.loads(usual.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])
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


# Access


def test_no_wildcard_where_an_arn_is_known(full: Recording) -> None:
    for policy in full.of("iam/rolePolicy:RolePolicy"):
        for statement in statements(policy.inputs["policy"]):
            # AWS knows no resource for the login to a registry.
            if statement["Action"] != "ecr:GetAuthorizationToken":
                assert statement["Resource"] != "*"
            assert "*" not in json.dumps(statement["Action"])


def test_secrets_are_read_by_whom_they_are_for(full: Recording) -> None:
    both = {full.outputs["dbSecretArn"], settings().source.secret_arn}
    readers: dict[str, set[str]] = {}
    for policy in full.of("iam/rolePolicy:RolePolicy"):
        for statement in statements(policy.inputs["policy"]):
            if "secretsmanager:GetSecretValue" in json.dumps(statement["Action"]):
                readers[policy.inputs["role"]] = set(json.loads(json.dumps(statement["Resource"])))
    assert readers == dict(
        zip(("migration-execution-role-prod", "migration-dms-secrets-role-prod"), itertools.repeat(both))
    )


# Layout


def test_the_folder_never_shadows_the_sdk() -> None:
    assert not (REPOSITORY / "pulumi" / "__init__.py").exists()
    assert Path(pulumi.__file__).parent != REPOSITORY / "pulumi"

"""One test per requirement, on what the program asks the engine for."""

import json
from pathlib import Path
from typing import Any

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


def container(recording: Recording, task: str = "migration-app-prod") -> dict[str, Any]:
    (only,) = json.loads(recording.named(task).inputs["containerDefinitions"])
    return only


def environment(recording: Recording) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(recording)["environment"]}


def secrets(recording: Recording) -> dict[str, str]:
    return {each["name"]: each["valueFrom"] for each in container(recording)["secrets"]}


def statements(policy: str) -> list[dict[str, object]]:
    return json.loads(policy)["Statement"]


# Outputs


# What a stack has only where it is configured.
GIVEN = {"legacyAppSecretArn", "legacyTapctlSecretArn"}
SEPARATE = {"appSecretArn", "appReadOnlySecretArn", "dmsSecretArn", "tapctlSecretArn"}


def test_the_outputs_are_exactly_the_keys_of_the_fixture(usual: Recording, full: Recording) -> None:
    keys = set(json.loads(OUTPUTS.read_text(encoding="utf-8")))
    assert set(full.outputs) == keys
    assert set(usual.outputs) == keys - GIVEN
    assert set(deploy(databaseAccounts="shared").outputs) == keys - GIVEN - SEPARATE


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
        ("migration-aurora-sg-prod", "migration-sql-sg-prod", 3306),
    }


def test_the_default_group_lets_nobody_in_or_out(usual: Recording) -> None:
    group = usual.one("ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert group["vpcId"] == usual.outputs["vpcId"]
    assert not {"ingress", "egress"} & set(group)


def test_flow_logs_where_they_are_asked_for(usual: Recording, full: Recording) -> None:
    assert usual.of("ec2/flowLog:FlowLog") == []
    log = full.one("ec2/flowLog:FlowLog").inputs
    assert (log["vpcId"], log["trafficType"]) == (full.outputs["vpcId"], "ALL")
    assert "migration-flow-logs-prod" in full.outputs["logGroupNames"]


def test_no_peering_unless_it_is_configured(usual: Recording) -> None:
    assert usual.of("ec2/vpcPeeringConnection:VpcPeeringConnection") == []
    kinds = {each.type.rsplit(":", 1)[-1] for each in in_region(list(usual.cloud()), "us-east-1")}
    # An alarm and its topic must lie where the metric is.
    assert kinds == {"MetricAlarm", "Topic", "TopicSubscription"}
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
    passwords = [each for each in usual.cloud() if each.type.startswith("random:")]
    assert len(passwords) == 5
    for password in passwords:
        assert not set(password.inputs["overrideSpecial"]) & set(";:+%/@\" .'\\")
        assert 24 <= password.inputs["length"] <= 41


def test_the_secret_holds_what_dms_asks_for(usual: Recording) -> None:
    contents = {
        each.name.removeprefix("migration-").removesuffix("-secret-prod-version"): json.loads(
            each.inputs["secretString"]
        )
        for each in usual.of("secretsmanager/secretVersion:SecretVersion")
    }
    assert all({"username", "password", "host", "port"} <= set(content) for content in contents.values())
    users = {name: content["username"] for name, content in contents.items()}
    assert users == {"db": "migration", "app": "app", "app-ro": "app_ro", "dms": "dms", "tapctl": "tapctl"}
    assert len({content["password"] for content in contents.values()}) == 5
    assert contents["dms"]["host"] == usual.outputs["auroraWriterEndpoint"]
    assert contents["app-ro"]["host"] == usual.outputs["auroraReaderEndpoint"]
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
    assert usual.named("migration-app-prod").inputs["networkMode"] == "awsvpc"
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


LEGACY_HOST = "legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com"


def deploy_with(writer: str, **changes: str | None) -> Recording:
    """The stack before or after its cutover."""
    cloud = driver.empty_cloud()
    return deploy(driver.with_weights(cloud, 0, 100) if writer == "aurora" else cloud, writer=writer, **changes)


@pytest.mark.parametrize("writer", ["legacy", "aurora"])
def test_exactly_one_database_is_written_to(writer: str) -> None:
    made = deploy_with(writer)
    told, hidden = environment(made), secrets(made)
    hosts = {"legacy": LEGACY_HOST, "aurora": made.outputs["auroraWriterEndpoint"]}
    assert told["DB_WRITER_HOST"] == hosts[writer]
    assert told["DB_WRITER_HOSTS"] == f"{hosts[writer]}:3306"
    assert told["DB_READER_HOST"] == made.outputs["auroraReaderEndpoint"]
    arn = {"legacy": settings().source.secret_arn, "aurora": made.outputs["appSecretArn"]}[writer]
    assert (hidden["DB_WRITER_USERNAME"], hidden["DB_WRITER_PASSWORD"]) == (f"{arn}:username::", f"{arn}:password::")
    assert hidden["DB_READER_PASSWORD"] == f"{made.outputs['appReadOnlySecretArn']}:password::"
    assert made.outputs["databaseWriter"] == writer


@pytest.mark.parametrize("writer", ["legacy", "aurora"])
def test_an_account_that_is_the_same_on_both_sides_gets_both_hosts_the_writer_first(writer: str) -> None:
    given = EVERYTHING["legacyAppSecretArn"]
    made = deploy_with(writer, legacyAppSecretArn=given)
    hosts = [f"{LEGACY_HOST}:3306", f"{made.outputs['auroraWriterEndpoint']}:3306"]
    expected = hosts if writer == "legacy" else hosts[::-1]
    assert environment(made)["DB_WRITER_HOSTS"] == ",".join(expected)
    assert made.outputs["dbWriterHosts"] == expected
    assert secrets(made)["DB_WRITER_PASSWORD"] == f"{given}:password::"
    assert made.outputs["appSecretArn"] == made.outputs["legacyAppSecretArn"] == given
    # Nobody's password is made twice.
    assert "migration-app-password-prod" not in {each.name for each in made.cloud()}


@pytest.mark.parametrize("writer", ["legacy", "aurora"])
def test_with_one_account_for_all_everybody_is_the_master_user(writer: str) -> None:
    made = deploy_with(writer, databaseAccounts="shared")
    master = made.outputs["dbSecretArn"]
    assert secrets(made)["DB_READER_PASSWORD"] == f"{master}:password::"
    assert {each.inputs["secretsManagerArn"] for each in made.of("dms/endpoint:Endpoint")} == {
        master,
        settings().source.secret_arn,
    }
    assert any("databaseAccounts" in line for line in made.said)


def test_the_container_is_hardened_as_far_as_the_image_allows(usual: Recording, full: Recording) -> None:
    assert not {"user", "readonlyRootFilesystem", "linuxParameters"} & set(container(usual))
    hardened = container(full)
    assert (hardened["user"], hardened["readonlyRootFilesystem"]) == ("1000:1000", True)
    assert hardened["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert [each["containerPath"] for each in hardened["mountPoints"]] == ["/tmp"]  # noqa: S108
    assert [each["name"] for each in full.named("migration-app-prod").inputs["volumes"]] == ["tmp"]


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


def test_tasks_that_share_the_account_of_dms_are_said(usual: Recording, full: Recording) -> None:
    words = "the tasks log in to the legacy database as DMS does"
    assert any(words in line for line in usual.said)
    assert not any(words in line for line in full.said)


def test_http_alone(usual: Recording) -> None:
    listener = usual.one("lb/listener:Listener").inputs
    assert (listener["port"], listener["defaultActions"][0]["type"]) == (80, "forward")


def test_http_is_not_redirected_while_nobody_knows_whether_the_legacy_stack_answers() -> None:
    unseen = driver.empty_cloud() | {"deny": ["getLoadBalancer"]}
    name = "legacy-web-1234567890.us-east-1.elb.amazonaws.com"
    made = deploy(unseen, legacyLbDnsName=name, certificateArn=EVERYTHING["certificateArn"])
    assert made.named("migration-http-prod").inputs["defaultActions"][0]["type"] == "forward"
    assert any("nobody knows whether the legacy load balancer answers on 443" in line for line in made.said)


@pytest.mark.parametrize(
    ("ports", "action"), [({"80": "http", "443": "https"}, "redirect"), ({"80": "http"}, "forward")]
)
def test_http_is_redirected_only_where_the_legacy_stack_answers_as_well(ports: dict[str, str], action: str) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["balancers"]["legacy-web"]["ports"] = ports
    made = deploy(cloud, certificateArn=EVERYTHING["certificateArn"])
    http = made.named("migration-http-prod")
    assert http.inputs["defaultActions"][0]["type"] == action
    # Not before the certificate has been taken.
    assert "migration-https-prod" in http.depends_on


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
    made = deploy(startReplication=start, sourceDbCaCertificate=EVERYTHING["sourceDbCaCertificate"])
    back, forward = made.of("dms/replicationTask:ReplicationTask")
    assert forward.inputs["startReplicationTask"] is (start == "true")
    assert back.inputs["startReplicationTask"] is False


def task_options(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- as the options have them
    usual: dict[str, Any] = {"lob_max_size_kb": None, "loopback_prevention": False, "full_load_sub_tasks": 8}
    return json.loads(task_settings.settings_json(task_settings.Options(**(usual | changes))))


def test_no_setting_of_a_task_loses_data() -> None:
    told = task_options()
    assert told["FullLoadSettings"]["TargetTablePrepMode"] == "DO_NOTHING"
    assert told["TargetMetadata"]["FullLobMode"] is True
    assert told["TargetMetadata"]["LimitedSizeLobMode"] is False
    assert told["ErrorBehavior"]["DataTruncationErrorPolicy"] == "SUSPEND_TABLE"
    assert "IGNORE_RECORD" not in told["ErrorBehavior"].values()
    assert told["ErrorBehavior"]["RecoverableErrorStopRetryAfterThrottlingMax"] is False
    assert told["ValidationSettings"]["EnableValidation"] is True
    tables = told["ControlTablesSettings"]
    assert all(tables[f"{table}TableEnabled"] for table in ("Status", "SuspendedTables", "History"))
    assert told["Logging"]["EnableLogging"] is True
    # DMS refuses a task whose settings name the log group.
    assert not {"CloudWatchLogGroup", "CloudWatchLogStream"} & set(told["Logging"])


def test_what_empties_or_changes_a_table_never_reaches_the_other_side() -> None:
    policy = task_options()["ChangeProcessingDdlHandlingPolicy"]
    assert set(policy.values()) == {False}
    assert len(policy) == 3


def test_limited_lobs_are_suspended_rather_than_cut() -> None:
    told = task_options(lob_max_size_kb=512)
    metadata = told["TargetMetadata"]
    assert (metadata["LimitedSizeLobMode"], metadata["FullLobMode"], metadata["LobMaxSize"]) == (True, False, 512)
    assert told["ErrorBehavior"]["DataTruncationErrorPolicy"] == "SUSPEND_TABLE"


def test_loopback_prevention_is_mirrored_on_both_tasks(usual: Recording, full: Recording) -> None:
    told = [
        json.loads(each.inputs["replicationTaskSettings"]) for each in full.of("dms/replicationTask:ReplicationTask")
    ]
    back, forward = (each["LoopbackPreventionSettings"] for each in told)
    assert forward["EnableLoopbackPrevention"] is back["EnableLoopbackPrevention"] is True
    assert (forward["SourceSchema"], forward["TargetSchema"]) == (back["TargetSchema"], back["SourceSchema"])
    # DMS does not mark what it applies in batches.
    assert all(each["TargetMetadata"]["BatchApplyEnabled"] is False for each in told)
    for task in usual.of("dms/replicationTask:ReplicationTask"):
        assert "LoopbackPreventionSettings" not in json.loads(task.inputs["replicationTaskSettings"])


def test_tables_that_are_loaded_at_once() -> None:
    assert task_options(full_load_sub_tasks=16)["FullLoadSettings"]["MaxFullLoadSubTasks"] == 16


def test_a_standby_of_the_replication_instance_where_it_is_asked_for(usual: Recording, full: Recording) -> None:
    instances = [each.one("dms/replicationInstance:ReplicationInstance").inputs for each in (usual, full)]
    assert [each["multiAz"] for each in instances] == [False, True]


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


def test_tls_where_its_authority_is_given(usual: Recording, full: Recording) -> None:
    assert {each.inputs["sslMode"] for each in usual.of("dms/endpoint:Endpoint")} == {"none"}
    assert {each.inputs["sslMode"] for each in full.of("dms/endpoint:Endpoint")} == {"verify-ca"}
    legacy = deploy(sourceDbCaCertificate=EVERYTHING["sourceDbCaCertificate"]).of("dms/endpoint:Endpoint")
    assert {each.name for each in legacy if each.inputs["sslMode"] == "verify-ca"} == {
        "migration-dms-legacy-source-prod",
        "migration-dms-legacy-target-prod",
    }


ONE_CA, OTHER_CA = (f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----" for text in ("MIIB", "MIIC"))


def test_a_certificate_is_called_by_its_content() -> None:
    def made(pem: str) -> Registered:
        text = f"-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----"
        return deploy(sourceDbCaCertificate=text).one("dms/certificate:Certificate")

    one, other = made("MIIB"), made("MIIC")
    assert one.name == other.name == "migration-dms-ca-prod"
    assert one.inputs["certificateId"] != other.inputs["certificateId"] != made("MIIB").name
    assert one.inputs["certificateId"].startswith("migration-dms-ca-prod-")


def test_a_certificate_that_comes_back_is_not_called_as_before() -> None:
    """After a run that failed halfway its first import is still there, to be deleted by the next run."""
    type_ = "dms/certificate:Certificate"
    made = [deploy(sourceDbCaCertificate=ONE_CA).one(type_).inputs]
    for pem, before in ((OTHER_CA, ONE_CA), (ONE_CA, OTHER_CA), (OTHER_CA, ONE_CA)):
        cloud = driver.empty_cloud()
        cloud["state"] = {f"urn:pulumi:prod::tap::aws:{type_}::migration-dms-ca-prod": {"outputs": made[-1]}}
        assert deploy(cloud, sourceDbCaCertificate=before).one(type_).inputs == made[-1]
        made.append(deploy(cloud, sourceDbCaCertificate=pem).one(type_).inputs)
    assert len({each["certificateId"] for each in made}) == len(made)


def test_names_stay_when_nobody_knows_which_they_are() -> None:
    """Nothing runs, so nothing is renamed: the preflight refuses a state that cannot be read."""
    with pytest.raises(pulumi.RunError, match="state of this stack cannot be read"):
        deploy(driver.empty_cloud() | {"deny": ["readStackResourceOutputs"]}, sourceDbCaCertificate=ONE_CA)


def test_the_two_ends_of_a_stream_are_changed_one_after_the_other(usual: Recording) -> None:
    assert "migration-dms-legacy-source-prod" in usual.named("migration-dms-aurora-target-prod").depends_on
    assert "migration-dms-aurora-source-prod" in usual.named("migration-dms-legacy-target-prod").depends_on
    assert all(each.inputs["pauseReplicationTasks"] for each in usual.of("dms/endpoint:Endpoint"))


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
    records = deploy_with(writer).of("route53/record:Record")
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
    # tapctl asks the new region about these.
    assert not set(legacy) & set(usual.outputs["alarmNames"])


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
    ("writer", "forward", "reverse", "counts"),
    [
        ("legacy", "ready", "ready", FORWARD),
        ("legacy", "running", "ready", FORWARD),
        ("legacy", "running", "running", FORWARD | REVERSE),
        ("aurora", "stopped", "running", REVERSE),
        ("aurora", "running", "running", FORWARD | REVERSE),
        # The way back is meant to run: its silence has to be heard.
        ("aurora", "stopped", "stopped", REVERSE),
    ],
)
def test_only_the_streams_that_are_meant_to_run_wake_anybody(
    writer: str, forward: str, reverse: str, counts: set[str]
) -> None:
    cloud = driver.with_tasks(driver.empty_cloud(), forward=forward, reverse=reverse)
    if writer == "aurora":
        driver.with_weights(cloud, 0, 100)
    ca = EVERYTHING["sourceDbCaCertificate"]
    made = deploy(cloud, writer=writer, loopbackPrevention="true", sourceDbCaCertificate=ca)
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


# Access


def test_no_wildcard_where_an_arn_is_known(full: Recording) -> None:
    for policy in full.of("iam/rolePolicy:RolePolicy"):
        for statement in statements(policy.inputs["policy"]):
            # AWS knows no resource for the login to a registry.
            if statement["Action"] != "ecr:GetAuthorizationToken":
                assert statement["Resource"] != "*"
            assert "*" not in json.dumps(statement["Action"])


def test_secrets_are_read_by_whom_they_are_for(usual: Recording) -> None:
    told = usual.outputs
    readers: dict[str, set[str]] = {}
    for policy in usual.of("iam/rolePolicy:RolePolicy"):
        for statement in statements(policy.inputs["policy"]):
            if "secretsmanager:GetSecretValue" in json.dumps(statement["Action"]):
                readers[policy.inputs["role"]] = set(json.loads(json.dumps(statement["Resource"])))
    source = settings().source.secret_arn
    assert readers == {
        "migration-execution-role-prod": {source, told["appReadOnlySecretArn"]},
        "migration-dms-secrets-role-prod": {source, told["dmsSecretArn"]},
        "migration-sql-execution-role-prod": {
            told[key] for key in ("dbSecretArn", "appSecretArn", "appReadOnlySecretArn", "dmsSecretArn")
        },
    }


def test_an_sql_image_of_a_private_repository_can_be_pulled() -> None:
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/tools/mysql@sha256:0123"
    for made, pulls in ((deploy(sqlImage=image), True), (deploy(), False)):
        policy = made.named("migration-sql-execution-role-prod-policy").inputs["policy"]
        assert ("arn:aws:ecr:us-west-2:123456789012:repository/tools/mysql" in policy) is pulls
        assert ("ecr:BatchGetImage" in policy) is pulls


def test_every_role_is_assumed_for_this_account_alone(full: Recording) -> None:
    roles = full.of("iam/role:Role")
    assert len(roles) == 7
    for role in roles:
        (statement,) = statements(role.inputs["assumeRolePolicy"])
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(("account", "allowed"), [(None, "123456789012"), ("210987654321", "210987654321")])
def test_credentials_of_another_account_are_refused(account: str | None, allowed: str) -> None:
    (provider,) = [each for each in deploy(accountId=account).resources if each.type == "pulumi:providers:aws"]
    assert json.loads(provider.inputs["allowedAccountIds"]) == [allowed]


# Layout


def test_the_folder_never_shadows_the_sdk() -> None:
    assert not (REPOSITORY / "pulumi" / "__init__.py").exists()
    assert Path(pulumi.__file__).parent != REPOSITORY / "pulumi"

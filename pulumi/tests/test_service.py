"""Repository, service and what its containers are told."""

import json
from pathlib import Path

import pytest
from moves import EVERYTHING
from reading import container, deploy_with, environment, secrets
from recorder import Recording, deploy, settings
from standing import PEERING

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


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
    assert hardened["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("user", [None, "1000:1000"], ids=["the-images-own", "given"])
@pytest.mark.parametrize(("memory", "size"), [("1024", 256), ("2048", 512)])
def test_whoever_runs_in_a_read_only_root_can_write_to_its_tmp(user: str | None, memory: str, size: int) -> None:
    """A volume of the task would be root's, whatever user the container has."""
    made = deploy(containerReadOnly="true", containerUser=user, taskMemory=memory)
    told = container(made)
    assert told.get("user") == user
    (scratch,) = told["linuxParameters"]["tmpfs"]
    assert (scratch["containerPath"], scratch["size"]) == ("/tmp", size)  # noqa: S108
    assert "mode=1777" in scratch["mountOptions"]
    assert "mountPoints" not in told
    assert "volumes" not in made.named("migration-app-prod").inputs


@pytest.mark.parametrize(
    ("writer", "config", "tls"),
    [
        ("legacy", {}, "required"),
        ("legacy", PEERING, "preferred"),
        ("aurora", {}, "preferred"),
        # Both hosts: which of them lets the account in is decided in the databases.
        ("aurora", {"legacyAppSecretArn": EVERYTHING["legacyAppSecretArn"]}, "required"),
        ("aurora", {"legacyAppSecretArn": EVERYTHING["legacyAppSecretArn"], **PEERING}, "preferred"),
    ],
)
def test_what_would_cross_the_internet_in_clear_is_told_to_use_tls(
    writer: str, config: dict[str, str | None], tls: str
) -> None:
    made = deploy_with(writer, **config)
    assert environment(made)["DB_WRITER_TLS"] == tls
    warned = [line for line in made.said if "DB_WRITER_TLS=required" in line]
    assert bool(warned) == (tls == "required")
    assert all("has to refuse a connection without TLS" in line for line in warned)


def test_the_writer_is_the_legacy_database_unless_told(usual: Recording) -> None:
    assert usual.outputs["databaseWriter"] == "legacy"


def test_tasks_that_share_the_account_of_dms_are_said(usual: Recording, full: Recording) -> None:
    words = "the tasks log in to the legacy database as DMS does"
    assert any(words in line for line in usual.said)
    assert not any(words in line for line in full.said)

"""Replication instance, endpoints, tasks and their settings."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from moves import EVERYTHING
from reading import statements
from recorder import Recording, Registered, deploy

import driver
from lib import keys, task_settings
from lib.preflight import DMS_ROLE_NAMES

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


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
    cloud = driver.with_tasks(driver.empty_cloud(), forward="ready", reverse="ready")
    made = deploy(cloud, startReplication=start, sourceDbCaCertificate=EVERYTHING["sourceDbCaCertificate"])
    back, forward = made.of("dms/replicationTask:ReplicationTask")
    assert forward.inputs["startReplicationTask"] is (start == "true")
    assert back.inputs["startReplicationTask"] is False


def task_options(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- as the options have them
    usual: dict[str, Any] = {"lob_max_size_kb": None, "full_load_sub_tasks": 8}
    usual |= {"loopback_prevention": False, "loopback_is_known": False}
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


def test_limited_lobs_have_a_limit_and_nobody_promises_that_they_are_not_cut() -> None:
    told = task_options(lob_max_size_kb=512)
    metadata = told["TargetMetadata"]
    assert (metadata["LimitedSizeLobMode"], metadata["FullLobMode"], metadata["LobMaxSize"]) == (True, False, 512)
    # As far as it goes: DMS's guide promises no more than a line in the log for a LOB that is cut.
    assert told["ErrorBehavior"]["DataTruncationErrorPolicy"] == "SUSPEND_TABLE"
    readme = (REPOSITORY / "pulumi" / "README.md").read_text(encoding="utf-8")
    assert "never cut" not in readme
    assert "MAX(LENGTH(" in readme
    assert "is cut" in keys.LOB_MAX_SIZE_KB.meaning
    assert "cuts" in keys.LOB_MODE.meaning


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


@pytest.mark.parametrize(
    ("before", "known"),
    [
        (None, False),
        ("{}", False),
        ("not JSON", False),
        ("[]", False),
        # What DMS answers for a task that nobody has told about it.
        ('{"LoopbackPreventionSettings": null}', False),
        ('{"LoopbackPreventionSettings": {"EnableLoopbackPrevention": true}}', True),
        ('{"LoopbackPreventionSettings": {"EnableLoopbackPrevention": false}}', True),
    ],
)
def test_a_task_that_knows_loopback_prevention_is_told_that_it_is_off(before: str | None, *, known: bool) -> None:
    """The provider takes a setting that is left out for one that does not change."""
    assert task_settings.knows_loopback(before) is known
    told = task_options(loopback_is_known=known).get("LoopbackPreventionSettings")
    assert (told is not None) is known
    assert told is None or told["EnableLoopbackPrevention"] is False


def test_tables_that_are_loaded_at_once() -> None:
    assert task_options(full_load_sub_tasks=16)["FullLoadSettings"]["MaxFullLoadSubTasks"] == 16


def test_a_standby_of_the_replication_instance_where_it_is_asked_for(usual: Recording, full: Recording) -> None:
    instances = [each.one("dms/replicationInstance:ReplicationInstance").inputs for each in (usual, full)]
    assert [each["multiAz"] for each in instances] == [False, True]


def test_table_mappings_come_from_the_database_names_or_from_configuration(usual: Recording) -> None:
    back, forward = usual.of("dms/replicationTask:ReplicationTask")
    rules = json.loads(forward.inputs["tableMappings"])["rules"]
    taken = [(rule["object-locator"]["schema-name"], rule["object-locator"]["table-name"]) for rule in rules]
    assert taken == [("shop", "%"), ("billing", "%"), ("tapctl", "heartbeat"), ("tapctl", "marker")]
    assert forward.inputs["tableMappings"] == back.inputs["tableMappings"]
    own = '{"rules": [{"rule-action": "include", "rule-type": "selection"}]}'
    assert deploy(tableMappings=own).of("dms/replicationTask:ReplicationTask")[0].inputs["tableMappings"] == own


def test_an_underscore_in_a_database_name_is_no_wildcard() -> None:
    rule, *_ = json.loads(task_settings.mappings_json(["my_shop"]))["rules"]
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

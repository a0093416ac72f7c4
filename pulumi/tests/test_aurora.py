"""Aurora and its secrets, as the engine is asked for them."""

import json
from pathlib import Path

from recorder import Recording

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


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
        assert not set(password.inputs["overrideSpecial"]) & set("{};:+%/@\" .'\\")
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

"""Configuration: what is refused, and that it is refused with its name before anything exists."""

import json
from pathlib import Path

import pulumi
import pytest
import yaml
from recorder import deploy, settings

import reference
from lib import keys
from lib.settings import REGION_FILE, Settings, read_region

PROGRAM = Path(__file__).parent.parent

_ORDERS = {"schema-name": "shop", "table-name": "orders"}
RENAMING = json.dumps(
    {
        "rules": [
            {
                "rule-type": "selection",
                "rule-id": "1",
                "rule-name": "orders",
                "object-locator": _ORDERS,
                "rule-action": "include",
            },
            {
                "rule-type": "transformation",
                "rule-id": "2",
                "rule-name": "renamed",
                "rule-target": "table",
                "object-locator": _ORDERS,
                "rule-action": "rename",
                "value": "orders_new",
            },
        ],
    },
)


def refusal(**changes: str | None) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        settings(**changes)
    return str(caught.value)


@pytest.mark.parametrize("key", [key.name for key in keys.KEYS if key.required])
def test_a_missing_key_is_named_with_the_command_that_sets_it(key: str) -> None:
    text = refusal(**{key: None})
    assert f"tap:{key} is not set" in text
    assert f"pulumi config set {key} " in text


def test_the_source_database_has_no_defaults() -> None:
    required = {key.name for key in keys.KEYS if key.required}
    assert {"sourceDbEndpoint", "sourceDbNames", "sourceDbSecretArn"} <= required
    assert settings().source.port == 3306


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("environmentSuffix", "Prod", "lower-case"),
        ("environmentSuffix", "x" * 19, "at most 18"),
        ("owner", "a;b", "characters"),
        ("vpcCidr", "10.42.0.0/24", "prefix"),
        ("vpcCidr", "10.42.0.1/16", "IPv4 network"),
        ("vpcCidr", "8.8.0.0/16", "private"),
        ("natGateways", "none", "per-zone, single"),
        ("sourceDbEndpoint", "mysql://db.example.com", "host name"),
        ("sourceDbEndpoint", "db.example.com:3306", "host name"),
        ("sourceDbPort", "0", "1 to 65535"),
        ("sourceDbPort", "3306.0", "whole number"),
        ("sourceDbPort", "\u0663\u0663\u0660\u0666", "whole number"),
        ("accountId", "\u0661" * 12, "12 digits"),
        ("sourceDbNames", "shop,shop", "without repeats"),
        ("sourceDbNames", "shop,%", "database name"),
        ("sourceDbNames", "Shop,shop", "without repeats"),
        ("sourceDbNames", '["shop","SHOP"]', "without repeats"),
        ("sourceDbNames", "shop,mysql", "belongs to the server itself"),
        ("sourceDbNames", "Performance_Schema", "belongs to the server itself"),
        ("sourceDbNames", "sys", "belongs to the server itself"),
        ("sourceDbNames", "INFORMATION_SCHEMA,shop", "belongs to the server itself"),
        ("sourceDbNames", "shop,awsdms_control", "belongs to DMS itself"),
        ("sourceDbNames", "shop,TapCtl", "belongs to tapctl itself"),
        ("sourceDbSecretArn", "legacy-db", "must be an ARN"),
        ("sourceDbSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:legacy-db-a1B2c3", "replicate"),
        (
            "sourceDbSecretArn",
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-a1B2c3",
            "partition aws",
        ),
        ("sourceDbSecretArn", "arn:aws:secretsmanager:cn-north-1:123456789012:secret:a-a1B2c3", "partition aws"),
        ("legacyAppSecretArn", "arn:aws-cn:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3", "partition aws"),
        ("sourceDbSecretKmsKeyArn", "arn:aws-us-gov:kms:us-west-2:123456789012:key/a", "partition aws"),
        ("certificateArn", "arn:aws-cn:acm:us-west-2:123456789012:certificate/0f1e2d3c", "partition aws"),
        ("legacyRegion", "us-gov-west-1", "partition aws"),
        ("legacyRegion", "cn-northwest-1", "partition aws"),
        ("legacyRegion", "eusc-de-east-1", "partition aws"),
        ("legacyRegion", "us-iso-east-1", "partition aws"),
        ("sourceDbCaCertificate", "MIIB", "PEM"),
        ("legacyRegion", "us-west-2", "moves to"),
        ("legacyLbDnsName", "legacy.example.com", "us-east-1.elb.amazonaws.com"),
        ("legacyLbZoneId", "/hostedzone/Z1", "hosted zone id"),
        ("legacyAppSecretArn", "legacy-app", "must be an ARN"),
        ("legacyAppSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:legacy-app-a1B2c3", "replicate"),
        ("sourceDbSecretKmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/mrk-1b2c3d4e", "an ARN of its own"),
        ("legacyFollowsWriter", "yes", "true or false"),
        ("databaseAccounts", "many", "separate, shared"),
        ("auroraCaCertificate", "MIIB", "PEM"),
        ("binlogRetentionHours", "0", "from 1 to 2160"),
        ("containerUser", "a b", "user"),
        ("lobMode", "none", "full, limited"),
        ("lobMaxSizeKb", "512", "means nothing"),
        ("fullLoadSubTasks", "50", "from 1 to 49"),
        ("accountId", "12345", "12 digits"),
        ("recordName", "*.example.com", "wildcard"),
        ("auroraEngineVersion", "5.7.mysql_aurora.2.11.2", "Aurora MySQL 3"),
        ("auroraInstanceClass", "r6g.large", "instance class"),
        ("writer", "both", "legacy, aurora"),
        ("imageTag", "a b", "tag of an image"),
        ("containerPort", "70000", "1 to 65535"),
        ("taskCpu", "300", "256, 512"),
        ("taskMemory", "8192", "Fargate takes 1024, 2048, 3072, 4096"),
        ("certificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/0f1e2d3c", "us-west-2"),
        ("dmsInstanceClass", "db.t3.medium", "dms.t3.medium"),
        ("dmsAccountRoles", "yes", "existing, create"),
        ("tableMappings", "{", "JSON"),
        ("tableMappings", '{"rules":[]}', "at least one"),
        ("tableMappings", RENAMING, "both streams use these mappings"),
        ("startReplication", "True", "true or false"),
        ("alarmEmail", "nobody", "mail address"),
        ("logRetentionDays", "0", "AWS takes"),
    ],
)
def test_a_malformed_value_is_named_with_its_reason(key: str, value: str, reason: str) -> None:
    text = refusal(**{key: value})
    assert f"tap:{key} " in text
    assert reason in text


def test_every_problem_is_told_at_once() -> None:
    text = refusal(owner=None, sourceDbPort="none", writer="both")
    assert all(f"tap:{key} " in text for key in ("owner", "sourceDbPort", "writer"))


def test_nothing_is_registered_when_the_configuration_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="sourceDbEndpoint"):
        deploy(sourceDbEndpoint="nowhere")


@pytest.mark.parametrize("missing", ["legacyVpcId", "legacyVpcCidr", "legacyRouteTableIds", "legacyDbSecurityGroupId"])
def test_peering_needs_all_its_keys(missing: str) -> None:
    whole: dict[str, str | None] = {
        "legacyVpcId": "vpc-0a1b2c3d4e5f60718",
        "legacyVpcCidr": "10.0.0.0/16",
        "legacyRouteTableIds": "rtb-0a1b2c3d4e5f60718",
        "legacyDbSecurityGroupId": "sg-0a1b2c3d4e5f60718",
    }
    assert settings(**whole).legacy_network is not None
    assert f"tap:{missing} is not set" in refusal(**(whole | {missing: None}))


def test_overlapping_networks_cannot_be_peered() -> None:
    text = refusal(
        legacyVpcId="vpc-0a1b2c3d4e5f60718",
        legacyVpcCidr="10.42.128.0/20",
        legacyRouteTableIds="rtb-0a1b2c3d4e5f60718",
        legacyDbSecurityGroupId="sg-0a1b2c3d4e5f60718",
    )
    assert "tap:vpcCidr overlaps" in text


@pytest.mark.parametrize("zone", [{"hostedZoneName": None}, {"hostedZoneId": "Z0123456789ABCDEFGHIJ"}])
def test_exactly_one_way_to_name_the_zone(zone: dict[str, str | None]) -> None:
    assert "tap:hostedZoneId" in refusal(**zone)


def test_limited_lobs_need_a_size() -> None:
    assert "tap:lobMaxSizeKb is not set" in refusal(lobMode="limited")
    assert settings(lobMode="limited", lobMaxSizeKb="512").dms.lob_max_size_kb == 512


def test_the_account_is_that_of_the_secret_unless_it_is_named() -> None:
    assert settings().account_id == "123456789012"
    assert settings(accountId="210987654321").account_id == "210987654321"


def test_the_suffix_is_the_stack_name_unless_it_is_set() -> None:
    assert settings().environment_suffix == "prod"
    assert settings(environmentSuffix="blue").environment_suffix == "blue"


@pytest.mark.parametrize("text", ["shop,billing", "shop, billing", '["shop","billing"]'])
def test_lists_as_words_or_as_json(text: str) -> None:
    assert settings(sourceDbNames=text).source.databases == ("shop", "billing")


def test_the_region_is_the_one_line_of_its_file(tmp_path: Path) -> None:
    assert REGION_FILE.read_text(encoding="utf-8") == "us-west-2\n"
    assert settings().region == "us-west-2"
    other = tmp_path / "AWS_REGION"
    other.write_text("nowhere\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match="AWS_REGION"):
        read_region(other)


def test_the_example_explains_every_key_and_each_example_is_taken() -> None:
    assert (PROGRAM / "Pulumi.example.yaml").read_text(encoding="utf-8") == reference.example()
    for key in keys.KEYS:
        assert key.parse(key.example) is not None


def test_the_example_as_it_stands_loads() -> None:
    config: dict[str, object] = yaml.safe_load((PROGRAM / "Pulumi.example.yaml").read_text(encoding="utf-8"))["config"]

    class Example:
        def get(self, key: str, /) -> str | None:
            value = config.get(f"tap:{key}")
            return value if value is None or isinstance(value, str) else json.dumps(value)

    assert Settings.load(Example(), stack_name="example").environment_suffix == "example"


def test_the_readme_holds_the_tables_of_keys_and_of_changes() -> None:
    readme = (PROGRAM / "README.md").read_text(encoding="utf-8")
    assert reference.table() in readme
    assert reference.changes() in readme

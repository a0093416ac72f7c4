"""Who may do what."""

import json
from pathlib import Path

import pytest
from reading import statements
from recorder import Recording, deploy, settings

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


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

"""Secrets Manager: the secret and its value."""

from calls import Call, Json, Kind, Look, NoSchema, Resource, described, nothing


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    known = {str(resource.outputs[key]): path for key, path in learns.items()}
    return Call("secretsmanager", operation, parameters, resource.region, known)


def _secret(resource: Resource) -> list[Call]:
    made = resource.members(Name="name", Description="description", KmsKeyId="kmsKeyId")
    made |= {
        "ClientRequestToken": f"{resource.name:-<32.64}",
        "ForceOverwriteReplicaSecret": resource.inputs.get("forceOverwriteReplicaSecret", False),
        "Tags": resource.tag_list(),
    }
    return [_call(resource, "CreateSecret", made, arn="ARN")]


def _secret_gone(resource: Resource) -> list[Call]:
    days = resource.inputs.get("recoveryWindowInDays", 30)
    how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    return [_call(resource, "DeleteSecret", {"SecretId": resource.arn} | how)]


def _value(resource: Resource) -> list[Call]:
    made = {"ClientRequestToken": f"{resource.name:-<32.64}"}
    made |= resource.members(SecretId="secretId", SecretString="secretString", VersionStages="versionStages")
    return [_call(resource, "PutSecretValue", made)]


KINDS = {
    "aws:secretsmanager/secret:Secret": Kind(
        source="internal/service/secretsmanager/secret.go",
        create=_secret,
        destroy=_secret_gone,
        look=lambda resource: Look(
            _call(resource, "DescribeSecret", {"SecretId": resource.arn}), "!DeletedDate && Name || ''"
        ),
        schema=lambda resource: described(
            resource, "AWS::SecretsManager::Secret", Name="name", Description="description", KmsKeyId="kmsKeyId"
        ),
        unique=("name",),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Kind(
        source="internal/service/secretsmanager/secret_version.go",
        create=_value,
        # AWSCURRENT cannot be taken off a version; it goes with its secret.
        destroy=nothing,
        look=lambda resource: Look(_call(resource, "GetSecretValue", resource.members(SecretId="secretId")), "ARN"),
        schema=NoSchema("CloudFormation has it as a property of the secret"),
    ),
}

"""IAM: roles and their policies."""

import json

from calls import Call, Json, Kind, Look, NoSchema, Properties, Resource


def _call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    # IAM has one endpoint for all regions.
    return Call("iam", operation, parameters, "us-east-1", {str(resource.outputs[k]): p for k, p in learns.items()})


def _role(resource: Resource) -> list[Call]:
    made = resource.members(
        RoleName="name",
        AssumeRolePolicyDocument="assumeRolePolicy",
        Description="description",
        MaxSessionDuration="maxSessionDuration",
        PermissionsBoundary="permissionsBoundary",
    )
    made |= {"Path": resource.inputs.get("path", "/"), "Tags": resource.tag_list()}
    return [_call(resource, "CreateRole", made, arn="Role.Arn")]


def _role_gone(resource: Resource) -> list[Call]:
    named = resource.members(RoleName="name")
    calls = [_call(resource, "ListInstanceProfilesForRole", named)]
    if resource.inputs.get("forceDetachPolicies", False):
        calls += [_call(resource, "ListAttachedRolePolicies", named), _call(resource, "ListRolePolicies", named)]
    return [*calls, _call(resource, "DeleteRole", named)]


def _role_schema(resource: Resource) -> Properties:
    made = resource.members(RoleName="name", Description="description", MaxSessionDuration="maxSessionDuration")
    made["AssumeRolePolicyDocument"] = json.loads(resource.inputs["assumeRolePolicy"])
    return Properties("AWS::IAM::Role", made | {"Tags": resource.tag_list()})


def _inline(resource: Resource) -> Json:
    return resource.members(RoleName="role", PolicyName="name")


def _policy(resource: Resource) -> list[Call]:
    return [_call(resource, "PutRolePolicy", _inline(resource) | resource.members(PolicyDocument="policy"))]


def _policy_schema(resource: Resource) -> Properties:
    document = json.loads(resource.inputs["policy"])
    return Properties("AWS::IAM::RolePolicy", _inline(resource) | {"PolicyDocument": document})


def _attached(resource: Resource) -> Json:
    return resource.members(RoleName="role", PolicyArn="policyArn")


def _attachment_look(resource: Resource) -> Look:
    read = _call(resource, "ListAttachedRolePolicies", resource.members(RoleName="role"))
    return Look(read, f"AttachedPolicies[?PolicyArn=='{resource.inputs['policyArn']}'] | [0]")


KINDS = {
    "aws:iam/role:Role": Kind(
        source="internal/service/iam/role.go",
        create=_role,
        destroy=_role_gone,
        look=lambda resource: Look(_call(resource, "GetRole", resource.members(RoleName="name")), "Role"),
        schema=_role_schema,
        unique=("name",),
        everywhere=True,
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        source="internal/service/iam/role_policy.go",
        create=_policy,
        destroy=lambda resource: [_call(resource, "DeleteRolePolicy", _inline(resource))],
        look=lambda resource: Look(_call(resource, "GetRolePolicy", _inline(resource)), "PolicyName"),
        schema=_policy_schema,
        unique=("role", "name"),
        everywhere=True,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        source="internal/service/iam/role_policy_attachment.go",
        create=lambda resource: [_call(resource, "AttachRolePolicy", _attached(resource))],
        destroy=lambda resource: [_call(resource, "DetachRolePolicy", _attached(resource))],
        look=_attachment_look,
        schema=NoSchema("CloudFormation has it as a property of the role"),
        unique=("role", "policyArn"),
        everywhere=True,
    ),
}

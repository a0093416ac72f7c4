"""Security groups and their rules."""

from dataclasses import replace

from calls import Call, Describing, Json, Kind, Look, Making, NoSchema, Properties, Resource, nothing
from services.ec2 import call, look, tagged

ANY_PORT: Json = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0}
EVERYTHING_OUT = (
    ANY_PORT | {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ANY_PORT | {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
)


def _group(resource: Resource) -> list[Call]:
    made = resource.members(GroupName="name", Description="description", VpcId="vpcId")
    made |= tagged(resource, "security-group")
    # AWS lets everything out of a new group; the provider takes that away at once, for IPv6 where it is there.
    closed = [
        replace(
            call(resource, "RevokeSecurityGroupEgress", {"GroupId": resource.id, "IpPermissions": [rule]}),
            tolerates="InvalidPermission.NotFound" if "Ipv6Ranges" in rule else "",
        )
        for rule in EVERYTHING_OUT
    ]
    return [call(resource, "CreateSecurityGroup", made, id="GroupId"), *closed]


def _rules_of(resource: Resource) -> Json:
    return {"Filters": [{"Name": "group-id", "Values": [resource.id]}]}


def _group_gone(resource: Resource) -> list[Call]:
    # Every rule of the program is a resource of its own, so there is none left to revoke.
    force = resource.inputs.get("revokeRulesOnDelete", False)
    looked = [call(resource, "DescribeSecurityGroupRules", _rules_of(resource))] if force else []
    return [*looked, call(resource, "DeleteSecurityGroup", {"GroupId": resource.id})]


def _permission(resource: Resource) -> Json:
    source = resource.members(CidrIp="cidrIpv4")
    group = resource.members(GroupId="referencedSecurityGroupId")
    said = resource.members(Description="description")
    permission = resource.members(IpProtocol="ipProtocol", FromPort="fromPort", ToPort="toPort")
    if source:
        permission["IpRanges"] = [source | said]
    if group:
        permission["UserIdGroupPairs"] = [group | said]
    if prefixes := resource.members(PrefixListId="prefixListId"):
        permission["PrefixListIds"] = [prefixes | said]
    return permission


def _rule(operation: str) -> Making:
    def create(resource: Resource) -> list[Call]:
        made = {"GroupId": resource.inputs["securityGroupId"], "IpPermissions": [_permission(resource)]}
        made |= tagged(resource, "security-group-rule")
        return [call(resource, operation, made, id="SecurityGroupRules[0].SecurityGroupRuleId")]

    return create


def _rule_gone(operation: str) -> Making:
    def destroy(resource: Resource) -> list[Call]:
        named = {"GroupId": resource.inputs["securityGroupId"], "SecurityGroupRuleIds": [resource.id]}
        return [call(resource, operation, named)]

    return destroy


def _rule_schema(type_: str, other: str) -> Describing:
    def properties(resource: Resource) -> Properties:
        names = {
            "GroupId": "securityGroupId",
            "IpProtocol": "ipProtocol",
            "FromPort": "fromPort",
            "ToPort": "toPort",
            "CidrIp": "cidrIpv4",
            "Description": "description",
            other: "referencedSecurityGroupId",
        }
        return Properties(type_, resource.members(**names))

    return properties


def _group_schema(resource: Resource) -> Properties:
    named = resource.members(GroupName="name", GroupDescription="description", VpcId="vpcId")
    return Properties("AWS::EC2::SecurityGroup", named | {"Tags": resource.tag_list()})


def _emptied(resource: Resource) -> list[Call]:
    """The provider adopts the group that AWS made with the VPC, and takes its rules away."""
    if resource.inputs.get("ingress") or resource.inputs.get("egress"):
        msg = "a default security group with rules of its own is not translated"
        raise NotImplementedError(msg)
    vpc = resource.inputs["vpcId"]
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    calls = [call(resource, "DescribeSecurityGroups", {"Filters": filters}, id="SecurityGroups[0].GroupId")]
    if tags := resource.tag_list():
        calls.append(call(resource, "CreateTags", {"Resources": [resource.id], "Tags": tags}))
    # A new group lets its members in and everything out.
    words = {way: f"sgr-{way}-{resource.id.removeprefix('sg-')}" for way in ("in", "out")}
    learns = {words["out"]: "SecurityGroupRules[?IsEgress].SecurityGroupRuleId | [0]"}
    calls.append(replace(call(resource, "DescribeSecurityGroupRules", _rules_of(resource)), learns=learns))
    members = {"GroupId": resource.id, "SecurityGroupRuleIds": [words["in"]]}
    # A stand-in need not have made the rule that lets members in.
    unknown = "InvalidPermission.NotFound"
    calls.append(replace(call(resource, "RevokeSecurityGroupIngress", members), tolerates=unknown))
    everything = {"GroupId": resource.id, "SecurityGroupRuleIds": [words["out"]]}
    calls.append(call(resource, "RevokeSecurityGroupEgress", everything))
    return calls


def _default_look(resource: Resource) -> Look:
    # It goes with its VPC, which is looked for on its own.
    return Look(call(resource, "DescribeSecurityGroups", {"GroupIds": [resource.id]}), "SecurityGroups[0]")


KINDS = {
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        source="internal/service/ec2/vpc_security_group.go",
        create=_group,
        destroy=_group_gone,
        look=look("DescribeSecurityGroups", "GroupIds", "SecurityGroups[0]"),
        schema=_group_schema,
        unique=("vpcId", "name"),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Kind(
        source="internal/service/ec2/vpc_security_group_ingress_rule.go",
        create=_rule("AuthorizeSecurityGroupIngress"),
        destroy=_rule_gone("RevokeSecurityGroupIngress"),
        look=look("DescribeSecurityGroupRules", "SecurityGroupRuleIds", "SecurityGroupRules[0]"),
        schema=_rule_schema("AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId"),
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Kind(
        source="internal/service/ec2/vpc_security_group_egress_rule.go",
        create=_rule("AuthorizeSecurityGroupEgress"),
        destroy=_rule_gone("RevokeSecurityGroupEgress"),
        look=look("DescribeSecurityGroupRules", "SecurityGroupRuleIds", "SecurityGroupRules[0]"),
        schema=_rule_schema("AWS::EC2::SecurityGroupEgress", "DestinationSecurityGroupId"),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Kind(
        source="internal/service/ec2/vpc_default_security_group.go",
        create=_emptied,
        destroy=nothing,
        look=_default_look,
        schema=NoSchema("CloudFormation cannot adopt the group that AWS makes with a VPC"),
    ),
}

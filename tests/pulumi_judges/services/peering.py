"""The peering with the legacy VPC, both halves of it."""

from calls import Call, Json, Kind, Look, NoSchema, Resource, described, nothing, renamed
from services.ec2 import call, tagged

ACTIVE = "VpcPeeringConnections[?Status.Code=='active'] | [0]"
ALIVE = "VpcPeeringConnections[?Status.Code!='deleted'] | [0]"
OPTIONS = {
    "allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
    "allowClassicLinkToRemoteVpc": "AllowEgressFromLocalClassicLinkToRemoteVpc",
    "allowVpcToRemoteClassicLink": "AllowEgressFromLocalVpcToRemoteClassicLink",
}


def _connection(resource: Resource) -> list[Call]:
    resource.provider_only("autoAccept")
    made = resource.members(VpcId="vpcId", PeerVpcId="peerVpcId", PeerRegion="peerRegion", PeerOwnerId="peerOwnerId")
    made |= tagged(resource, "vpc-peering-connection")
    return [call(resource, "CreateVpcPeeringConnection", made, id="VpcPeeringConnection.VpcPeeringConnectionId")]


def _connection_gone(resource: Resource) -> list[Call]:
    return [call(resource, "DeleteVpcPeeringConnection", {"VpcPeeringConnectionId": resource.id})]


def _look(resource: Resource, connection: str, present: str) -> Look:
    return Look(call(resource, "DescribeVpcPeeringConnections", {"VpcPeeringConnectionIds": [connection]}), present)


def _accepted(resource: Resource) -> list[Call]:
    connection = resource.inputs["vpcPeeringConnectionId"]
    calls: list[Call] = []
    if resource.inputs.get("autoAccept", False):
        calls.append(call(resource, "AcceptVpcPeeringConnection", {"VpcPeeringConnectionId": connection}))
    if tags := resource.tag_list():
        calls.append(call(resource, "CreateTags", {"Resources": [connection], "Tags": tags}))
    return calls


def _options_look(resource: Resource) -> Look:
    side = "RequesterVpcInfo" if resource.inputs.get("requester") else "AccepterVpcInfo"
    present = f"{ACTIVE}.{side}.PeeringOptions.AllowDnsResolutionFromRemoteVpc"
    return _look(resource, resource.inputs["vpcPeeringConnectionId"], present)


def _options(resource: Resource) -> list[Call]:
    made: Json = {"VpcPeeringConnectionId": resource.inputs["vpcPeeringConnectionId"]}
    for side, member in (
        ("requester", "RequesterPeeringConnectionOptions"),
        ("accepter", "AccepterPeeringConnectionOptions"),
    ):
        if block := resource.inputs.get(side):
            made[member] = renamed(block, f"{resource.type}.{side}", **OPTIONS)
    return [call(resource, "ModifyVpcPeeringConnectionOptions", made)]


KINDS = {
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Kind(
        source="internal/service/ec2/vpc_peering_connection.go",
        create=_connection,
        destroy=_connection_gone,
        look=lambda resource: _look(resource, resource.id, ALIVE),
        schema=lambda resource: described(
            resource,
            "AWS::EC2::VPCPeeringConnection",
            VpcId="vpcId",
            PeerVpcId="peerVpcId",
            PeerRegion="peerRegion",
            PeerOwnerId="peerOwnerId",
        ),
    ),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": Kind(
        source="internal/service/ec2/vpc_peering_connection_accepter.go",
        create=_accepted,
        # The provider forgets it: the connection goes from the requester's side.
        destroy=nothing,
        look=lambda resource: _look(resource, resource.inputs["vpcPeeringConnectionId"], ACTIVE),
        schema=NoSchema("CloudFormation accepts a peering with the connection itself"),
    ),
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": Kind(
        source="internal/service/ec2/vpc_peering_connection_options.go",
        create=_options,
        destroy=nothing,
        look=_options_look,
        schema=NoSchema("CloudFormation has no options of a peering"),
    ),
}

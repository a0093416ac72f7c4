"""The network: VPC, subnets, gateways, addresses, routes, endpoints."""

from calls import Call, Json, Kind, Look, Making, Properties, Reading, Resource, described


def call(resource: Resource, operation: str, parameters: Json, **learns: str) -> Call:
    """A call of EC2; `learns` names outputs (`id` for the id) and where the answer has them."""
    known = {resource.id if key == "id" else str(resource.outputs[key]): path for key, path in learns.items()}
    return Call("ec2", operation, parameters, resource.region, known)


def tagged(resource: Resource, kind: str) -> Json:
    """Tags that are given with the creation."""
    tags = resource.tag_list()
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def look(operation: str, member: str, present: str) -> Reading:
    """Reads a resource by its id; used as `Kind.look`."""

    def by_id(resource: Resource) -> Look:
        return Look(call(resource, operation, {member: [resource.id]}), present)

    return by_id


def _vpc(resource: Resource) -> list[Call]:
    made = {"AmazonProvidedIpv6CidrBlock": False, "InstanceTenancy": resource.inputs.get("instanceTenancy", "default")}
    made |= resource.members(CidrBlock="cidrBlock") | tagged(resource, "vpc")
    calls = [call(resource, "CreateVpc", made, id="Vpc.VpcId")]
    # Only what differs from what a new VPC is, one attribute at a time.
    if resource.inputs.get("enableDnsHostnames", False):
        parameters = {"VpcId": resource.id, "EnableDnsHostnames": {"Value": True}}
        calls.append(call(resource, "ModifyVpcAttribute", parameters))
    if not resource.inputs.get("enableDnsSupport", True):
        parameters = {"VpcId": resource.id, "EnableDnsSupport": {"Value": False}}
        calls.append(call(resource, "ModifyVpcAttribute", parameters))
    return calls


def _subnet(resource: Resource) -> list[Call]:
    made = resource.members(VpcId="vpcId", AvailabilityZone="availabilityZone", CidrBlock="cidrBlock")
    calls = [call(resource, "CreateSubnet", made | tagged(resource, "subnet"), id="Subnet.SubnetId")]
    if resource.inputs.get("mapPublicIpOnLaunch", False):
        parameters = {"SubnetId": resource.id, "MapPublicIpOnLaunch": {"Value": True}}
        calls.append(call(resource, "ModifySubnetAttribute", parameters))
    return calls


def _gateway(resource: Resource) -> list[Call]:
    attachment = {"InternetGatewayId": resource.id} | resource.members(VpcId="vpcId")
    made = tagged(resource, "internet-gateway")
    return [
        call(resource, "CreateInternetGateway", made, id="InternetGateway.InternetGatewayId"),
        call(resource, "AttachInternetGateway", attachment),
    ]


def _gateway_gone(resource: Resource) -> list[Call]:
    attachment = {"InternetGatewayId": resource.id} | resource.members(VpcId="vpcId")
    return [
        call(resource, "DetachInternetGateway", attachment),
        call(resource, "DeleteInternetGateway", {"InternetGatewayId": resource.id}),
    ]


def _address(resource: Resource) -> list[Call]:
    made = resource.members(Domain="domain") | tagged(resource, "elastic-ip")
    return [call(resource, "AllocateAddress", made, id="AllocationId", publicIp="PublicIp")]


def _nat(resource: Resource) -> list[Call]:
    made: Json = {"ConnectivityType": resource.inputs.get("connectivityType", "public"), "ClientToken": resource.name}
    made |= resource.members(AllocationId="allocationId", SubnetId="subnetId") | tagged(resource, "natgateway")
    return [call(resource, "CreateNatGateway", made, id="NatGateway.NatGatewayId")]


def _table(resource: Resource) -> list[Call]:
    made = {"ClientToken": resource.name} | resource.members(VpcId="vpcId") | tagged(resource, "route-table")
    return [call(resource, "CreateRouteTable", made, id="RouteTable.RouteTableId")]


def _route(resource: Resource) -> list[Call]:
    made = resource.members(
        RouteTableId="routeTableId",
        DestinationCidrBlock="destinationCidrBlock",
        GatewayId="gatewayId",
        NatGatewayId="natGatewayId",
        VpcPeeringConnectionId="vpcPeeringConnectionId",
    )
    return [call(resource, "CreateRoute", made)]


def _route_gone(resource: Resource) -> list[Call]:
    named = resource.members(RouteTableId="routeTableId", DestinationCidrBlock="destinationCidrBlock")
    return [call(resource, "DeleteRoute", named)]


def _route_look(resource: Resource) -> Look:
    table, block = resource.inputs["routeTableId"], resource.inputs["destinationCidrBlock"]
    present = f"RouteTables[0].Routes[?DestinationCidrBlock=='{block}'] | [0]"
    return Look(call(resource, "DescribeRouteTables", {"RouteTableIds": [table]}), present)


def _association(resource: Resource) -> list[Call]:
    made = resource.members(RouteTableId="routeTableId", SubnetId="subnetId")
    return [call(resource, "AssociateRouteTable", made, id="AssociationId")]


def _association_look(resource: Resource) -> Look:
    table, subnet = resource.inputs["routeTableId"], resource.inputs["subnetId"]
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    parameters = {"RouteTableIds": [table], "Filters": filters}
    return Look(call(resource, "DescribeRouteTables", parameters), "RouteTables[0]")


def _endpoint(resource: Resource) -> list[Call]:
    made: Json = {"ClientToken": resource.name, "PrivateDnsEnabled": resource.inputs.get("privateDnsEnabled", False)}
    made |= resource.members(
        ServiceName="serviceName",
        VpcEndpointType="vpcEndpointType",
        VpcId="vpcId",
        RouteTableIds="routeTableIds",
        SubnetIds="subnetIds",
        SecurityGroupIds="securityGroupIds",
        PolicyDocument="policy",
    )
    made |= tagged(resource, "vpc-endpoint")
    return [call(resource, "CreateVpcEndpoint", made, id="VpcEndpoint.VpcEndpointId")]


def _flow_log(resource: Resource) -> list[Call]:
    made: Json = {"ClientToken": resource.name}
    for name, kind in (("vpcId", "VPC"), ("subnetId", "Subnet"), ("eniId", "NetworkInterface")):
        if owner := resource.inputs.get(name):
            made |= {"ResourceIds": [owner], "ResourceType": kind}
    made |= resource.members(
        LogDestinationType="logDestinationType",
        LogDestination="logDestination",
        DeliverLogsPermissionArn="iamRoleArn",
        TrafficType="trafficType",
        MaxAggregationInterval="maxAggregationInterval",
        LogFormat="logFormat",
    )
    made |= tagged(resource, "vpc-flow-log")
    return [call(resource, "CreateFlowLogs", made, id="FlowLogIds[0]")]


def _flow_log_schema(resource: Resource) -> Properties:
    return described(
        resource,
        "AWS::EC2::FlowLog",
        {"ResourceType": "VPC"},
        ResourceId="vpcId",
        LogDestinationType="logDestinationType",
        LogDestination="logDestination",
        DeliverLogsPermissionArn="iamRoleArn",
        TrafficType="trafficType",
        MaxAggregationInterval="maxAggregationInterval",
        LogFormat="logFormat",
    )


def _one(operation: str, member: str, *, listed: bool = False) -> Making:
    def gone(resource: Resource) -> list[Call]:
        return [call(resource, operation, {member: [resource.id] if listed else resource.id})]

    return gone


KINDS = {
    "aws:ec2/vpc:Vpc": Kind(
        source="internal/service/ec2/vpc_.go",
        create=_vpc,
        destroy=_one("DeleteVpc", "VpcId"),
        look=look("DescribeVpcs", "VpcIds", "Vpcs[0]"),
        schema=lambda resource: described(
            resource,
            "AWS::EC2::VPC",
            CidrBlock="cidrBlock",
            EnableDnsSupport="enableDnsSupport",
            EnableDnsHostnames="enableDnsHostnames",
            InstanceTenancy="instanceTenancy",
        ),
    ),
    "aws:ec2/subnet:Subnet": Kind(
        source="internal/service/ec2/vpc_subnet.go",
        create=_subnet,
        destroy=_one("DeleteSubnet", "SubnetId"),
        look=look("DescribeSubnets", "SubnetIds", "Subnets[0]"),
        schema=lambda resource: described(
            resource,
            "AWS::EC2::Subnet",
            VpcId="vpcId",
            CidrBlock="cidrBlock",
            AvailabilityZone="availabilityZone",
            MapPublicIpOnLaunch="mapPublicIpOnLaunch",
        ),
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        source="internal/service/ec2/vpc_internet_gateway.go",
        create=_gateway,
        destroy=_gateway_gone,
        look=look("DescribeInternetGateways", "InternetGatewayIds", "InternetGateways[0]"),
        schema=lambda resource: described(resource, "AWS::EC2::InternetGateway"),
    ),
    "aws:ec2/eip:Eip": Kind(
        source="internal/service/ec2/ec2_eip.go",
        create=_address,
        destroy=_one("ReleaseAddress", "AllocationId"),
        look=look("DescribeAddresses", "AllocationIds", "Addresses[0]"),
        schema=lambda resource: described(resource, "AWS::EC2::EIP", Domain="domain"),
    ),
    "aws:ec2/natGateway:NatGateway": Kind(
        source="internal/service/ec2/vpc_nat_gateway.go",
        create=_nat,
        destroy=_one("DeleteNatGateway", "NatGatewayId"),
        look=look("DescribeNatGateways", "NatGatewayIds", "NatGateways[?State!='deleted'] | [0]"),
        schema=lambda resource: described(
            resource,
            "AWS::EC2::NatGateway",
            AllocationId="allocationId",
            SubnetId="subnetId",
            ConnectivityType="connectivityType",
        ),
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        source="internal/service/ec2/vpc_route_table.go",
        create=_table,
        destroy=_one("DeleteRouteTable", "RouteTableId"),
        look=look("DescribeRouteTables", "RouteTableIds", "RouteTables[0]"),
        schema=lambda resource: described(resource, "AWS::EC2::RouteTable", VpcId="vpcId"),
    ),
    "aws:ec2/route:Route": Kind(
        source="internal/service/ec2/vpc_route.go",
        create=_route,
        destroy=_route_gone,
        look=_route_look,
        schema=lambda resource: described(
            resource,
            "AWS::EC2::Route",
            RouteTableId="routeTableId",
            DestinationCidrBlock="destinationCidrBlock",
            GatewayId="gatewayId",
            NatGatewayId="natGatewayId",
            VpcPeeringConnectionId="vpcPeeringConnectionId",
        ),
        unique=("routeTableId", "destinationCidrBlock"),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        source="internal/service/ec2/vpc_route_table_association.go",
        create=_association,
        destroy=_one("DisassociateRouteTable", "AssociationId"),
        look=_association_look,
        schema=lambda resource: described(
            resource, "AWS::EC2::SubnetRouteTableAssociation", RouteTableId="routeTableId", SubnetId="subnetId"
        ),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind(
        source="internal/service/ec2/vpc_endpoint.go",
        create=_endpoint,
        destroy=_one("DeleteVpcEndpoints", "VpcEndpointIds", listed=True),
        look=look("DescribeVpcEndpoints", "VpcEndpointIds", "VpcEndpoints[?State!='deleted'] | [0]"),
        schema=lambda resource: described(
            resource,
            "AWS::EC2::VPCEndpoint",
            VpcId="vpcId",
            ServiceName="serviceName",
            VpcEndpointType="vpcEndpointType",
            RouteTableIds="routeTableIds",
            SubnetIds="subnetIds",
            SecurityGroupIds="securityGroupIds",
            PrivateDnsEnabled="privateDnsEnabled",
        ),
    ),
    "aws:ec2/flowLog:FlowLog": Kind(
        source="internal/service/ec2/vpc_flow_log.go",
        create=_flow_log,
        destroy=_one("DeleteFlowLogs", "FlowLogIds", listed=True),
        look=look("DescribeFlowLogs", "FlowLogIds", "FlowLogs[0]"),
        schema=_flow_log_schema,
    ),
}

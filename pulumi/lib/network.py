"""The VPC over three availability zones: subnets, gateways, routes, and the free S3 endpoint."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies
from lib.naming import Naming


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What the network is made from."""

    naming: Naming
    region: str
    cidr: str
    availability_zones: Sequence[str]
    single_nat: bool
    account_id: str
    flow_logs: bool
    log_retention_days: int


class Network(pulumi.ComponentResource):
    """Public and private subnets in each zone; private ones reach out through NAT gateways."""

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    private_route_table_ids: list[pulumi.Output[str]]
    nat_addresses: list[pulumi.Output[str]]
    inwards: list[pulumi.Resource]
    """What must stand before the load balancer: the way between the public subnets and the Internet."""
    outwards: list[pulumi.Resource]
    """What must stand before anything in the private subnets calls anybody."""
    log_group_names: list[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the VPC and everything in it that carries packets."""
        super().__init__("tap:network:Network", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self.inwards, self.outwards, self.log_group_names = [], [], []
        self._child = pulumi.ResourceOptions(parent=self)
        self.cidr = args.cidr
        vpc_name = args.naming.name("vpc")
        vpc = aws.ec2.Vpc(
            vpc_name,
            cidr_block=args.cidr,
            # Both are needed to resolve the legacy database's name to its private address over the peering.
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=args.naming.tags(vpc_name),
            opts=self._child,
        )
        self.vpc_id = vpc.id
        prefix = ipaddress.IPv4Network(args.cidr).prefixlen + 3
        blocks = [str(block) for block in ipaddress.IPv4Network(args.cidr).subnets(new_prefix=prefix)]
        zones = list(args.availability_zones)
        self.public_subnet_ids = self._subnets("public-subnet", zones, blocks[: len(zones)])
        self.private_subnet_ids = self._subnets("private-subnet", zones, blocks[len(zones) : 2 * len(zones)])
        nat_ids = self._egress(1 if args.single_nat else len(zones))
        self.private_route_table_ids = self._private_routes(nat_ids, len(zones))
        self._s3_endpoint(args.region)
        self._close_default_group()
        if args.flow_logs:
            self._flow_logs()
        pulumi.log.info(f"network {args.cidr} over {', '.join(zones)}, {len(nat_ids)} NAT gateway(s)", resource=self)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "publicSubnetIds": self.public_subnet_ids,
                "privateSubnetIds": self.private_subnet_ids,
                "natAddresses": self.nat_addresses,
            }
        )

    def _subnets(self, kind: str, zones: list[str], blocks: list[str]) -> list[pulumi.Output[str]]:
        ids: list[pulumi.Output[str]] = []
        for number, (zone, block) in enumerate(zip(zones, blocks, strict=True), start=1):
            name = self._naming.name(kind, number)
            subnet = aws.ec2.Subnet(
                name,
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=block,
                # Load balancer nodes and NAT gateways bring their own addresses; nothing else belongs in public.
                map_public_ip_on_launch=False,
                tags=self._naming.tags(name),
                opts=self._child,
            )
            ids.append(subnet.id)
        return ids

    def _egress(self, count: int) -> list[pulumi.Output[str]]:
        gateway_name = self._naming.name("igw")
        gateway = aws.ec2.InternetGateway(
            gateway_name, vpc_id=self.vpc_id, tags=self._naming.tags(gateway_name), opts=self._child
        )
        table_name = self._naming.name("public-rt")
        table = aws.ec2.RouteTable(table_name, vpc_id=self.vpc_id, tags=self._naming.tags(table_name), opts=self._child)
        out = aws.ec2.Route(
            f"{table_name}-out",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )
        self.inwards.append(out)
        for number, subnet_id in enumerate(self.public_subnet_ids, start=1):
            association = aws.ec2.RouteTableAssociation(
                f"{self._naming.name('public-subnet', number)}-rt",
                subnet_id=subnet_id,
                route_table_id=table.id,
                opts=self._child,
            )
            self.inwards.append(association)
        self.nat_addresses = []
        ids: list[pulumi.Output[str]] = []
        for number in range(1, count + 1):
            address_name = self._naming.name("nat-eip", number)
            address = aws.ec2.Eip(address_name, domain="vpc", tags=self._naming.tags(address_name), opts=self._child)
            nat_name = self._naming.name("nat", number)
            nat = aws.ec2.NatGateway(
                nat_name,
                allocation_id=address.id,
                subnet_id=self.public_subnet_ids[number - 1],
                tags=self._naming.tags(nat_name),
                # A NAT gateway whose subnet has no way out yet comes up failed.
                opts=pulumi.ResourceOptions(parent=self, depends_on=self.inwards),
            )
            self.nat_addresses.append(address.public_ip)
            ids.append(nat.id)
        return ids

    def _private_routes(self, nat_ids: list[pulumi.Output[str]], count: int) -> list[pulumi.Output[str]]:
        ids: list[pulumi.Output[str]] = []
        for number in range(1, count + 1):
            name = self._naming.name("private-rt", number)
            table = aws.ec2.RouteTable(name, vpc_id=self.vpc_id, tags=self._naming.tags(name), opts=self._child)
            out = aws.ec2.Route(
                f"{name}-out",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=nat_ids[(number - 1) % len(nat_ids)],
                opts=self._child,
            )
            association = aws.ec2.RouteTableAssociation(
                f"{self._naming.name('private-subnet', number)}-rt",
                subnet_id=self.private_subnet_ids[number - 1],
                route_table_id=table.id,
                opts=self._child,
            )
            self.outwards.extend([out, association])
            ids.append(table.id)
        return ids

    def _s3_endpoint(self, region: str) -> None:
        """Image layers come from S3; through this endpoint they cost no NAT traffic."""
        name = self._naming.name("s3-endpoint")
        endpoint = aws.ec2.VpcEndpoint(
            name,
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=self.private_route_table_ids,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        self.outwards.append(endpoint)

    def _close_default_group(self) -> None:
        """AWS makes a group that lets its members talk to each other; nothing uses it, and now nothing can."""
        name = self._naming.name("default-sg")
        aws.ec2.DefaultSecurityGroup(name, vpc_id=self.vpc_id, tags=self._naming.tags(name), opts=self._child)

    def _flow_logs(self) -> None:
        name = self._naming.name("flow-logs")
        group = aws.cloudwatch.LogGroup(
            name,
            name=name,
            retention_in_days=self._args.log_retention_days,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        self.log_group_names.append(name)
        role_name = self._naming.name("flow-logs-role")
        role = aws.iam.Role(
            role_name,
            name=role_name,
            description="Writes the connections of the VPC to its log group",
            assume_role_policy=policies.trust("vpc-flow-logs.amazonaws.com", self._args.account_id),
            force_detach_policies=True,
            tags=self._naming.tags(role_name),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{role_name}-policy",
            name=f"{role_name}-policy",
            role=role.id,
            policy=policies.document(
                [
                    *policies.write_logs(group.arn),
                    *policies.describe_logs(self._args.region, self._args.account_id),
                ]
            ),
            opts=self._child,
        )
        aws.ec2.FlowLog(
            f"{name}-vpc",
            vpc_id=self.vpc_id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags=self._naming.tags(f"{name}-vpc"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

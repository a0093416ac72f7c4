"""Optional peering with the legacy VPC, so that DMS and the tasks reach the legacy database privately.

In the legacy region it creates routes, one security group rule and the accepter's half of the peering.  All of it
goes with `destroy`; nothing that was there before is touched.

EC2 refuses a second route to a range in one table, a second peering of two VPCs, and a second rule of one kind in a
group.  What another legacy network would replace therefore has that network in its logical name: the new one stands
beside the old one, which goes last, and after a run that failed halfway the old configuration finds the old one in its
place.  To delete first would be no way: while the tables have no route to the legacy database, DMS's streams stop.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.naming import Naming
from lib.settings import LegacyNetwork


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    """The two networks to join."""

    naming: Naming
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    private_route_table_ids: Sequence[pulumi.Input[str]]
    legacy: LegacyNetwork
    legacy_region: str
    source_port: int


class Peering(pulumi.ComponentResource):
    """The connection, routes on both sides, DNS resolution both ways, and the way into the database."""

    connection_id: pulumi.Output[str]
    ways: list[pulumi.Resource]
    """What must stand before anything reaches the legacy database through the peering."""

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the peering and accepts it in the legacy region."""
        super().__init__("tap:network:Peering", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        peering_name = args.naming.name("peering")
        tags = args.naming.tags(peering_name)
        connection = aws.ec2.VpcPeeringConnection(
            f"{peering_name}-{args.legacy.vpc_id}",
            vpc_id=args.vpc_id,
            peer_vpc_id=args.legacy.vpc_id,
            peer_region=args.legacy_region,
            auto_accept=False,
            tags=tags,
            opts=_formerly(peering_name, child),
        )
        accepter = aws.ec2.VpcPeeringConnectionAccepter(
            f"{peering_name}-accepter",
            region=args.legacy_region,
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags=tags,
            opts=child,
        )
        accepted = pulumi.ResourceOptions(parent=self, depends_on=[accepter])
        requester = aws.ec2.PeeringConnectionOptions(
            f"{peering_name}-dns",
            vpc_peering_connection_id=connection.id,
            requester=aws.ec2.PeeringConnectionOptionsRequesterArgs(allow_remote_vpc_dns_resolution=True),
            opts=accepted,
        )
        accepting = aws.ec2.PeeringConnectionOptions(
            f"{peering_name}-legacy-dns",
            region=args.legacy_region,
            vpc_peering_connection_id=connection.id,
            accepter=aws.ec2.PeeringConnectionOptionsAccepterArgs(allow_remote_vpc_dns_resolution=True),
            opts=accepted,
        )
        self.ways = [requester, accepting]
        range_ = re.sub("[./]", "-", args.legacy.cidr)
        for number, table_id in enumerate(args.private_route_table_ids, start=1):
            route_name = f"{args.naming.name('private-rt', number)}-legacy"
            route = aws.ec2.Route(
                f"{route_name}-{range_}",
                route_table_id=table_id,
                destination_cidr_block=args.legacy.cidr,
                vpc_peering_connection_id=connection.id,
                opts=_formerly(route_name, accepted),
            )
            self.ways.append(route)
        route_name = args.naming.name("legacy-route")
        for number, legacy_id in enumerate(args.legacy.route_table_ids, start=1):
            route = aws.ec2.Route(
                # By its table: by its place in the list, one that leaves would make all behind it move up.
                f"{route_name}-{legacy_id}",
                region=args.legacy_region,
                route_table_id=legacy_id,
                destination_cidr_block=args.vpc_cidr,
                vpc_peering_connection_id=connection.id,
                opts=_formerly(args.naming.numbered("legacy-route", number), accepted),
            )
            self.ways.append(route)
        rule = aws.vpc.SecurityGroupIngressRule(
            f"{peering_name}-database-{args.legacy.db_security_group_id}",
            region=args.legacy_region,
            security_group_id=args.legacy.db_security_group_id,
            description=f"From {args.naming.name('vpc')}",
            ip_protocol="tcp",
            from_port=args.source_port,
            to_port=args.source_port,
            # A security group of another region cannot be referenced, its network can.
            cidr_ipv4=args.vpc_cidr,
            tags=tags,
            opts=_formerly(f"{peering_name}-database", accepted),
        )
        self.ways.append(rule)
        self.connection_id = connection.id
        pulumi.log.info(
            f"peering with {args.legacy.vpc_id} ({args.legacy.cidr}) in {args.legacy_region}",
            resource=self,
        )
        self.register_outputs({"connectionId": self.connection_id})


def _formerly(name: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """These options for a resource that an earlier version of the program called otherwise."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name)]))

"""The weighted pair of alias records: the legacy load balancer and the new one."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.naming import Naming
from lib.settings import LegacyBalancer
from lib.weights import Weights

RECORD_TYPE = "A"


@dataclass(frozen=True, kw_only=True)
class RoutingArgs:
    """What the records are made from."""

    naming: Naming
    hosted_zone_id: str
    record_name: str
    weights: Weights
    """What the zone holds now, or the first weights when it holds nothing."""
    legacy: LegacyBalancer
    alb_dns_name: pulumi.Output[str]
    alb_zone_id: pulumi.Output[str]
    writer_is_aurora: bool
    released: bool
    """Whether the name is a plain record to the new stack: no pair may stand beside it."""


class Routing(pulumi.ComponentResource):
    """Two records that share a name; tapctl moves their weights, this program never does."""

    legacy_set_identifier: str
    new_set_identifier: str

    def __init__(self, name: str, args: RoutingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the pair, the legacy record first: alone, the new one would take all traffic."""
        super().__init__("tap:routing:Routing", name, {}, opts)
        self._args = args
        self.legacy_set_identifier = args.naming.name("legacy")
        self.new_set_identifier = args.naming.name("new")
        self.register_outputs(
            {"legacySetIdentifier": self.legacy_set_identifier, "newSetIdentifier": self.new_set_identifier}
        )
        if args.released:
            pulumi.log.info(
                f"{args.record_name} is a plain record that leads to this stack: no weighted pair is declared",
                resource=self,
            )
            return
        if args.weights.legacy == 0 and args.weights.new > 0:
            # The other way round where the new one has everything: beside a new one that still has 0 the legacy one,
            # created with 0, would take half.
            self._legacy(after=[self._new(after=[])])
        else:
            self._new(after=[self._legacy(after=[])])
        pulumi.log.info(
            f"{args.record_name} stays at {args.weights.legacy} legacy / {args.weights.new} new; "
            f"target health is {'ignored' if args.writer_is_aurora else 'evaluated'}",
            resource=self,
        )

    def _legacy(self, *, after: list[pulumi.Resource]) -> aws.route53.Record:
        args = self._args
        name, zone_id = args.legacy.dns_name, args.legacy.zone_id
        return self._record(self.legacy_set_identifier, args.weights.legacy, name, zone_id, after=after)

    def _new(self, *, after: list[pulumi.Resource]) -> aws.route53.Record:
        args = self._args
        name, zone_id = args.alb_dns_name, args.alb_zone_id
        return self._record(self.new_set_identifier, args.weights.new, name, zone_id, after=after)

    def _record(
        self,
        set_identifier: str,
        weight: int,
        dns_name: pulumi.Input[str],
        zone_id: pulumi.Input[str],
        *,
        after: list[pulumi.Resource],
    ) -> aws.route53.Record:
        args = self._args
        return aws.route53.Record(
            set_identifier,
            zone_id=args.hosted_zone_id,
            name=args.record_name,
            type=RECORD_TYPE,
            set_identifier=set_identifier,
            weighted_routing_policies=[aws.route53.RecordWeightedRoutingPolicyArgs(weight=weight)],
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=dns_name,
                    zone_id=zone_id,
                    # While both stacks write to the legacy database, leaving a dead stack is safe and wanted. Once
                    # Aurora is the writer, health would send traffic back to a stack that writes elsewhere.
                    evaluate_target_health=not args.writer_is_aurora,
                )
            ],
            # The preflight has refused every record under the name that is not of this pair, so this adopts the
            # stack's own legacy record, with the weight it has, and overwrites nobody else's.
            allow_overwrite=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

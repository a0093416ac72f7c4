"""The Internet-facing application load balancer, its target group and its listeners."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.naming import Naming

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass(frozen=True, kw_only=True)
class BalancerArgs:
    """What the load balancer is made from."""

    naming: Naming
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    container_port: int
    target_group_name: str
    certificate_arn: str | None
    redirects: bool
    """Whether HTTP leads to HTTPS: clients remember that, so the legacy stack has to answer there as well."""
    after: Sequence[pulumi.Resource]
    """The way to the Internet, without which a load balancer is refused, and the rules that let clients in."""


class Balancer(pulumi.ComponentResource):
    """HTTP, and HTTPS when there is a certificate; HTTP then redirects."""

    alb_arn: pulumi.Output[str]
    alb_arn_suffix: pulumi.Output[str]
    alb_dns_name: pulumi.Output[str]
    alb_zone_id: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    target_group_arn_suffix: pulumi.Output[str]
    listeners: list[aws.lb.Listener]

    def __init__(self, name: str, args: BalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the load balancer."""
        super().__init__("tap:service:Balancer", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        alb_name = args.naming.name("alb")
        alb = aws.lb.LoadBalancer(
            alb_name,
            name=alb_name,
            load_balancer_type="application",
            internal=False,
            subnets=list(args.subnet_ids),
            security_groups=[args.security_group_id],
            enable_deletion_protection=False,
            drop_invalid_header_fields=True,
            # A client that keeps its connection never asks DNS again; AWS's default lets it stay for an hour.
            client_keep_alive=60,
            tags=args.naming.tags(alb_name),
            # CreateLoadBalancer: InvalidSubnet, "VPC ... has no internet gateway".
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )
        group_name = args.naming.name("tg")
        group = aws.lb.TargetGroup(
            group_name,
            name=args.target_group_name,
            vpc_id=args.vpc_id,
            target_type="ip",
            protocol="HTTP",
            port=args.container_port,
            deregistration_delay=30,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                protocol="HTTP",
                path="/health",
                interval=30,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
                matcher="200",
            ),
            stickiness=aws.lb.TargetGroupStickinessArgs(type="lb_cookie", enabled=True, cookie_duration=60),
            tags=args.naming.tags(group_name),
            opts=child,
        )
        forward = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=group.arn)
        redirect = aws.lb.ListenerDefaultActionArgs(
            type="redirect",
            redirect=aws.lb.ListenerDefaultActionRedirectArgs(protocol="HTTPS", port="443", status_code="HTTP_301"),
        )
        self.listeners = []
        if args.certificate_arn:
            https_name = args.naming.name("https")
            https = aws.lb.Listener(
                https_name,
                load_balancer_arn=alb.arn,
                port=443,
                protocol="HTTPS",
                ssl_policy=TLS_POLICY,
                certificate_arn=args.certificate_arn,
                default_actions=[forward],
                tags=args.naming.tags(https_name),
                opts=child,
            )
            self.listeners.append(https)
        redirects = args.redirects and bool(args.certificate_arn)
        http_name = args.naming.name("http")
        http = aws.lb.Listener(
            http_name,
            load_balancer_arn=alb.arn,
            port=80,
            protocol="HTTP",
            default_actions=[redirect if redirects else forward],
            tags=args.naming.tags(http_name),
            # A redirect leads nowhere until the certificate has been taken.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self.listeners)),
        )
        self.listeners.append(http)
        if args.certificate_arn:
            pulumi.log.info(f"HTTPS on 443, HTTP {'redirects to it' if redirects else 'beside it'}", resource=self)
        else:
            pulumi.log.warn("HTTP only: no certificate (pulumi config set certificateArn ARN)", resource=self)
        self.alb_arn = alb.arn
        self.alb_arn_suffix = alb.arn_suffix
        self.alb_dns_name = alb.dns_name
        self.alb_zone_id = alb.zone_id
        self.target_group_arn = group.arn
        self.target_group_arn_suffix = group.arn_suffix
        self.register_outputs({"albDnsName": self.alb_dns_name, "targetGroupArn": self.target_group_arn})

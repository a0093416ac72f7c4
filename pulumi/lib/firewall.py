"""Security groups: Internet to load balancer, load balancer to tasks; tasks, DMS and SQL to Aurora; nothing else in."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.naming import Naming

MYSQL_PORT = 3306
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """What the rules are made from."""

    naming: Naming
    vpc_id: pulumi.Input[str]
    container_port: int
    https: bool
    source_port: int
    source_cidr: str
    """Where the legacy database is reached: its VPC when peered, anywhere when not."""
    peering: Sequence[pulumi.Resource]
    """What must stand before the rules lead to that VPC alone."""


class Firewall(pulumi.ComponentResource):
    """One security group per role; each rule is a resource, so that a change replaces a rule and never a group."""

    alb_sg_id: pulumi.Output[str]
    task_sg_id: pulumi.Output[str]
    dms_sg_id: pulumi.Output[str]
    aurora_sg_id: pulumi.Output[str]
    sql_sg_id: pulumi.Output[str]
    rules: list[pulumi.Resource]
    """What must stand before anything talks through these groups."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates five groups and their rules."""
        super().__init__("tap:network:Firewall", name, {}, opts)
        self._args = args
        self.rules = []
        self._child = pulumi.ResourceOptions(parent=self)
        # The descriptions stay as they were: another one would replace a group that is in use (ForceNew).
        self.alb_sg_id = self._group("alb-sg", "Load balancer: the Internet comes in here")
        self.task_sg_id = self._group("task-sg", "Tasks: only the load balancer comes in")
        self.dms_sg_id = self._group("dms-sg", "Replication instance: nobody comes in")
        self.aurora_sg_id = self._group("aurora-sg", "Aurora: tasks and replication come in, nothing goes out")
        self.sql_sg_id = self._group("sql-sg", "One-off SQL tasks: nobody comes in")

        for port in (80, 443) if args.https else (80,):
            self._in("alb-sg", self.alb_sg_id, port, "internet", cidr=ANYWHERE)
        self._in("task-sg", self.task_sg_id, args.container_port, "load balancer", group=self.alb_sg_id)
        self._in("aurora-sg", self.aurora_sg_id, MYSQL_PORT, "tasks", group=self.task_sg_id)
        self._in("aurora-sg", self.aurora_sg_id, MYSQL_PORT, "replication", group=self.dms_sg_id)
        self._in("aurora-sg", self.aurora_sg_id, MYSQL_PORT, "sql", group=self.sql_sg_id)

        self._out("alb-sg", self.alb_sg_id, args.container_port, "tasks", group=self.task_sg_id)
        # The application calls what it must; what may call the application is what is restricted.
        self._out("task-sg", self.task_sg_id, None, "anywhere", cidr=ANYWHERE)
        self._out("dms-sg", self.dms_sg_id, MYSQL_PORT, "aurora", group=self.aurora_sg_id)
        self._out(
            "dms-sg", self.dms_sg_id, args.source_port, "legacy database", cidr=args.source_cidr, after=args.peering
        )
        self._out("dms-sg", self.dms_sg_id, 443, "secrets and logs", cidr=ANYWHERE)
        self._out("sql-sg", self.sql_sg_id, MYSQL_PORT, "aurora", group=self.aurora_sg_id)
        self._out(
            "sql-sg", self.sql_sg_id, args.source_port, "legacy database", cidr=args.source_cidr, after=args.peering
        )
        self._out("sql-sg", self.sql_sg_id, 443, "image, secrets and logs", cidr=ANYWHERE)
        self.register_outputs(
            {
                "albSgId": self.alb_sg_id,
                "taskSgId": self.task_sg_id,
                "dmsSgId": self.dms_sg_id,
                "auroraSgId": self.aurora_sg_id,
                "sqlSgId": self.sql_sg_id,
            }
        )

    def _group(self, kind: str, description: str) -> pulumi.Output[str]:
        name = self._args.naming.name(kind)
        group = aws.ec2.SecurityGroup(
            name,
            name=name,
            description=description,
            vpc_id=self._args.vpc_id,
            # Rules that point at each other would otherwise stop both groups from being deleted.
            revoke_rules_on_delete=True,
            tags=self._args.naming.tags(name),
            opts=self._child,
        )
        return group.id

    def _in(
        self,
        kind: str,
        group_id: pulumi.Output[str],
        port: int,
        who: str,
        *,
        cidr: str | None = None,
        group: pulumi.Output[str] | None = None,
    ) -> None:
        name = f"{self._args.naming.name(kind)}-from-{who.replace(' ', '-')}-{port}"
        rule = aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group_id,
            description=f"From {who}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            tags=self._args.naming.tags(name),
            opts=self._child,
        )
        self.rules.append(rule)

    def _out(
        self,
        kind: str,
        group_id: pulumi.Output[str],
        port: int | None,
        where: str,
        *,
        cidr: str | None = None,
        group: pulumi.Output[str] | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        name = f"{self._args.naming.name(kind)}-to-{where.replace(',', '').replace(' ', '-')}"
        rule = aws.vpc.SecurityGroupEgressRule(
            name,
            security_group_id=group_id,
            description=f"To {where}",
            ip_protocol="-1" if port is None else "tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            tags=self._args.naming.tags(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        self.rules.append(rule)

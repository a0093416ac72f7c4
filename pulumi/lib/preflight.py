"""The questions that must be answered before anything is created, and the only module that asks AWS.

Reads only.  What the answers mean is decided in pure modules (`weights`, `streams`, `fixed`, `zones`); every refusal
names the key, what was found, what is wanted and the command, and all of them are told at once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import pulumi
import pulumi_aws as aws
from pulumi_aws.route53.outputs import GetRecordsResourceRecordSetAliasTargetResult, GetRecordsResourceRecordSetResult

from lib import existing, fixed, identities, keys, streams, ways
from lib.existing import Existing, Tasks
from lib.identities import Logins
from lib.inquiry import Inquiry, Login, in_a_line, is_denied, login_in, way_out
from lib.routes import in_the_way
from lib.settings import LegacyBalancer, Settings, problem, quoted, refuse, refused
from lib.streams import ABSENT, UNKNOWN, Run, Stream, Verdict, Which
from lib.weights import RELEASED, LiveRecord, RecordConflictError, Weights, declared, released_to
from lib.zones import ZONES, chosen

DMS_ROLE_NAMES = ("dms-vpc-role", "dms-cloudwatch-logs-role")
HTTPS_PORT = 443
LEGACY_ZONE_IDS = {"us-east-1": "Z35SXDOTRQ7X7K"}
"""Hosted zones of Classic load balancers, where the balancer itself may not be looked up."""
ADDRESS_QUOTA = "L-0263D0A3"
"""Service Quotas, `ec2`: EC2-VPC Elastic IPs."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What AWS says before the first resource."""

    availability_zones: tuple[str, ...]
    hosted_zone_id: str
    weights: Weights
    released: bool
    """Whether the name is a plain record of this stack alone: there is no pair to declare."""
    legacy_balancer: LegacyBalancer
    verdict: Verdict
    forward: Stream
    reverse: Stream
    existing: Existing


def ask(settings: Settings, provider: aws.Provider) -> Facts:
    """Asks AWS, and raises `pulumi.RunError` with what is in the way."""
    there = existing.read()
    if there.unread is not None:
        # Whether this is the first `up`, which zones were chosen, which key is fixed: everything else rests on it.
        sentence = f"Pulumi's state of this stack cannot be read: {there.unread}"
        command = f"do: pulumi stack export --stack {pulumi.get_stack()}   (until that works), and run it again"
        refuse([f"{sentence}\n    {command}"])
    problems = [*fixed.region_moved(settings, there), *(refused(moved) for moved in fixed.changed(settings, there))]
    # A suffix, an account or a region that has changed would make every other question one about another stack.
    refuse(problems)
    return _Preflight(settings, provider, there).facts()


class _Preflight:
    """One run of all questions."""

    def __init__(self, settings: Settings, provider: aws.Provider, there: Existing) -> None:
        self._settings = settings
        self._there = there
        self._here = pulumi.InvokeOptions(provider=provider)
        self._problems: list[str] = []
        self._inquiry = Inquiry(first=there.first, problems=self._problems)

    def facts(self) -> Facts:
        settings = self._settings
        zones = self._zones()
        zone_id = self._hosted_zone()
        self._roles()
        weights, released = self._weights(zone_id)
        balancer = self._legacy_balancer(released=released)
        self._elastic_addresses()
        self._legacy_routes()
        forward = self._stream(Which.FORWARD, settings.naming.name("dms-task"))
        reverse = self._stream(Which.REVERSE, settings.naming.name("dms-reverse-task"))
        # Once the name is this stack's for good, and nobody replicates, the legacy side may be gone.
        idle = released and not {forward.run, reverse.run} & {Run.RUNNING, Run.BETWEEN, Run.UNKNOWN}
        logins, running = self._logins(may_be_gone=idle), self._running()
        verdict = streams.decide(
            streams.State(
                stack=settings.environment_suffix,
                region=settings.region,
                record_name=settings.record_name,
                weights=weights,
                writer_is_aurora=settings.writer_is_aurora,
                legacy_follows_writer=settings.legacy_follows_writer,
                loopback_prevention=settings.dms.loopback_prevention,
                start_asked=settings.dms.start,
                encrypted=settings.legacy_network is not None or settings.source.ca_certificate is not None,
                forward=forward,
                reverse=reverse,
            )
        )
        self._problems.extend(refused(each) for each in verdict.refusals)
        self._problems.extend(refused(each) for each in identities.usable(logins))
        self._problems.extend(refused(each) for each in identities.not_the_same_name(logins))
        self._problems.extend(refused(each) for each in identities.not_locked_out(settings, self._there, running))
        self._problems.extend(refused(each) for each in fixed.zone_moved(settings, self._there, zone_id))
        self._problems.extend(refused(each) for each in fixed.not_without_accounts(settings, self._there))
        self._problems.extend(refused(each) for each in fixed.source_moved(settings, self._there, forward))
        self._problems.extend(refused(each) for each in fixed.downwards(settings, self._there))
        self._problems.extend(refused(each) for each in fixed.authority_taken_away(settings, self._there))
        self._problems.extend(
            refused(each) for each in fixed.not_while_traffic(settings, self._there, weights, running)
        )
        use = ways.Use(weights=weights, forward=forward, reverse=reverse)
        self._problems.extend(refused(each) for each in ways.not_while_used(settings, self._there, use))
        self._problems.extend(refused(each) for each in identities.unknown_to_aurora(settings, self._there, running))
        refuse(self._problems)
        for warning in verdict.warnings:
            pulumi.log.warn(warning)
        return Facts(
            availability_zones=zones,
            hosted_zone_id=zone_id,
            weights=weights,
            released=released,
            legacy_balancer=balancer,
            verdict=verdict,
            forward=forward,
            reverse=reverse,
            existing=self._there,
        )

    def _zones(self) -> tuple[str, ...]:
        # Local and wavelength zones carry neither NAT gateways nor Aurora.
        regional = aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])
        available = self._inquiry.ask(
            f"the availability zones of {self._settings.region}",
            "ec2:DescribeAvailabilityZones",
            lambda: list(aws.get_availability_zones(filters=[regional], state="available", opts=self._here).names),
            needed=True,
        )
        names, sentence = chosen(available or [], self._there, self._settings.naming)
        if sentence is not None and available is not None:
            region = self._settings.region
            command = f"do: aws ec2 describe-availability-zones --region {region}"
            if self._there.first:
                command += "   (another region goes into that file)"
            self._problems.append(f"lib/AWS_REGION is {region}, which {sentence}\n    {command}")
        return names

    def _hosted_zone(self) -> str:
        settings = self._settings
        by_id = settings.hosted_zone_id is not None
        try:
            if by_id:
                zone = aws.route53.get_zone(zone_id=settings.hosted_zone_id, opts=self._here)
            else:
                zone = aws.route53.get_zone(name=settings.hosted_zone_name, private_zone=False, opts=self._here)
        except Exception as error:
            key = keys.HOSTED_ZONE_ID if by_id else keys.HOSTED_ZONE_NAME
            name = settings.hosted_zone_id if by_id else settings.hosted_zone_name
            action = "route53:GetHostedZone" if by_id else "route53:ListHostedZones"
            command = way_out(action, str(error)) if is_denied(str(error)) else None
            refuse([*self._problems, problem(key, f"is {name!r}, of which Route 53 says: {in_a_line(error)}", command)])
            raise
        if zone.private_zone:
            key = keys.HOSTED_ZONE_ID if by_id else keys.HOSTED_ZONE_NAME
            sentence = (
                f"leads to {zone.zone_id}, which is a private zone of {zone.name!r}: nobody outside its VPCs would see "
                "a weight. Wanted: the public zone of the name"
            )
            command = f"do: pulumi config set {keys.HOSTED_ZONE_ID.name} ID   (of the public zone)"
            self._problems.append(problem(key, sentence, command))
        apex, record = zone.name.removesuffix("."), settings.record_name
        if record != apex and not record.endswith(f".{apex}"):
            self._problems.append(problem(keys.RECORD_NAME, f"is {record!r}, which is not in the zone {apex!r}"))
        return zone.zone_id

    def _weights(self, zone_id: str) -> tuple[Weights, bool]:
        settings = self._settings
        pattern = rf"^{re.escape(settings.record_name)}\.?$"
        try:
            records = aws.route53.get_records(zone_id=zone_id, name_regex=pattern, opts=self._here)
        except Exception as error:
            # No weight can be declared that has not been read: it would move traffic.
            sentence = f"is {settings.record_name!r}, whose records cannot be read: {in_a_line(error)}"
            command = way_out("route53:ListResourceRecordSets", str(error))
            refuse([*self._problems, problem(keys.RECORD_NAME, sentence, command)])
            raise
        live = [
            LiveRecord(
                type=each.type,
                set_identifier=each.set_identifier or None,
                weight=each.weight,
                alias=_alias(each),
            )
            for each in records.resource_record_sets
        ]
        naming = settings.naming
        if released_to(self._there.text("lb/loadBalancer:LoadBalancer", naming.name("alb"), "dnsName"), live):
            return RELEASED, True
        try:
            weights = declared(
                live, record_name=settings.record_name, legacy_id=naming.name("legacy"), new_id=naming.name("new")
            )
        except RecordConflictError as conflict:
            stack = f" --stack {settings.environment_suffix}" if conflict.command.startswith("tapctl") else ""
            refuse([*self._problems, problem(keys.RECORD_NAME, str(conflict), f"do: {conflict.command}{stack}")])
            raise
        self._other_ways(live)
        return weights, False

    def _other_ways(self, live: list[LiveRecord]) -> None:
        """Records that lead past the pair; HTTPS and SVCB hold addresses and other names (RFC 9460, 7.3 and 2.4.2)."""
        name, types = self._settings.record_name, {record.type for record in live}
        if "AAAA" in types:
            pulumi.log.warn(
                f"{name} also has AAAA records; clients that use IPv6 do not follow the weights of the A pair"
            )
        for type_ in sorted(types & {"HTTPS", "SVCB"}):
            pulumi.log.warn(
                f"{name} also has a record of type {type_}; clients that follow it, browsers among them, do not follow "
                "the weights of the A pair"
            )

    def _roles(self) -> None:
        creates = self._settings.dms.creates_account_roles
        pattern = "^(" + "|".join(DMS_ROLE_NAMES) + ")$"
        present = self._inquiry.ask(
            "the account's DMS roles",
            "iam:ListRoles",
            lambda: set(aws.iam.get_roles(name_regex=pattern, opts=self._here).names),
        )
        if present is None:
            return
        if not creates:
            missing = [name for name in DMS_ROLE_NAMES if name not in present]
            if missing:
                sentence = (
                    f"is 'existing', but the account has no {' and no '.join(missing)}, which DMS asks for by name; "
                    "let one stack of the account create them (pulumi config set dmsAccountRoles create)"
                )
                self._problems.append(problem(keys.DMS_ACCOUNT_ROLES, sentence))
            return
        for name in sorted(present):
            tags = self._inquiry.ask(f"the owner of the role {name!r}", "iam:GetRole", self._tags_of(name))
            if tags is None:
                continue
            owner = tags.get("Environment")
            if owner != self._settings.environment_suffix:
                who = f"the stack {owner!r}" if owner else "something outside Pulumi"
                self._problems.append(
                    problem(keys.DMS_ACCOUNT_ROLES, f"is 'create', but {name} belongs to {who}; use 'existing'")
                )

    def _tags_of(self, role: str) -> Callable[[], Mapping[str, str]]:
        return lambda: aws.iam.get_role(name=role, opts=self._here).tags

    def _legacy_balancer(self, *, released: bool) -> LegacyBalancer:
        settings = self._settings
        typed, region = settings.legacy_balancer, settings.legacy_region
        gone = LegacyBalancer(name=typed.name, dns_name=typed.dns_name or "", zone_id=typed.zone_id or "", https=None)
        if released:
            return gone
        found = self._inquiry.ask(
            f"the legacy load balancer {typed.name!r} in {region}",
            "elasticloadbalancing:DescribeLoadBalancers",
            self._found_balancer,
            absent=gone,
        )
        if found is gone:
            self._balancer_is_gone()
            return gone
        if found is None:
            zone_id = typed.zone_id or LEGACY_ZONE_IDS.get(region)
            for key, value in ((keys.LEGACY_LB_DNS_NAME, typed.dns_name), (keys.LEGACY_LB_ZONE_ID, zone_id)):
                # Later the look-up that failed is a refusal, whatever is typed.
                if value is None and self._there.first:
                    self._problems.append(problem(key, f"is not set, and {typed.name!r} cannot be looked up"))
            return LegacyBalancer(name=typed.name, dns_name=typed.dns_name or "", zone_id=zone_id or "", https=None)
        pairs: tuple[tuple[keys.Key[object], str | None, str], ...] = (
            (keys.LEGACY_LB_DNS_NAME, typed.dns_name, found.dns_name),
            (keys.LEGACY_LB_ZONE_ID, typed.zone_id, found.zone_id),
        )
        for key, mine, theirs in pairs:
            if mine is not None and mine != theirs:
                sentence = f"is {mine!r}, but {typed.name!r} has {theirs!r}"
                self._problems.append(problem(key, sentence, f"do: pulumi config rm {key.name}   (it is looked up)"))
        return found

    def _balancer_is_gone(self) -> None:
        settings = self._settings
        sentence = f"is {settings.legacy_balancer.name!r}, and {settings.legacy_region} has no such load balancer"
        command = "do: pulumi config set legacyLbName NAME"
        if not self._there.first:
            sentence += (
                ". If the legacy stack is gone for good, hand the name to this stack alone; `up` then asks for no "
                "legacy balancer any more"
            )
            command += f"   (or: tapctl release --to new --stack {settings.environment_suffix})"
        self._problems.append(problem(keys.LEGACY_LB_NAME, sentence, command))

    def _found_balancer(self) -> LegacyBalancer:
        name = self._settings.legacy_balancer.name
        found = aws.elb.get_load_balancer(name=name, region=self._settings.legacy_region, opts=self._here)
        # A TCP listener on 443 hands TLS through to the instances.
        secure = {each.lb_port for each in found.listeners if each.lb_protocol.upper() in {"HTTPS", "SSL", "TCP"}}
        return LegacyBalancer(
            name=name, dns_name=found.dns_name.lower(), zone_id=found.zone_id, https=HTTPS_PORT in secure
        )

    def _login(self, secret_arn: str | None, *, absent: Login | None = None) -> Login | None:
        if secret_arn is None:
            return None
        region = secret_arn.split(":")[3]
        return self._inquiry.ask(
            f"the secret {secret_arn}",
            "secretsmanager:GetSecretValue",
            lambda: login_in(
                aws.secretsmanager.get_secret_version(
                    secret_id=secret_arn, region=region, opts=self._here
                ).secret_string
            ),
            absent=absent,
        )

    def _logins(self, *, may_be_gone: bool) -> Logins:
        """The tasks read the application's secret on either database, so that one is never gone."""
        accounts, gone = self._settings.accounts, Login()
        absent = gone if may_be_gone else None
        dms = self._source_address(absent)
        tapctl = self._login(accounts.legacy_tapctl_secret_arn, absent=absent)
        return Logins(
            dms=None if dms is gone else dms,
            app=self._login(accounts.legacy_app_secret_arn),
            tapctl=None if tapctl is gone else tapctl,
        )

    def _source_address(self, absent: Login | None) -> Login | None:
        """DMS takes host and port from the secret, the tasks and the rules from the configuration."""
        source = self._settings.source
        found = self._login(source.secret_arn, absent=absent)
        if found is None or found is absent:
            return found
        by_hand = "do: aws secretsmanager put-secret-value   (by hand)"
        pairs: tuple[tuple[keys.Key[object], object, object], ...] = (
            (keys.SOURCE_DB_ENDPOINT, source.endpoint, found.host),
            (keys.SOURCE_DB_PORT, source.port, found.port),
        )
        for key, mine, theirs in pairs:
            if theirs is None:
                sentence = f"leads to a secret that does not say what {key.name} says"
                self._problems.append(problem(keys.SOURCE_DB_SECRET_ARN, sentence, by_hand))
            elif not _readable(key, theirs):
                sentence = f"leads to a secret with {theirs!r} where {key.name} says {mine!r}"
                self._problems.append(problem(keys.SOURCE_DB_SECRET_ARN, sentence, by_hand))
            elif mine != theirs:
                sentence = f"is {mine!r}, but the secret that DMS reads says {theirs!r}"
                self._problems.append(problem(key, sentence, f"do: pulumi config set {key.name} {quoted(theirs)}"))
        return found

    def _elastic_addresses(self) -> None:
        settings = self._settings
        gateways = 1 if settings.single_nat else ZONES
        wanted = gateways - len(self._there.of("ec2/eip:Eip"))
        if wanted <= 0:
            return
        quota = self._inquiry.ask(
            "the quota of Elastic IP addresses",
            "servicequotas:GetServiceQuota",
            lambda: int(
                aws.servicequotas.get_service_quota(service_code="ec2", quota_code=ADDRESS_QUOTA, opts=self._here).value
            ),
        )
        used = self._inquiry.ask(
            "the Elastic IP addresses in use",
            "ec2:DescribeAddresses",
            lambda: len(aws.ec2.get_eips(opts=self._here).allocation_ids),
        )
        if quota is None or used is None or used + wanted <= quota:
            return
        sentence = f"needs {wanted} more Elastic IP addresses, but {used} of {quota} in {settings.region} are in use"
        command = (
            "do: pulumi config set natGateways single   (or: aws service-quotas request-service-quota-increase "
            f"--region {settings.region} --service-code ec2 --quota-code {ADDRESS_QUOTA} "
            f"--desired-value {used + wanted})"
        )
        self._problems.append(problem(keys.NAT_GATEWAYS, sentence, command))

    def _legacy_routes(self) -> None:
        """A second stack with the same range would take the first one's route over."""
        network, cidr = self._settings.legacy_network, self._settings.vpc_cidr
        if network is None:
            return
        halves = self._there.of("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter")
        mine = {each.get("vpcPeeringConnectionId") for each in halves}
        for table_id in network.route_table_ids:
            routes = self._inquiry.ask(
                f"the route table {table_id}", "ec2:DescribeRouteTables", self._routes_of(table_id)
            )
            for where in in_the_way(cidr, ((range_, to) for range_, to in routes or () if to not in mine)):
                sentence = f"is {cidr}, but {table_id} in {self._settings.legacy_region} routes {where}"
                self._problems.append(
                    problem(keys.VPC_CIDR, sentence, "do: pulumi config set vpcCidr RANGE   (one that is free)")
                )

    def _routes_of(self, table_id: str) -> Callable[[], list[tuple[str, str]]]:
        def question() -> list[tuple[str, str]]:
            table = aws.ec2.get_route_table(
                route_table_id=table_id, region=self._settings.legacy_region, opts=self._here
            )
            return [
                (
                    route.cidr_block,
                    route.vpc_peering_connection_id or route.transit_gateway_id or route.gateway_id or "elsewhere",
                )
                for route in table.routes
                if route.cidr_block
            ]

        return question

    def _running(self) -> list[Tasks]:
        """What the tasks are told that run now; after a run that failed, not what the state's newest revision says."""
        name, newest = self._settings.naming.name, self._there.tasks(self._settings.naming.name("app"))
        cluster = self._there.text("ecs/service:Service", name("service"), "cluster")
        if cluster is None:
            return [newest]
        revisions = self._inquiry.ask(
            f"what the service {name('service')} runs",
            "ecs:DescribeServices",
            lambda: _revisions(aws.ecs.get_service(cluster_arn=cluster, service_name=name("service"), opts=self._here)),
            absent=(),
        )
        told = [newest] if not revisions or newest.arn in revisions else []
        for arn in revisions or ():
            if arn == newest.arn:
                continue
            found = self._inquiry.ask(
                f"the task definition {arn}, which is not the newest and still runs,",
                "ecs:DescribeTaskDefinition",
                self._told_by(arn),
            )
            told.extend([] if found is None else [found])
        return told

    def _told_by(self, arn: str) -> Callable[[], Tasks]:
        return lambda: Tasks.of(
            aws.ecs.get_task_definition(task_definition=arn, opts=self._here).container_definitions, arn
        )

    def _stream(self, which: Which, task_id: str) -> Stream:
        name = which.title
        found = self._inquiry.ask(
            f"the {name} task {task_id!r}",
            "dms:DescribeReplicationTasks",
            lambda: Stream.of(aws.dms.get_replication_task(replication_task_id=task_id, opts=self._here).status),
            absent=ABSENT,
        )
        if found is not None and found.run is Run.UNKNOWN:
            command = which.command("status", stack=self._settings.environment_suffix, region=self._settings.region)
            self._problems.append(
                f"the {name} task {task_id!r} is {found.status!r}, a state that is not known here. Wanted: running or "
                f"stopped\n    do: {command}"
            )
        return found or UNKNOWN


def _readable(key: keys.Key[object], value: object) -> bool:
    """Whether the key would take the value; a command that sets another one is none to paste."""
    try:
        key.parse(str(value))
    except ValueError:
        return False
    return True


def _revisions(service: aws.ecs.AwaitableGetServiceResult) -> tuple[str, ...]:
    """Every revision that has tasks: in the middle of a rollout, and after one that was rolled back, it is not one.

    ECS counts them by deployment (API reference, `Deployment`: PRIMARY is the newest, ACTIVE one still has tasks).
    """
    running = [each.task_definition for each in service.deployments or () if each.running_count]
    return tuple(dict.fromkeys([service.task_definition, *running]))


def _alias(record: GetRecordsResourceRecordSetResult) -> str | None:
    """Where a record leads, when it is an alias; the provider leaves the field out of every other."""
    target = cast("GetRecordsResourceRecordSetAliasTargetResult | None", record.alias_target)
    return target.dns_name if target is not None else None

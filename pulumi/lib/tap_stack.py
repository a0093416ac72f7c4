"""The whole target stack: makes the components, hands outputs from one to the next, and collects its own.

The only module that knows more than one component; it creates nothing but them and their provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from lib import generations, keys, outputs, preflight, selection
from lib.accounts import Accounts, AccountsArgs, Credentials
from lib.balancer import Balancer, BalancerArgs
from lib.database import Database, DatabaseArgs
from lib.dms_roles import DmsRoles, DmsRolesArgs
from lib.firewall import ANYWHERE, Firewall, FirewallArgs
from lib.monitoring import Monitoring, MonitoringArgs
from lib.network import Network, NetworkArgs
from lib.peering import Peering, PeeringArgs
from lib.registry import Registry, RegistryArgs
from lib.replication import Replication, ReplicationArgs
from lib.routing import Routing, RoutingArgs
from lib.service import Service, ServiceArgs
from lib.settings import Settings
from lib.sql_task import SqlTask, SqlTaskArgs
from lib.wiring import Wiring, wire


@dataclass(frozen=True, kw_only=True)
class TapStackArgs:
    """What the stack is told from outside."""

    settings: Settings

    @property
    def environment_suffix(self) -> str:
        """What every name of the stack ends with."""
        return self.settings.environment_suffix


class TapStack(pulumi.ComponentResource):
    """Everything the migration moves to, in one region."""

    outputs: Mapping[str, pulumi.Input[object]]
    """The stack outputs that tapctl reads; their keys are its public interface."""

    def __init__(self, name: str, args: TapStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Asks AWS what must be known, then creates the components."""
        super().__init__("tap:stack:TapStack", name, {}, opts)
        settings, naming = args.settings, args.settings.naming
        provider = aws.Provider(
            naming.name("aws"),
            region=settings.region,
            # Credentials of another account end here, before anything is asked or made.
            allowed_account_ids=[settings.account_id],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._settings = settings
        self._facts = preflight.ask(settings, provider)
        self._child = pulumi.ResourceOptions(parent=self, providers=[provider])
        network = self._network()
        peering = self._peering(network)
        to_legacy = [] if peering is None else peering.ways
        firewall = self._firewall(network, to_legacy)
        database = self._database(network, firewall)
        accounts = self._accounts(database)
        wiring = wire(
            settings.accounts,
            settings.source,
            database,
            accounts,
            writer_is_aurora=settings.writer_is_aurora,
            peered=settings.legacy_network is not None,
        )
        if wiring.writer_needs_tls:
            self._warn_of_clear_text()
        ways: list[pulumi.Resource] = [*network.outwards, *firewall.rules, *to_legacy]
        replication = self._replication(network, firewall, database, wiring, ways)
        registry = Registry(naming.name("registry"), RegistryArgs(naming=naming), self._child)
        balancer = self._balancer(network, firewall)
        service = self._service(network, firewall, registry, balancer, wiring, [*ways, *database.instances])
        sql = self._sql_task(database, accounts)
        records = self._routing(balancer)
        monitoring = self._monitoring(replication, service, balancer, database)
        self.outputs = outputs.of(
            outputs.Parts(
                settings=settings,
                facts=self._facts,
                network=network,
                firewall=firewall,
                database=database,
                wiring=wiring,
                replication=replication,
                registry=registry,
                balancer=balancer,
                service=service,
                sql=sql,
                records=records,
                monitoring=monitoring,
            )
        )
        self.register_outputs(dict(self.outputs))

    def _network(self) -> Network:
        settings, naming = self._settings, self._settings.naming
        return Network(
            naming.name("network"),
            NetworkArgs(
                naming=naming,
                region=settings.region,
                cidr=settings.vpc_cidr,
                availability_zones=self._facts.availability_zones,
                single_nat=settings.single_nat,
                account_id=settings.account_id,
                flow_logs=settings.flow_logs,
                log_retention_days=settings.log_retention_days,
            ),
            self._child,
        )

    def _firewall(self, network: Network, to_legacy: list[pulumi.Resource]) -> Firewall:
        settings, naming = self._settings, self._settings.naming
        return Firewall(
            naming.name("firewall"),
            FirewallArgs(
                naming=naming,
                vpc_id=network.vpc_id,
                container_port=settings.container.port,
                https=settings.certificate_arn is not None,
                source_port=settings.source.port,
                source_cidr=ANYWHERE if settings.legacy_network is None else settings.legacy_network.cidr,
                peering=to_legacy,
            ),
            self._child,
        )

    def _peering(self, network: Network) -> Peering | None:
        settings, naming = self._settings, self._settings.naming
        if settings.legacy_network is not None:
            return Peering(
                naming.name("peering"),
                PeeringArgs(
                    naming=naming,
                    vpc_id=network.vpc_id,
                    vpc_cidr=network.cidr,
                    private_route_table_ids=network.private_route_table_ids,
                    legacy=settings.legacy_network,
                    legacy_region=settings.legacy_region,
                    source_port=settings.source.port,
                ),
                self._child,
            )
        pulumi.log.warn(
            "no peering (pulumi config set legacyVpcId ...): DMS and the tasks reach the legacy database over the "
            "Internet, so it must be public and let the addresses of the output natAddresses in"
            + ("" if settings.source.ca_certificate else "; without sourceDbCaCertificate no stream is started"),
            resource=self,
        )
        return None

    def _warn_of_clear_text(self) -> None:
        """Nothing here can see how an image opens its connections."""
        pulumi.log.warn(
            "without peering the tasks reach the legacy database over the Internet. They are told "
            "DB_WRITER_TLS=required: the image has to refuse a connection without TLS, and to verify the server with "
            "RDS's certificate authority, or account and rows can be read and changed on their way. Wanted: such an "
            "image, and the server's own word for it (ALTER USER ... REQUIRE SSL, pulumi/README.md, 1); or peering",
            resource=self,
        )

    def _database(self, network: Network, firewall: Firewall) -> Database:
        settings, naming = self._settings, self._settings.naming
        version = self._facts.existing.kept(
            keys.AURORA_ENGINE_VERSION.name in settings.given,
            settings.aurora_engine_version,
            "rds/cluster:Cluster",
            naming.name("aurora"),
            "engineVersion",
        )
        return Database(
            naming.name("database"),
            DatabaseArgs(
                naming=naming,
                engine_version=version,
                instance_class=settings.aurora_instance_class,
                availability_zones=self._facts.availability_zones,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.aurora_sg_id,
                log_retention_days=settings.log_retention_days,
            ),
            self._child,
        )

    def _accounts(self, database: Database) -> Accounts:
        """Made in any case: the SQL task makes the accounts from them, and then they can be used."""
        settings, naming = self._settings, self._settings.naming
        if not settings.accounts.separate:
            pulumi.log.warn(
                "everybody is Aurora's master user (databaseAccounts is 'shared'): a cutover cannot fence the "
                "application by its account (tapctl config set databaseAccounts separate "
                f"--stack {settings.environment_suffix})",
                resource=self,
            )
        elif settings.accounts.legacy_app_secret_arn is None:
            pulumi.log.warn(
                "the tasks log in to the legacy database as DMS does, by sourceDbSecretArn: a cutover cannot fence the "
                "application without stopping the streams, and another writer is refused while such tasks run (tapctl "
                f"config set legacyAppSecretArn ARN --stack {settings.environment_suffix})",
                resource=self,
            )
        return Accounts(
            naming.name("accounts"),
            AccountsArgs(
                naming=naming,
                writer_endpoint=database.writer_endpoint,
                reader_endpoint=database.reader_endpoint,
                app_is_given=settings.accounts.legacy_app_secret_arn is not None,
            ),
            self._child,
        )

    def _balancer(self, network: Network, firewall: Firewall) -> Balancer:
        settings, naming = self._settings, self._settings.naming
        https = self._facts.legacy_balancer.https
        if https and settings.certificate_arn is None:
            pulumi.log.warn(
                "the legacy load balancer answers on 443 and this one does not: whoever comes by https is lost with "
                "every step (pulumi config set certificateArn ARN)",
                resource=self,
            )
        if https is None and settings.certificate_arn is not None and not self._facts.released:
            pulumi.log.warn(
                "nobody knows whether the legacy load balancer answers on 443, since it was not looked up, so HTTP "
                "is not redirected yet: a browser remembers a redirect, and may find nobody there when Route 53 sends "
                "it back. Wanted: elasticloadbalancing:DescribeLoadBalancers for who runs this, then `up` again",
                resource=self,
            )
        if https is False and settings.certificate_arn is not None:
            pulumi.log.warn(
                "the legacy load balancer does not answer on 443, so HTTP is not redirected: a browser remembers a "
                "redirect, and would find nobody there when Route 53 sends it back",
                resource=self,
            )
        return Balancer(
            naming.name("balancer"),
            BalancerArgs(
                naming=naming,
                vpc_id=network.vpc_id,
                subnet_ids=network.public_subnet_ids,
                security_group_id=firewall.alb_sg_id,
                container_port=settings.container.port,
                target_group_name=generations.target_group_name(naming, settings.container.port, self._facts.existing),
                certificate_arn=settings.certificate_arn,
                redirects=https is True or self._facts.released,
                after=[*network.inwards, *firewall.rules],
            ),
            self._child,
        )

    def _service(
        self,
        network: Network,
        firewall: Firewall,
        registry: Registry,
        balancer: Balancer,
        wiring: Wiring,
        after: list[pulumi.Resource],
    ) -> Service:
        settings, naming = self._settings, self._settings.naming
        return Service(
            naming.name("service"),
            ServiceArgs(
                naming=naming,
                region=settings.region,
                account_id=settings.account_id,
                container=settings.container,
                repository_arn=registry.repository_arn,
                repository_url=registry.repository_url,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.task_sg_id,
                target_group_arn=balancer.target_group_arn,
                listeners=balancer.listeners,
                database_name=settings.source.databases[0],
                wiring=wiring,
                kms_key_arn=settings.source.secret_kms_key_arn,
                after=after,
                writer_is_aurora=settings.writer_is_aurora,
                log_retention_days=settings.log_retention_days,
            ),
            self._child,
        )

    def _sql_task(self, database: Database, accounts: Accounts) -> SqlTask:
        settings, naming = self._settings, self._settings.naming
        secrets, given = accounts.secrets, settings.accounts.legacy_app_secret_arn
        if given is not None:
            secrets = secrets | {"app": Credentials.given(given)}
        return SqlTask(
            naming.name("sql-task"),
            SqlTaskArgs(
                naming=naming,
                region=settings.region,
                account_id=settings.account_id,
                image=settings.sql_image,
                host=database.writer_endpoint,
                master=database.master,
                accounts=secrets,
                kms_key_arn=settings.source.secret_kms_key_arn,
                databases=settings.source.databases,
                binlog_retention_hours=settings.binlog_retention_hours,
                writer_is_aurora=settings.writer_is_aurora,
                log_retention_days=settings.log_retention_days,
            ),
            self._child,
        )

    def _warn_of_mappings(self) -> None:
        """Own mappings may leave tapctl's tables out: whoever moves weights alone does not need them."""
        mappings = self._settings.dms.table_mappings
        left = selection.not_carried(selection.rules(mappings)) if mappings is not None else []
        if left:
            pulumi.log.warn(
                f"tableMappings leaves out {' and '.join(left)}: no row of tapctl's own is carried over, so nothing "
                "but CloudWatch tells the lag, and no marker can prove in a cutover that every write has arrived. "
                "Wanted: a rule with rule-action include for each (pulumi/README.md, 5); added while a stream runs, it "
                "stops and resumes it",
                resource=self,
            )

    def _replication(
        self,
        network: Network,
        firewall: Firewall,
        database: Database,
        wiring: Wiring,
        ways: list[pulumi.Resource],
    ) -> Replication:
        settings, naming, facts = self._settings, self._settings.naming, self._facts
        self._warn_of_mappings()
        account_roles: list[pulumi.Resource] = []
        version = facts.existing.kept(
            keys.DMS_ENGINE_VERSION.name in settings.given,
            settings.dms.engine_version,
            "dms/replicationInstance:ReplicationInstance",
            naming.name("dms"),
            "engineVersion",
        )
        if settings.dms.creates_account_roles:
            roles_args = DmsRolesArgs(naming=naming, account_id=settings.account_id)
            account_roles.extend(DmsRoles(naming.name("dms-roles"), roles_args, self._child).attachments)
        return Replication(
            naming.name("replication"),
            ReplicationArgs(
                naming=naming,
                region=settings.region,
                account_id=settings.account_id,
                dms=replace(settings.dms, engine_version=version),
                source=settings.source,
                aurora=wiring.dms,
                aurora_instances=database.instances,
                legacy_authority=generations.authority(
                    naming, "dms-ca", settings.source.ca_certificate, facts.existing
                ),
                aurora_authority=generations.authority(
                    naming, "dms-aurora-ca", settings.aurora_ca_certificate, facts.existing
                ),
                existing=facts.existing,
                forward=facts.forward,
                reverse=facts.reverse,
                start_forward=facts.verdict.start_forward,
                start_reverse=facts.verdict.start_reverse,
                ways=ways,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.dms_sg_id,
                account_roles=account_roles,
                log_retention_days=settings.log_retention_days,
            ),
            self._child,
        )

    def _routing(self, balancer: Balancer) -> Routing:
        settings, naming, facts = self._settings, self._settings.naming, self._facts
        return Routing(
            naming.name("routing"),
            RoutingArgs(
                naming=naming,
                hosted_zone_id=facts.hosted_zone_id,
                record_name=settings.record_name,
                weights=facts.weights,
                legacy=facts.legacy_balancer,
                alb_dns_name=balancer.alb_dns_name,
                alb_zone_id=balancer.alb_zone_id,
                writer_is_aurora=settings.writer_is_aurora,
                released=facts.released,
            ),
            self._child,
        )

    def _monitoring(
        self, replication: Replication, service: Service, balancer: Balancer, database: Database
    ) -> Monitoring:
        settings, naming, facts = self._settings, self._settings.naming, self._facts
        armed = settings.dms.loopback_prevention
        return Monitoring(
            naming.name("monitoring"),
            MonitoringArgs(
                naming=naming,
                region=settings.region,
                legacy_region=settings.legacy_region,
                dms_instance_id=replication.instance_id,
                dms_storage=settings.dms.storage,
                dms_task_arn=replication.task_arn,
                dms_reverse_task_arn=replication.reverse_task_arn,
                writer_is_aurora=settings.writer_is_aurora,
                # With loopback prevention both are meant to run: whoever starts one does it without an `up`.
                forward_counts=facts.verdict.start_forward or armed or not settings.writer_is_aurora,
                reverse_counts=facts.verdict.start_reverse or armed or settings.writer_is_aurora,
                cluster_name=service.cluster_name,
                service_name=service.service_name,
                service_deployed=service.deployed,
                alb_suffix=balancer.alb_arn_suffix,
                target_group_suffix=balancer.target_group_arn_suffix,
                legacy_lb_name=facts.legacy_balancer.name,
                aurora_cluster_id=database.cluster_id,
                alarm_email=settings.alarm_email,
            ),
            self._child,
        )

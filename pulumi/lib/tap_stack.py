"""The whole target stack: makes the components, hands outputs from one to the next, and collects its own.

The only module that knows more than one component; it creates nothing but them and their provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import preflight, routing
from lib.balancer import Balancer, BalancerArgs
from lib.database import Database, DatabaseArgs
from lib.dms_roles import DmsRoles, DmsRolesArgs
from lib.firewall import ANYWHERE, Firewall, FirewallArgs
from lib.monitoring import Monitoring, MonitoringArgs
from lib.naming import Naming
from lib.network import Network, NetworkArgs
from lib.peering import Peering, PeeringArgs
from lib.registry import Registry, RegistryArgs
from lib.replication import Replication, ReplicationArgs
from lib.routing import Routing, RoutingArgs
from lib.service import Service, ServiceArgs
from lib.settings import Settings


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
        provider = aws.Provider(naming.name("aws"), region=settings.region, opts=pulumi.ResourceOptions(parent=self))
        facts = preflight.ask(settings, provider)
        child = pulumi.ResourceOptions(parent=self, providers=[provider])

        network = Network(
            naming.name("network"),
            NetworkArgs(
                naming=naming,
                region=settings.region,
                cidr=settings.vpc_cidr,
                availability_zones=facts.availability_zones,
                single_nat=settings.single_nat,
            ),
            child,
        )
        firewall = Firewall(
            naming.name("firewall"),
            FirewallArgs(
                naming=naming,
                vpc_id=network.vpc_id,
                container_port=settings.container.port,
                https=settings.certificate_arn is not None,
                source_port=settings.source.port,
                source_cidr=ANYWHERE if settings.legacy_network is None else settings.legacy_network.cidr,
            ),
            child,
        )
        self._way_to_legacy(settings, network, child)
        database = Database(
            naming.name("database"),
            DatabaseArgs(
                naming=naming,
                engine_version=settings.aurora_engine_version,
                instance_class=settings.aurora_instance_class,
                availability_zones=facts.availability_zones,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.aurora_sg_id,
                log_retention_days=settings.log_retention_days,
            ),
            child,
        )
        replication = self._replication(settings, network, firewall, database, child)
        registry = Registry(naming.name("registry"), RegistryArgs(naming=naming), child)
        balancer = Balancer(
            naming.name("balancer"),
            BalancerArgs(
                naming=naming,
                vpc_id=network.vpc_id,
                subnet_ids=network.public_subnet_ids,
                security_group_id=firewall.alb_sg_id,
                container_port=settings.container.port,
                certificate_arn=settings.certificate_arn,
            ),
            child,
        )
        service = Service(
            naming.name("service"),
            ServiceArgs(
                naming=naming,
                region=settings.region,
                container=settings.container,
                repository_arn=registry.repository_arn,
                repository_url=registry.repository_url,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.task_sg_id,
                target_group_arn=balancer.target_group_arn,
                listeners=balancer.listeners,
                source=settings.source,
                database=database,
                writer_is_aurora=settings.writer_is_aurora,
                log_retention_days=settings.log_retention_days,
            ),
            child,
        )
        records = Routing(
            naming.name("routing"),
            RoutingArgs(
                naming=naming,
                hosted_zone_id=facts.hosted_zone_id,
                record_name=settings.record_name,
                weights=facts.weights,
                legacy=settings.legacy_balancer,
                alb_dns_name=balancer.alb_dns_name,
                alb_zone_id=balancer.alb_zone_id,
                writer_is_aurora=settings.writer_is_aurora,
            ),
            child,
        )
        monitoring = self._monitoring(settings, naming, replication, service, balancer, database, child)
        self.outputs = {
            "environmentSuffix": settings.environment_suffix,
            "region": settings.region,
            "legacyRegion": settings.legacy_region,
            "vpcId": network.vpc_id,
            "publicSubnetIds": network.public_subnet_ids,
            "privateSubnetIds": network.private_subnet_ids,
            "albArn": balancer.alb_arn,
            "albDnsName": balancer.alb_dns_name,
            "albZoneId": balancer.alb_zone_id,
            "targetGroupArn": balancer.target_group_arn,
            "ecsClusterArn": service.cluster_arn,
            "ecsClusterName": service.cluster_name,
            "ecsServiceName": service.service_name,
            "ecrRepositoryUrl": registry.repository_url,
            "auroraClusterArn": database.cluster_arn,
            "auroraClusterId": database.cluster_id,
            "auroraWriterEndpoint": database.writer_endpoint,
            "auroraReaderEndpoint": database.reader_endpoint,
            "dmsReplicationInstanceArn": replication.instance_arn,
            "dmsReplicationInstanceId": replication.instance_id,
            "dmsTaskArn": replication.task_arn,
            "dmsReverseTaskArn": replication.reverse_task_arn,
            "dbSecretArn": database.secret_arn,
            "hostedZoneId": facts.hosted_zone_id,
            "recordName": settings.record_name,
            "recordType": routing.RECORD_TYPE,
            "legacySetIdentifier": records.legacy_set_identifier,
            "newSetIdentifier": records.new_set_identifier,
            "legacyLbName": settings.legacy_balancer.name,
            "legacyLbDnsName": settings.legacy_balancer.dns_name,
            "databaseWriter": "aurora" if settings.writer_is_aurora else "legacy",
            "dashboardName": monitoring.dashboard_name,
            "dashboardUrl": monitoring.dashboard_url,
            "lagAlarmName": monitoring.lag_alarm_name,
            "alarmNames": monitoring.alarm_names,
            "logGroupNames": [
                *service.log_group_names,
                *database.log_group_names,
                replication.log_group_name,
            ],
        }
        self.register_outputs(dict(self.outputs))

    def _way_to_legacy(self, settings: Settings, network: Network, child: pulumi.ResourceOptions) -> None:
        naming = settings.naming
        if settings.legacy_network is not None:
            Peering(
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
                child,
            )
            return
        pulumi.log.warn(
            "no peering (pulumi config set legacyVpcId ...): DMS and the tasks reach the legacy database over the "
            "Internet, so it must be public and let the NAT gateways' addresses in"
            + ("" if settings.source.ca_certificate else "; without sourceDbCaCertificate DMS does so unencrypted"),
            resource=self,
        )

    def _replication(
        self,
        settings: Settings,
        network: Network,
        firewall: Firewall,
        database: Database,
        child: pulumi.ResourceOptions,
    ) -> Replication:
        naming = settings.naming
        account_roles: list[pulumi.Resource] = []
        if settings.dms.creates_account_roles:
            account_roles.extend(DmsRoles(naming.name("dms-roles"), DmsRolesArgs(naming=naming), child).attachments)
        return Replication(
            naming.name("replication"),
            ReplicationArgs(
                naming=naming,
                region=settings.region,
                dms=settings.dms,
                source=settings.source,
                database=database,
                subnet_ids=network.private_subnet_ids,
                security_group_id=firewall.dms_sg_id,
                account_roles=account_roles,
                log_retention_days=settings.log_retention_days,
            ),
            child,
        )

    def _monitoring(
        self,
        settings: Settings,
        naming: Naming,
        replication: Replication,
        service: Service,
        balancer: Balancer,
        database: Database,
        child: pulumi.ResourceOptions,
    ) -> Monitoring:
        return Monitoring(
            naming.name("monitoring"),
            MonitoringArgs(
                naming=naming,
                region=settings.region,
                legacy_region=settings.legacy_region,
                dms_instance_id=replication.instance_id,
                dms_task_arn=replication.task_arn,
                cluster_name=service.cluster_name,
                service_name=service.service_name,
                service_deployed=service.deployed,
                alb_suffix=balancer.alb_arn_suffix,
                target_group_suffix=balancer.target_group_arn_suffix,
                legacy_lb_name=settings.legacy_balancer.name,
                aurora_cluster_id=database.cluster_id,
                alarm_email=settings.alarm_email,
            ),
            child,
        )

"""The stack outputs that tapctl reads; their keys are its public interface."""

from dataclasses import dataclass

import pulumi

from lib import routing
from lib.balancer import Balancer
from lib.database import Database
from lib.firewall import Firewall
from lib.monitoring import Monitoring
from lib.network import Network
from lib.preflight import Facts
from lib.registry import Registry
from lib.replication import Replication
from lib.routing import Routing
from lib.service import Service
from lib.settings import Settings
from lib.sql_task import SqlTask
from lib.wiring import Wiring

Outputs = dict[str, pulumi.Input[object]]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that an output is read from."""

    settings: Settings
    facts: Facts
    network: Network
    firewall: Firewall
    database: Database
    wiring: Wiring
    replication: Replication
    registry: Registry
    balancer: Balancer
    service: Service
    sql: SqlTask
    records: Routing
    monitoring: Monitoring


def of(parts: Parts) -> Outputs:
    """Every output of the stack."""
    return {
        **_configured(parts),
        **_of_the_network(parts),
        **_of_the_service(parts),
        **_of_the_identities(parts),
        **_of_the_watch(parts),
    }


def _configured(parts: Parts) -> Outputs:
    settings, facts = parts.settings, parts.facts
    return {
        "environmentSuffix": settings.environment_suffix,
        "region": settings.region,
        "legacyRegion": settings.legacy_region,
        "hostedZoneId": facts.hosted_zone_id,
        "recordName": settings.record_name,
        "recordType": routing.RECORD_TYPE,
        "legacySetIdentifier": parts.records.legacy_set_identifier,
        "newSetIdentifier": parts.records.new_set_identifier,
        "legacyLbName": facts.legacy_balancer.name,
        "legacyLbDnsName": facts.legacy_balancer.dns_name,
        "databaseWriter": "aurora" if settings.writer_is_aurora else "legacy",
    }


def _of_the_network(parts: Parts) -> Outputs:
    network, balancer = parts.network, parts.balancer
    return {
        "vpcId": network.vpc_id,
        "publicSubnetIds": network.public_subnet_ids,
        "privateSubnetIds": network.private_subnet_ids,
        "natAddresses": network.nat_addresses,
        "albArn": balancer.alb_arn,
        "albDnsName": balancer.alb_dns_name,
        "albZoneId": balancer.alb_zone_id,
        "targetGroupArn": balancer.target_group_arn,
    }


def _of_the_service(parts: Parts) -> Outputs:
    service, database, replication = parts.service, parts.database, parts.replication
    return {
        "ecsClusterArn": service.cluster_arn,
        "ecsClusterName": service.cluster_name,
        "ecsServiceName": service.service_name,
        "ecrRepositoryUrl": parts.registry.repository_url,
        "auroraClusterArn": database.cluster_arn,
        "auroraClusterId": database.cluster_id,
        "auroraWriterEndpoint": database.writer_endpoint,
        "auroraReaderEndpoint": database.reader_endpoint,
        "dmsReplicationInstanceArn": replication.instance_arn,
        "dmsReplicationInstanceId": replication.instance_id,
        "dmsTaskArn": replication.task_arn,
        "dmsReverseTaskArn": replication.reverse_task_arn,
    }


def _of_the_identities(parts: Parts) -> Outputs:
    return {
        "dbSecretArn": parts.database.secret_arn,
        "dbWriterHosts": [server.address for server in parts.wiring.writers],
        "dbReaderHost": parts.database.reader_endpoint,
        **parts.wiring.secret_outputs,
        "sqlTaskDefinitionArn": parts.sql.task_definition_arn,
        "sqlSecurityGroupId": parts.firewall.sql_sg_id,
    }


def _of_the_watch(parts: Parts) -> Outputs:
    monitoring = parts.monitoring
    return {
        "dashboardName": monitoring.dashboard_name,
        "dashboardUrl": monitoring.dashboard_url,
        "lagAlarmName": monitoring.lag_alarm_name,
        "dmsForwardLagAlarmName": monitoring.forward_lag_alarm_name,
        "dmsReverseLagAlarmName": monitoring.reverse_lag_alarm_name,
        "alarmNames": monitoring.alarm_names,
        "logGroupNames": [
            *parts.service.log_group_names,
            parts.sql.log_group_name,
            *parts.database.log_group_names,
            parts.replication.log_group_name,
            *parts.network.log_group_names,
        ],
    }

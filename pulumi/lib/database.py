"""Aurora MySQL: one writer and two readers in three zones, and the secret of its master user."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib.accounts import Credentials, password, secret_with
from lib.firewall import MYSQL_PORT
from lib.naming import Naming

FAMILY = "aurora-mysql8.0"
ENGINE = aws.rds.EngineType.AURORA_MYSQL
USERNAME = "migration"
LOGS = ("error", "slowquery")


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """What the cluster is made from."""

    naming: Naming
    engine_version: str
    instance_class: str
    availability_zones: Sequence[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    log_retention_days: int


class Database(pulumi.ComponentResource):
    """The cluster that the migration moves to."""

    cluster_arn: pulumi.Output[str]
    cluster_id: pulumi.Output[str]
    writer_endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    secret_arn: pulumi.Output[str]
    master: Credentials
    instances: list[aws.rds.ClusterInstance]
    log_group_names: list[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the cluster, its parameter groups, its log groups and its secret."""
        super().__init__("tap:database:Database", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        master = password(self._naming.name("db-password"), self._child)
        cluster = self._cluster(master)
        self.cluster_arn = cluster.arn
        self.cluster_id = cluster.cluster_identifier
        self.writer_endpoint = cluster.endpoint
        self.reader_endpoint = cluster.reader_endpoint
        self.instances = self._instances(cluster)
        self._secret(master)
        pulumi.log.info(
            f"Aurora MySQL {args.engine_version}, {args.instance_class}: one writer, two readers",
            resource=self,
        )
        self.register_outputs(
            {
                "clusterArn": self.cluster_arn,
                "writerEndpoint": self.writer_endpoint,
                "readerEndpoint": self.reader_endpoint,
                "secretArn": self.secret_arn,
            }
        )

    def _cluster(self, master: pulumi.Output[str]) -> aws.rds.Cluster:
        name = self._naming.name("aurora")
        subnets_name = self._naming.name("aurora-subnets")
        subnets = aws.rds.SubnetGroup(
            subnets_name,
            name=subnets_name,
            description="Private subnets of the migration's Aurora cluster",
            subnet_ids=list(self._args.subnet_ids),
            tags=self._naming.tags(subnets_name),
            opts=self._child,
        )
        parameters_name = self._naming.name("aurora-cluster-params")
        parameters = aws.rds.ClusterParameterGroup(
            parameters_name,
            name=parameters_name,
            family=FAMILY,
            description="Binary log for the way back: DMS reads Aurora's changes from it",
            # binlog_format is static: set from the first boot it costs nothing, set later it costs a reboot.
            parameters=[
                aws.rds.ClusterParameterGroupParameterArgs(
                    name="binlog_format", value="ROW", apply_method="pending-reboot"
                ),
                aws.rds.ClusterParameterGroupParameterArgs(
                    name="binlog_row_image", value="FULL", apply_method="pending-reboot"
                ),
                aws.rds.ClusterParameterGroupParameterArgs(
                    name="binlog_checksum", value="NONE", apply_method="pending-reboot"
                ),
            ],
            tags=self._naming.tags(parameters_name),
            opts=self._child,
        )
        groups: list[pulumi.Resource] = []
        self.log_group_names = []
        for log in LOGS:
            group_name = f"/aws/rds/cluster/{name}/{log}"
            # RDS makes the group itself, for ever, when it is not there before the cluster.
            groups.append(
                aws.cloudwatch.LogGroup(
                    f"{name}-{log}-logs",
                    name=group_name,
                    retention_in_days=self._args.log_retention_days,
                    tags=self._naming.tags(f"{name}-{log}-logs"),
                    opts=self._child,
                )
            )
            self.log_group_names.append(group_name)
        return aws.rds.Cluster(
            name,
            cluster_identifier=name,
            engine=ENGINE,
            engine_version=self._args.engine_version,
            port=MYSQL_PORT,
            master_username=USERNAME,
            master_password=master,
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            vpc_security_group_ids=[self._args.security_group_id],
            # AWS's own key: a key of the stack would outlive `destroy` by a week.
            storage_encrypted=True,
            deletion_protection=False,
            skip_final_snapshot=True,
            backup_retention_period=1,
            copy_tags_to_snapshot=True,
            enabled_cloudwatch_logs_exports=list(LOGS),
            apply_immediately=True,
            tags=self._naming.tags(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=groups),
        )

    def _instances(self, cluster: aws.rds.Cluster) -> list[aws.rds.ClusterInstance]:
        parameters_name = self._naming.name("aurora-params")
        parameters = aws.rds.ParameterGroup(
            parameters_name,
            name=parameters_name,
            family=FAMILY,
            description="Slow-query log of the migration's Aurora instances",
            parameters=[
                aws.rds.ParameterGroupParameterArgs(name="slow_query_log", value="1"),
                aws.rds.ParameterGroupParameterArgs(name="long_query_time", value="1"),
                aws.rds.ParameterGroupParameterArgs(name="log_output", value="FILE"),
            ],
            tags=self._naming.tags(parameters_name),
            opts=self._child,
        )
        instances: list[aws.rds.ClusterInstance] = []
        for number, zone in enumerate(self._args.availability_zones, start=1):
            name = self._naming.name("aurora-instance", number)
            instances.append(
                aws.rds.ClusterInstance(
                    name,
                    identifier=name,
                    cluster_identifier=cluster.id,
                    engine=ENGINE,
                    engine_version=self._args.engine_version,
                    instance_class=self._args.instance_class,
                    availability_zone=zone,
                    db_parameter_group_name=parameters.name,
                    publicly_accessible=False,
                    auto_minor_version_upgrade=False,
                    apply_immediately=True,
                    promotion_tier=number - 1,
                    tags=self._naming.tags(name),
                    # The first instance of a cluster becomes its writer, so the readers wait for it.
                    opts=pulumi.ResourceOptions(parent=self, depends_on=instances[:1]),
                )
            )
        return instances

    def _secret(self, master: pulumi.Output[str]) -> None:
        secret, version = secret_with(
            self._naming,
            "db-secret",
            "Master user of the migration's Aurora cluster",
            {
                "engine": "mysql",
                "host": self.writer_endpoint,
                "port": MYSQL_PORT,
                "username": USERNAME,
                "password": master,
            },
            self._child,
        )
        self.secret_arn = secret.arn
        self.master = Credentials(name="db-secret", arn=secret.arn, version=version)

"""DMS: the forward task from the legacy database to Aurora, and the task for the way back, created but not started."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies, task_settings
from lib.database import Database
from lib.naming import Naming
from lib.settings import Dms, SourceDatabase


@dataclass(frozen=True, kw_only=True)
class ReplicationArgs:
    """What the replication is made from."""

    naming: Naming
    region: str
    dms: Dms
    source: SourceDatabase
    database: Database
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    account_roles: Sequence[pulumi.Resource]
    log_retention_days: int


class Replication(pulumi.ComponentResource):
    """The replication instance, four endpoints and two tasks."""

    instance_arn: pulumi.Output[str]
    instance_id: str
    task_arn: pulumi.Output[str]
    reverse_task_arn: pulumi.Output[str]
    log_group_name: str

    def __init__(self, name: str, args: ReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the replication; the forward task starts when it is told to."""
        super().__init__("tap:replication:Replication", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        self.instance_id = self._naming.name("dms")
        self.log_group_name = f"dms-tasks-{self.instance_id}"
        logs_name = f"{self.instance_id}-logs"
        logs = aws.cloudwatch.LogGroup(
            logs_name,
            # DMS chooses the name; a group that is there beforehand keeps its retention and goes with the stack.
            name=self.log_group_name,
            retention_in_days=args.log_retention_days,
            tags=self._naming.tags(logs_name),
            opts=self._child,
        )
        instance = self._instance(logs)
        self.instance_arn = instance.replication_instance_arn
        role, policy = self._secrets_role()
        ready: list[pulumi.Resource] = [policy, args.database.secret_version, *args.database.instances]
        certificate_arn = self._certificate()
        legacy_source = self._endpoint(
            "dms-legacy-source", "source", args.source.secret_arn, role, ready, certificate_arn
        )
        aurora_target = self._endpoint("dms-aurora-target", "target", args.database.secret_arn, role, ready)
        aurora_source = self._endpoint("dms-aurora-source", "source", args.database.secret_arn, role, ready)
        legacy_target = self._endpoint(
            "dms-legacy-target", "target", args.source.secret_arn, role, ready, certificate_arn
        )
        forward = self._task("dms-task", "full-load-and-cdc", legacy_source, aurora_target, start=args.dms.start)
        # It starts in the cutover, from the position that Aurora's binary log has at that moment.
        reverse = self._task("dms-reverse-task", "cdc", aurora_source, legacy_target, start=False)
        self.task_arn = forward.replication_task_arn
        self.reverse_task_arn = reverse.replication_task_arn
        what = "starts" if args.dms.start else "waits (pulumi config set startReplication true)"
        pulumi.log.info(
            f"{args.dms.instance_class}, databases {', '.join(args.source.databases)}; the forward task {what}",
            resource=self,
        )
        self.register_outputs({"taskArn": self.task_arn, "reverseTaskArn": self.reverse_task_arn})

    def _instance(self, logs: aws.cloudwatch.LogGroup) -> aws.dms.ReplicationInstance:
        subnets_name = self._naming.name("dms-subnets")
        subnets = aws.dms.ReplicationSubnetGroup(
            subnets_name,
            replication_subnet_group_id=subnets_name,
            replication_subnet_group_description="Private subnets of the migration's replication instance",
            subnet_ids=list(self._args.subnet_ids),
            tags=self._naming.tags(subnets_name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._args.account_roles)),
        )
        dms = self._args.dms
        return aws.dms.ReplicationInstance(
            self.instance_id,
            replication_instance_id=self.instance_id,
            replication_instance_class=dms.instance_class,
            allocated_storage=dms.storage,
            engine_version=dms.engine_version,
            auto_minor_version_upgrade=False,
            allow_major_version_upgrade=False,
            apply_immediately=True,
            multi_az=False,
            publicly_accessible=False,
            replication_subnet_group_id=subnets.replication_subnet_group_id,
            vpc_security_group_ids=[self._args.security_group_id],
            tags=self._naming.tags(self.instance_id),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs]),
        )

    def _secrets_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        name = self._naming.name("dms-secrets-role")
        role = aws.iam.Role(
            name,
            name=name,
            description="Lets the replication endpoints read their credentials",
            # Endpoints with secrets are refused unless the role trusts the regional principal.
            assume_role_policy=policies.trust(f"dms.{self._args.region}.amazonaws.com"),
            force_detach_policies=True,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        source = self._args.source
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            name=f"{name}-policy",
            role=role.id,
            policy=policies.document(
                policies.read_secrets(
                    [self._args.database.secret_arn, source.secret_arn], source.secret_kms_key_arn, describe=True
                )
            ),
            opts=self._child,
        )
        return role, policy

    def _certificate(self) -> pulumi.Output[str] | None:
        pem = self._args.source.ca_certificate
        if pem is None:
            return None
        name = self._naming.name("dms-ca")
        certificate = aws.dms.Certificate(
            name, certificate_id=name, certificate_pem=pem, tags=self._naming.tags(name), opts=self._child
        )
        return certificate.certificate_arn

    def _endpoint(
        self,
        kind: str,
        endpoint_type: str,
        secret_arn: pulumi.Input[str],
        role: aws.iam.Role,
        ready: Sequence[pulumi.Resource],
        certificate_arn: pulumi.Output[str] | None = None,
    ) -> aws.dms.Endpoint:
        name = self._naming.name(kind)
        engine = "aurora" if "aurora" in kind else "mysql"
        return aws.dms.Endpoint(
            name,
            endpoint_id=name,
            endpoint_type=endpoint_type,
            engine_name=engine,
            secrets_manager_arn=secret_arn,
            secrets_manager_access_role_arn=role.arn,
            certificate_arn=certificate_arn,
            ssl_mode="verify-ca" if certificate_arn is not None else "none",
            # Tables are loaded side by side, so a child may come before its parent.
            extra_connection_attributes="Initstmt=SET FOREIGN_KEY_CHECKS=0;" if endpoint_type == "target" else None,
            tags=self._naming.tags(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(ready)),
        )

    def _task(
        self, kind: str, migration_type: str, source: aws.dms.Endpoint, target: aws.dms.Endpoint, *, start: bool
    ) -> aws.dms.ReplicationTask:
        name = self._naming.name(kind)
        mappings = self._args.dms.table_mappings or task_settings.mappings_json(self._args.source.databases)
        return aws.dms.ReplicationTask(
            name,
            replication_task_id=name,
            migration_type=migration_type,
            replication_instance_arn=self.instance_arn,
            source_endpoint_arn=source.endpoint_arn,
            target_endpoint_arn=target.endpoint_arn,
            table_mappings=mappings,
            replication_task_settings=task_settings.settings_json(),
            start_replication_task=start,
            tags=self._naming.tags(name),
            opts=self._child,
        )

"""DMS: the forward task from the legacy database to Aurora, and the task for the way back.

Neither is stopped or resumed by this program (see `streams`).  Where AWS leaves no choice, a stream stops: the provider
stops a task to modify it, and starts it again from where it stood; it stops it to modify one of its endpoints as well,
and then it normally stays stopped (see `_still_run`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies, secret_access, task_settings
from lib.accounts import Credentials
from lib.existing import SOURCE, Existing
from lib.naming import Naming
from lib.settings import Dms, SourceDatabase
from lib.streams import Run, Stream, Which


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that endpoints trust, and the id under which DMS keeps it."""

    kind: str
    pem: str
    certificate_id: str


@dataclass(frozen=True, kw_only=True)
class ReplicationArgs:
    """What the replication is made from."""

    naming: Naming
    region: str
    account_id: str
    dms: Dms
    source: SourceDatabase
    aurora: Credentials
    """The account that both streams use in Aurora."""
    aurora_instances: Sequence[pulumi.Resource]
    legacy_authority: Authority | None
    aurora_authority: Authority | None
    existing: Existing
    forward: Stream
    reverse: Stream
    """The streams as they were found."""
    start_forward: bool
    start_reverse: bool
    ways: Sequence[pulumi.Resource]
    """Rules, routes and peering: a task that starts without them fails."""
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
        ready: list[pulumi.Resource] = [policy, *args.aurora_instances, *args.ways]
        if args.aurora.version is not None:
            ready.append(args.aurora.version)
        legacy_ca = self._certificate(args.legacy_authority)
        aurora_ca = self._certificate(args.aurora_authority)
        make = _EndpointMaker(self._naming, self, role)
        legacy, aurora = args.source.secret_arn, args.aurora.arn
        legacy_source = make.endpoint("dms-legacy-source", "source", legacy, ready, legacy_ca)
        aurora_source = make.endpoint("dms-aurora-source", "source", aurora, ready, aurora_ca)
        # After the other end of their stream: each would stop and start the one task that they share.
        aurora_target = make.endpoint("dms-aurora-target", "target", aurora, [*ready, legacy_source], aurora_ca)
        legacy_target = make.endpoint("dms-legacy-target", "target", legacy, [*ready, aurora_source], legacy_ca)
        forward = self._task(
            "dms-task", "full-load-and-cdc", legacy_source, aurora_target, start=args.start_forward, ready=ready
        )
        # It starts in the cutover, from the position that Aurora's binary log has at that moment.
        reverse = self._task(
            "dms-reverse-task", "cdc", aurora_source, legacy_target, start=args.start_reverse, ready=ready
        )
        self.task_arn = forward.replication_task_arn
        self.reverse_task_arn = reverse.replication_task_arn
        self._still_run(
            [
                (which, task)
                for which, stream, task in (
                    (Which.FORWARD, args.forward, forward),
                    (Which.REVERSE, args.reverse, reverse),
                )
                if stream.run is Run.RUNNING
            ]
        )
        pulumi.log.info(
            f"{args.dms.instance_class}, databases {', '.join(args.source.databases)}; the forward stream "
            f"{_words(args.forward, starts=args.start_forward)}, the way back {_words(args.reverse, starts=False)}",
            resource=self,
        )
        self.register_outputs(
            {
                "taskArn": self.task_arn,
                "reverseTaskArn": self.reverse_task_arn,
                # DMS reads the host from the secret, so no resource's state says whose checkpoint the stream has.
                SOURCE: f"{args.source.endpoint}:{args.source.port}",
            }
        )

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
            multi_az=dms.multi_az,
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
            assume_role_policy=policies.trust(f"dms.{self._args.region}.amazonaws.com", self._args.account_id),
            force_detach_policies=True,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        source = self._args.source
        policy = secret_access.allow(
            name,
            role,
            [self._args.aurora, Credentials.given(source.secret_arn)],
            source.secret_kms_key_arn,
            describe=True,
            opts=self._child,
        )
        return role, policy

    def _certificate(self, authority: Authority | None) -> pulumi.Output[str] | None:
        if authority is None:
            return None
        name = self._naming.name(authority.kind)
        certificate = aws.dms.Certificate(
            name,
            certificate_id=authority.certificate_id,
            certificate_pem=authority.pem,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        return certificate.certificate_arn

    def _task(
        self,
        kind: str,
        migration_type: str,
        source: aws.dms.Endpoint,
        target: aws.dms.Endpoint,
        *,
        start: bool,
        ready: Sequence[pulumi.Resource],
    ) -> aws.dms.ReplicationTask:
        name = self._naming.name(kind)
        dms = self._args.dms
        options = task_settings.Options(
            lob_max_size_kb=dms.lob_max_size_kb,
            loopback_prevention=dms.loopback_prevention,
            loopback_is_known=task_settings.knows_loopback(
                self._args.existing.text("dms/replicationTask:ReplicationTask", name, "replicationTaskSettings")
            ),
            full_load_sub_tasks=dms.full_load_sub_tasks,
        )
        return aws.dms.ReplicationTask(
            name,
            replication_task_id=name,
            migration_type=migration_type,
            replication_instance_arn=self.instance_arn,
            source_endpoint_arn=source.endpoint_arn,
            target_endpoint_arn=target.endpoint_arn,
            table_mappings=dms.table_mappings or task_settings.mappings_json(self._args.source.databases),
            replication_task_settings=task_settings.settings_json(options),
            start_replication_task=start,
            tags=self._naming.tags(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(ready)),
        )

    def _still_run(self, running: Sequence[tuple[Which, aws.dms.ReplicationTask]]) -> None:
        """Fails the run when streams that ran before it do not run after it; all of them in one sentence each.

        That is how the `up` of a changed endpoint normally ends.  The provider stops the task, modifies the endpoint
        and tests the connection before it resumes; but ModifyEndpoint has begun a test of its own by then, and on
        "already being tested" the provider leaves the task stopped, without an error (terraform-provider-aws,
        internal/service/dms/endpoint.go, `startEndpointReplicationTasks`; issue 46139).
        """

        def check(statuses: Sequence[str]) -> None:
            told = [
                f"the {which.title} stream was running before this `up` and is {status!r} after it: "
                + which.command("resume", stack=self._naming.suffix, region=self._args.region)
                for (which, _), status in zip(running, statuses, strict=True)
                if status != "running"
            ]
            if told and not pulumi.runtime.is_dry_run():
                raise pulumi.RunError("\n".join([*told, "then `up` once more, for what comes after the streams"]))

        found = [
            aws.dms.get_replication_task_output(
                # Not the id alone: it is known before the task has been modified.
                replication_task_id=pulumi.Output.all(task.replication_task_id, task.status).apply(
                    lambda known: str(known[0])
                ),
                opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[task]),
            )
            for _, task in running
        ]
        pulumi.Output.all(*(each.status for each in found)).apply(check)


@dataclass(frozen=True)
class _EndpointMaker:
    """Makes the endpoints of both streams, which differ in little."""

    naming: Naming
    parent: pulumi.Resource
    role: aws.iam.Role

    def endpoint(
        self,
        kind: str,
        endpoint_type: str,
        secret_arn: pulumi.Input[str],
        ready: Sequence[pulumi.Resource],
        certificate_arn: pulumi.Output[str] | None,
    ) -> aws.dms.Endpoint:
        name = self.naming.name(kind)
        return aws.dms.Endpoint(
            name,
            endpoint_id=name,
            endpoint_type=endpoint_type,
            engine_name="aurora" if "aurora" in kind else "mysql",
            secrets_manager_arn=secret_arn,
            secrets_manager_access_role_arn=self.role.arn,
            certificate_arn=certificate_arn,
            ssl_mode="verify-ca" if certificate_arn is not None else "none",
            # Tables are loaded side by side, so a child may come before its parent.
            extra_connection_attributes="Initstmt=SET FOREIGN_KEY_CHECKS=0;" if endpoint_type == "target" else None,
            # ModifyEndpoint refuses an endpoint of a running task (InvalidResourceStateFault).
            pause_replication_tasks=True,
            tags=self.naming.tags(name),
            opts=pulumi.ResourceOptions(parent=self.parent, depends_on=list(ready)),
        )


def _words(stream: Stream, *, starts: bool) -> str:
    if starts and stream.run is not Run.RUNNING:
        return "starts"
    if stream.run in {Run.ABSENT, Run.READY}:
        return "waits for its first start"
    return f"is {stream.status} and stays so"

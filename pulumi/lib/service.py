"""The application on ECS Fargate: cluster, roles, task definition, service and its scaling.

The tasks get exactly one database that they may write to.  Until the cutover it is the legacy one, whatever share of
the traffic comes here; moving traffic and moving the writer are two separate decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies, secret_access
from lib.accounts import Credentials
from lib.naming import Naming
from lib.settings import Container
from lib.wiring import Wiring

MIN_TASKS = 4
MAX_TASKS = 12
CPU_TARGET_PERCENT = 70
CONTAINER_NAME = "app"
SCRATCH_PART = 4
"""A container with a read-only root may write to `/tmp` alone, which takes up to this part of the task's memory."""


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """What the service is made from."""

    naming: Naming
    region: str
    account_id: str
    container: Container
    repository_arn: pulumi.Output[str]
    repository_url: pulumi.Output[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    listeners: Sequence[aws.lb.Listener]
    database_name: str
    wiring: Wiring
    kms_key_arn: str | None
    after: Sequence[pulumi.Resource]
    """Ways out, rules and peering: a task that starts without them pulls no image and finds no database."""
    writer_is_aurora: bool
    log_retention_days: int


class Service(pulumi.ComponentResource):
    """Four tasks in three zones behind the load balancer, four to twelve by CPU."""

    cluster_arn: pulumi.Output[str]
    cluster_name: str
    service_name: str
    deployed: bool
    log_group_names: list[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the cluster, and the service when there is an image to run."""
        super().__init__("tap:service:Service", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        self.cluster_name = self._naming.name("cluster")
        self.service_name = self._naming.name("service")
        logs = self._log_group(self._naming.name("app-logs"), self._naming.name("app-logs"))
        insights = self._log_group(
            f"{self.cluster_name}-insights-logs", f"/aws/ecs/containerinsights/{self.cluster_name}/performance"
        )
        self.log_group_names = [
            self._naming.name("app-logs"),
            f"/aws/ecs/containerinsights/{self.cluster_name}/performance",
        ]
        cluster = aws.ecs.Cluster(
            self.cluster_name,
            name=self.cluster_name,
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")],
            tags=self._naming.tags(self.cluster_name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[insights]),
        )
        self.cluster_arn = cluster.arn
        execution_role, execution_policies = self._execution_role(logs.arn)
        task_role = self._role("task-role", "What the application itself may do in AWS: nothing yet")
        self.deployed = args.container.image_tag is not None
        if args.container.image_tag is None:
            pulumi.log.warn(
                "no image yet, so the service is left out: push one to the repository, then "
                "`pulumi config set imageTag TAG` and `up` again",
                resource=self,
            )
        else:
            task = self._task_definition(args.container.image_tag, execution_role, task_role, logs.name)
            self._scale(self._service(cluster, task, execution_policies))
            writer = "Aurora" if args.writer_is_aurora else "the legacy database"
            pulumi.log.info(f"image {args.container.image_tag}; tasks write to {writer}", resource=self)
        self.register_outputs({"clusterArn": self.cluster_arn, "serviceName": self.service_name})

    def _log_group(self, name: str, group_name: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name=group_name,
            retention_in_days=self._args.log_retention_days,
            tags=self._naming.tags(name),
            opts=self._child,
        )

    def _role(self, kind: str, description: str) -> aws.iam.Role:
        name = self._naming.name(kind)
        return aws.iam.Role(
            name,
            name=name,
            description=description,
            assume_role_policy=policies.trust("ecs-tasks.amazonaws.com", self._args.account_id),
            force_detach_policies=True,
            tags=self._naming.tags(name),
            opts=self._child,
        )

    def _execution_role(self, log_group_arn: pulumi.Output[str]) -> tuple[aws.iam.Role, list[aws.iam.RolePolicy]]:
        args = self._args
        role = self._role("execution-role", "Starts tasks: pulls the image, reads both secrets, writes the log")
        reads = secret_access.allow(
            self._naming.name("execution-role"),
            role,
            [args.wiring.app, args.wiring.app_read_only],
            args.kms_key_arn,
            describe=False,
            opts=self._child,
        )
        name = f"{self._naming.name('execution-role')}-policy"
        policy = aws.iam.RolePolicy(
            name,
            name=name,
            role=role.id,
            policy=policies.document(
                [
                    *policies.pull_images(args.repository_arn),
                    *policies.write_logs(log_group_arn),
                ]
            ),
            # In a stack of an earlier version this one names the secrets as well, until the other can be read by.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[reads]),
        )
        return role, [policy, reads]

    def _task_definition(
        self, image_tag: str, execution_role: aws.iam.Role, task_role: aws.iam.Role, log_group: pulumi.Output[str]
    ) -> aws.ecs.TaskDefinition:
        args = self._args
        wiring = args.wiring
        name = self._naming.name("app")
        container: dict[str, object] = {
            "name": CONTAINER_NAME,
            "image": pulumi.Output.concat(args.repository_url, ":", image_tag),
            "essential": True,
            "portMappings": [
                {"containerPort": args.container.port, "hostPort": args.container.port, "protocol": "tcp"}
            ],
            "environment": [
                {"name": "DB_NAME", "value": args.database_name},
                {"name": "DB_WRITER_HOST", "value": wiring.writer.host},
                {"name": "DB_WRITER_PORT", "value": str(wiring.writer.port)},
                {"name": "DB_WRITER_HOSTS", "value": _joined(wiring)},
                {"name": "DB_WRITER_TLS", "value": "required" if wiring.writer_needs_tls else "preferred"},
                {"name": "DB_READER_HOST", "value": wiring.reader.host},
                {"name": "DB_READER_PORT", "value": str(wiring.reader.port)},
                {"name": "PORT", "value": str(args.container.port)},
            ],
            "secrets": [*_credentials("DB_WRITER", wiring.app), *_credentials("DB_READER", wiring.app_read_only)],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": log_group,
                    "awslogs-region": args.region,
                    "awslogs-stream-prefix": CONTAINER_NAME,
                },
            },
        }
        container |= _hardened(args.container)
        return aws.ecs.TaskDefinition(
            name,
            family=name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.container.cpu),
            memory=str(args.container.memory),
            execution_role_arn=execution_role.arn,
            task_role_arn=task_role.arn,
            container_definitions=pulumi.Output.json_dumps([container], sort_keys=True),
            tags=self._naming.tags(name),
            opts=self._child,
        )

    def _service(
        self,
        cluster: aws.ecs.Cluster,
        task: aws.ecs.TaskDefinition,
        execution_policies: Sequence[aws.iam.RolePolicy],
    ) -> aws.ecs.Service:
        args = self._args
        return aws.ecs.Service(
            self.service_name,
            name=self.service_name,
            cluster=cluster.arn,
            task_definition=task.arn,
            launch_type="FARGATE",
            desired_count=MIN_TASKS,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            availability_zone_rebalancing="ENABLED",
            health_check_grace_period_seconds=60,
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=list(args.subnet_ids), security_groups=[args.security_group_id], assign_public_ip=False
            ),
            load_balancers=[
                aws.ecs.ServiceLoadBalancerArgs(
                    target_group_arn=args.target_group_arn,
                    container_name=CONTAINER_NAME,
                    container_port=args.container.port,
                )
            ],
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            enable_execute_command=False,
            force_delete=True,
            # An image that does not start fails the `up` that brought it, in plain sight.
            wait_for_steady_state=True,
            tags=self._naming.tags(self.service_name),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.listeners, *execution_policies, *args.wiring.versions, *args.after],
                # The count belongs to autoscaling from the first deployment on.
                ignore_changes=["desiredCount"],
            ),
        )

    def _scale(self, service: aws.ecs.Service) -> None:
        name = self._naming.name("scaling")
        target = aws.appautoscaling.Target(
            name,
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", self.cluster_name, "/", service.name),
            min_capacity=MIN_TASKS,
            max_capacity=MAX_TASKS,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        aws.appautoscaling.Policy(
            f"{name}-cpu",
            name=f"{name}-cpu",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                predefined_metric_specification=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                    predefined_metric_type="ECSServiceAverageCPUUtilization"
                ),
                target_value=CPU_TARGET_PERCENT,
                scale_out_cooldown=60,
                scale_in_cooldown=300,
                disable_scale_in=False,
            ),
            opts=self._child,
        )


def _joined(wiring: Wiring) -> pulumi.Output[str]:
    """The hosts as one word that most drivers take as it is."""
    return pulumi.Output.all(*(server.address for server in wiring.writers)).apply(",".join)


def _hardened(container: Container) -> dict[str, object]:
    """What the image must be able to live with, so only where it is configured.

    `/tmp` lies in memory, open to every user.  A volume of the task would be root's with mode 0755 (ECS developer
    guide, "Use bind mounts with Amazon ECS"), so that nobody whom `containerUser` or the image itself names could write
    there (github.com/aws/containers-roadmap, issue 938), unless the image has a VOLUME of the same path with another
    owner.  Fargate has tmpfs since January 2026 (issue 736 there).
    """
    told: dict[str, object] = {}
    if container.user is not None:
        told["user"] = container.user
    if container.read_only:
        told["readonlyRootFilesystem"] = True
        scratch = {
            "containerPath": "/tmp",  # noqa: S108 -- within the container
            "size": container.memory // SCRATCH_PART,
            "mountOptions": ["mode=1777", "nosuid", "nodev"],
        }
        told["linuxParameters"] = {"capabilities": {"drop": ["ALL"]}, "tmpfs": [scratch]}
    return told


def _credentials(prefix: str, credentials: Credentials) -> list[dict[str, pulumi.Input[str]]]:
    return [
        {
            "name": f"{prefix}_{key.upper()}",
            "valueFrom": pulumi.Output.concat(credentials.arn, f":{key}::"),
        }
        for key in ("username", "password")
    ]

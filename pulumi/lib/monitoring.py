"""Alarms, the topics they go to, and the dashboard.

Both streams have their alarms.  Those of a stream that is not meant to run tell nobody and are left out of the stack's
`alarmNames`: it reports nothing, which would look like trouble.  Meant to run is one that runs, one that leads away
from the writer, and both with loopback prevention, whether or not they have been started yet.
"""

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from lib import dashboard
from lib.naming import Naming, digest
from lib.service import MIN_TASKS

LAG_SECONDS = 60
ERRORS_PER_MINUTE = 10
FREE_DISK_SHARE = 0.2
BYTES_PER_GB = 1024**3


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """The identifiers that CloudWatch knows the resources by."""

    naming: Naming
    region: str
    legacy_region: str
    dms_instance_id: str
    dms_storage: int
    """Disk of the replication instance in GB."""
    dms_task_arn: pulumi.Output[str]
    dms_reverse_task_arn: pulumi.Output[str]
    writer_is_aurora: bool
    forward_counts: bool
    reverse_counts: bool
    """Whether the stream is meant to run."""
    cluster_name: str
    service_name: str
    service_deployed: bool
    alb_suffix: pulumi.Output[str]
    target_group_suffix: pulumi.Output[str]
    legacy_lb_name: str
    aurora_cluster_id: pulumi.Output[str]
    alarm_email: str | None


@dataclass(frozen=True, kw_only=True)
class _Alarm:
    kind: str
    description: str
    namespace: str
    metric: str
    statistic: str
    comparison: str
    threshold: float
    missing: str
    legacy: bool = False
    """Whether it watches the legacy region: an alarm and its topic must lie where the metric is."""
    silent: bool = False
    """Whether nobody is told."""
    dimensions: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])


class Monitoring(pulumi.ComponentResource):
    """What wakes the on-call engineer, and what they look at."""

    dashboard_name: str
    dashboard_url: str
    lag_alarm_name: str
    """Of the stream that leads away from the writer."""
    forward_lag_alarm_name: str
    reverse_lag_alarm_name: str
    alarm_names: list[str]
    """The alarms of both regions that count."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates topics, alarms and dashboard."""
        super().__init__("tap:monitoring:Monitoring", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        # DMS's metrics know a task by the last part of its ARN, not by its name.
        self._task_id = args.dms_task_arn.apply(lambda arn: arn.rsplit(":", 1)[-1])
        self._reverse_task_id = args.dms_reverse_task_arn.apply(lambda arn: arn.rsplit(":", 1)[-1])
        topic, legacy_topic = self._topic("alerts", None), self._topic("legacy-alerts", args.legacy_region)
        self.alarm_names = []
        for alarm in (*self._stream_alarms(), *self._alarms(), *self._legacy_alarms()):
            name = self._alarm(alarm, legacy_topic if alarm.legacy else topic)
            if not alarm.silent:
                self.alarm_names.append(name)
        self.forward_lag_alarm_name = self._naming.name("dms-lag")
        self.reverse_lag_alarm_name = self._naming.name("dms-reverse-lag")
        self.lag_alarm_name = self.reverse_lag_alarm_name if args.writer_is_aurora else self.forward_lag_alarm_name
        self.dashboard_name = self._naming.name("dashboard")
        self.dashboard_url = (
            f"https://{args.region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={args.region}#dashboards/dashboard/{self.dashboard_name}"
        )
        self._dashboard()
        pulumi.log.info(f"{len(self.alarm_names)} alarms, mail to {args.alarm_email or 'nobody'}", resource=self)
        self.register_outputs({"dashboardUrl": self.dashboard_url, "alarmNames": self.alarm_names})

    def _topic(self, kind: str, region: str | None) -> pulumi.Output[str]:
        name = self._naming.name(kind)
        topic = aws.sns.Topic(name, name=name, region=region, tags=self._naming.tags(name), opts=self._child)
        if self._args.alarm_email is not None:
            # Named by the address.  Subscribe answers with the subscription that the address has already
            # (github.com/getmoto/moto, pull request 1418), and the provider takes its ARN as the id
            # (terraform-provider-aws, internal/service/sns/topic_subscription.go).  With one name for all addresses,
            # one that comes back after a failed run would be made as what still waits for its deletion, and go with it.
            aws.sns.TopicSubscription(
                f"{name}-mail-{digest(self._args.alarm_email)}",
                topic=topic.arn,
                protocol="email",
                endpoint=self._args.alarm_email,
                region=region,
                opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=f"{name}-mail")]),
            )
        return topic.arn

    def _stream_alarms(self) -> list[_Alarm]:
        """Lag that is not reported is not lag of zero: it goes to INSUFFICIENT_DATA, which is mailed as well."""
        args = self._args
        streams = (
            ("dms", self._task_id, args.forward_counts, "Aurora", "the legacy database"),
            ("dms-reverse", self._reverse_task_id, args.reverse_counts, "the legacy database", "Aurora"),
        )
        return [
            _Alarm(
                kind=f"{prefix}-{kind}",
                description=f"{behind} more than {LAG_SECONDS} s {what}",
                namespace="AWS/DMS",
                metric=metric,
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=LAG_SECONDS,
                missing="missing",
                silent=not counts,
                dimensions={
                    "ReplicationInstanceIdentifier": args.dms_instance_id,
                    "ReplicationTaskIdentifier": task_id,
                },
            )
            for prefix, task_id, counts, target, source in streams
            for kind, metric, behind, what in (
                ("lag", "CDCLatencyTarget", f"{target} is", f"behind {source}"),
                ("source-lag", "CDCLatencySource", f"DMS reads the changes of {source}", "late"),
            )
        ]

    def _legacy_alarms(self) -> list[_Alarm]:
        return [
            _Alarm(
                kind=kind,
                description=description,
                namespace="AWS/ELB",
                metric=metric,
                statistic="Sum",
                comparison="GreaterThanThreshold",
                threshold=ERRORS_PER_MINUTE,
                missing="notBreaching",
                legacy=True,
                dimensions={"LoadBalancerName": self._args.legacy_lb_name},
            )
            for kind, metric, description in (
                ("legacy-5xx", "HTTPCode_Backend_5XX", "The legacy application answers with 5xx"),
                ("legacy-elb-5xx", "HTTPCode_ELB_5XX", "The legacy load balancer itself answers with 5xx"),
            )
        ]

    def _alarms(self) -> list[_Alarm]:
        args = self._args
        alb: dict[str, pulumi.Input[str]] = {"LoadBalancer": args.alb_suffix}
        alarms = [
            _Alarm(
                kind="dms-disk",
                description="The replication instance has less than a fifth of its disk left; full, it stops reading",
                namespace="AWS/DMS",
                metric="FreeStorageSpace",
                statistic="Minimum",
                comparison="LessThanThreshold",
                threshold=args.dms_storage * BYTES_PER_GB * FREE_DISK_SHARE,
                missing="missing",
                dimensions={"ReplicationInstanceIdentifier": args.dms_instance_id},
            ),
            _Alarm(
                kind="unhealthy-targets",
                description="A task fails its health check",
                namespace="AWS/ApplicationELB",
                metric="UnHealthyHostCount",
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=0,
                missing="missing",
                dimensions={"TargetGroup": args.target_group_suffix, **alb},
            ),
            # The load balancer reports 5xx only when there are some: missing is none.
            _Alarm(
                kind="alb-5xx",
                description="The load balancer itself answers with 5xx",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_ELB_5XX_Count",
                statistic="Sum",
                comparison="GreaterThanThreshold",
                threshold=ERRORS_PER_MINUTE,
                missing="notBreaching",
                dimensions=alb,
            ),
            _Alarm(
                kind="target-5xx",
                description="The application answers with 5xx",
                namespace="AWS/ApplicationELB",
                metric="HTTPCode_Target_5XX_Count",
                statistic="Sum",
                comparison="GreaterThanThreshold",
                threshold=ERRORS_PER_MINUTE,
                missing="notBreaching",
                dimensions=alb,
            ),
        ]
        if args.service_deployed:
            alarms.append(
                _Alarm(
                    kind="task-count",
                    description=f"Fewer than {MIN_TASKS} tasks run",
                    namespace="ECS/ContainerInsights",
                    metric="RunningTaskCount",
                    statistic="Minimum",
                    comparison="LessThanThreshold",
                    threshold=MIN_TASKS,
                    missing="breaching",
                    dimensions={"ClusterName": args.cluster_name, "ServiceName": args.service_name},
                )
            )
        return alarms

    def _alarm(self, alarm: _Alarm, topic_arn: pulumi.Output[str]) -> str:
        name = self._naming.name(alarm.kind)
        aws.cloudwatch.MetricAlarm(
            name,
            name=name,
            region=self._args.legacy_region if alarm.legacy else None,
            actions_enabled=not alarm.silent,
            alarm_description=alarm.description,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            period=60,
            # Two of three minutes: one late or odd minute wakes nobody.
            evaluation_periods=3,
            datapoints_to_alarm=2,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            treat_missing_data=alarm.missing,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            insufficient_data_actions=[topic_arn] if alarm.missing == "missing" else [],
            tags=self._naming.tags(name),
            opts=self._child,
        )
        return name

    def _dashboard(self) -> None:
        args = self._args
        body = pulumi.Output.all(
            task_id=self._task_id,
            reverse_task_id=self._reverse_task_id,
            alb=args.alb_suffix,
            group=args.target_group_suffix,
            aurora=args.aurora_cluster_id,
        ).apply(
            lambda known: dashboard.body(
                dashboard.DashboardArgs(
                    region=args.region,
                    legacy_region=args.legacy_region,
                    dms_instance_id=args.dms_instance_id,
                    dms_task_id=str(known["task_id"]),
                    dms_reverse_task_id=str(known["reverse_task_id"]),
                    cluster_name=args.cluster_name,
                    service_name=args.service_name,
                    alb_suffix=str(known["alb"]),
                    target_group_suffix=str(known["group"]),
                    legacy_lb_name=args.legacy_lb_name,
                    aurora_cluster_id=str(known["aurora"]),
                )
            )
        )
        aws.cloudwatch.Dashboard(
            self.dashboard_name,
            dashboard_name=self.dashboard_name,
            dashboard_body=pulumi.Output.json_dumps(body),
            opts=self._child,
        )

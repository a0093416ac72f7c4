"""Alarms, the topic they go to, and the dashboard."""

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from lib import dashboard
from lib.naming import Naming
from lib.service import MIN_TASKS

LAG_SECONDS = 60
ERRORS_PER_MINUTE = 10


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """The identifiers that CloudWatch knows the resources by."""

    naming: Naming
    region: str
    legacy_region: str
    dms_instance_id: str
    dms_task_arn: pulumi.Output[str]
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
    dimensions: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])


class Monitoring(pulumi.ComponentResource):
    """What wakes the on-call engineer, and what they look at."""

    dashboard_name: str
    dashboard_url: str
    lag_alarm_name: str
    alarm_names: list[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates topic, alarms and dashboard."""
        super().__init__("tap:monitoring:Monitoring", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        # DMS's metrics know a task by the last part of its ARN, not by its name.
        self._task_id = args.dms_task_arn.apply(lambda arn: arn.rsplit(":", 1)[-1])
        topic = self._topic()
        self.alarm_names = [self._alarm(alarm, topic) for alarm in self._alarms()]
        self.lag_alarm_name = self._naming.name("dms-lag")
        self.dashboard_name = self._naming.name("dashboard")
        self.dashboard_url = (
            f"https://{args.region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={args.region}#dashboards/dashboard/{self.dashboard_name}"
        )
        self._dashboard()
        pulumi.log.info(f"{len(self.alarm_names)} alarms, mail to {args.alarm_email or 'nobody'}", resource=self)
        self.register_outputs({"dashboardUrl": self.dashboard_url, "alarmNames": self.alarm_names})

    def _topic(self) -> pulumi.Output[str]:
        name = self._naming.name("alerts")
        topic = aws.sns.Topic(name, name=name, tags=self._naming.tags(name), opts=self._child)
        if self._args.alarm_email is not None:
            aws.sns.TopicSubscription(
                f"{name}-mail", topic=topic.arn, protocol="email", endpoint=self._args.alarm_email, opts=self._child
            )
        return topic.arn

    def _alarms(self) -> list[_Alarm]:
        args = self._args
        dms: dict[str, pulumi.Input[str]] = {
            "ReplicationInstanceIdentifier": args.dms_instance_id,
            "ReplicationTaskIdentifier": self._task_id,
        }
        alb: dict[str, pulumi.Input[str]] = {"LoadBalancer": args.alb_suffix}
        alarms = [
            # Lag that is not reported is not lag of zero: both go to INSUFFICIENT_DATA, which is mailed as well.
            _Alarm(
                kind="dms-lag",
                description=f"Aurora is more than {LAG_SECONDS} s behind the legacy database",
                namespace="AWS/DMS",
                metric="CDCLatencyTarget",
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=LAG_SECONDS,
                missing="missing",
                dimensions=dms,
            ),
            _Alarm(
                kind="dms-source-lag",
                description=f"DMS reads the legacy database's changes more than {LAG_SECONDS} s late",
                namespace="AWS/DMS",
                metric="CDCLatencySource",
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=LAG_SECONDS,
                missing="missing",
                dimensions=dms,
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

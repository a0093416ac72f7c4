"""The body of the CloudWatch dashboard.  Pure: plain values in, a dictionary out."""

from dataclasses import dataclass

Metric = list[object]


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """The identifiers that CloudWatch knows the resources by."""

    region: str
    legacy_region: str
    dms_instance_id: str
    dms_task_id: str
    dms_reverse_task_id: str
    cluster_name: str
    service_name: str
    alb_suffix: str
    target_group_suffix: str
    legacy_lb_name: str
    aurora_cluster_id: str


def body(args: DashboardArgs) -> dict[str, object]:
    """Eight rows of two widgets: both streams, the load, the service, both load balancers, Aurora."""
    instance: Metric = ["ReplicationInstanceIdentifier", args.dms_instance_id]
    dms: Metric = [*instance, "ReplicationTaskIdentifier", args.dms_task_id]
    back: Metric = [*instance, "ReplicationTaskIdentifier", args.dms_reverse_task_id]
    ecs: Metric = ["ClusterName", args.cluster_name, "ServiceName", args.service_name]
    alb: Metric = ["LoadBalancer", args.alb_suffix]
    group: Metric = ["TargetGroup", args.target_group_suffix, *alb]
    clb: Metric = ["LoadBalancerName", args.legacy_lb_name]
    writer: Metric = ["DBClusterIdentifier", args.aurora_cluster_id, "Role", "WRITER"]
    reader: Metric = ["DBClusterIdentifier", args.aurora_cluster_id, "Role", "READER"]
    new, old = args.region, args.legacy_region
    rows = [
        *_stream("Legacy to Aurora", new, dms),
        *_stream("Aurora to legacy", new, back),
        _widget(
            "Full load (rows/s)",
            new,
            "Average",
            _each("AWS/DMS", ["FullLoadThroughputRowsSource", "FullLoadThroughputRowsTarget"], dms),
        ),
        _widget(
            "Changes on the replication instance's disk (rows)",
            new,
            "Maximum",
            [
                *_each("AWS/DMS", ["CDCChangesDiskSource", "CDCChangesDiskTarget"], dms),
                *_each("AWS/DMS", ["CDCChangesDiskSource", "CDCChangesDiskTarget"], back),
            ],
        ),
        _widget(
            "Tasks",
            new,
            "Average",
            _each("ECS/ContainerInsights", ["DesiredTaskCount", "RunningTaskCount", "PendingTaskCount"], ecs),
        ),
        _widget(
            "Task CPU and memory (%)", new, "Average", _each("AWS/ECS", ["CPUUtilization", "MemoryUtilization"], ecs)
        ),
        _widget("New: requests and errors", new, "Sum", _alb_counts(alb)),
        _widget("Legacy: requests and errors", old, "Sum", _clb_counts(clb)),
        _widget("New: response time p99 (s)", new, "p99", _each("AWS/ApplicationELB", ["TargetResponseTime"], alb)),
        _widget("Legacy: latency p99 (s)", old, "p99", _each("AWS/ELB", ["Latency"], clb)),
        _widget(
            "New: targets",
            new,
            "Minimum",
            _each("AWS/ApplicationELB", ["HealthyHostCount", "UnHealthyHostCount"], group),
        ),
        _widget("Legacy: instances", old, "Minimum", _each("AWS/ELB", ["HealthyHostCount", "UnHealthyHostCount"], clb)),
        _widget(
            "Aurora: CPU (%) and connections",
            new,
            "Average",
            [
                *_each("AWS/RDS", ["CPUUtilization", "DatabaseConnections"], writer),
                *_each("AWS/RDS", ["CPUUtilization", "DatabaseConnections"], reader),
            ],
        ),
        _widget(
            "Replication instance: CPU (%), memory and disk (bytes)",
            new,
            "Average",
            _each("AWS/DMS", ["CPUUtilization", "FreeableMemory", "FreeStorageSpace"], instance),
        ),
    ]
    for index, widget in enumerate(rows):
        widget.update({"x": 12 * (index % 2), "y": 6 * (index // 2), "width": 12, "height": 6})
    return {"widgets": rows}


def _stream(title: str, region: str, task: Metric) -> list[dict[str, object]]:
    lag, flow = ["CDCLatencySource", "CDCLatencyTarget"], ["CDCThroughputRowsSource", "CDCThroughputRowsTarget"]
    return [
        _widget(f"{title}: lag (s)", region, "Maximum", _each("AWS/DMS", lag, task)),
        _widget(
            f"{title}: throughput (rows/s) and backlog (rows)",
            region,
            "Average",
            _each("AWS/DMS", [*flow, "CDCIncomingChanges"], task),
        ),
    ]


def _each(namespace: str, metrics: list[str], dimensions: Metric) -> list[Metric]:
    return [[namespace, metric, *dimensions] for metric in metrics]


def _alb_counts(alb: Metric) -> list[Metric]:
    return _each("AWS/ApplicationELB", ["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"], alb)


def _clb_counts(clb: Metric) -> list[Metric]:
    return _each("AWS/ELB", ["RequestCount", "HTTPCode_Backend_5XX", "HTTPCode_ELB_5XX"], clb)


def _widget(title: str, region: str, stat: str, metrics: list[Metric]) -> dict[str, object]:
    properties = {
        "title": title,
        "region": region,
        "stat": stat,
        "period": 60,
        "view": "timeSeries",
        "metrics": metrics,
    }
    return {"type": "metric", "properties": properties}

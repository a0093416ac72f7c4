//! What the world publishes to CloudWatch, second by second.

use super::World;
use super::dms::Dms;
use super::fargate::TargetState;
use super::legacy::Served;
use super::metrics::{MINUTE, Metric, MetricId, Metrics};
use super::random::{Random, RandomWalk};
use super::stack::Part;
use crate::sim::names as n;

/// RDS publishes later than the others.
const RDS_LATE: i64 = 60;
/// Gauges are sampled so often.
const EVERY: i64 = 15;
const GIB: f64 = 1_073_741_824.0;
/// The disk of the replication instance in GiB, as the program asks for it by default.
const DISK: f64 = 100.0;

/// Metrics of a load balancer.
#[derive(Debug, Clone, Copy)]
struct Balancer {
    requests: Metric,
    target_errors: Metric,
    refused: Metric,
    latency: Metric,
    healthy: Metric,
    unhealthy: Metric,
}

/// Metrics of a database or of a role in a cluster.
#[derive(Debug, Clone, Copy)]
struct Database {
    cpu: Metric,
    connections: Metric,
    memory: Metric,
}

/// Handles of everything that is published.
#[derive(Debug)]
pub(crate) struct Gauges {
    alb: Balancer,
    legacy: Balancer,
    surge: Metric,
    spillover: Metric,
    ecs: (Metric, Metric),
    /// Of Container Insights, which the program switches on for its cluster.
    running: Metric,
    dms: DmsMetrics,
    /// RDS, then Aurora's instances in their order.
    databases: [Database; 4],
    writer: Database,
    readers: Database,
    cluster: Database,
    replica_lag: [Metric; 2],
    replica_lag_maximum: [Metric; 2],
    noise: RandomWalk,
    random: Random,
}

#[derive(Debug)]
struct DmsMetrics {
    lag_source: Metric,
    lag_target: Metric,
    incoming: Metric,
    rows_source: Metric,
    rows_target: Metric,
    load_rows: Metric,
    cpu: Metric,
    memory: Metric,
    disk: Metric,
}

/// A metric that is there as soon as its minute is over.
fn put(metrics: &mut Metrics, region: &str, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Metric {
    metrics.register(MetricId::new(region, namespace, name, dimensions), 0)
}

impl Balancer {
    fn of_the_new_stack(metrics: &mut Metrics) -> Self {
        let alb = [("LoadBalancer", n::ALB_DIMENSION)];
        let group = [("LoadBalancer", n::ALB_DIMENSION), ("TargetGroup", n::TARGET_GROUP_DIMENSION)];
        let mut new = |name: &str, dimensions: &[(&str, &str)]| {
            put(metrics, n::NEW_REGION, "AWS/ApplicationELB", name, dimensions)
        };
        Self {
            requests: new("RequestCount", &alb),
            target_errors: new("HTTPCode_Target_5XX_Count", &alb),
            refused: new("HTTPCode_ELB_5XX_Count", &alb),
            latency: new("TargetResponseTime", &alb),
            healthy: new("HealthyHostCount", &group),
            unhealthy: new("UnHealthyHostCount", &group),
        }
    }

    /// With its surge queue and what spills over it, which only the Classic load balancer has.
    fn of_the_legacy_stack(metrics: &mut Metrics) -> (Self, Metric, Metric) {
        let name = [("LoadBalancerName", n::LEGACY_LB_NAME)];
        let mut old = |metric: &str| put(metrics, n::LEGACY_REGION, "AWS/ELB", metric, &name);
        let balancer = Self {
            requests: old("RequestCount"),
            target_errors: old("HTTPCode_Backend_5XX"),
            refused: old("HTTPCode_ELB_5XX"),
            latency: old("Latency"),
            healthy: old("HealthyHostCount"),
            unhealthy: old("UnHealthyHostCount"),
        };
        (balancer, old("SurgeQueueLength"), old("SpilloverCount"))
    }
}

impl DmsMetrics {
    fn new(metrics: &mut Metrics) -> Self {
        let instance = [("ReplicationInstanceIdentifier", n::DMS_INSTANCE)];
        let task = [instance[0], ("ReplicationTaskIdentifier", n::DMS_TASK_RESOURCE)];
        let mut dms =
            |name: &str, dimensions: &[(&str, &str)]| put(metrics, n::NEW_REGION, "AWS/DMS", name, dimensions);
        // Known, and without data: the way back is made and not started.
        let reverse = [instance[0], ("ReplicationTaskIdentifier", n::DMS_REVERSE_TASK_RESOURCE)];
        for name in ["CDCLatencySource", "CDCLatencyTarget"] {
            dms(name, &reverse);
        }
        Self {
            lag_source: dms("CDCLatencySource", &task),
            lag_target: dms("CDCLatencyTarget", &task),
            incoming: dms("CDCIncomingChanges", &task),
            rows_source: dms("CDCThroughputRowsSource", &task),
            rows_target: dms("CDCThroughputRowsTarget", &task),
            load_rows: dms("FullLoadThroughputRowsTarget", &task),
            cpu: dms("CPUUtilization", &instance),
            memory: dms("FreeableMemory", &instance),
            disk: dms("FreeStorageSpace", &instance),
        }
    }
}

impl Gauges {
    pub(crate) fn new(seed: u64, metrics: &mut Metrics) -> Self {
        let alb = Balancer::of_the_new_stack(metrics);
        let (legacy, surge, spillover) = Balancer::of_the_legacy_stack(metrics);
        let service = [("ClusterName", n::CLUSTER_NAME), ("ServiceName", n::SERVICE_NAME)];
        let mut ecs = |name: &str| put(metrics, n::NEW_REGION, "AWS/ECS", name, &service);
        let ecs = (ecs("CPUUtilization"), ecs("MemoryUtilization"));
        let running = put(metrics, n::NEW_REGION, "ECS/ContainerInsights", "RunningTaskCount", &service);
        let dms = DmsMetrics::new(metrics);
        let mut rds = |region: &str, name: &str, dimensions: &[(&str, &str)]| {
            metrics.register(MetricId::new(region, "AWS/RDS", name, dimensions), RDS_LATE)
        };
        let mut database = |region: &str, dimensions: &[(&str, &str)]| Database {
            cpu: rds(region, "CPUUtilization", dimensions),
            connections: rds(region, "DatabaseConnections", dimensions),
            memory: rds(region, "FreeableMemory", dimensions),
        };
        let aurora = n::AURORA_INSTANCES.map(|id| [("DBInstanceIdentifier", id)]);
        let cluster = [("DBClusterIdentifier", n::AURORA_CLUSTER)];
        let role = |role| [cluster[0], ("Role", role)];
        let databases = [
            database(n::LEGACY_REGION, &[("DBInstanceIdentifier", n::LEGACY_DB_ID)]),
            database(n::NEW_REGION, &aurora[0]),
            database(n::NEW_REGION, &aurora[1]),
            database(n::NEW_REGION, &aurora[2]),
        ];
        let writer = database(n::NEW_REGION, &role("WRITER"));
        let readers = database(n::NEW_REGION, &role("READER"));
        let whole = database(n::NEW_REGION, &cluster);
        let replica_lag = [&aurora[1], &aurora[2]].map(|id| rds(n::NEW_REGION, "AuroraReplicaLag", id));
        let replica_lag_maximum = [
            rds(n::NEW_REGION, "AuroraReplicaLagMaximum", &cluster),
            rds(n::NEW_REGION, "AuroraReplicaLagMaximum", &role("WRITER")),
        ];
        Self {
            alb,
            legacy,
            surge,
            spillover,
            ecs,
            running,
            dms,
            databases,
            writer,
            readers,
            cluster: whole,
            replica_lag,
            replica_lag_maximum,
            noise: RandomWalk::new(60.0),
            random: Random::new(seed, 7),
        }
    }
}

/// Publishes one second of the world.
pub(super) fn publish(world: &mut World, now: i64, legacy: Served, new: Served) {
    balancers(world, now, legacy, new);
    tasks(world, now);
    if now.rem_euclid(EVERY) == 5 {
        hosts(world, now);
        replication(world, now);
        databases(world, now, legacy, new);
    }
}

fn balancers(world: &mut World, now: i64, legacy: Served, new: Served) {
    let (gauges, metrics) = (&world.gauges, &mut world.metrics);
    let alb = world.stack.has(Part::Balancer).then_some((gauges.alb, new));
    for (balancer, served) in [(gauges.legacy, legacy)].into_iter().chain(alb) {
        metrics.count(balancer.requests, now, served.requests);
        metrics.count(balancer.target_errors, now, served.target_errors);
        metrics.count(balancer.refused, now, served.balancer_errors);
        metrics.record_spread(balancer.latency, now, served.spread, served.requests - served.balancer_errors);
    }
    metrics.count(gauges.spillover, now, world.legacy.spilled);
    if now.rem_euclid(EVERY) == 0 {
        metrics.record(gauges.surge, now, world.legacy.queue.round());
    }
}

/// Each running task reports once a minute, at a second of its own; so the sample count is the number of tasks.
fn tasks(world: &mut World, now: i64) {
    let phase = now.rem_euclid(MINUTE);
    let (cpu, memory) = world.gauges.ecs;
    for (index, task) in world.fargate.live().enumerate() {
        let own = i64::try_from(index).unwrap_or(0) * 11 % MINUTE;
        if own == phase && task.is_running(now) {
            world.metrics.record(cpu, now, task.cpu);
            world.metrics.record(memory, now, task.memory);
        }
    }
}

fn hosts(world: &mut World, now: i64) {
    let (alb, legacy) = (world.gauges.alb, world.gauges.legacy);
    let healthy = world.fargate.targets(now, TargetState::Healthy);
    let unhealthy = world.fargate.targets(now, TargetState::Unhealthy);
    if world.stack.has(Part::Balancer) && world.stack.has(Part::Service) {
        world.metrics.record(alb.healthy, now, healthy as f64);
        world.metrics.record(alb.unhealthy, now, unhealthy as f64);
        world.metrics.record(world.gauges.running, now, world.fargate.running(now) as f64);
    }
    world.metrics.record(legacy.healthy, now, world.legacy.healthy as f64);
    world.metrics.record(legacy.unhealthy, now, 0.0);
}

fn replication(world: &mut World, now: i64) {
    let (dms, metrics, state) = (&world.gauges.dms, &mut world.metrics, &world.dms);
    if world.stack.has(Part::Task) {
        task(dms, metrics, state, now);
    }
    if world.stack.has(Part::Instance) {
        let busy = 9.0 + (state.read_rate + state.apply_rate) / 35.0;
        metrics.record(dms.cpu, now, busy.min(100.0));
        metrics.record(dms.memory, now, (1.9 * GIB - state.backlog * 900.0).max(0.2 * GIB).round());
        // Changes that wait for the target spill to the disk.
        metrics.record(dms.disk, now, (DISK * GIB - 6.0 * GIB - state.backlog * 2_000.0).max(0.0).round());
    }
}

fn task(dms: &DmsMetrics, metrics: &mut Metrics, state: &Dms, now: i64) {
    if state.is_loading(now) {
        let rows: i64 = state.tables.iter().map(|table| table.rows).sum();
        let seconds = (state.load.finished - state.load.started).max(1);
        metrics.record(dms.load_rows, now, (rows / seconds) as f64);
    } else {
        metrics.record(dms.lag_source, now, state.source_lag.round());
        metrics.record(dms.lag_target, now, state.target_lag.round().max(state.source_lag.round()));
    }
    metrics.record(dms.incoming, now, state.backlog.round());
    metrics.record(dms.rows_source, now, state.read_rate.round());
    metrics.record(dms.rows_target, now, state.apply_rate.round());
}

/// All writes go to RDS, wherever a request is served; tasks read from Aurora, which also takes what the replication applies.
fn databases(world: &mut World, now: i64, legacy: Served, new: Served) {
    let gauges = &mut world.gauges;
    let noise = gauges.noise.step(&mut gauges.random);
    let tasks = world.fargate.running(now) as f64;
    let instances = world.legacy.healthy as f64;
    let reads = new.requests;
    let rds = (7.0 + world.dms.writes * 0.11 + legacy.requests * 0.035 + noise, instances * 22.0 + tasks * 6.0, 9.2);
    let loading = world.stack.has(Part::Task) && world.dms.is_loading(now);
    let applied = if loading { 380.0 } else { world.dms.apply_rate };
    let writer = (4.0 + applied * 0.055 + 0.6 * noise, 9.0 + tasks, 11.4);
    let reader = |part: f64| (3.5 + reads * 0.05 * part + 0.5 * noise, 2.0 + tasks * 8.0 * part, 12.1);
    let one = reader(0.52);
    let two = reader(0.48);
    let mean = |a: (f64, f64, f64), b: (f64, f64, f64)| {
        (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1), f64::midpoint(a.2, b.2))
    };
    let readings = [
        (gauges.databases[0], rds),
        (gauges.databases[1], writer),
        (gauges.databases[2], one),
        (gauges.databases[3], two),
        (gauges.writer, writer),
        (gauges.readers, mean(one, two)),
        (gauges.cluster, mean(writer, mean(one, two))),
    ];
    let known = if world.stack.has(Part::Database) { readings.len() } else { 1 };
    for (database, (cpu, connections, memory)) in readings.into_iter().take(known) {
        world.metrics.record(database.cpu, now, cpu.clamp(1.0, 100.0));
        world.metrics.record(database.connections, now, connections.round());
        world.metrics.record(database.memory, now, (memory * GIB).round());
    }
    let lags = gauges.replica_lag.map(|metric| (metric, 17.0 + applied / 60.0 + gauges.random.between(-3.0, 4.0)));
    let known = world.stack.has(Part::Database);
    let largest = lags.iter().fold(0.0, |largest: f64, (_, lag)| largest.max(*lag));
    let maxima = gauges.replica_lag_maximum.map(|metric| (metric, largest));
    for (metric, lag) in lags.into_iter().chain(maxima).filter(|_| known) {
        world.metrics.record(metric, now, lag);
    }
}

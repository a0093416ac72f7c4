//! Models for tests: one migration at 20 %, and what can befall it.

use std::time::Duration;

use crate::domain::confirm::{ARMS_AFTER, Challenge, Confirmation};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Source};
use crate::domain::gate::{Policy, evaluate};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::{Dialog, Model, Simulation, Stack, Watcher};
use crate::domain::record::{Entry, Event, History, OutcomeKind};
use crate::domain::replication::{Replication, ReplicationInstance, ReplicationTask, TableStat, TaskStatus};
use crate::domain::schedule::interval;
use crate::domain::series::{Point, Series};
use crate::domain::service::{Alarm, AlarmState, Deployment, Host, Hosts, Identity, Service, Task};
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::traffic::{Change, ChangeStatus, GroupKey, Record, RecordGroup, Routing, Side, Target};
use crate::domain::units::{Percent, Timestamp, WeightPair};
use crate::domain::zone::{Endpoints, NewEndpoint};
use crate::keymap::View;

/// The instant of all frames.
pub(super) fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T12:40:31Z").unwrap()
}

fn ago(secs: u64) -> Timestamp {
    now().minus(Duration::from_secs(secs))
}

fn stack() -> Stack {
    Stack {
        group: GroupKey { zone_id: "Z08154711TECHVAULT".into(), ..crate::domain::model::fixtures::stack().group },
        legacy_lb: "techvault-legacy".into(),
        aurora: "techvault-prod".into(),
        endpoints: Endpoints {
            legacy_dns: "techvault-legacy-1234567890.us-east-1.elb.amazonaws.com".into(),
            new: Some(NewEndpoint {
                dns: "techvault-prod-987654321.us-west-2.elb.amazonaws.com".into(),
                zone_id: "Z1H1FL5HABSF5".into(),
            }),
            evaluate_health: true,
        },
        ..crate::domain::model::fixtures::stack()
    }
}

fn watcher() -> Watcher {
    Watcher { host: "bastion-1".into(), ..crate::domain::model::fixtures::watcher() }
}

fn record(rtype: &str, side: Side, weight: u8) -> Record {
    let (dns_name, zone_id) = match side {
        Side::Legacy => ("dualstack.techvault-legacy-1234567890.us-east-1.elb.amazonaws.com.", "Z35SXDOTRQ7X7K"),
        Side::New => ("dualstack.techvault-prod-987654321.us-west-2.elb.amazonaws.com.", "Z1H1FL5HABSF5"),
    };
    Record {
        name: "app.example.com.".into(),
        rtype: rtype.into(),
        set_identifier: Some(side.name().into()),
        routing: Routing::Weighted(weight),
        target: Target::Alias { dns_name: dns_name.into(), zone_id: zone_id.into(), evaluate_health: true },
        health_check_id: None,
    }
}

/// The four records at this share.
pub(super) fn records(share: u8) -> Vec<Record> {
    ["A", "AAAA"]
        .into_iter()
        .flat_map(|t| [record(t, Side::Legacy, 100 - share), record(t, Side::New, share)])
        .collect()
}

/// The group at this share.
pub(super) fn group(share: u8) -> RecordGroup {
    RecordGroup::from_records(&stack().group, &records(share)).unwrap()
}

fn pair(share: u8) -> WeightPair {
    WeightPair::for_new_share(Percent::new(share).unwrap())
}

/// One hour of minutes that end two minutes ago, plus one minute that may still change.
fn minutes(value: impl Fn(f64) -> f64) -> Series {
    let last = now().floor_to(Duration::from_secs(60)).minus(Duration::from_secs(120));
    Series::new(
        (0..60u64)
            .map(|n| Point { at: last.minus(Duration::from_secs(60 * (59 - n))), value: value(n as f64) })
            .collect(),
    )
}

/// A small wave that never repeats at once, so that charts have a shape.
fn wave(n: f64, phase: f64) -> f64 {
    (n * 0.37 + phase).sin() * 0.6 + (n * 0.113 + phase * 2.0).sin() * 0.4
}

fn metrics(share: f64, lag: impl Fn(f64) -> f64) -> Vec<(Metric, Series)> {
    let seen = |n: f64| if n < 45.0 { (share - 10.0).max(0.0) } else { share - 1.3 } / 100.0;
    let load = |n: f64| 24_700.0 + 900.0 * wave(n, 0.4);
    vec![
        (Metric::LagSource, minutes(|n| (lag(n) * 0.4).round())),
        (Metric::LagTarget, minutes(&lag)),
        (Metric::RowsSource, minutes(|n| 812.0 + 40.0 * wave(n, 1.0))),
        (Metric::RowsTarget, minutes(|n| 808.0 + 40.0 * wave(n, 0.9))),
        (Metric::Backlog, minutes(|n| (41.0 + 12.0 * wave(n, 2.0)).round())),
        (Metric::ServiceCpu, minutes(|n| 41.0 + 6.0 * wave(n, 1.3))),
        (Metric::ServiceMemory, minutes(|n| 37.5 + wave(n, 0.2))),
        (Metric::NewRequests, minutes(|n| load(n) * seen(n))),
        (Metric::NewTarget5xx, minutes(|_| 1.0)),
        (Metric::NewLatency, minutes(|n| 0.182 + 0.02 * wave(n, 3.0))),
        (Metric::NewHealthy, minutes(|_| 4.0)),
        (Metric::NewUnhealthy, minutes(|_| 0.0)),
        (Metric::AuroraCpu, minutes(|n| 22.0 + 3.0 * wave(n, 1.1))),
        (Metric::AuroraConnections, minutes(|n| (48.0 + 5.0 * wave(n, 1.7)).round())),
        (Metric::AuroraReplicaLag, minutes(|n| 18.0 + 4.0 * wave(n, 0.7))),
        (Metric::LegacyRequests, minutes(|n| load(n) * (1.0 - seen(n)))),
        (Metric::LegacyBackend5xx, minutes(|_| 6.0)),
        (Metric::LegacyLatency, minutes(|n| 0.214 + 0.02 * wave(n, 2.2))),
        (Metric::LegacyHealthy, minutes(|_| 6.0)),
        (Metric::LegacyUnhealthy, minutes(|_| 0.0)),
        (Metric::RdsCpu, minutes(|n| 38.0 + 5.0 * wave(n, 0.8))),
        (Metric::RdsConnections, minutes(|n| (212.0 + 9.0 * wave(n, 0.3)).round())),
    ]
}

fn replication() -> Replication {
    Replication {
        task: ReplicationTask {
            name: "techvault-forward".into(),
            status: TaskStatus::Running,
            migration_type: "full-load-and-cdc".into(),
            stop_reason: None,
            failure: None,
            full_load_percent: Some(100),
            tables_loaded: 12,
            tables_loading: 0,
            tables_queued: 0,
            tables_errored: 0,
            started: None,
            stopped: None,
        },
        instance: Some(ReplicationInstance {
            id: "techvault-dms".into(),
            status: "available".into(),
            class: "dms.t3.medium".into(),
        }),
        reverse: Some(TaskStatus::Ready),
    }
}

/// Twelve tables of a payment system, all in step.
pub(super) fn tables() -> Vec<TableStat> {
    [
        "accounts",
        "audit_log",
        "cards",
        "customers",
        "disputes",
        "ledger_entries",
        "merchants",
        "payments",
        "payouts",
        "refunds",
        "sessions",
        "webhooks",
    ]
    .into_iter()
    .enumerate()
    .map(|(n, table)| {
        let n = i64::try_from(n).unwrap();
        let applied = 18_204 * (n + 1) + 917;
        TableStat {
            schema: "techvault".into(),
            table: table.into(),
            state: "Table completed".into(),
            full_load_rows: 1_240_000 / (n + 1),
            captured: applied + i64::from(n == 7) * 3,
            load_errors: 0,
            applied: Some(applied),
            validation: "Validated".into(),
            validation_pending: Some(0),
            validation_failed: Some(0),
            validation_suspended: Some(0),
            validation_details: None,
            updated: Some(ago(20)),
        }
    })
    .collect()
}

fn service() -> Service {
    let zone = |n: usize| ["us-west-2a", "us-west-2b", "us-west-2c"][n % 3];
    Service {
        name: "techvault-prod".into(),
        status: "ACTIVE".into(),
        desired: 4,
        running: 4,
        pending: 0,
        deployments: vec![Deployment {
            status: "PRIMARY".into(),
            rollout: "COMPLETED".into(),
            reason: "ECS deployment ecs-svc/4711 completed.".into(),
            desired: 4,
            running: 4,
            pending: 0,
            failed: 0,
            task_definition: "techvault-prod:42".into(),
            created: Some(ago(86_400)),
        }],
        events: vec![
            (ago(1900), "(service techvault-prod) has reached a steady state.".into()),
            (ago(2000), "(service techvault-prod) registered 1 targets in (target-group techvault-prod)".into()),
            (ago(2100), "(service techvault-prod) has started 1 tasks: (task 0c9e1f22).".into()),
        ],
        tasks: (0..4)
            .map(|n| Task {
                id: format!("0c9e1f2{n}a7b94d21"),
                zone: zone(n).into(),
                status: "RUNNING".into(),
                health: "HEALTHY".into(),
                started: Some(ago(7200 - 60 * n as u64)),
            })
            .collect(),
    }
}

fn targets() -> Hosts {
    let host = |n: usize| Host {
        id: format!("10.40.{}.{}:8080", n % 3, 17 + n),
        zone: Some(["us-west-2a", "us-west-2b", "us-west-2c"][n % 3].into()),
        state: "healthy".into(),
        reason: None,
    };
    Hosts { hosts: (0..4).map(host).collect() }
}

fn legacy_hosts() -> Hosts {
    let host =
        |n: usize| Host { id: format!("i-0a1b2c3d4e5f6000{n}"), zone: None, state: "InService".into(), reason: None };
    Hosts { hosts: (0..6).map(host).collect() }
}

fn alarms(side: Side) -> Vec<Alarm> {
    let names: &[&str] = match side {
        Side::New => {
            &["migration-dms-lag-prod", "migration-alb-5xx-prod", "migration-unhealthy-prod", "migration-tasks-prod"]
        }
        Side::Legacy => &["legacy-elb-5xx-prod"],
    };
    let alarm = |name: &&str| Alarm {
        name: (*name).into(),
        side,
        state: AlarmState::Ok,
        since: Some(ago(90_000)),
        reason: "Threshold Crossed: 1 datapoint was not greater than the threshold.".into(),
        silenced: None,
        evaluation: None,
    };
    names.iter().map(alarm).collect()
}

fn entry(secs_ago: u64, event: Event) -> Entry {
    Entry { aws_at: None, at: ago(secs_ago), operator: "oncall-role/maria".into(), host: "bastion-1".into(), event }
}

fn step(id: &str, from: u8, to: u8, sent: u64, insync: Option<u64>) -> Vec<Entry> {
    let change = format!("/change/C0{id}TECHVAULT");
    let mut entries = vec![
        entry(
            sent + 1,
            Event::Intent {
                id: id.into(),
                record: "app.example.com.".into(),
                from: pair(from),
                to: pair(to),
                direction: Direction::Forward,
                overrides: vec![],
            },
        ),
        entry(
            sent,
            Event::Outcome {
                id: id.into(),
                result: OutcomeKind::Accepted,
                weights: Some(pair(to)),
                change: Some(change.clone()),
                submitted_at: None,
                detail: format!("Route 53 accepted it as {change}"),
            },
        ),
    ];
    entries.extend(
        insync.map(|at| entry(at, Event::Insync { change, weights: pair(to), verified: true, pending_at: None })),
    );
    entries
}

fn journal(share: u8, secs_since_insync: u64) -> Vec<Entry> {
    let base = secs_since_insync;
    let mut entries = vec![entry(base + 3700, Event::Seen { weights: pair(0) })];
    entries.extend(step("4711", 0, share - 10, base + 900, Some(base + 862)));
    entries.push(entry(
        base + 500,
        Event::Declined {
            what: "move 10 % of traffic to the new stack".into(),
            why: "nobody answered for 30 s".into(),
        },
    ));
    entries.extend(step("4712", share - 10, share, base + 41, Some(base)));
    entries
}

/// Everything is known and fine, at `share`; the newest change is in effect for so long.
pub(super) fn steady(share: u8, secs_since_insync: u64) -> Model {
    let mut model = Model::new(stack(), watcher(), Policy::default(), now());
    model.uptime = Duration::from_secs(4000);
    let readings = metrics(f64::from(share), |n| 3.1 + 1.4 * wave(n, 0.0));
    let split = |side: Side| MetricReadings {
        series: readings.iter().filter(|(m, _)| m.side() == side).cloned().collect(),
        incomplete: vec![],
    };
    let key = model.stack.group.clone();
    let facts = &mut model.live.facts;
    let mut take = |source, secs, observation| facts.absorb(&key, source, Ok(observation), ago(secs));
    take(Source::Records, 4, Observation::Records(records(share)));
    take(Source::Replication, 8, Observation::Replication(replication()));
    take(Source::Tables, 11, Observation::Tables(tables()));
    take(Source::Service, 3, Observation::Service(service()));
    take(Source::Targets, 3, Observation::Hosts(Side::New, targets()));
    take(Source::LegacyHosts, 17, Observation::Hosts(Side::Legacy, legacy_hosts()));
    take(Source::AlarmsNew, 12, Observation::Alarms(Side::New, alarms(Side::New)));
    take(Source::AlarmsLegacy, 12, Observation::Alarms(Side::Legacy, alarms(Side::Legacy)));
    take(Source::MetricsNew, 31, Observation::Metrics(Side::New, split(Side::New)));
    take(Source::MetricsLegacy, 31, Observation::Metrics(Side::Legacy, split(Side::Legacy)));
    take(
        Source::Identity,
        400,
        Observation::Identity(Identity {
            account: "123456789012".into(),
            arn: "arn:aws:sts::123456789012:assumed-role/oncall-role/maria".into(),
        }),
    );
    take(Source::StackRun, 1, Observation::StackRun(None));
    tell(&mut model, journal(share, secs_since_insync));
    model
}

/// Gives the model this journal and answers the gates again.
pub(super) fn tell(model: &mut Model, entries: Vec<Entry>) {
    model.live.history = Some(History::of(&entries));
    model.live.journal = entries.into();
    judge(model);
}

/// Answers the gates for what the model knows.
pub(super) fn judge(model: &mut Model) {
    model.live.gates = evaluate(model.gate_inputs());
}

/// All gates pass at 20 %.
pub(super) fn ready() -> Model {
    steady(20, 760)
}

/// The same with another share on the new stack.
pub(super) fn at(share: u8) -> Model {
    steady(share, 760)
}

/// The newest step has been in effect for 3:12.
pub(super) fn baking() -> Model {
    steady(20, 192)
}

/// Started a moment ago: nothing has answered.
pub(super) fn fresh_start() -> Model {
    let mut model = Model::new(stack(), watcher(), Policy::default(), now());
    model.live.journal.clear();
    judge(&mut model);
    model
}

/// A step to 30 % was sent 23 s ago.
pub(super) fn pending() -> Model {
    let mut model = steady(20, 760);
    let mut entries: Vec<Entry> = model.live.journal.iter().cloned().collect();
    entries.extend(step("4713", 20, 30, 23, None));
    let key = model.stack.group.clone();
    let change = Change { id: "/change/C04713TECHVAULT".into(), status: ChangeStatus::Pending, at: ago(23) };
    model.live.facts.absorb(&key, Source::Records, Ok(Observation::Records(records(30))), ago(4));
    model.live.facts.absorb(&key, Source::Change, Ok(Observation::Change(change)), ago(2));
    tell(&mut model, entries);
    model
}

/// The lag rose to over a minute.
pub(super) fn lag_spike() -> Model {
    let mut model = ready();
    let readings = metrics(20.0, |n| if n < 44.0 { 3.1 + wave(n, 0.0) } else { 3.0 + (n - 43.0) * 5.4 });
    let facts = &mut model.live.facts;
    facts.metrics.absorb(&MetricReadings { series: readings, incomplete: vec![] }, ago(31));
    let alarm = facts.alarms_new.as_mut().and_then(|f| f.value.first_mut()).unwrap();
    alarm.state = AlarmState::Alarm;
    alarm.since = Some(ago(150));
    alarm.reason = "Threshold Crossed: 3 datapoints [68.4, 73.8, 79.2] were greater than the threshold (60.0).".into();
    judge(&mut model);
    model
}

/// Seven minutes ago all metrics stopped.
pub(super) fn stale_metrics() -> Model {
    let mut model = ready();
    model.live.now = now().plus(Duration::from_secs(420));
    let (facts, at) = (&mut model.live.facts, model.live.now.minus(Duration::from_secs(4)));
    for fact in [&mut facts.alarms_new, &mut facts.alarms_legacy] {
        fact.as_mut().unwrap().at = at;
    }
    facts.group.as_mut().unwrap().at = at;
    facts.replication.as_mut().unwrap().at = at;
    facts.tables.as_mut().unwrap().at = at;
    facts.service.as_mut().unwrap().at = at;
    facts.targets.as_mut().unwrap().at = at;
    facts.stack_run.as_mut().unwrap().at = at;
    facts.legacy_hosts.as_mut().unwrap().at = at;
    for health in facts.sources.values_mut() {
        health.last_ok = Some(at);
    }
    judge(&mut model);
    model
}

/// DMS throttles, the legacy alarms are denied.
pub(super) fn throttled() -> Model {
    let mut model = ready();
    let key = model.stack.group.clone();
    let mut fail = |source, kind, operation: &str, message: &str, times| {
        for _ in 0..times {
            model.live.facts.absorb(&key, source, Err(PortError::new(kind, operation, message)), ago(2));
        }
    };
    let throttled = ErrorKind::Throttled;
    fail(Source::Replication, throttled, "dms:DescribeReplicationTasks", "Rate exceeded", 4);
    fail(Source::Tables, throttled, "dms:DescribeTableStatistics", "Rate exceeded", 4);
    fail(
        Source::AlarmsLegacy,
        ErrorKind::Denied,
        "cloudwatch:DescribeAlarms",
        "User: arn:aws:sts::123456789012:assumed-role/oncall-role/maria is not authorized",
        1,
    );
    model.live.facts.alarms_legacy = None;
    model.live.facts.sources.get_mut(&Source::AlarmsLegacy).unwrap().last_ok = None;
    model.live.facts.replication.as_mut().unwrap().at = ago(200);
    model.live.facts.tables.as_mut().unwrap().at = ago(200);
    for source in [Source::Replication, Source::Tables] {
        model.live.facts.sources.get_mut(&source).unwrap().last_ok = Some(ago(200));
    }
    judge(&mut model);
    model
}

/// Watched by the simulator, frozen 42 s ago, without the right to write.
pub(super) fn all_badges() -> Model {
    let mut model = ready();
    model.watcher.read_only = true;
    model.watcher.read_only_why = "this is --read-only".into();
    model.watcher.simulation = Some(Simulation { speed: 20.0, scenario: "steady".into() });
    model.frozen = Some(Box::new(model.live.clone()));
    model.live.now = now().plus(Duration::from_secs(42));
    model
}

/// The question whether to move to `share`, seen for so long.
pub(super) fn asking(mut model: Model, share: u8, seen: Duration) -> Model {
    let group = model.live.facts.shiftable().unwrap().clone();
    let plan = ShiftPlan::new(&group, Percent::new(share).unwrap()).unwrap();
    let challenge = if plan.is_complete() { Challenge::Typed(plan.record_name().to_owned()) } else { Challenge::Yes };
    let mut question = Confirmation::new(plan, challenge, model.uptime);
    question.drawn(model.uptime);
    model.uptime += seen;
    model.dialog = Some(Dialog::Shift(question));
    model
}

/// The question at 20 %, taking answers.
pub(super) fn asking_armed() -> Model {
    asking(ready(), 30, ARMS_AFTER + Duration::from_secs(3))
}

/// Somebody else moved the records meanwhile.
pub(super) fn conflict() -> Model {
    let mut model = ready();
    model.dialog = Some(Dialog::Conflict {
        expected: group(20),
        found: Ok(group(50)),
        wanted: pair(30),
        message:
            "Tried to delete resource record set [name='app.example.com.', type='A', set identifier='legacy'] but \
                  the values provided do not match the current values"
                .into(),
    });
    model
}

/// The same model on another view.
pub(super) fn on(view: View, mut model: Model) -> Model {
    model.screen.view = view;
    model
}

/// `model` as it is `secs` later, every source having been asked at its own pace meanwhile.
pub(super) fn later(mut model: Model, secs: u64) -> Model {
    let start = model.live.now;
    model.live.now = start.plus(Duration::from_secs(secs));
    model.uptime += Duration::from_secs(secs);
    let newest = |source: Source| {
        let every = interval(source, false).as_secs();
        start.plus(Duration::from_secs(secs / every * every))
    };
    let facts = &mut model.live.facts;
    facts.group.as_mut().unwrap().at = newest(Source::Records);
    facts.replication.as_mut().unwrap().at = newest(Source::Replication);
    facts.tables.as_mut().unwrap().at = newest(Source::Tables);
    facts.service.as_mut().unwrap().at = newest(Source::Service);
    facts.targets.as_mut().unwrap().at = newest(Source::Targets);
    facts.legacy_hosts.as_mut().unwrap().at = newest(Source::LegacyHosts);
    facts.alarms_new.as_mut().unwrap().at = newest(Source::AlarmsNew);
    facts.alarms_legacy.as_mut().unwrap().at = newest(Source::AlarmsLegacy);
    facts.stack_run.as_mut().unwrap().at = newest(Source::StackRun);
    for (source, health) in &mut facts.sources {
        health.last_ok = Some(newest(*source));
    }
    judge(&mut model);
    model
}

/// The model with this dialog over it.
pub(super) fn under(dialog: Dialog, mut model: Model) -> Model {
    model.dialog = Some(dialog);
    model
}

/// Somebody else's 50/50 waits to be taken as the new base.
pub(super) fn accepting() -> Model {
    let mut model = ready();
    let mut question = Confirmation::new(WeightPair::new(50, 50).unwrap(), Challenge::Yes, model.uptime);
    question.drawn(model.uptime);
    model.uptime += Duration::from_secs(2);
    under(Dialog::Accept(question), model)
}

//! Everything that has been learned from outside, each with the instant it was true and the health of its source.
//!
//! Pure. [`Query`] is what can be asked, [`Observation`] what can come back; both are closed, so a new kind of fact
//! does not build until every reader handles it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::PortError;
use super::metrics::{Metric, MetricReadings, Metrics, TimeRange};
use super::record::History;
use super::replication::{Replication, TableCounts, TableStat};
use super::service::{Alarm, Hosts, Identity, Service};
use super::table_rates::{Earlier, TableRate, rates};
use super::time::{Jump, Moment, Watch};
use super::traffic::{Change, ChangeStatus, GroupError, GroupKey, Record, RecordGroup, Side};
use super::units::Timestamp;

/// One thing that is asked again and again, at its own pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Route 53 `ListResourceRecordSets`.
    Records,
    /// Route 53 `GetChange`, only while a change is known.
    Change,
    /// DMS `DescribeReplicationTasks` and `DescribeReplicationInstances`.
    Replication,
    /// DMS `DescribeTableStatistics`, all pages.
    Tables,
    /// ECS `DescribeServices`, `ListTasks`, `DescribeTasks`.
    Service,
    /// ELBv2 `DescribeTargetHealth`.
    Targets,
    /// Classic ELB `DescribeInstanceHealth`.
    LegacyHosts,
    /// CloudWatch `DescribeAlarms` in the new region.
    AlarmsNew,
    /// CloudWatch `DescribeAlarms` in the legacy region.
    AlarmsLegacy,
    /// CloudWatch `GetMetricData` in the new region.
    MetricsNew,
    /// CloudWatch `GetMetricData` in the legacy region.
    MetricsLegacy,
    /// STS `GetCallerIdentity`.
    Identity,
    /// The state folder on this host: is a Pulumi run going on?
    StackRun,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 13] = [
        Self::Records,
        Self::Change,
        Self::Replication,
        Self::Tables,
        Self::Service,
        Self::Targets,
        Self::LegacyHosts,
        Self::AlarmsNew,
        Self::AlarmsLegacy,
        Self::MetricsNew,
        Self::MetricsLegacy,
        Self::Identity,
        Self::StackRun,
    ];

    /// Short name for a panel and for `status --json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "route53",
            Self::Change => "route53-change",
            Self::Replication => "dms",
            Self::Tables => "dms-tables",
            Self::Service => "ecs",
            Self::Targets => "targets",
            Self::LegacyHosts => "legacy-hosts",
            Self::AlarmsNew => "alarms",
            Self::AlarmsLegacy => "legacy-alarms",
            Self::MetricsNew => "metrics",
            Self::MetricsLegacy => "legacy-metrics",
            Self::Identity => "identity",
            Self::StackRun => "stack-run",
        }
    }

    /// The question that this source is asked. [`Source::Change`] has none before a change is known; the metrics tell what
    /// was counted in the `past`, too, where that is wanted.
    #[must_use]
    pub fn query(self, change_id: Option<&str>, past: Option<TimeRange>) -> Option<Query> {
        Some(match self {
            Self::Records => Query::Records,
            Self::Change => Query::Change(change_id?.to_owned()),
            Self::Replication => Query::Replication,
            Self::Tables => Query::Tables,
            Self::Service => Query::Service,
            Self::Targets => Query::Hosts(Side::New),
            Self::LegacyHosts => Query::Hosts(Side::Legacy),
            Self::AlarmsNew => Query::Alarms(Side::New),
            Self::AlarmsLegacy => Query::Alarms(Side::Legacy),
            Self::MetricsNew => Query::Metrics(Side::New, past),
            Self::MetricsLegacy => Query::Metrics(Side::Legacy, past),
            Self::Identity => Query::Identity,
            Self::StackRun => Query::StackRun,
        })
    }
}

/// A question to the outside. What it is about (ARNs, names, regions) the adapter knows from the stack outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All records of the group's name, every type, every set identifier.
    Records,
    /// All records of the zone, whatever their name.
    Zone,
    /// The state of the change with this id.
    Change(String),
    /// Task, instance and reverse task.
    Replication,
    /// Statistics of all tables of the task.
    Tables,
    /// Service, deployments, tasks.
    Service,
    /// Hosts behind the side's load balancer.
    Hosts(Side),
    /// The stack's alarms in the side's region.
    Alarms(Side),
    /// All metrics of the side, one batched call, and the requests that it has counted in this window.
    Metrics(Side, Option<TimeRange>),
    /// Who is asking.
    Identity,
    /// Whether a Pulumi run is going on.
    StackRun,
    /// Whether a change of the group's records would be let through; changes nothing.
    MayChange,
}

impl Query {
    /// The source that this question belongs to.
    #[must_use]
    pub const fn source(&self) -> Source {
        match self {
            Self::Records | Self::Zone | Self::MayChange => Source::Records,
            Self::Change(_) => Source::Change,
            Self::Replication => Source::Replication,
            Self::Tables => Source::Tables,
            Self::Service => Source::Service,
            Self::Hosts(Side::New) => Source::Targets,
            Self::Hosts(Side::Legacy) => Source::LegacyHosts,
            Self::Alarms(Side::New) => Source::AlarmsNew,
            Self::Alarms(Side::Legacy) => Source::AlarmsLegacy,
            Self::Metrics(Side::New, _) => Source::MetricsNew,
            Self::Metrics(Side::Legacy, _) => Source::MetricsLegacy,
            Self::Identity => Source::Identity,
            Self::StackRun => Source::StackRun,
        }
    }
}

/// An answer from the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// Answer to [`Query::Records`].
    Records(Vec<Record>),
    /// Answer to [`Query::Zone`]; no fact, because it is asked for once.
    Zone(Vec<Record>),
    /// Answer to [`Query::MayChange`]: it would. No fact, because it is asked for once.
    MayChange,
    /// Answer to [`Query::Change`].
    Change(Change),
    /// Answer to [`Query::Replication`].
    Replication(Replication),
    /// Answer to [`Query::Tables`].
    Tables(Vec<TableStat>),
    /// Answer to [`Query::Service`].
    Service(Service),
    /// Answer to [`Query::Hosts`].
    Hosts(Side, Hosts),
    /// Answer to [`Query::Alarms`].
    Alarms(Side, Vec<Alarm>),
    /// Answer to [`Query::Metrics`].
    Metrics(Side, MetricReadings),
    /// Answer to [`Query::Identity`].
    Identity(Identity),
    /// Answer to [`Query::StackRun`]: what goes on, in a few words, or nothing.
    StackRun(Option<String>),
}

/// A value and the instant at which it was true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact<T> {
    /// The value.
    pub value: T,
    /// When the answer that carries it came.
    pub at: Timestamp,
}

/// How a source has been doing.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SourceHealth {
    /// When it last answered.
    pub last_ok: Option<Timestamp>,
    /// Its newest failure, gone again with the next answer.
    pub error: Option<PortError>,
    /// Failures in a row.
    pub failures: u32,
}

/// All that is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The record group, or why it cannot be shifted.
    pub group: Option<Fact<Result<RecordGroup, GroupError>>>,
    /// The records as listed, also those of an unknown shape.
    pub records: Vec<Record>,
    /// The newest change of ours.
    pub change: Option<Fact<Change>>,
    /// The change that was last seen not to be INSYNC, and when.
    pub pending_seen: Option<(String, Timestamp)>,
    /// Task and instance.
    pub replication: Option<Fact<Replication>>,
    /// Table statistics, by name.
    pub tables: Option<Fact<Vec<TableStat>>>,
    /// The same, counted once when they came: a task may have tens of thousands of tables, and every key asks the gates.
    pub table_counts: Option<TableCounts>,
    /// How fast changes go through each of them.
    pub table_rates: Vec<Option<TableRate>>,
    /// The ECS service.
    pub service: Option<Fact<Service>>,
    /// Targets of the ALB.
    pub targets: Option<Fact<Hosts>>,
    /// Instances of the Classic ELB.
    pub legacy_hosts: Option<Fact<Hosts>>,
    /// Alarms of the new region.
    pub alarms_new: Option<Fact<Vec<Alarm>>>,
    /// Alarms of the legacy region.
    pub alarms_legacy: Option<Fact<Vec<Alarm>>>,
    /// Metrics of both regions.
    pub metrics: Metrics,
    /// Metrics that CloudWatch could not give in full, with its words.
    pub incomplete: Vec<(Metric, String)>,
    /// Who is asking.
    pub identity: Option<Fact<Identity>>,
    /// A Pulumi run that goes on.
    pub stack_run: Option<Fact<Option<String>>>,
    /// How far this host's clock is ahead of AWS's, in milliseconds, as long as it was not corrected for.
    pub clock_skew_ms: Option<i64>,
    /// This host's clock was set, and not everything has been read again since.
    pub jump: Option<Jump>,
    /// Whether the clock that all this is dated with goes on as it should.
    pub watch: Watch,
    /// Health of every source that was asked.
    pub sources: BTreeMap<Source, SourceHealth>,
}

impl Facts {
    /// Takes an answer or a failure in. A failure leaves the earlier value with its age: old is not unknown, but it ages.
    pub fn absorb(&mut self, key: &GroupKey, source: Source, answer: Result<Observation, PortError>, at: Timestamp) {
        let health = self.sources.entry(source).or_default();
        let observation = match answer {
            Ok(observation) => {
                *health = SourceHealth { last_ok: Some(at), error: None, failures: 0 };
                observation
            }
            Err(error) => {
                health.failures = health.failures.saturating_add(1);
                health.error = Some(error);
                return;
            }
        };
        match observation {
            Observation::Records(records) => {
                self.group = Some(Fact { value: RecordGroup::from_records(key, &records), at });
                self.records = records;
            }
            Observation::Zone(_) | Observation::MayChange => {}
            Observation::Change(value) => {
                if value.status == ChangeStatus::Pending {
                    self.pending_seen = Some((value.id.clone(), at));
                }
                self.change = Some(Fact { value, at });
            }
            Observation::Replication(value) => self.replication = Some(Fact { value, at }),
            Observation::Tables(mut value) => {
                value.sort_by(|a, b| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
                let old = self.tables.as_ref();
                let before = old.map(|old| Earlier { at: old.at, tables: &old.value, rates: &self.table_rates });
                self.table_rates = rates(before, &value, at);
                self.table_counts = Some(TableCounts::of(&value));
                self.tables = Some(Fact { value, at });
            }
            Observation::Service(value) => self.service = Some(Fact { value, at }),
            Observation::Hosts(Side::New, value) => self.targets = Some(Fact { value, at }),
            Observation::Hosts(Side::Legacy, value) => self.legacy_hosts = Some(Fact { value, at }),
            Observation::Alarms(Side::New, value) => self.alarms_new = Some(Fact { value, at }),
            Observation::Alarms(Side::Legacy, value) => self.alarms_legacy = Some(Fact { value, at }),
            Observation::Metrics(side, readings) => {
                self.incomplete.retain(|(metric, _)| metric.side() != side);
                self.incomplete.extend(readings.incomplete.iter().cloned());
                self.metrics.absorb(&readings, at);
            }
            Observation::Identity(value) => self.identity = Some(Fact { value, at }),
            Observation::StackRun(value) => self.stack_run = Some(Fact { value, at }),
        }
        let answered = |source: &Source| self.sources.get(source).is_some_and(|health| health.last_ok.is_some());
        if self.jump.is_some() && Source::ALL.iter().filter(|source| **source != Source::Change).all(answered) {
            self.jump = None;
        }
    }

    /// This host's clock was set: what was read before is not known any more, because nobody can say how old it is.
    ///
    /// The records stay, with the age they have by the steady clock, because the way back starts from them; they pass
    /// no gate before Route 53 has answered again. The points of CloudWatch stay too, since AWS dates them, but none is
    /// settled before it was read again.
    pub fn forget(&mut self, jump: Jump) {
        let mut metrics = std::mem::take(&mut self.metrics);
        metrics.distrust();
        let group = self.group.take().map(|fact| Fact { at: fact.at.shifted(jump.by_ms), ..fact });
        let records = std::mem::take(&mut self.records);
        *self = Self { metrics, group, records, jump: Some(jump), watch: self.watch, ..Self::default() };
    }

    /// The tables, counted.
    #[must_use]
    pub fn count_tables(&self) -> Option<TableCounts> {
        self.table_counts.or_else(|| Some(TableCounts::of(&self.tables.as_ref()?.value)))
    }

    /// Compares both clocks, and forgets what was read before when the wall clock was set since the last look.
    pub fn look_at_the_clock(&mut self, now: Moment) -> Option<Jump> {
        let jump = self.watch.look(now)?;
        self.forget(jump);
        Some(jump)
    }

    /// Why no fact of this source counts, whatever its age: the clock was set since it was read.
    #[must_use]
    pub fn forgotten(&self, source: Source) -> Option<String> {
        let jump = self.jump?;
        let again = self.sources.get(&source).is_some_and(|health| health.last_ok.is_some());
        (!again).then(|| {
            let why = self.error(source).map_or_else(|| "it has to be asked again".to_owned(), ToString::to_string);
            format!("this host's clock was {}, so what was read before is not known: {why}", jump.text())
        })
    }

    /// The time by AWS's own clock, as far as its answers have told it.
    #[must_use]
    pub fn aws_now(&self, now: Timestamp) -> Option<Timestamp> {
        self.clock_skew_ms.map(|ahead| now.shifted(ahead.saturating_neg()))
    }

    /// When this change was last seen not to be INSYNC.
    #[must_use]
    pub fn last_pending(&self, change: &str) -> Option<Timestamp> {
        self.pending_seen.as_ref().filter(|(id, _)| id == change).map(|(_, at)| *at)
    }

    /// The group, when it is known and can be shifted.
    #[must_use]
    pub fn shiftable(&self) -> Option<&RecordGroup> {
        self.group.as_ref().and_then(|fact| fact.value.as_ref().ok())
    }

    /// Whether CloudWatch answers for the metric: of late, without a failure since, and in full. Only then a minute that
    /// is not there means that there was nothing to count.
    #[must_use]
    pub fn is_read(&self, metric: Metric, now: Timestamp) -> bool {
        let source = match metric.side() {
            Side::New => Source::MetricsNew,
            Side::Legacy => Source::MetricsLegacy,
        };
        self.sources.get(&source).is_some_and(|health| {
            health.error.is_none() && health.last_ok.is_some_and(|at| now.since(at) <= super::series::STALE)
        }) && !self.incomplete.iter().any(|(incomplete, _)| *incomplete == metric)
    }

    /// When the new stack has carried what it may be returned to, as long as the balancers have not told what they counted
    /// then.
    #[must_use]
    pub fn past_wanted(&self, history: &History, aws_now: Timestamp) -> Option<TimeRange> {
        history.carried.window(aws_now).filter(|window| !self.metrics.has_past(*window))
    }

    /// All alarms that were read, new region first.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms_new.iter().chain(self.alarms_legacy.iter()).flat_map(|fact| fact.value.iter())
    }

    /// The newest failure of a source, when its last answer was one.
    #[must_use]
    pub fn error(&self, source: Source) -> Option<&PortError> {
        self.sources.get(&source).and_then(|health| health.error.as_ref())
    }
}

#[cfg(test)]
#[path = "facts_fixtures.rs"]
pub(crate) mod fixtures;

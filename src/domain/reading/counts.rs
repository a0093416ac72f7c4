//! Counts from Describe calls: tasks, hosts, alarms.

use serde::Serialize;

use crate::domain::facts::{Facts, Source};
use crate::domain::service::{Alarm, AlarmState};
use crate::domain::traffic::Side;
use crate::domain::units::Timestamp;

use super::{Quality, Reading, fact};

/// Tasks of the ECS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TaskCount {
    /// Wanted.
    pub desired: u32,
    /// Running.
    pub running: u32,
    /// Being started.
    pub pending: u32,
}

/// Hosts behind a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HostCount {
    /// That take requests.
    pub healthy: usize,
    /// That should and do not.
    pub unhealthy: usize,
    /// That are registered.
    pub all: usize,
}

/// Alarms of both regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AlarmCount {
    /// Within their thresholds, and heard.
    pub ok: usize,
    /// Past their thresholds.
    pub on: usize,
    /// Of which CloudWatch cannot tell.
    pub blind: usize,
    /// Within their thresholds by CloudWatch's word, but their actions do not happen or not all was evaluated.
    pub silenced: usize,
}

impl AlarmCount {
    /// All of them.
    #[must_use]
    pub const fn all(self) -> usize {
        self.ok + self.on + self.blind + self.silenced
    }
}

/// Tasks of the ECS service.
#[must_use]
pub fn tasks(facts: &Facts, now: Timestamp) -> Reading<TaskCount> {
    fact(facts.service.as_ref(), Source::Service, facts, now).map(|service| TaskCount {
        desired: service.desired,
        running: service.running,
        pending: service.pending,
    })
}

/// Hosts behind one side's load balancer.
#[must_use]
pub fn hosts(facts: &Facts, side: Side, now: Timestamp) -> Reading<HostCount> {
    let (hosts, source) = match side {
        Side::New => (facts.targets.as_ref(), Source::Targets),
        Side::Legacy => (facts.legacy_hosts.as_ref(), Source::LegacyHosts),
    };
    fact(hosts, source, facts, now).map(|hosts| HostCount {
        healthy: hosts.healthy(),
        unhealthy: hosts.unhealthy(),
        all: hosts.hosts.len(),
    })
}

/// Alarms of both regions, as far as they are known; fresh only when both regions are, dated by the older of the two.
#[must_use]
pub fn alarms(facts: &Facts, now: Timestamp) -> Reading<AlarmCount> {
    let new = fact(facts.alarms_new.as_ref(), Source::AlarmsNew, facts, now).map(|alarms| count(alarms));
    let legacy = fact(facts.alarms_legacy.as_ref(), Source::AlarmsLegacy, facts, now).map(|alarms| count(alarms));
    let (worse, better) = if new.quality == Quality::Fresh { (legacy, new) } else { (new, legacy) };
    let at = match (worse.at, better.at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let value = match (worse.value, better.value) {
        (Some(a), Some(b)) => Some(AlarmCount {
            ok: a.ok + b.ok,
            on: a.on + b.on,
            blind: a.blind + b.blind,
            silenced: a.silenced + b.silenced,
        }),
        (a, b) => a.or(b),
    };
    Reading { value, at, read_at: at, ..worse }
}

fn count(alarms: &[Alarm]) -> AlarmCount {
    let mut count = AlarmCount::default();
    for alarm in alarms {
        match alarm.state {
            AlarmState::Alarm => count.on += 1,
            AlarmState::InsufficientData => count.blind += 1,
            AlarmState::Ok if alarm.silenced.is_some() || alarm.evaluation.is_some() => count.silenced += 1,
            AlarmState::Ok => count.ok += 1,
        }
    }
    count
}

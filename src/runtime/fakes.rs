//! Ports that live in memory and write down the order in which they were used. For tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::confirm::Confirmed;
use crate::domain::facts::{Observation, Query, Source};
use crate::domain::metrics::MetricReadings;
use crate::domain::record::{Entry, Event};
use crate::domain::replication::fixtures::replication;
use crate::domain::service::fixtures::service;
use crate::domain::service::{Hosts, Identity};
use crate::domain::shift::ShiftPlan;
use crate::domain::shift::fixtures::{group, key};
use crate::domain::traffic::{Change, ChangeStatus, Record, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair};
use crate::ports::{Clock, ErrorKind, Journal, Observe, PortError, PortFuture, Traffic};

use super::ports_set::Ports;
use crate::adapters::pulumi::refusing::NoPulumi;
use crate::domain::zone::ZonePlan;

pub(crate) fn pair(legacy: u8, new: u8) -> WeightPair {
    WeightPair::new(legacy, new).unwrap()
}

pub(crate) fn entry(secs: i64, event: Event) -> Entry {
    Entry { at: Timestamp::from_millis(secs * 1000), operator: "oncall".into(), host: "bastion".into(), event }
}

/// How the fake Route 53 treats the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Accepts it if the records are as expected.
    Honest,
    /// Fails so; the change is made all the same when `made`.
    Fails { kind: ErrorKind, made: bool },
}

struct State {
    group: RecordGroup,
    entries: Vec<Entry>,
    steps: Vec<&'static str>,
    fate: Fate,
    change: ChangeStatus,
    insync_after: Option<u32>,
    failures: BTreeMap<Source, (ErrorKind, u32)>,
    silent: Option<Source>,
    delay: Duration,
    broken: bool,
    appends_left: Option<usize>,
    /// The records after a turn that was made.
    turned: Option<Vec<Record>>,
    unreadable_after_the_turn: bool,
}

/// A world in memory. Clones share it.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub(crate) fn new(weights: WeightPair) -> Self {
        Self(Arc::new(Mutex::new(State {
            group: group(weights),
            entries: Vec::new(),
            steps: Vec::new(),
            fate: Fate::Honest,
            change: ChangeStatus::Pending,
            insync_after: None,
            failures: BTreeMap::new(),
            silent: None,
            delay: Duration::ZERO,
            broken: false,
            appends_left: None,
            turned: None,
            unreadable_after_the_turn: false,
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            observe: Arc::new(self.clone()),
            traffic: Arc::new(self.clone()),
            journal: Arc::new(self.clone()),
            clock: Arc::new(Steps(AtomicI64::new(1_000_000))),
            provision: Arc::new(NoPulumi),
            control: Arc::new(NoPulumi),
            key: key(),
            skew: Arc::new(|| None),
        }
    }

    pub(crate) fn remember(&self, entry: Entry) {
        self.with(|s| s.entries.push(entry));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.with(|s| s.entries.iter().map(|e| e.event.clone()).collect())
    }

    /// What was done, in order: `lock`, `intent`, `call`, `records`, `outcome`, `unlock` …
    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.with(|s| s.steps.clone())
    }

    pub(crate) fn weights(&self) -> WeightPair {
        self.with(|s| s.group.weights())
    }

    pub(crate) fn set_weights(&self, weights: WeightPair) {
        self.with(|s| s.group = group(weights));
    }

    pub(crate) fn fate(&self, fate: Fate) {
        self.with(|s| s.fate = fate);
    }

    pub(crate) fn change(&self, status: ChangeStatus) {
        self.with(|s| s.change = status);
    }

    pub(crate) fn insync_after(&self, asked: u32) {
        self.with(|s| s.insync_after = Some(asked));
    }

    pub(crate) fn fail(&self, source: Source, kind: ErrorKind, times: u32) {
        self.with(|s| s.failures.insert(source, (kind, times)));
    }

    pub(crate) fn silence(&self, source: Source) {
        self.with(|s| s.silent = Some(source));
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.with(|s| s.delay = delay);
    }

    pub(crate) fn break_journal(&self) {
        self.with(|s| s.broken = true);
    }

    /// The disk is full after so many more entries.
    pub(crate) fn room_for(&self, entries: usize) {
        self.with(|s| s.appends_left = Some(entries));
    }

    /// Nobody can say what came of a turn.
    pub(crate) fn unreadable_after_the_turn(&self) {
        self.with(|s| s.unreadable_after_the_turn = true);
    }

    fn answer(&self, query: &Query) -> Result<Observation, PortError> {
        self.with(|s| {
            if let Some((kind, left)) = s.failures.get_mut(&query.source())
                && *left > 0
            {
                *left -= 1;
                return Err(PortError::new(*kind, "fake:Read", "made to fail"));
            }
            Ok(match query {
                Query::Records => {
                    s.steps.push("records");
                    Observation::Records(s.turned.clone().unwrap_or_else(|| s.group.records().cloned().collect()))
                }
                Query::Zone => Observation::Zone(s.group.records().cloned().collect()),
                Query::Change(id) => {
                    let status = match &mut s.insync_after {
                        Some(0) => ChangeStatus::Insync,
                        Some(left) => {
                            *left -= 1;
                            s.change
                        }
                        None => s.change,
                    };
                    Observation::Change(Change { id: id.clone(), status, at: Timestamp::default() })
                }
                Query::Replication => Observation::Replication(replication()),
                Query::Tables => Observation::Tables(vec![]),
                Query::Service => Observation::Service(service(4)),
                Query::Hosts(side) => Observation::Hosts(*side, Hosts::default()),
                Query::Alarms(side) => Observation::Alarms(*side, vec![]),
                Query::Metrics(side) => Observation::Metrics(*side, MetricReadings::default()),
                Query::Identity => Observation::Identity(Identity {
                    account: "123456789012".into(),
                    arn: "arn:aws:sts::1:user/me".into(),
                }),
                Query::StackRun => Observation::StackRun(None),
            })
        })
    }
}

impl Observe for Fake {
    fn observe(&self, query: Query) -> PortFuture<'_, Observation> {
        Box::pin(async move {
            let (delay, silent) = self.with(|s| (s.delay, s.silent == Some(query.source())));
            if silent {
                return std::future::pending().await;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            self.answer(&query)
        })
    }
}

impl Traffic for Fake {
    fn turn(&self, plan: &Confirmed<ZonePlan>) -> PortFuture<'_, Change> {
        let kind = self.with(|s| {
            s.steps.push("turn");
            if s.unreadable_after_the_turn {
                s.failures.insert(Source::Records, (ErrorKind::TimedOut, u32::MAX));
            }
            match s.fate {
                Fate::Honest => ErrorKind::Conflict,
                Fate::Fails { kind, made } => {
                    s.turned = made.then(|| plan.get().creates.clone());
                    kind
                }
            }
        });
        Box::pin(async move { Err(PortError::new(kind, "route53:ChangeResourceRecordSets", "not as seen")) })
    }

    fn apply(&self, plan: &Confirmed<ShiftPlan>) -> PortFuture<'_, Change> {
        let plan = plan.get().clone();
        Box::pin(async move {
            self.with(|s| {
                s.steps.push("call");
                if let Fate::Fails { kind, made } = s.fate {
                    if made {
                        s.group = plan.target();
                    }
                    return Err(PortError::new(kind, "route53:ChangeResourceRecordSets", "made to fail"));
                }
                if s.group != plan.expected {
                    return Err(PortError::new(
                        ErrorKind::Conflict,
                        "route53:ChangeResourceRecordSets",
                        "do not match",
                    ));
                }
                s.group = plan.target();
                Ok(Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at: Timestamp::default() })
            })
        })
    }
}

impl Journal for Fake {
    fn append(&self, entry: &Entry) -> Result<(), PortError> {
        self.with(|s| {
            if s.broken || s.appends_left == Some(0) {
                return Err(PortError::new(ErrorKind::Storage, "journal append", "no space left"));
            }
            s.appends_left = s.appends_left.map(|left| left - 1);
            s.steps.push(match entry.event {
                Event::Intent { .. } => "intent",
                Event::Outcome { .. } => "outcome",
                _ => "entry",
            });
            s.entries.push(entry.clone());
            Ok(())
        })
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        self.with(|s| {
            if s.broken {
                return Err(PortError::new(ErrorKind::Storage, "journal read", "cannot be read"));
            }
            Ok((s.entries.clone(), 0))
        })
    }

    fn exclusive(&self) -> Result<Box<dyn Send>, PortError> {
        self.with(|s| s.steps.push("lock"));
        Ok(Box::new(Turn(self.clone())))
    }
}

struct Turn(Fake);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.with(|s| s.steps.push("unlock"));
    }
}

/// A clock that is a second later each time it is read.
struct Steps(AtomicI64);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

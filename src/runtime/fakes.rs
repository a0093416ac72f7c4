//! Ports that live in memory and write down the order in which they were used. For tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::change::Batch;
use crate::domain::change::outcome::SendError;
use crate::domain::change::turn::Holder;
use crate::domain::confirm::Confirmed;
use crate::domain::facts::{Observation, Query, Source};
use crate::domain::metrics::MetricReadings;
use crate::domain::record::{Entry, Event};
use crate::domain::replication::fixtures::replication;
use crate::domain::service::fixtures::service;
use crate::domain::service::{Hosts, Identity};
use crate::domain::shift::fixtures::{group, key};
use crate::domain::traffic::{Change, ChangeStatus, Record, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair};
use crate::ports::{Clock, ErrorKind, Journal, Observe, PortError, PortFuture, SendFuture, Traffic, Turn};

use super::ports_set::Ports;
use crate::adapters::pulumi::refusing::NoPulumi;
use crate::adapters::refuse::Refusing;

pub(crate) fn pair(legacy: u8, new: u8) -> WeightPair {
    WeightPair::new(legacy, new).unwrap()
}

fn pair_records(weights: WeightPair) -> Vec<Record> {
    group(weights).records().cloned().collect()
}

pub(crate) fn entry(secs: i64, event: Event) -> Entry {
    Entry {
        aws_at: None,
        at: Timestamp::from_millis(secs * 1000),
        operator: "oncall".into(),
        host: "bastion".into(),
        event,
    }
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
    records: Vec<Record>,
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
    locked_after: Option<usize>,
    unreadable_after_the_call: bool,
    sent_before: bool,
    held: Option<Holder>,
}

/// A world in memory. Clones share it.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub(crate) fn new(weights: WeightPair) -> Self {
        Self(Arc::new(Mutex::new(State {
            records: pair_records(weights),
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
            locked_after: None,
            unreadable_after_the_call: false,
            sent_before: false,
            held: None,
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
            clock: steps(),
            provision: Arc::new(NoPulumi),
            control: Arc::new(NoPulumi),
            name_servers: Arc::new(Refusing(PortError::new(ErrorKind::NotProvisioned, "dns", "nobody to ask"))),
            key: key(),
            leaving: Arc::default(),
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
        RecordGroup::from_records(&key(), &self.records()).unwrap().weights()
    }

    pub(crate) fn set_weights(&self, weights: WeightPair) {
        self.with(|s| s.records = pair_records(weights));
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

    /// Somebody keeps the journal locked after so many more entries; beside it there is room.
    pub(crate) fn lock_journal(&self, entries: usize) {
        self.with(|s| s.locked_after = Some(entries));
    }

    /// Nobody can say what came of a call.
    pub(crate) fn unreadable_after_the_call(&self) {
        self.with(|s| s.unreadable_after_the_call = true);
    }

    /// The answer is that of a second sending.
    pub(crate) fn sent_before(&self) {
        self.with(|s| s.sent_before = true);
    }

    /// Somebody else has the turn, and keeps it.
    pub(crate) fn held_by(&self, holder: Holder) {
        self.with(|s| s.held = Some(holder));
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.with(|s| s.records.clone())
    }

    pub(crate) fn set_records(&self, records: Vec<Record>) {
        self.with(|s| s.records = records);
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
                    Observation::Records(s.records.clone())
                }
                Query::Zone => Observation::Zone(s.records.clone()),
                Query::MayChange => Observation::MayChange,
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
                Query::Metrics(side, _) => Observation::Metrics(*side, MetricReadings::default()),
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
    fn send(&self, batch: &Confirmed<Batch>) -> SendFuture<'_> {
        let batch = batch.get().clone();
        Box::pin(async move {
            self.with(|s| {
                s.steps.push("call");
                if s.unreadable_after_the_call {
                    s.failures.insert(Source::Records, (ErrorKind::TimedOut, u32::MAX));
                }
                let make = |s: &mut State| {
                    s.records.retain(|record| !batch.deletes.contains(record));
                    s.records.extend(batch.creates.iter().cloned());
                };
                let error = |kind, words: &str| SendError {
                    error: PortError::new(kind, "route53:ChangeResourceRecordSets", words),
                    sent_before: s.sent_before,
                };
                if let Fate::Fails { kind, made } = s.fate {
                    let error = error(kind, "made to fail");
                    if made {
                        make(s);
                    }
                    return Err(error);
                }
                if !batch.deletes.iter().all(|record| s.records.contains(record)) {
                    return Err(error(ErrorKind::Conflict, "do not match"));
                }
                make(s);
                Ok(Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at: Timestamp::default() })
            })
        })
    }
}

impl Fake {
    fn write(&self, entry: &Entry) -> Result<(), PortError> {
        self.with(|s| {
            if s.broken || s.appends_left == Some(0) {
                return Err(PortError::new(ErrorKind::Storage, "journal append", "no space left"));
            }
            s.appends_left = s.appends_left.map(|left| left - 1);
            s.steps.push(match entry.event {
                Event::Intent { .. } | Event::ZoneIntent { .. } => "intent",
                Event::Outcome { .. } | Event::Unsettled { .. } => "outcome",
                _ => "entry",
            });
            s.entries.push(entry.clone());
            Ok(())
        })
    }
}

impl Journal for Fake {
    fn append(&self, entry: &Entry) -> Result<(), PortError> {
        self.with(|s| match &mut s.locked_after {
            Some(0) => Err(PortError::new(ErrorKind::Storage, "journal append", "another process keeps it locked")),
            left => {
                *left = left.map(|left| left - 1);
                Ok(())
            }
        })?;
        self.write(entry)
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        self.with(|s| {
            if s.broken {
                return Err(PortError::new(ErrorKind::Storage, "journal read", "cannot be read"));
            }
            Ok((s.entries.clone(), 0))
        })
    }

    fn try_turn(&self, _: &Holder) -> Result<Turn, PortError> {
        self.with(|s| {
            if s.held.is_some() {
                return Ok(Turn::Held(s.held.clone()));
            }
            s.steps.push("lock");
            Ok(Turn::Taken(Box::new(Ours(self.clone()))))
        })
    }

    fn aside(&self) -> Arc<dyn Journal> {
        self.with(|s| s.steps.push("aside"));
        Arc::new(Aside(self.clone()))
    }

    fn stamp(&self) -> Option<u64> {
        self.with(|s| u64::try_from(s.entries.len()).ok())
    }
}

/// Entries beside the journal, of the same world.
struct Aside(Fake);

impl Journal for Aside {
    fn append(&self, entry: &Entry) -> Result<(), PortError> {
        self.0.write(entry)
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        self.0.read()
    }

    fn try_turn(&self, holder: &Holder) -> Result<Turn, PortError> {
        self.0.try_turn(holder)
    }

    fn aside(&self) -> Arc<dyn Journal> {
        self.0.aside()
    }

    fn stamp(&self) -> Option<u64> {
        self.0.stamp()
    }
}

struct Ours(Fake);

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.with(|s| s.steps.push("unlock"));
    }
}

/// A clock that is a second later each time it is read.
fn steps() -> Arc<dyn Clock> {
    let next = AtomicI64::new(1_000_000);
    Arc::new(move || Timestamp::from_millis(next.fetch_add(1000, Ordering::Relaxed)))
}

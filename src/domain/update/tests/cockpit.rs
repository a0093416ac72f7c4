//! A cockpit whose keys and answers a test plays by hand.

use std::time::Duration;

use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::ARMS_AFTER;
use crate::domain::error::PortError;
use crate::domain::facts::{Observation, Query};
use crate::domain::gate::{GateId, Policy, Verdict};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::{Dialog, Listing, Model, Shown, Watcher, fixtures};
use crate::domain::msg::{Effect, Msg};
use crate::domain::record::{Entry, Event, OutcomeKind};
use crate::domain::replication::TableStat;
use crate::domain::replication::fixtures::replication;
use crate::domain::series::{Point, Series};
use crate::domain::service::fixtures::{alarm, hosts, service};
use crate::domain::service::{AlarmState, Identity};
use crate::domain::shift::ShiftPlan;
use crate::domain::shift::fixtures::record;
use crate::domain::time::Moment;
use crate::domain::traffic::{self, ChangeStatus};
use crate::domain::units::{Timestamp, WeightPair};
use crate::domain::update::update;
use crate::keymap::Key;

const START: i64 = 1_795_000_020_000;

/// A cockpit with the outside world played by hand.
pub(in crate::domain::update) struct Cockpit {
    pub(in crate::domain::update) model: Model,
    pub(in crate::domain::update) sent: Vec<Effect>,
    pub(super) lag_s: f64,
    pub(in crate::domain::update) weights: WeightPair,
}

impl Cockpit {
    pub(in crate::domain::update) fn new() -> Self {
        let watcher = Watcher { operator: "local".into(), ..fixtures::watcher() };
        let model = Model::new(fixtures::stack(), watcher, Policy::default(), Timestamp::from_millis(START));
        Self { model, sent: Vec::new(), lag_s: 3.0, weights: WeightPair::new(100, 0).unwrap() }
    }

    /// Everything has answered and every gate can pass.
    pub(in crate::domain::update) fn ready() -> Self {
        let mut cockpit = Self::new();
        cockpit.feed(Msg::JournalRead { result: Ok((vec![], 0)), stamp: None });
        cockpit.wait(1);
        cockpit.answer_all();
        cockpit
    }

    /// The same with this share on the new stack, set and baked long ago.
    pub(super) fn at(share: u8) -> Self {
        let mut cockpit = Self::new();
        cockpit.weights = WeightPair::for_new_share(crate::domain::units::Percent::new(share).unwrap());
        let at = cockpit.model.live.now.minus(Duration::from_secs(3600));
        let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
        let weights = cockpit.weights;
        let entries = vec![entry(Event::Seen { weights }), entry(Event::Accepted { weights })];
        cockpit.feed(Msg::JournalRead { result: Ok((entries, 0)), stamp: None });
        cockpit.wait(1);
        cockpit.answer_all();
        cockpit
    }

    pub(in crate::domain::update) fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, msg);
        self.sent.extend(effects.iter().cloned());
        effects
    }

    pub(in crate::domain::update) fn wait(&mut self, secs: u64) -> Vec<Effect> {
        let now = self.model.live.now.plus(Duration::from_secs(secs));
        let uptime = self.model.uptime + Duration::from_secs(secs);
        let steady = self.model.steady + Duration::from_secs(secs);
        self.feed(Msg::Tick { now: Moment { wall: now, steady }, uptime })
    }

    /// Somebody sets the host's clock; a second passes.
    pub(in crate::domain::update) fn set_clock(&mut self, by_ms: i64) -> Vec<Effect> {
        let second = Duration::from_secs(1);
        let wall = self.model.live.now.plus(second).shifted(by_ms);
        let (steady, uptime) = (self.model.steady + second, self.model.uptime + second);
        self.feed(Msg::Tick { now: Moment { wall, steady }, uptime })
    }

    /// The host's clock runs `ms` fast in each of so many seconds.
    pub(in crate::domain::update) fn slew(&mut self, seconds: u32, ms: i64) {
        for _ in 0..seconds {
            self.set_clock(ms);
        }
    }

    pub(super) fn draw(&mut self) {
        let uptime = self.model.uptime;
        self.feed(Msg::Drawn {
            uptime,
            listing: Listing { page_rows: 10, last_row: 100, chosen: None },
            shown: Shown::Whole,
        });
    }

    pub(in crate::domain::update) fn press(&mut self, key: char) -> Vec<Effect> {
        self.feed(Msg::Key(Key::char(key)))
    }

    pub(super) fn reply(&self, query: &Query) -> Observation {
        let now = self.model.live.now;
        match query {
            Query::Records => Observation::Records(vec![
                record("A", "legacy", self.weights.legacy()),
                record("A", "new", self.weights.new_weight()),
            ]),
            Query::Zone => Observation::Zone(vec![]),
            Query::MayChange => Observation::MayChange,
            Query::Change(id) => {
                Observation::Change(traffic::Change { id: id.clone(), status: ChangeStatus::Pending, at: now })
            }
            Query::Replication => Observation::Replication(replication()),
            Query::Tables => Observation::Tables(vec![table("orders", "Table completed", "Validated")]),
            Query::Service => Observation::Service(service(4)),
            Query::Hosts(side) => Observation::Hosts(*side, hosts(&["healthy"; 4])),
            Query::Alarms(side) => Observation::Alarms(*side, vec![alarm(*side, AlarmState::Ok)]),
            Query::Metrics(side, _) => {
                let points = |value: f64| {
                    let last = now.floor_to(Duration::from_secs(60));
                    let at = |ago: u64| last.minus(Duration::from_secs(60 * ago));
                    Series::new((1..=15).map(|ago| Point { at: at(ago), value }).collect())
                };
                let value = |metric| match metric {
                    Metric::LagSource | Metric::LagTarget => self.lag_s,
                    Metric::NewLatency | Metric::LegacyLatency => 0.2,
                    Metric::NewTarget5xx | Metric::NewElb5xx | Metric::LegacyBackend5xx | Metric::LegacyElb5xx => 1.0,
                    Metric::NewUnhealthy | Metric::LegacyUnhealthy => 0.0,
                    _ => 1000.0,
                };
                let series = Metric::of(*side).map(|m| (m, points(value(m)))).collect();
                Observation::Metrics(*side, MetricReadings { series, incomplete: vec![], past: None })
            }
            Query::Identity => Observation::Identity(Identity {
                account: "123456789012".into(),
                arn: "arn:aws:sts::123456789012:assumed-role/oncall-role/bastion".into(),
            }),
            Query::StackRun => Observation::StackRun(None),
        }
    }

    /// Answers every question that was asked and not answered.
    pub(in crate::domain::update) fn answer_all(&mut self) {
        self.answer_with(|cockpit, query| Ok(cockpit.reply(query)));
    }

    pub(super) fn answer_with(&mut self, reply: impl Fn(&Self, &Query) -> Result<Observation, PortError>) {
        for effect in std::mem::take(&mut self.sent) {
            if let Effect::Observe { request, query } = effect {
                let result = reply(self, &query);
                let at = self.model.live.now;
                self.feed(Msg::Answer { request, source: query.source(), result, at, clock_skew_ms: None });
            }
        }
        // Nobody else writes to the journal, and what the cockpit writes is on disk at once.
        self.model.journal.appending = 0;
        if self.model.journal.asked.is_some() {
            self.feed(Msg::JournalSame);
            self.model.journal.appending = 0;
        }
    }

    pub(super) fn verdict(&self, id: GateId) -> Verdict {
        self.model.live.gates.iter().find(|g| g.id == id).unwrap().verdict
    }

    pub(in crate::domain::update) fn arm(&mut self) {
        self.draw();
        self.model.uptime += ARMS_AFTER;
    }

    /// `]`, wait, `y`; gives the effect that sends the change.
    pub(super) fn step(&mut self) -> Effect {
        self.press(']');
        self.arm();
        self.press('y').into_iter().find(|e| matches!(e, Effect::Execute { .. })).expect("the step is sent")
    }

    pub(super) fn accept(&mut self, shift: Effect) {
        let Effect::Execute { request, change } = shift else { panic!("not a change: {shift:?}") };
        let Change::Weights(plan) = change.into_inner() else { panic!("not of the weights") };
        let at = self.model.live.now;
        let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
        let entries = vec![
            entry(Event::Intent {
                id: "i".into(),
                record: plan.record_name().into(),
                from: plan.from(),
                to: plan.to,
                direction: plan.direction(),
                overrides: vec![],
                evacuation: None,
            }),
            entry(Event::Outcome {
                id: "i".into(),
                result: OutcomeKind::Accepted,
                weights: Some(plan.to),
                change: Some("/change/C1".into()),
                submitted_at: None,
                detail: String::new(),
            }),
        ];
        self.weights = plan.to;
        let change = traffic::Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at };
        self.feed(Msg::Executed { request, outcome: Outcome::Accepted(change), entries });
    }

    pub(in crate::domain::update) fn notice(&self) -> String {
        match &self.model.dialog {
            Some(Dialog::Notice { title, lines }) => format!("{title}: {}", lines.join("; ")),
            other => panic!("no notice but {other:?}"),
        }
    }
}

/// The plan of a weight change that is sent.
pub(super) fn weights(effect: &Effect) -> Option<ShiftPlan> {
    match effect {
        Effect::Execute { change, .. } => match change.get() {
            Change::Weights(plan) => Some(plan.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn table(name: &str, state: &str, validation: &str) -> TableStat {
    TableStat {
        state: state.into(),
        validation: validation.into(),
        ..crate::domain::replication::fixtures::table(name)
    }
}

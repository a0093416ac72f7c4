//! The cockpit's behaviour in the operator's words, on plain values; and the properties that hold for any sequence of
//! keys, answers and faults.

use std::time::Duration;

use proptest::prelude::*;

use super::update;
use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::{ARMS_AFTER, Confirmed, EXPIRES_AFTER};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Query, Source};
use crate::domain::gate::{self, GateId, Policy, Verdict};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::{Dialog, Listing, Model, ShiftState, Shown, Watcher, fixtures};
use crate::domain::msg::{Effect, Msg};
use crate::domain::record::{Entry, Event, OutcomeKind};
use crate::domain::replication::TableStat;
use crate::domain::replication::fixtures::replication;
use crate::domain::series::{Point, Series};
use crate::domain::service::fixtures::{alarm, hosts, service};
use crate::domain::service::{AlarmState, Identity};
use crate::domain::shift::fixtures::{group, record};
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::time::Moment;
use crate::domain::traffic::{self, ChangeStatus};
use crate::domain::units::{Timestamp, WeightPair};
use crate::keymap::{Code, Key, View};

/// The plan of a weight change that is sent.
fn weights(effect: &Effect) -> Option<ShiftPlan> {
    match effect {
        Effect::Execute { change, .. } => match change.get() {
            Change::Weights(plan) => Some(plan.clone()),
            _ => None,
        },
        _ => None,
    }
}

const START: i64 = 1_795_000_020_000;

/// A cockpit with the outside world played by hand.
pub(super) struct Cockpit {
    pub(super) model: Model,
    pub(super) sent: Vec<Effect>,
    lag_s: f64,
    pub(super) weights: WeightPair,
}

impl Cockpit {
    pub(super) fn new() -> Self {
        let watcher = Watcher { operator: "local".into(), ..fixtures::watcher() };
        let model = Model::new(fixtures::stack(), watcher, Policy::default(), Timestamp::from_millis(START));
        Self { model, sent: Vec::new(), lag_s: 3.0, weights: WeightPair::new(100, 0).unwrap() }
    }

    /// Everything has answered and every gate can pass.
    pub(super) fn ready() -> Self {
        let mut cockpit = Self::new();
        cockpit.feed(Msg::JournalRead { result: Ok((vec![], 0)), stamp: None });
        cockpit.wait(1);
        cockpit.answer_all();
        cockpit
    }

    /// The same with this share on the new stack, set and baked long ago.
    fn at(share: u8) -> Self {
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

    pub(super) fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, msg);
        self.sent.extend(effects.iter().cloned());
        effects
    }

    pub(super) fn wait(&mut self, secs: u64) -> Vec<Effect> {
        let now = self.model.live.now.plus(Duration::from_secs(secs));
        let uptime = self.model.uptime + Duration::from_secs(secs);
        let steady = self.model.steady + Duration::from_secs(secs);
        self.feed(Msg::Tick { now: Moment { wall: now, steady }, uptime })
    }

    /// Somebody sets the host's clock; a second passes.
    pub(super) fn set_clock(&mut self, by_ms: i64) -> Vec<Effect> {
        let second = Duration::from_secs(1);
        let wall = self.model.live.now.plus(second).shifted(by_ms);
        let (steady, uptime) = (self.model.steady + second, self.model.uptime + second);
        self.feed(Msg::Tick { now: Moment { wall, steady }, uptime })
    }

    /// The host's clock runs `ms` fast in each of so many seconds.
    pub(super) fn slew(&mut self, seconds: u32, ms: i64) {
        for _ in 0..seconds {
            self.set_clock(ms);
        }
    }

    fn draw(&mut self) {
        let uptime = self.model.uptime;
        self.feed(Msg::Drawn { uptime, listing: Listing { page_rows: 10, last_row: 100 }, shown: Shown::Whole });
    }

    pub(super) fn press(&mut self, key: char) -> Vec<Effect> {
        self.feed(Msg::Key(Key::char(key)))
    }

    fn reply(&self, query: &Query) -> Observation {
        let now = self.model.live.now;
        match query {
            Query::Records => Observation::Records(vec![
                record("A", "legacy", self.weights.legacy()),
                record("A", "new", self.weights.new_weight()),
            ]),
            Query::Zone => Observation::Zone(vec![]),
            Query::Change(id) => {
                Observation::Change(traffic::Change { id: id.clone(), status: ChangeStatus::Pending, at: now })
            }
            Query::Replication => Observation::Replication(replication()),
            Query::Tables => Observation::Tables(vec![table("orders", "Table completed", "Validated")]),
            Query::Service => Observation::Service(service(4)),
            Query::Hosts(side) => Observation::Hosts(*side, hosts(&["healthy"; 4])),
            Query::Alarms(side) => Observation::Alarms(*side, vec![alarm(*side, AlarmState::Ok)]),
            Query::Metrics(side) => {
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
                Observation::Metrics(*side, MetricReadings { series, incomplete: vec![] })
            }
            Query::Identity => Observation::Identity(Identity {
                account: "123456789012".into(),
                arn: "arn:aws:sts::123456789012:assumed-role/oncall-role/bastion".into(),
            }),
            Query::StackRun => Observation::StackRun(None),
        }
    }

    /// Answers every question that was asked and not answered.
    pub(super) fn answer_all(&mut self) {
        self.answer_with(|cockpit, query| Ok(cockpit.reply(query)));
    }

    fn answer_with(&mut self, reply: impl Fn(&Self, &Query) -> Result<Observation, PortError>) {
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

    fn verdict(&self, id: GateId) -> Verdict {
        self.model.live.gates.iter().find(|g| g.id == id).unwrap().verdict
    }

    pub(super) fn arm(&mut self) {
        self.draw();
        self.model.uptime += ARMS_AFTER;
    }

    /// `]`, wait, `y`; gives the effect that sends the change.
    fn step(&mut self) -> Effect {
        self.press(']');
        self.arm();
        self.press('y').into_iter().find(|e| matches!(e, Effect::Execute { .. })).expect("the step is sent")
    }

    fn accept(&mut self, shift: Effect) {
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
            }),
            entry(Event::Outcome {
                id: "i".into(),
                result: OutcomeKind::Accepted,
                weights: Some(plan.to),
                change: Some("/change/C1".into()),
                detail: String::new(),
            }),
        ];
        self.weights = plan.to;
        let change = traffic::Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at };
        self.feed(Msg::Executed { request, outcome: Outcome::Accepted(change), entries });
    }

    pub(super) fn notice(&self) -> String {
        match &self.model.dialog {
            Some(Dialog::Notice { title, lines }) => format!("{title}: {}", lines.join("; ")),
            other => panic!("no notice but {other:?}"),
        }
    }
}

fn table(name: &str, state: &str, validation: &str) -> TableStat {
    TableStat {
        state: state.into(),
        validation: validation.into(),
        ..crate::domain::replication::fixtures::table(name)
    }
}

#[test]
fn a_fresh_cockpit_asks_everything_and_blocks_until_it_knows() {
    let mut cockpit = Cockpit::new();
    let effects = cockpit.wait(1);
    assert!(effects.contains(&Effect::ReadJournal { known: None }));
    let asked: Vec<_> = effects
        .iter()
        .filter_map(|e| if let Effect::Observe { query, .. } = e { Some(query.source()) } else { None })
        .collect();
    assert_eq!(asked.len(), Source::ALL.len() - 1, "everything but a change that is not known");
    assert!(cockpit.model.live.gates.iter().all(|g| g.verdict == Verdict::Unknown), "{:?}", cockpit.model.live.gates);
    cockpit.press(']');
    assert!(cockpit.notice().contains("not known"), "{}", cockpit.notice());
}

#[test]
fn with_everything_answered_every_gate_passes() {
    let cockpit = Cockpit::ready();
    let open: Vec<_> = cockpit.model.live.gates.iter().filter(|g| !g.passes()).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_confirmed_step_is_sent_followed_to_insync_read_back_and_baked() {
    let mut cockpit = Cockpit::ready();
    let shift = cockpit.step();
    assert!(matches!(cockpit.model.shift_state, ShiftState::Sending { .. }));
    cockpit.accept(shift);
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Fail);
    cockpit.wait(3);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Fail);
    assert_eq!(cockpit.verdict(GateId::Bake), Verdict::Fail);
    cockpit.wait(40);
    cockpit.answer_with(|c, query| match query {
        Query::Change(id) => Ok(Observation::Change(traffic::Change {
            id: id.clone(),
            status: ChangeStatus::Insync,
            at: c.model.live.now,
        })),
        other => Ok(c.reply(other)),
    });
    cockpit.wait(1);
    cockpit.answer_all();
    let insync = cockpit.model.live.history.as_ref().unwrap();
    assert!(insync.pending.is_none() && cockpit.model.verifying.is_none());
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Pass);
    cockpit.press(']');
    assert!(cockpit.notice().contains("bake"), "{}", cockpit.notice());
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    for _ in 0..9 {
        cockpit.wait(60);
        cockpit.answer_all();
    }
    assert!(gate::all_pass(&cockpit.model.live.gates), "{:?}", cockpit.model.live.gates);
}

#[test]
fn a_doubled_keypress_moves_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.press('y');
    cockpit.draw();
    cockpit.press('y');
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "the question still stands");
}

#[test]
fn the_question_dies_when_what_it_asked_about_changes() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.wait(20);
    cockpit.answer_all();
    assert!(cockpit.notice().contains("records changed"), "{}", cockpit.notice());
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
}

#[test]
fn the_question_dies_when_a_gate_stops_passing_and_of_age() {
    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.lag_s = 74.0;
    cockpit.model.polls.poll_now(Source::MetricsNew);
    cockpit.wait(1);
    cockpit.answer_all();
    assert!(cockpit.notice().contains("replication-lag"), "{}", cockpit.notice());

    let mut cockpit = Cockpit::ready();
    cockpit.press(']');
    cockpit.arm();
    cockpit.wait(EXPIRES_AFTER.as_secs());
    assert!(cockpit.notice().contains("nobody answered"), "{}", cockpit.notice());
}

#[test]
fn the_way_back_is_open_from_any_view_while_everything_else_fails() {
    for view in View::ALL {
        let mut cockpit = Cockpit::ready();
        let shift = cockpit.step();
        cockpit.accept(shift);
        cockpit.lag_s = 900.0;
        cockpit.wait(300);
        cockpit.answer_with(|c, query| match query {
            Query::Records => Ok(c.reply(query)),
            _ => Err(PortError::new(ErrorKind::Unreachable, "x:Y", "gone")),
        });
        cockpit.model.screen.view = view;
        cockpit.press('R');
        cockpit.arm();
        let effects = cockpit.press('y');
        let back = effects.iter().any(|e| weights(e).is_some_and(|plan| plan.direction() == Direction::Back));
        assert!(back, "{view:?}: {effects:?} {:?}", cockpit.model.dialog);
    }
}

#[test]
fn more_than_ten_points_at_once_are_not_moved_by_a_typed_share() {
    for share in ["11", "50", "100"] {
        let mut cockpit = Cockpit::ready();
        cockpit.press('=');
        for c in share.chars() {
            cockpit.press(c);
        }
        cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
        assert!(cockpit.notice().contains("step-size"), "{}", cockpit.notice());
    }
}

#[test]
fn a_blind_cockpit_asks_before_it_sends_back_what_may_be_there_already() {
    let unreachable = || PortError::new(ErrorKind::Unreachable, "route53:ListResourceRecordSets", "no route");
    let mut cockpit = Cockpit::ready();
    cockpit.press('R');
    assert!(cockpit.model.dialog.is_none(), "what was just read is known");
    cockpit.wait(20);
    cockpit.answer_with(|c, query| if *query == Query::Records { Err(unreachable()) } else { Ok(c.reply(query)) });
    cockpit.press('R');
    assert!(
        matches!(cockpit.model.dialog, Some(Dialog::Shift(_))),
        "unknown is not already: {:?}",
        cockpit.model.dialog
    );
    assert!(cockpit.model.live.facts.records_doubt(cockpit.model.live.now).unwrap().contains("20 s ago"));
    cockpit.arm();
    let effects = cockpit.press('y');
    let sent = effects.iter().find_map(weights);
    let plan = sent.expect("the way back is open");
    assert_eq!((plan.from(), plan.to, plan.direction()), (plan.to, plan.from(), Direction::Back));

    let mut cockpit = Cockpit::ready();
    cockpit.wait(24 * 60);
    cockpit.press('R');
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Shift(_))), "a reading of 24 min ago is none");
}

#[test]
fn taking_the_last_share_asks_for_the_records_name() {
    let mut cockpit = Cockpit::at(90);
    cockpit.press('=');
    for c in "100".chars() {
        cockpit.press(c);
    }
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    cockpit.arm();
    cockpit.press('y');
    cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
    for c in "app.example.com".chars() {
        cockpit.press(c);
    }
    let effects = cockpit.feed(Msg::Key(Key::plain(Code::Enter)));
    assert!(effects.iter().any(|e| matches!(e, Effect::Execute { .. })));
}

#[test]
fn a_conflict_shows_expected_and_found_and_sends_nothing_again() {
    let mut cockpit = Cockpit::ready();
    let Effect::Execute { request, .. } = cockpit.step() else { unreachable!() };
    let found = group(WeightPair::new(70, 30).unwrap());
    let found = Ok(found.records().cloned().collect());
    let outcome = Outcome::Conflict { message: "values provided do not match".into(), found };
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.feed(Msg::Executed { request, outcome, entries: vec![] });
    assert!(matches!(cockpit.model.dialog, Some(Dialog::Conflict { .. })));
    cockpit.press('y');
    for _ in 0..5 {
        cockpit.wait(60);
        cockpit.answer_all();
    }
    assert_eq!(cockpit.sent.iter().filter(|e| matches!(e, Effect::Execute { .. })).count(), 0);
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
}

#[test]
fn weights_that_somebody_else_set_can_be_taken_as_the_new_base() {
    let mut cockpit = Cockpit::ready();
    cockpit.weights = WeightPair::new(70, 30).unwrap();
    cockpit.wait(20);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail);
    cockpit.press('a');
    cockpit.arm();
    let effects = cockpit.press('y');
    let taken =
        effects.into_iter().find_map(|e| if let Effect::Execute { change, .. } = e { Some(change) } else { None });
    let Some(Change::AcceptBaseline(weights)) = taken.map(Confirmed::into_inner) else { panic!("it is not taken") };
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Fail, "it counts when it is on disk, not before");
    let (at, event) = (cockpit.model.live.now, Event::Accepted { weights });
    cockpit.feed(Msg::Appended {
        result: Ok(Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event }),
    });
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Pass);
    assert_eq!(cockpit.verdict(GateId::Bake), Verdict::Fail, "their change has to bake too");
}

#[test]
fn an_answer_sent_before_the_change_does_not_look_like_drift() {
    let mut cockpit = Cockpit::ready();
    cockpit.wait(20);
    let late = cockpit.sent.iter().find_map(|e| match e {
        Effect::Observe { request, query: Query::Records } => Some(*request),
        _ => None,
    });
    let before = cockpit.reply(&Query::Records);
    let shift = cockpit.step();
    cockpit.accept(shift);
    let at = cockpit.model.live.now;
    cockpit.feed(Msg::Answer {
        request: late.unwrap(),
        source: Source::Records,
        result: Ok(before),
        at,
        clock_skew_ms: None,
    });
    assert_eq!(cockpit.model.live.facts.shiftable().unwrap().weights(), WeightPair::new(90, 10).unwrap());
}

#[test]
fn a_change_left_open_by_a_dead_process_is_settled_before_anything_else() {
    let mut cockpit = Cockpit::new();
    let at = cockpit.model.live.now;
    let intent = Event::Intent {
        id: "i".into(),
        record: "app.example.com.".into(),
        from: WeightPair::new(100, 0).unwrap(),
        to: WeightPair::new(90, 10).unwrap(),
        direction: Direction::Forward,
        overrides: vec![],
    };
    let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
    cockpit.feed(Msg::JournalRead { result: Ok((vec![entry(intent)], 0)), stamp: None });
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    cockpit.wait(1);
    cockpit.answer_all();
    assert_eq!(cockpit.verdict(GateId::DnsSettled), Verdict::Unknown);
    let request =
        cockpit.sent.iter().find_map(|e| if let Effect::Settle { request } = e { Some(*request) } else { None });
    let outcome = Event::Outcome {
        id: "i".into(),
        result: OutcomeKind::SettledApplied,
        weights: WeightPair::new(90, 10),
        change: None,
        detail: "the change was made".into(),
    };
    cockpit.feed(Msg::Settled { request: request.expect("it is settled"), result: Ok(vec![entry(outcome)]) });
    assert!(cockpit.notice().contains("the change was made"));
    assert_eq!(cockpit.verdict(GateId::Drift), Verdict::Pass);
}

#[test]
fn read_only_sends_nothing() {
    let mut cockpit = Cockpit::ready();
    cockpit.model.watcher.read_only = true;
    for key in [']', 'R', 'a'] {
        cockpit.press(key);
        cockpit.arm();
        cockpit.press('y');
        cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    }
    assert!(!cockpit.sent.iter().any(|e| matches!(e, Effect::Execute { .. })));
}

#[test]
fn no_single_key_press_sends_anything() {
    for binding in crate::keymap::KEYMAP.iter().filter(|b| b.action.is_mutating()) {
        for key in binding.keys {
            let mut cockpit = Cockpit::ready();
            let effects = cockpit.feed(Msg::Key(*key));
            assert!(!effects.iter().any(|e| matches!(e, Effect::Execute { .. } | Effect::Append(_))), "{binding:?}");
        }
    }
}

/// What can happen to a cockpit.
#[derive(Debug, Clone)]
enum Occurrence {
    Press(char),
    Enter,
    Esc,
    Wait(u64),
    Draw,
    Arm,
    Answer,
    Fail(ErrorKind),
    Elsewhere(u8, u8),
    Lag(f64),
    Shape(u8),
    Outcome(u8),
}

fn happening() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        5 => prop::sample::select("][+-=RyYna0159 qf/?gGjk".chars().collect::<Vec<_>>()).prop_map(Occurrence::Press),
        1 => Just(Occurrence::Enter),
        1 => Just(Occurrence::Esc),
        2 => (1u64..700).prop_map(Occurrence::Wait),
        2 => Just(Occurrence::Draw),
        3 => Just(Occurrence::Arm),
        4 => Just(Occurrence::Answer),
        1 => prop::sample::select(vec![ErrorKind::Throttled, ErrorKind::Unreachable, ErrorKind::Credentials]).prop_map(Occurrence::Fail),
        1 => (0u8..=255, 0u8..=255).prop_map(|(l, n)| Occurrence::Elsewhere(l, n)),
        1 => (0.0f64..200.0).prop_map(Occurrence::Lag),
        1 => (0u8..5).prop_map(Occurrence::Shape),
        3 => (0u8..5).prop_map(Occurrence::Outcome),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No sequence of keys, replies and faults sends a change that was not confirmed with a key, moves forward past a
    /// gate that does not pass, or deletes other records than those last seen.
    #[test]
    fn nothing_is_sent_that_must_not_be(happenings in prop::collection::vec(happening(), 1..120)) {
        let mut cockpit = Cockpit::ready();
        let mut sending = None;
        for happening in happenings {
            let dialog = cockpit.model.dialog.clone();
            let gates_before = cockpit.model.live.gates.clone();
            let group_before = cockpit.model.live.facts.shiftable().cloned();
            let is_key = matches!(happening, Occurrence::Press(_) | Occurrence::Enter);
            let before = cockpit.sent.len();
            match happening {
                Occurrence::Press(c) => { cockpit.press(c); }
                Occurrence::Enter => { cockpit.feed(Msg::Key(Key::plain(Code::Enter))); }
                Occurrence::Esc => { cockpit.feed(Msg::Key(Key::plain(Code::Esc))); }
                Occurrence::Wait(secs) => { cockpit.wait(secs); }
                Occurrence::Draw => cockpit.draw(),
                Occurrence::Arm => cockpit.arm(),
                Occurrence::Answer => cockpit.answer_all(),
                Occurrence::Fail(kind) => cockpit.answer_with(|_, _| Err(PortError::new(kind, "route53:X", "no"))),
                Occurrence::Elsewhere(legacy, new) => if let Some(weights) = WeightPair::new(legacy, new) { cockpit.weights = weights },
                Occurrence::Lag(lag) => cockpit.lag_s = lag,
                Occurrence::Shape(shape) => cockpit.answer_with(|c, query| Ok(match (query, shape) {
                    (Query::Records, 0) => Observation::Records(vec![]),
                    (Query::Records, 1) => Observation::Records(vec![record("A", "legacy", 0), record("A", "new", 0)]),
                    (Query::Records, 2) => Observation::Records(vec![record("A", "legacy", 1)]),
                    (Query::Records, 3) => Observation::Records(vec![record("A", "legacy", 1), record("A", "new", 1), record("A", "green", 1)]),
                    (other, _) => c.reply(other),
                })),
                Occurrence::Outcome(kind) => if let Some(Effect::Execute { request, change }) = sending.take() {
                    let effect = Effect::Execute { request, change: change.clone() };
                    match kind {
                        0 | 1 => cockpit.accept(effect),
                        2 => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Refused(PortError::new(ErrorKind::Throttled, "x", "")) }); }
                        3 => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Unknown { error: PortError::new(ErrorKind::TimedOut, "x", ""), until: cockpit.model.live.now, found: Err("no".into()) } }); }
                        _ => { cockpit.feed(Msg::Executed { request, entries: vec![], outcome: Outcome::Conflict { message: String::new(), found: Err("no".into()) } }); }
                    }
                },
            }
            let fresh: Vec<Effect> = cockpit.sent.iter().skip(before.min(cockpit.sent.len())).cloned().collect();
            for effect in fresh {
                if let Some(sent) = weights(&effect) {
                    prop_assert!(is_key, "only a key sends");
                    prop_assert!(matches!(dialog, Some(Dialog::Shift(_))), "only an open question can be answered");
                    prop_assert_eq!(Some(&sent.expected), group_before.as_ref());
                    prop_assert!(u16::from(sent.to.legacy()) + u16::from(sent.to.new_weight()) > 0);
                    prop_assert!(sent.direction() == Direction::Back || gate::all_pass(&gates_before));
                    prop_assert!(sending.is_none() || sent.direction() == Direction::Back, "one step forward at a time");
                    sending = Some(effect);
                }
            }
        }
    }
}

#[test]
fn weights_that_were_read_before_the_journal_are_noted_with_it() {
    let mut cockpit = Cockpit::new();
    cockpit.wait(1);
    cockpit.answer_all();
    let noted = |effects: &[Effect]| {
        effects.iter().any(|e| matches!(e, Effect::Append(Entry { event: Event::Seen { .. }, .. })))
    };
    assert!(!noted(&cockpit.sent), "nothing is news before the journal is known");
    assert!(noted(&cockpit.feed(Msg::JournalRead { result: Ok((vec![], 0)), stamp: None })));
}

#[test]
fn a_step_of_another_process_on_this_host_is_no_news() {
    let mut cockpit = Cockpit::ready();
    let before = cockpit.model.live.now;
    cockpit.wait(30);
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    let entry = |event| Entry { aws_at: None, at: before, operator: "kim".into(), host: "bastion".into(), event };
    let (from, to) = (WeightPair::new(100, 0).unwrap(), cockpit.weights);
    let intent = Event::Intent {
        id: "other".into(),
        record: "app.example.com.".into(),
        from,
        to,
        direction: Direction::Forward,
        overrides: vec![],
    };
    let outcome = Event::Outcome {
        id: "other".into(),
        result: OutcomeKind::Accepted,
        weights: Some(to),
        change: Some("/change/C9".into()),
        detail: String::new(),
    };
    for effect in std::mem::take(&mut cockpit.sent) {
        if let Effect::Observe { request, query: Query::Records } = effect {
            let (result, at) = (Ok(cockpit.reply(&Query::Records)), cockpit.model.live.now);
            cockpit.feed(Msg::Answer { request, source: Source::Records, result, at, clock_skew_ms: None });
        }
    }
    assert_eq!(cockpit.model.live.facts.shiftable().unwrap().weights(), to);
    let is_seen = |e: &Effect| matches!(e, Effect::Append(Entry { event: Event::Seen { .. }, .. }));
    assert!(!cockpit.sent.iter().any(is_seen), "the journal is read first");
    cockpit.feed(Msg::JournalRead { result: Ok((vec![entry(intent), entry(outcome)], 0)), stamp: Some(2) });
    assert!(!cockpit.sent.iter().any(is_seen), "it says who moved them");
    assert_eq!(cockpit.model.live.history.as_ref().unwrap().confirmed, Some(to));
}

#[test]
fn the_way_back_watches_for_a_change_that_may_still_land_and_sends_it_back() {
    let mut cockpit = Cockpit::ready();
    let Effect::Execute { request, change } = cockpit.step() else { unreachable!() };
    let at = cockpit.model.live.now;
    let until = at.plus(Duration::from_secs(300));
    let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
    let open = Event::Unsettled { id: "i".into(), until, detail: "no answer".into() };
    let entries = vec![entry(change.get().intent("i".into())), entry(open)];
    let error = PortError::new(ErrorKind::TimedOut, "route53:ChangeResourceRecordSets", "no answer within 60 s");
    cockpit.feed(Msg::Executed { request, outcome: Outcome::Unknown { error, until, found: Ok(vec![]) }, entries });
    assert!(cockpit.notice().contains("may be carried out until"), "{}", cockpit.notice());
    cockpit.feed(Msg::Key(Key::plain(Code::Esc)));
    cockpit.press(']');
    assert!(cockpit.notice().contains("not known"), "nothing goes forward: {}", cockpit.notice());
    cockpit.press('R');
    cockpit.arm();
    let before = cockpit.sent.len();
    cockpit.press('y');
    assert!(cockpit.sent[before..].iter().all(|e| weights(e).is_none()), "there is nothing to send back yet");
    cockpit.wait(30);
    cockpit.weights = WeightPair::new(90, 10).unwrap();
    cockpit.answer_all();
    let back = cockpit.sent.iter().find_map(weights).expect("it is sent back as soon as it lands");
    assert_eq!((back.from(), back.to), (cockpit.weights, WeightPair::new(100, 0).unwrap()));
}

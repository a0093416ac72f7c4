//! A cockpit on the Provision view, with Pulumi and the zone played by hand.

use std::time::Duration;

use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::ARMS_AFTER;
use crate::domain::facts::{Observation, Source};
use crate::domain::gate::{GateId, Policy, Verdict};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::{Dialog, Listing, Model, PendingAction, Shown, fixtures};
use crate::domain::msg::{Effect, Msg};
use crate::domain::provision::{PulumiAnswer, PulumiQuery, PulumiStatus, RunHead};
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::config::tests::complete;
use crate::domain::pulumi::event::parse;
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::lock::{Holder, Lock};
use crate::domain::record::{Entry, Event};
use crate::domain::series::{Point, Series};
use crate::domain::shift::fixtures::record;
use crate::domain::traffic::ChangeStatus;
use crate::domain::traffic::{Record, Routing, Side, Target};
use crate::domain::units::Timestamp;
use crate::domain::update::update;
use crate::keymap::{Code, Key};

pub(super) const PREVIEW: &str = include_str!("../../../../tests/fixtures/engine/bundled-preview.jsonl");
pub(super) const SMALL_UP: &str = include_str!("../../../../tests/fixtures/engine/up.jsonl");
pub(super) const DESTROY: &str = include_str!("../../../../tests/fixtures/engine/destroy.jsonl");
pub(super) const UP: &str = include_str!("../../../sim/recordings/bundled-up.jsonl");
/// A run that had nothing to do.
const NOTHING_DONE: &str = "{\"sequence\":0,\"timestamp\":1,\"preludeEvent\":{\"config\":{}}}\n\
    {\"sequence\":1,\"timestamp\":1,\"summaryEvent\":{\"resourceChanges\":{},\"result\":\"succeeded\"}}\n\
    {\"sequence\":2,\"timestamp\":1,\"cancelEvent\":{}}";

/// A list of which the screen shows a tenth.
pub(super) const LISTING: Listing = Listing { page_rows: 10, last_row: 90, chosen: None };
pub(in crate::domain::update) const LEGACY_DNS: &str = "legacy.elb.amazonaws.com";

/// A cockpit on the Provision view, with Pulumi and the zone played by hand.
pub(in crate::domain::update) struct Desk {
    pub(in crate::domain::update) model: Model,
    newest: u64,
    runs: u32,
}

impl Desk {
    /// The pair at these weights; the new stack gets so many requests a minute.
    pub(in crate::domain::update) fn new(legacy: u8, new: u8, requests: f64) -> Self {
        let model = Model::new(
            fixtures::stack(),
            fixtures::watcher(),
            Policy::default(),
            Timestamp::from_millis(1_795_000_020_000),
        );
        let mut desk = Self { model, newest: 0, runs: 0 };
        desk.zone(vec![record("A", "legacy", legacy), record("A", "new", new)]);
        desk.requests(requests);
        desk.absorb(Source::StackRun, Observation::StackRun(None));
        desk.journal(vec![]);
        desk.press('5');
        let look = PulumiQuery::Status;
        assert!(desk.model.provision.asked, "it looks by itself: {look:?}");
        desk.looked(|_| {});
        desk
    }

    pub(in crate::domain::update) fn absorb(&mut self, source: Source, observation: Observation) {
        let (key, now) = (self.model.stack.group.clone(), self.model.live.now);
        self.model.live.facts.absorb(&key, source, Ok(observation), now);
    }

    pub(in crate::domain::update) fn zone(&mut self, records: Vec<Record>) {
        self.absorb(Source::Records, Observation::Records(records));
    }

    pub(in crate::domain::update) fn requests(&mut self, new: f64) {
        let last = self.model.live.now.floor_to(Duration::from_secs(60));
        for (side, metric, value) in
            [(Side::New, Metric::NewRequests, new), (Side::Legacy, Metric::LegacyRequests, 900.0)]
        {
            let points = (1..=15).map(|n| Point { at: last.minus(Duration::from_secs(60 * n)), value }).collect();
            let readings =
                MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![], past: None };
            let source = if side == Side::New { Source::MetricsNew } else { Source::MetricsLegacy };
            self.absorb(source, Observation::Metrics(side, readings));
        }
    }

    pub(super) fn journal(&mut self, events: Vec<Event>) {
        let at = self.model.live.now;
        let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
        // What the cockpit writes is on disk at once.
        self.model.journal.appending = 0;
        self.feed(Msg::JournalRead { result: Ok((events.into_iter().map(entry).collect(), 0)), stamp: None });
    }

    pub(in crate::domain::update) fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, msg);
        for effect in &effects {
            if let Effect::AskPulumi { request, .. } = effect {
                self.newest = *request;
            }
        }
        effects
    }

    pub(in crate::domain::update) fn answer(&mut self, answer: PulumiAnswer) -> Vec<Effect> {
        let request = self.model.provision.busy.unwrap_or(self.newest);
        self.feed(Msg::Pulumi { request, answer })
    }

    /// The batch that is sent among these effects is accepted.
    pub(in crate::domain::update) fn accepted(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let request =
            effects.iter().find_map(|e| if let Effect::Execute { request, .. } = e { Some(*request) } else { None });
        let at = self.model.live.now;
        let change = crate::domain::traffic::Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at };
        let outcome = Outcome::Accepted(change);
        self.feed(Msg::Executed { request: request.expect("it is sent"), outcome, entries: vec![] })
    }

    pub(in crate::domain::update) fn looked(&mut self, change: impl FnOnce(&mut PulumiStatus)) -> Vec<Effect> {
        let mut look = PulumiStatus {
            asked_at: self.model.live.now,
            pulumi: Ok("3.253.0".into()),
            locks: vec![],
            pending: vec![],
            newest: None,
            setup: Some(complete()),
            passed_through: vec![],
        };
        change(&mut look);
        self.answer(PulumiAnswer::Looked(Box::new(look)))
    }

    pub(in crate::domain::update) fn press(&mut self, key: char) -> Vec<Effect> {
        self.feed(Msg::Key(Key::char(key)))
    }

    pub(in crate::domain::update) fn enter(&mut self) -> Vec<Effect> {
        self.feed(Msg::Key(Key::plain(Code::Enter)))
    }

    pub(in crate::domain::update) fn type_in(&mut self, text: &str) -> Vec<Effect> {
        for c in text.chars() {
            let effects = self.press(c);
            assert!(change(&effects).is_none(), "a letter sends nothing");
        }
        self.enter()
    }

    pub(in crate::domain::update) fn arm(&mut self) {
        let uptime = self.model.uptime;
        self.feed(Msg::Drawn { uptime, listing: LISTING, shown: Shown::Whole });
        self.model.uptime += ARMS_AFTER;
    }

    pub(in crate::domain::update) fn wait(&mut self, by: Duration) -> Vec<Effect> {
        let (now, uptime) = (self.model.live.now.plus(by), self.model.uptime + by);
        let steady = self.model.steady + by;
        self.feed(Msg::Tick { now: crate::domain::time::Moment { wall: now, steady }, uptime })
    }

    pub(super) fn head(&mut self, kind: RunKind) -> RunHead {
        self.runs += 1;
        RunHead {
            id: format!("run-{}", self.runs),
            kind,
            line: format!("pulumi {kind} --json"),
            operator: "maria".into(),
            host: "bastion".into(),
            started_at: self.model.live.now,
            asked_to_stop: Some(false),
        }
    }

    pub(in crate::domain::update) fn started(&mut self, kind: RunKind) -> String {
        let head = self.head(kind);
        let id = head.id.clone();
        let effects = self.answer(PulumiAnswer::Started(head));
        assert!(followed(&effects, &id), "a run that has begun is followed: {effects:?}");
        id
    }

    pub(super) fn lines(&mut self, run: &str, text: &str) {
        let lines = text.lines().map(|line| parse(line.as_bytes())).collect();
        self.answer(PulumiAnswer::Lines { run: run.to_owned(), lines, oversized: 0 });
    }

    pub(in crate::domain::update) fn ended(&mut self, run: &str, succeeded: bool) -> Vec<Effect> {
        let exit = ProcessEnd::Code(Some(i32::from(!succeeded)));
        let silent = self.model.provision.run.as_ref().is_some_and(|run| run.state.lines().events == 0);
        if succeeded && silent {
            self.lines(run, NOTHING_DONE);
        }
        let text = if succeeded { "succeeded" } else { "failed" }.to_owned();
        self.answer(PulumiAnswer::Ended { run: run.to_owned(), exit, text, note: true, stderr: String::new() })
    }

    /// A preview to its end.
    pub(in crate::domain::update) fn preview(&mut self, kind: RunKind, text: &str) {
        let run = self.started(kind);
        self.lines(&run, text);
        self.ended(&run, true);
    }

    /// A preview to its end, of which these lines were read, if any.
    pub(super) fn preview_to_exit_0(&mut self, kind: RunKind, text: &str) {
        let run = self.started(kind);
        self.lines(&run, text);
        let (exit, text) = (ProcessEnd::Code(Some(0)), "succeeded".to_owned());
        self.answer(PulumiAnswer::Ended { run, exit, text, note: true, stderr: String::new() });
    }

    /// Leaves a question that has been on the screen.
    pub(super) fn esc(&mut self) {
        self.arm();
        self.feed(Msg::Key(Key::plain(Code::Esc)));
    }

    pub(in crate::domain::update) fn notice(&self) -> String {
        match &self.model.dialog {
            Some(Dialog::Notice { title, lines }) => format!("{title}: {}", lines.join("; ")),
            other => panic!("no notice but {other:?}"),
        }
    }

    pub(in crate::domain::update) fn question(&self) -> &PendingAction {
        match &self.model.dialog {
            Some(Dialog::Ask(question)) => question.subject(),
            other => panic!("no question but {other:?}"),
        }
    }

    pub(super) fn idle(&self) -> Verdict {
        self.model.live.gates.iter().find(|gate| gate.id == GateId::StackIdle).unwrap().verdict
    }
}

/// The change around Pulumi among these effects: it changes something and so needs a yes.
pub(in crate::domain::update) fn change(effects: &[Effect]) -> Option<&PulumiChange> {
    effects.iter().find_map(|effect| match effect {
        Effect::Execute { change, .. } => match change.get() {
            Change::Pulumi(change) => Some(change),
            _ => None,
        },
        _ => None,
    })
}

pub(in crate::domain::update) fn asked(effects: &[Effect], wanted: impl Fn(&PulumiQuery) -> bool) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::AskPulumi { query, .. } if wanted(query)))
}

pub(super) fn followed(effects: &[Effect], id: &str) -> bool {
    asked(effects, |query| *query == PulumiQuery::Follow(id.to_owned()))
}

pub(in crate::domain::update) fn simple(to: &str) -> Vec<Record> {
    vec![Record {
        name: "app.example.com.".into(),
        rtype: "A".into(),
        set_identifier: None,
        routing: Routing::Simple,
        target: Target::Alias { dns_name: to.into(), zone_id: "Z35SXDOTRQ7X7K".into(), evaluate_health: true },
        health_check_id: None,
    }]
}

pub(super) fn dead_lock() -> (Lock, Holder) {
    (Lock { pid: 999, host: "bastion".into(), user: "bob".into(), since: None }, Holder::DeadHere)
}

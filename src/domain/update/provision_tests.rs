//! Pulumi from the cockpit, in the operator's words; and what holds for any sequence of keys and news.

use std::time::Duration;

use proptest::prelude::*;

use super::keys::QUIET_AFTER;
use super::update;
use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::confirm::{ARMS_AFTER, EXPIRES_AFTER};
use crate::domain::facts::{Fact, Observation, Source};
use crate::domain::gate::{GateId, Policy, Verdict};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::{Dialog, Listing, Model, PendingAction, Shown, fixtures};
use crate::domain::msg::{Effect, Msg};
use crate::domain::provision::{PLAN_MAX_AGE, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus, RunHead};
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::config::Setup;
use crate::domain::pulumi::config::tests::{complete, setup};
use crate::domain::pulumi::event::parse;
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::lock::{Holder, Lock};
use crate::domain::record::{Entry, Event, OutcomeKind};
use crate::domain::series::{Point, Series};
use crate::domain::shift::Direction;
use crate::domain::shift::fixtures::record;
use crate::domain::traffic::ChangeStatus;
use crate::domain::traffic::{Record, Routing, Side, Target};
use crate::domain::units::{Timestamp, WeightPair};
use crate::keymap::{Code, KEYMAP, Key};

const PREVIEW: &str = include_str!("../../../tests/fixtures/engine/bundled-preview.jsonl");
const SMALL_UP: &str = include_str!("../../../tests/fixtures/engine/up.jsonl");
const DESTROY: &str = include_str!("../../../tests/fixtures/engine/destroy.jsonl");
const UP: &str = include_str!("../../fake_pulumi/recordings/bundled-up.jsonl");
/// A run that had nothing to do.
const NOTHING_DONE: &str = "{\"sequence\":0,\"timestamp\":1,\"preludeEvent\":{\"config\":{}}}\n\
    {\"sequence\":1,\"timestamp\":1,\"summaryEvent\":{\"resourceChanges\":{},\"result\":\"succeeded\"}}\n\
    {\"sequence\":2,\"timestamp\":1,\"cancelEvent\":{}}";
/// A list of which the screen shows a tenth.
const LISTING: Listing = Listing { page_rows: 10, last_row: 90 };
pub(super) const LEGACY_DNS: &str = "legacy.elb.amazonaws.com";

/// A cockpit on the Provision view, with Pulumi and the zone played by hand.
pub(super) struct Desk {
    pub(super) model: Model,
    newest: u64,
    runs: u32,
}

impl Desk {
    /// The pair at these weights; the new stack gets so many requests a minute.
    pub(super) fn new(legacy: u8, new: u8, requests: f64) -> Self {
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

    pub(super) fn absorb(&mut self, source: Source, observation: Observation) {
        let (key, now) = (self.model.stack.group.clone(), self.model.live.now);
        self.model.live.facts.absorb(&key, source, Ok(observation), now);
    }

    pub(super) fn zone(&mut self, records: Vec<Record>) {
        self.absorb(Source::Records, Observation::Records(records));
    }

    pub(super) fn requests(&mut self, new: f64) {
        let last = self.model.live.now.floor_to(Duration::from_secs(60));
        for (side, metric, value) in
            [(Side::New, Metric::NewRequests, new), (Side::Legacy, Metric::LegacyRequests, 900.0)]
        {
            let points = (1..=15).map(|n| Point { at: last.minus(Duration::from_secs(60 * n)), value }).collect();
            let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![] };
            let source = if side == Side::New { Source::MetricsNew } else { Source::MetricsLegacy };
            self.absorb(source, Observation::Metrics(side, readings));
        }
    }

    fn journal(&mut self, events: Vec<Event>) {
        let at = self.model.live.now;
        let entry = |event| Entry { aws_at: None, at, operator: "oncall".into(), host: "bastion".into(), event };
        // What the cockpit writes is on disk at once.
        self.model.journal.appending = 0;
        self.feed(Msg::JournalRead { result: Ok((events.into_iter().map(entry).collect(), 0)), stamp: None });
    }

    pub(super) fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, msg);
        for effect in &effects {
            if let Effect::AskPulumi { request, .. } = effect {
                self.newest = *request;
            }
        }
        effects
    }

    pub(super) fn answer(&mut self, answer: PulumiAnswer) -> Vec<Effect> {
        let request = self.model.provision.busy.unwrap_or(self.newest);
        self.feed(Msg::Pulumi { request, answer })
    }

    /// The batch that is sent among these effects is accepted.
    pub(super) fn accepted(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let request =
            effects.iter().find_map(|e| if let Effect::Execute { request, .. } = e { Some(*request) } else { None });
        let at = self.model.live.now;
        let change = crate::domain::traffic::Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at };
        let outcome = Outcome::Accepted(change);
        self.feed(Msg::Executed { request: request.expect("it is sent"), outcome, entries: vec![] })
    }

    pub(super) fn looked(&mut self, change: impl FnOnce(&mut PulumiStatus)) -> Vec<Effect> {
        let mut look = PulumiStatus {
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

    pub(super) fn press(&mut self, key: char) -> Vec<Effect> {
        self.feed(Msg::Key(Key::char(key)))
    }

    pub(super) fn enter(&mut self) -> Vec<Effect> {
        self.feed(Msg::Key(Key::plain(Code::Enter)))
    }

    pub(super) fn type_in(&mut self, text: &str) -> Vec<Effect> {
        for c in text.chars() {
            let effects = self.press(c);
            assert!(change(&effects).is_none(), "a letter sends nothing");
        }
        self.enter()
    }

    pub(super) fn arm(&mut self) {
        let uptime = self.model.uptime;
        self.feed(Msg::Drawn { uptime, listing: LISTING, shown: Shown::Whole });
        self.model.uptime += ARMS_AFTER;
    }

    pub(super) fn wait(&mut self, by: Duration) -> Vec<Effect> {
        let (now, uptime) = (self.model.live.now.plus(by), self.model.uptime + by);
        let steady = self.model.steady + by;
        self.feed(Msg::Tick { now: crate::domain::time::Moment { wall: now, steady }, uptime })
    }

    fn head(&mut self, kind: RunKind) -> RunHead {
        self.runs += 1;
        RunHead {
            id: format!("run-{}", self.runs),
            kind,
            line: format!("pulumi {kind} --json"),
            operator: "maria".into(),
            host: "bastion".into(),
            started_at: self.model.live.now,
            asked_to_stop: false,
        }
    }

    pub(super) fn started(&mut self, kind: RunKind) -> String {
        let head = self.head(kind);
        let id = head.id.clone();
        let effects = self.answer(PulumiAnswer::Started(head));
        assert!(followed(&effects, &id), "a run that has begun is followed: {effects:?}");
        id
    }

    fn lines(&mut self, run: &str, text: &str) {
        let lines = text.lines().map(|line| parse(line.as_bytes())).collect();
        self.answer(PulumiAnswer::Lines { run: run.to_owned(), lines, oversized: 0 });
    }

    pub(super) fn ended(&mut self, run: &str, succeeded: bool) -> Vec<Effect> {
        let exit = ProcessEnd::Code(Some(i32::from(!succeeded)));
        let silent = self.model.provision.run.as_ref().is_some_and(|run| run.state.lines().events == 0);
        if succeeded && silent {
            self.lines(run, NOTHING_DONE);
        }
        let text = if succeeded { "succeeded" } else { "failed" }.to_owned();
        self.answer(PulumiAnswer::Ended { run: run.to_owned(), exit, text, note: true, stderr: String::new() })
    }

    /// A preview to its end.
    fn preview(&mut self, kind: RunKind, text: &str) {
        let run = self.started(kind);
        self.lines(&run, text);
        self.ended(&run, true);
    }

    /// A preview to its end, of which these lines were read, if any.
    fn preview_to_exit_0(&mut self, kind: RunKind, text: &str) {
        let run = self.started(kind);
        self.lines(&run, text);
        let (exit, text) = (ProcessEnd::Code(Some(0)), "succeeded".to_owned());
        self.answer(PulumiAnswer::Ended { run, exit, text, note: true, stderr: String::new() });
    }

    /// Leaves a question that has been on the screen.
    fn esc(&mut self) {
        self.arm();
        self.feed(Msg::Key(Key::plain(Code::Esc)));
    }

    pub(super) fn notice(&self) -> String {
        match &self.model.dialog {
            Some(Dialog::Notice { title, lines }) => format!("{title}: {}", lines.join("; ")),
            other => panic!("no notice but {other:?}"),
        }
    }

    fn question(&self) -> &PendingAction {
        match &self.model.dialog {
            Some(Dialog::Ask(question)) => question.subject(),
            other => panic!("no question but {other:?}"),
        }
    }

    fn idle(&self) -> Verdict {
        self.model.live.gates.iter().find(|gate| gate.id == GateId::StackIdle).unwrap().verdict
    }
}

/// The change around Pulumi among these effects: it changes something and so needs a yes.
fn change(effects: &[Effect]) -> Option<&PulumiChange> {
    effects.iter().find_map(|effect| match effect {
        Effect::Execute { change, .. } => match change.get() {
            Change::Pulumi(change) => Some(change),
            _ => None,
        },
        _ => None,
    })
}

pub(super) fn asked(effects: &[Effect], wanted: impl Fn(&PulumiQuery) -> bool) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::AskPulumi { query, .. } if wanted(query)))
}

fn followed(effects: &[Effect], id: &str) -> bool {
    asked(effects, |query| *query == PulumiQuery::Follow(id.to_owned()))
}

pub(super) fn simple(to: &str) -> Vec<Record> {
    vec![Record {
        name: "app.example.com.".into(),
        rtype: "A".into(),
        set_identifier: None,
        routing: Routing::Simple,
        target: Target::Alias { dns_name: to.into(), zone_id: "Z35SXDOTRQ7X7K".into(), evaluate_health: true },
        health_check_id: None,
    }]
}

fn dead_lock() -> (Lock, Holder) {
    (Lock { pid: 999, host: "bastion".into(), user: "bob".into(), since: None }, Holder::DeadHere)
}

#[test]
fn the_newest_run_is_found_and_followed_again() {
    let mut desk = Desk::new(100, 0, 0.0);
    let head = desk.head(RunKind::Up);
    let id = head.id.clone();
    let effects = desk.looked(|look| look.newest = Some(head.clone()));
    assert!(followed(&effects, &id));
    let effects = desk.looked(|look| look.newest = Some(head));
    assert!(!followed(&effects, &id), "once is enough: its events would be folded twice");
    desk.lines(&id, UP);
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.progress().failed, 0);
    assert!(desk.model.provision.run.as_ref().unwrap().state.progress().done > 100);
    desk.ended(&id, true);
    let other = desk.head(RunKind::Refresh);
    let id = other.id.clone();
    assert!(followed(&desk.looked(|look| look.newest = Some(other)), &id), "a newer one takes its place");
}

#[test]
fn what_runs_is_what_was_read_and_confirmed() {
    let mut desk = Desk::new(90, 10, 100.0);
    assert!(asked(&desk.press('p'), |query| *query == PulumiQuery::Preview { destroy: false }));
    assert!(!asked(&desk.press('p'), |_| true), "one request at a time");
    desk.press('u');
    assert!(desk.model.dialog.is_none(), "there is nothing to run yet");
    desk.preview(RunKind::Preview, PREVIEW);
    let plan = desk.model.provision.plan.clone().expect("a plan is ready");
    assert!(change(&desk.press('u')).is_none());
    assert!(matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(run)) if *run.plan() == plan.plan));
    desk.press('y');
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(_))),
        "before it was seen, no key counts"
    );
    desk.arm();
    assert!(change(&desk.type_in("y")).is_none(), "it touches the weighted records, so the stack's name is needed");
    let effects = desk.type_in("prod");
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!((run.kind(), run.preview()), (RunKind::Up, Some(plan.run.as_str())));
    desk.started(RunKind::Up);
    let run = desk.model.provision.run.as_ref().unwrap();
    assert_eq!(run.state.progress().total, Some(plan.plan.total()), "the plan is the total");
    assert!(desk.model.provision.plan.is_none(), "a plan runs once");
}

#[test]
fn a_plan_can_be_run_as_soon_as_its_preview_has_ended() {
    let mut desk = Desk::new(90, 10, 100.0);
    let run = desk.started(RunKind::Preview);
    desk.lines(&run, PREVIEW);
    let busy = Fact { value: Some("pulumi preview by maria".to_owned()), at: desk.model.live.now };
    desk.model.live.facts.stack_run = Some(busy);
    desk.ended(&run, true);
    desk.press('u');
    assert!(matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Run(_))));
}

#[test]
fn a_harmless_plan_takes_a_plain_yes() {
    let mut desk = Desk::new(90, 10, 100.0);
    let harmless = without_records(SMALL_UP, "create");
    desk.preview(RunKind::Preview, &harmless);
    desk.press('u');
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::Run(_))), "{:?}", desk.model.dialog);
}

#[test]
fn a_plan_that_lost_a_line_is_not_offered_and_says_what_is_missing() {
    let mut desk = Desk::new(100, 0, 0.0);
    for (what, told) in [
        (SMALL_UP.replacen("{\"sequence\":43,", "", 1), "1 line of its events could not be read"),
        (
            SMALL_UP.lines().filter(|line| !line.contains("\"sequence\":43,")).collect::<Vec<_>>().join("\n"),
            "the engine counts 9 create, 8 were read",
        ),
        (SMALL_UP.replace("\"create\":9", "\"create\":9,\"delete\":1"), "the engine counts 1 delete, 0 were read"),
        (SMALL_UP.replace("\"op\":\"create\"", "\"op\":\"teleport\""), "does not know"),
        (SMALL_UP.lines().take(40).collect::<Vec<_>>().join("\n"), "events stop before the engine's summary"),
        (String::new(), "outcome is not known"),
    ] {
        desk.preview_to_exit_0(RunKind::Preview, &what);
        assert_eq!(desk.model.provision.plan, None, "{told}");
        let ending = desk.model.provision.run.as_ref().unwrap().ending.clone().unwrap();
        assert!(!ending.succeeded && ending.explanation.unwrap().sentence.contains(told), "{told}");
        assert!(change(&desk.press('u')).is_none() && desk.notice().contains("no plan to run"));
        desk.enter();
    }
}

#[test]
fn a_plan_that_failed_or_grew_old_is_not_run() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Preview);
    desk.lines(&run, PREVIEW);
    desk.ended(&run, false);
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::Preview, PREVIEW);
    desk.wait(PLAN_MAX_AGE + Duration::from_secs(1));
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::Preview, PREVIEW);
    desk.started(RunKind::Preview);
    assert!(desk.model.provision.plan.is_none(), "the plan that can be run is the one on the screen");
}

#[test]
fn an_open_question_closes_by_itself() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    desk.press('u');
    desk.arm();
    desk.wait(EXPIRES_AFTER);
    assert!(desk.notice().contains("nobody answered"));
    desk.wait(QUIET_AFTER);
    desk.enter();
    desk.press('u');
    desk.arm();
    desk.started(RunKind::Refresh);
    assert!(desk.notice().contains("going on"), "another run took the ground away: {}", desk.notice());
}

#[test]
fn no_up_while_a_weight_change_is_pending() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    let weights = |legacy, new| WeightPair::new(legacy, new).unwrap();
    desk.journal(vec![
        Event::Intent {
            id: "i".into(),
            record: "app.example.com.".into(),
            from: weights(100, 0),
            to: weights(90, 10),
            direction: Direction::Forward,
            overrides: vec![],
        },
        Event::Outcome {
            id: "i".into(),
            result: OutcomeKind::Accepted,
            weights: Some(weights(90, 10)),
            change: Some("/change/C1".into()),
            detail: String::new(),
        },
    ]);
    desk.press('u');
    assert!(desk.notice().contains("a weight change is pending"), "{}", desk.notice());
    desk.enter();
    desk.press('E');
    assert!(desk.notice().contains("a weight change is pending"), "{}", desk.notice());
}

#[test]
fn no_weight_moves_while_a_run_goes_on() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert_eq!(desk.idle(), Verdict::Pass);
    let run = desk.started(RunKind::Up);
    assert_eq!(desk.idle(), Verdict::Fail, "before the state folder is looked at again");
    desk.press(']');
    assert!(desk.notice().contains("pulumi up by maria"), "{}", desk.notice());
    desk.enter();
    desk.ended(&run, true);
    assert_eq!(desk.idle(), Verdict::Pass);
}

/// What the preview of a destroy says once the name is released: a refresh has found the weighted records gone.
fn destroy_of_released() -> String {
    without_records(DESTROY, "delete")
}

/// A recorded run of nine steps as it is without its record.
fn without_records(run: &str, op: &str) -> String {
    let others = run.split_inclusive('\n').filter(|line| !line.contains("aws:route53/record:Record"));
    others.collect::<String>().replace(&format!("{{\"{op}\":9}}"), &format!("{{\"{op}\":8}}"))
}

#[test]
fn destroy_leads_through_the_release_of_the_name() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(change(&desk.press('D')).is_none());
    assert!(matches!(desk.question(), PendingAction::Zone(plan) if plan.deletes.len() == 2 && plan.creates.len() == 1));
    desk.arm();
    assert!(change(&desk.press('y')).is_none(), "a letter is no name");
    assert!(change(&desk.enter()).is_none());
    let effects = desk.type_in("app.example.com");
    let effects = desk.accepted(&effects);
    assert!(asked(&effects, |query| *query == PulumiQuery::Status));
    desk.zone(simple(LEGACY_DNS));
    assert!(asked(&desk.press('D'), |query| *query == PulumiQuery::Preview { destroy: true }));
    // A preview that still finds a weighted record has not seen the release.
    desk.preview(RunKind::PreviewDestroy, DESTROY);
    assert!(change(&desk.press('D')).is_none());
    assert!(desk.notice().contains("the plan deletes the weighted record"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::PreviewDestroy, &destroy_of_released());
    desk.press('u');
    assert!(desk.notice().contains("no plan"), "u does not run the plan of a destroy: {}", desk.notice());
    desk.enter();
    assert!(change(&desk.press('D')).is_none());
    desk.arm();
    let effects = desk.type_in("prod");
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!(run.kind(), RunKind::Destroy);
}

#[test]
fn the_question_about_the_name_dies_when_the_records_change() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('E');
    desk.arm();
    desk.zone(vec![record("A", "legacy", 90), record("A", "new", 10)]);
    desk.wait(Duration::from_secs(1));
    assert!(desk.notice().contains("records changed"), "{}", desk.notice());
}

#[test]
fn a_run_is_asked_once_and_ended_by_force_only_with_a_word() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(!asked(&desk.press('x'), |_| true), "there is nothing to stop");
    let run = desk.started(RunKind::Up);
    assert!(!asked(&desk.press('x'), |_| true), "one key interrupts nothing");
    assert_eq!(desk.question().title(), "Interrupt your pulumi up on bastion");
    desk.esc();
    desk.model.watcher.operator = "kim".into();
    desk.press('x');
    assert_eq!(desk.question().title(), "Interrupt maria's pulumi up on bastion");
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::Interrupt(asked)) if asked.run() == run));
    desk.answer(PulumiAnswer::AskedToStop(true));
    assert!(!asked(&desk.press('x'), |_| true));
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::ForceStop(termination)) if termination.run() == run)
    );
    desk.arm();
    assert!(change(&desk.type_in("yes")).is_none());
    assert!(matches!(change(&desk.type_in("terminate")), Some(PulumiChange::ForceStop(_))));
    desk.press('x');
    desk.arm();
    desk.ended(&run, true);
    assert!(desk.notice().contains("the run has ended"), "{}", desk.notice());
}

#[test]
fn a_stack_that_does_not_exist_is_only_created_by_a_yes_and_previewed_then() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.setup = Some(Setup { exists: false, ..complete() }));
    assert!(!asked(&desk.press('p'), |_| true), "one key creates nothing");
    assert!(desk.question().title().contains("Create the stack prod"), "{}", desk.question().title());
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::CreateStack(new)) if new.stack() == "prod"));
    let effects = desk.answer(PulumiAnswer::StackCreated("created".into()));
    assert!(asked(&effects, |query| matches!(query, PulumiQuery::Preview { destroy: false })));
}

#[test]
fn an_end_is_booked_on_whoever_started_the_run_whoever_sees_it() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    let effects = desk.ended(&run, true);
    let booked = effects.iter().find_map(|effect| match effect {
        Effect::Append(entry) => Some((entry.operator.as_str(), entry.event.text())),
        _ => None,
    });
    let (operator, text) = booked.unwrap();
    assert!(operator == "maria" && text.starts_with("pulumi up: ended"), "{operator}: {text}");
}

#[test]
fn keys_typed_just_after_a_question_has_closed_by_itself_do_nothing() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('E');
    desk.arm();
    desk.press('a');
    desk.zone(vec![record("A", "legacy", 90), record("A", "new", 10)]);
    desk.wait(Duration::from_millis(1));
    let closed = desk.notice();
    for key in "pp.example.com q".chars() {
        desk.press(key);
    }
    desk.enter();
    assert_eq!(desk.notice(), closed, "what was meant for the question neither closes the notice nor acts");
    desk.wait(QUIET_AFTER);
    desk.enter();
    assert!(desk.model.dialog.is_none());
}

#[test]
fn only_locks_of_the_dead_are_cleared() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.locks = vec![(dead_lock().0, Holder::AliveHere)]);
    desk.press('c');
    assert!(desk.notice().contains("still running"), "{}", desk.notice());
    desk.enter();
    desk.looked(|look| look.locks = vec![dead_lock()]);
    assert!(change(&desk.press('c')).is_none());
    desk.arm();
    assert!(matches!(change(&desk.type_in("prod")), Some(PulumiChange::ClearLocks(_))));
}

#[test]
fn without_pulumi_or_the_right_to_write_nothing_is_started() {
    let mut desk = Desk::new(100, 0, 0.0);
    let trouble = PulumiProblem { message: "pulumi was not found".into(), hint: "install it".into() };
    desk.looked(|look| look.pulumi = Err(trouble));
    for key in ['p', 'u', 'D', 'c', 'S'] {
        assert!(!asked(&desk.press(key), |_| true));
        assert!(desk.notice().contains("pulumi was not found; install it"));
        desk.enter();
    }
    desk.press('E');
    assert!(matches!(desk.model.dialog, Some(Dialog::Ask(_))), "a bastion without Pulumi can hand the name back");
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.answer(PulumiAnswer::AskedToStop(true));
    desk.model.watcher.read_only = true;
    for key in ['p', 'u', 'D', 'E', 'A', 'c', 'S', 'x'] {
        assert!(!asked(&desk.press(key), |_| true), "{key} {run}");
        assert!(!matches!(desk.model.dialog, Some(Dialog::Ask(_))), "{key}");
        desk.enter();
    }
}

#[test]
fn a_run_whose_file_was_cut_is_folded_again() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, UP);
    desk.answer(PulumiAnswer::Restarted { run: run.clone() });
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.lines().events, 0);
    desk.lines("another", UP);
    assert_eq!(desk.model.provision.run.as_ref().unwrap().state.lines().events, 0);
}

#[test]
fn the_log_stays_at_its_end_until_the_operator_looks_back() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, UP);
    desk.arm();
    desk.press('o');
    assert_eq!(desk.model.scroll(), usize::MAX);
    desk.press('k');
    assert_eq!(desk.model.scroll(), LISTING.last_row - 1);
    desk.press('G');
    assert_eq!(desk.model.scroll(), usize::MAX);
    desk.press('o');
    assert_eq!(desk.model.scroll(), 0);
}

#[test]
fn what_is_missing_is_asked_for_before_the_program_can_fail_on_it() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.setup = Some(setup(&["owner"])));
    assert!(!asked(&desk.press('p'), |_| true));
    assert!(desk.notice().contains("hostedZoneId or hostedZoneName"), "{}", desk.notice());
    assert!(desk.notice().contains("config set KEY VALUE"), "{}", desk.notice());
    desk.enter();
    desk.press('e');
    desk.enter();
    assert!(change(&desk.type_in("db.example.com")).is_none(), "what was typed is asked about first");
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Config(set)) if set.key() == "sourceDbEndpoint")
    );
    desk.arm();
    let effects = desk.press('y');
    let Some(PulumiChange::Config(set)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!(set.value(), "db.example.com");
    let effects = desk.answer(PulumiAnswer::Changed(set.done_text()));
    assert!(asked(&effects, |query| *query == PulumiQuery::Status), "it is looked at again");
    desk.looked(|_| {});
    assert!(asked(&desk.press('p'), |query| matches!(query, PulumiQuery::Preview { destroy: false })));
}

#[test]
fn a_plan_that_was_read_with_other_configuration_is_dropped() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    desk.press('e');
    "imageTag".chars().for_each(|c| drop(desk.press(c)));
    desk.enter();
    desk.type_in("v2");
    desk.arm();
    assert!(matches!(change(&desk.press('y')), Some(PulumiChange::Config(_))));
    desk.answer(PulumiAnswer::Changed("set".into()));
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
}

#[test]
fn no_configuration_is_set_while_a_run_goes_on_or_without_the_right_to_write() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('e');
    assert!(matches!(desk.model.dialog, Some(Dialog::Configure(_))), "reading is always possible");
    desk.model.watcher.read_only = true;
    desk.enter();
    assert!(desk.notice().contains("--read-only"), "{}", desk.notice());
    let mut desk = Desk::new(100, 0, 0.0);
    desk.started(RunKind::Up);
    desk.press('e');
    desk.enter();
    assert!(desk.notice().contains("going on"), "{}", desk.notice());
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('e');
    desk.enter();
    desk.type_in("");
    desk.arm();
    desk.started(RunKind::Preview);
    assert!(desk.notice().contains("going on"), "an open question dies with its ground: {}", desk.notice());
}

#[test]
fn the_end_of_a_run_is_noted_by_one_of_all_who_follow_it() {
    let noted = |note| {
        let mut desk = Desk::new(100, 0, 0.0);
        desk.model.live.history = None;
        let run = desk.started(RunKind::Up);
        let (exit, text) = (ProcessEnd::Code(Some(0)), "succeeded".to_owned());
        let effects = desk.answer(PulumiAnswer::Ended { run, exit, text, note, stderr: String::new() });
        effects.iter().any(|effect| matches!(effect, Effect::Append(Entry { event: Event::Run { .. }, .. })))
    };
    assert_eq!((noted(true), noted(false)), (true, false));
}

#[test]
fn a_run_whose_exit_nobody_saw_succeeded_when_its_events_say_so() {
    let mut desk = Desk::new(100, 0, 0.0);
    let run = desk.started(RunKind::Up);
    desk.lines(&run, SMALL_UP);
    let text = "it is gone, and nobody saw its exit code".to_owned();
    desk.answer(PulumiAnswer::Ended { run, exit: ProcessEnd::Unseen, text, note: true, stderr: String::new() });
    let ending = desk.model.provision.run.as_ref().unwrap().ending.clone().unwrap();
    assert!(ending.succeeded && ending.explanation.is_none(), "{ending:?}");
}

#[test]
fn what_is_expected_of_a_run_is_known_after_a_restart() {
    let mut desk = Desk::new(100, 0, 0.0);
    let head = desk.head(RunKind::Up);
    let run = head.id.clone();
    desk.looked(|look| look.newest = Some(head));
    let mut preview = crate::domain::pulumi::RunState::new();
    PREVIEW.lines().for_each(|line| preview.fold_line(line.as_bytes()));
    let plan = crate::domain::pulumi::Plan::of(&preview);
    let total = plan.total();
    desk.answer(PulumiAnswer::Expecting { run: run.clone(), plan: Box::new(plan.clone()) });
    desk.lines(&run, UP);
    let progress = |desk: &Desk| desk.model.provision.run.as_ref().unwrap().state.progress();
    assert_eq!(progress(&desk).total, Some(total));
    let before = progress(&desk);
    desk.answer(PulumiAnswer::Expecting { run, plan: Box::new(plan) });
    assert_eq!(progress(&desk), before, "what was folded is not thrown away");
}

#[test]
fn a_run_from_another_terminal_is_looked_at_once_when_it_begins_and_once_when_it_ends() {
    let mut desk = Desk::new(100, 0, 0.0);
    let looks = |desk: &mut Desk, run: Option<&str>| {
        let at = desk.model.live.now;
        desk.model.polls.invalidate(Source::StackRun);
        let effects = desk.wait(Duration::from_secs(1));
        let request = effects.iter().find_map(|effect| match effect {
            Effect::Observe { request, query } if query.source() == Source::StackRun => Some(*request),
            _ => None,
        });
        let result = Ok(Observation::StackRun(run.map(str::to_owned)));
        let answer =
            Msg::Answer { request: request.unwrap(), source: Source::StackRun, result, at, clock_skew_ms: None };
        asked(&desk.feed(answer), |query| *query == PulumiQuery::Status)
    };
    assert!(!looks(&mut desk, None));
    assert!(looks(&mut desk, Some("pulumi up by bob")), "it has begun");
    assert!(!looks(&mut desk, Some("pulumi up by bob")), "it goes on");
    assert!(looks(&mut desk, None), "it has ended");
    assert!(!looks(&mut desk, None));
}

#[test]
fn refresh_is_asked_about_and_started() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(change(&desk.press('S')).is_none());
    desk.arm();
    let effects = desk.press('y');
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!((run.kind(), run.preview()), (RunKind::Refresh, None));
    let mut desk = Desk::new(100, 0, 0.0);
    desk.started(RunKind::Up);
    desk.press('S');
    assert!(desk.notice().contains("going on"), "{}", desk.notice());
}

/// Every state from which a key could do something.
fn desks() -> Vec<Desk> {
    let mut ready = Desk::new(100, 0, 0.0);
    ready.preview(RunKind::Preview, PREVIEW);
    let mut destroying = Desk::new(100, 0, 0.0);
    destroying.zone(simple(LEGACY_DNS));
    destroying.preview(RunKind::PreviewDestroy, &destroy_of_released());
    let mut stopping = Desk::new(100, 0, 0.0);
    stopping.started(RunKind::Up);
    stopping.answer(PulumiAnswer::AskedToStop(true));
    let mut locked = Desk::new(100, 0, 0.0);
    locked.looked(|look| look.locks = vec![dead_lock()]);
    let mut configuring = Desk::new(100, 0, 0.0);
    configuring.press('e');
    configuring.enter();
    vec![configuring, Desk::new(100, 0, 0.0), ready, destroying, stopping, locked]
}

#[test]
fn no_single_key_changes_anything() {
    for index in 0..desks().len() {
        for key in KEYMAP.iter().flat_map(|binding| binding.keys) {
            let mut desk = desks().swap_remove(index);
            let effects = desk.feed(Msg::Key(*key));
            assert!(change(&effects).is_none(), "{key:?} in state {index}: {effects:?}");
        }
    }
}

/// What can happen to the desk.
#[derive(Debug, Clone)]
enum Occurrence {
    Press(char),
    Type(&'static str),
    Enter,
    Esc,
    Draw,
    Arm,
    Wait(u64),
    Zone(u8),
    Requests(f64),
    PulumiStatus(u8),
    Start(u8),
    Lines(bool),
    End(bool),
    Stopped(bool),
    Done,
    Failed,
}

fn happening() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        6 => prop::sample::select("puDxEcsoyn5eS".chars().collect::<Vec<_>>()).prop_map(Occurrence::Press),
        2 => prop::sample::select(vec!["prod", "terminate", "app.example.com"]).prop_map(Occurrence::Type),
        2 => Just(Occurrence::Enter),
        1 => Just(Occurrence::Esc),
        1 => Just(Occurrence::Draw),
        4 => Just(Occurrence::Arm),
        1 => (1u64..3000).prop_map(Occurrence::Wait),
        2 => (0u8..4).prop_map(Occurrence::Zone),
        1 => (0.0f64..5.0).prop_map(Occurrence::Requests),
        1 => (0u8..4).prop_map(Occurrence::PulumiStatus),
        2 => (0u8..5).prop_map(Occurrence::Start),
        2 => any::<bool>().prop_map(Occurrence::Lines),
        2 => any::<bool>().prop_map(Occurrence::End),
        1 => any::<bool>().prop_map(Occurrence::Stopped),
        1 => Just(Occurrence::Done),
        1 => Just(Occurrence::Failed),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "each one happens once")]
fn happen(desk: &mut Desk, happening: Occurrence) -> Vec<Effect> {
    let run = desk.model.provision.run.as_ref().map_or_else(String::new, |run| run.head.id.clone());
    match happening {
        Occurrence::Press(c) => desk.press(c),
        Occurrence::Type(text) => text.chars().flat_map(|c| desk.press(c)).collect(),
        Occurrence::Enter => desk.enter(),
        Occurrence::Esc => desk.feed(Msg::Key(Key::plain(Code::Esc))),
        Occurrence::Draw => {
            let uptime = desk.model.uptime;
            desk.feed(Msg::Drawn { uptime, listing: LISTING, shown: Shown::Whole })
        }
        Occurrence::Arm => {
            desk.arm();
            vec![]
        }
        Occurrence::Wait(secs) => desk.wait(Duration::from_secs(secs)),
        Occurrence::Zone(kind) => {
            desk.zone(match kind {
                0 => vec![record("A", "legacy", 90), record("A", "new", 10)],
                1 => vec![record("A", "legacy", 100), record("A", "new", 0)],
                2 => simple(LEGACY_DNS),
                _ => vec![],
            });
            vec![]
        }
        Occurrence::Requests(rate) => {
            desk.requests(rate);
            vec![]
        }
        Occurrence::PulumiStatus(kind) => {
            let head = desk.head(RunKind::Up);
            desk.looked(|look| match kind {
                0 => look.newest = Some(head),
                1 => look.locks = vec![dead_lock()],
                2 => look.pulumi = Err(PulumiProblem { message: "no".into(), hint: "no".into() }),
                _ => {}
            })
        }
        Occurrence::Start(kind) => {
            let kinds = [RunKind::Preview, RunKind::Up, RunKind::Refresh, RunKind::PreviewDestroy, RunKind::Destroy];
            let head = desk.head(kinds[usize::from(kind)]);
            desk.answer(PulumiAnswer::Started(head))
        }
        Occurrence::Lines(destroy) => {
            desk.lines(&run, if destroy { DESTROY } else { SMALL_UP });
            vec![]
        }
        Occurrence::End(well) => desk.ended(&run, well),
        Occurrence::Stopped(sent) => desk.answer(PulumiAnswer::AskedToStop(sent)),
        Occurrence::Done => desk.answer(PulumiAnswer::Changed("done".into())),
        Occurrence::Failed => {
            desk.answer(PulumiAnswer::Failed(PulumiProblem { message: "no".into(), hint: "no".into() }))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Nothing that changes the world is asked for but by a key, out of a question that was seen for long enough; and
    /// what is asked for is what the question was about, on ground that still held.
    #[test]
    fn nothing_is_done_without_a_yes(happenings in prop::collection::vec(happening(), 1..80)) {
        let mut desk = Desk::new(100, 0, 0.0);
        for happening in happenings {
            // A text is typed letter by letter, so that each key meets its own dialog.
            let steps = match happening {
                Occurrence::Type(text) => text.chars().map(Occurrence::Press).collect(),
                other => vec![other],
            };
            for step in steps {
                let is_key = matches!(step, Occurrence::Press(_) | Occurrence::Enter);
                let uptime = desk.model.uptime;
                let before = desk.model.dialog.clone();
                let going_on = desk.model.provision.going_on().is_some();
                let effects = happen(&mut desk, step);
                let Some(change) = change(&effects) else { continue };
                prop_assert!(is_key, "only a key: {change:?}");
                let Some(Dialog::Ask(question)) = before else { panic!("no question was open: {change:?}") };
                prop_assert!(question.is_armed(uptime));
                let ends = matches!(change, PulumiChange::ForceStop(_) | PulumiChange::Interrupt(_));
                let clears = matches!(change, PulumiChange::ClearLocks(_));
                prop_assert!(going_on == ends || clears);
                match question.subject() {
                    PendingAction::Pulumi(asked) => prop_assert_eq!(change, asked),
                    other @ PendingAction::Zone(_) => panic!("another thing than was asked: {other:?}"),
                }
            }
        }
    }
}

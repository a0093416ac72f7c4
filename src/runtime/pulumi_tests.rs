//! Pulumi's part of a change: what is in the journal before and after it, and what of it was left open.

use std::pin::Pin;

use super::*;
use crate::domain::change::Change;
use crate::domain::change::turn::{Holder, TURN_BOUND};
use crate::domain::confirm::YesFlag;
use crate::domain::provision::{RunHead, RunSeen};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::{Interrupt, NewStack, RunRequest, RunState};
use crate::domain::record::{Entry, Event};
use crate::domain::shift::Direction;
use crate::domain::units::Timestamp;
use crate::ports::{PulumiControl, PulumiFuture};
use crate::runtime::execute::{Came, Executed, execute, quietly, settle};
use crate::runtime::fakes::{Fake, entry, pair};

/// Does what it is told and remembers that it was.
#[derive(Default)]
struct Works {
    fails: bool,
    asked: Mutex<Vec<String>>,
}

impl PulumiControl for Works {
    fn carry_out<'a>(
        &'a self,
        change: &'a Confirmed<PulumiChange>,
        operator: &'a str,
        _intent: &'a str,
    ) -> PulumiFuture<'a, Carried> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(format!("{operator}: {}", change.get().title()));
            let made = Carried::StackCreated("the stack was created".into());
            if self.fails { Err(PulumiError::NotRunning) } else { Ok(made) }
        })
    }
}

fn confirmed(change: PulumiChange) -> Confirmed<Change> {
    Confirmed::by_flag(Change::Pulumi(change), YesFlag::from_cli(true).unwrap())
}

fn change() -> Confirmed<Change> {
    confirmed(PulumiChange::CreateStack(NewStack::new("prod")))
}

async fn run(fake: &Fake, control: &Arc<Works>, change: Confirmed<Change>) -> Executed {
    let control = Arc::clone(control) as Arc<dyn PulumiControl>;
    let ports = Ports { control, ..fake.ports() };
    execute(&ports, change, "kim", "bastion-2", &quietly()).await
}

fn result(done: &Executed) -> &Result<Carried, PulumiError> {
    let Came::Pulumi(result) = &done.came else { panic!("{done:?}") };
    result
}

#[tokio::test]
async fn a_change_is_in_the_journal_before_and_after_it_under_whoever_made_it() {
    for (fails, last) in [(false, "the stack was created"), (true, "not done: Create the stack prod")] {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works { fails, ..Works::default() }));
        let done = run(&fake, &control, change()).await;
        assert_eq!(result(&done).is_err(), fails);
        let written: Vec<(String, String)> =
            done.entries.iter().map(|entry| (entry.operator.clone(), entry.event.text())).collect();
        assert_eq!(done.entries.len(), 2);
        assert!(written.iter().all(|(operator, _)| operator == "kim"), "{written:?}");
        assert!(written[0].1.starts_with("confirmed: Create the stack prod"), "{written:?}");
        assert!(written[1].1.starts_with(last), "{written:?}");
    }
}

/// Keeps hold of a change, and notes how much of it was in the journal when it did and when it let go.
struct Holds {
    fake: Fake,
    noted: Arc<Mutex<Vec<usize>>>,
}

struct Held(Fake, Arc<Mutex<Vec<usize>>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0.events().len());
    }
}

impl PulumiControl for Holds {
    fn hold<'a>(&'a self, _: &'a PulumiChange, _: &'a str) -> PulumiFuture<'a, Option<Box<dyn Send>>> {
        self.noted.lock().unwrap().push(self.fake.events().len());
        let held = Held(self.fake.clone(), Arc::clone(&self.noted));
        Box::pin(async { Ok(Some(Box::new(held) as Box<dyn Send>)) })
    }

    fn carry_out<'a>(&'a self, _: &'a Confirmed<PulumiChange>, _: &'a str, _: &'a str) -> PulumiFuture<'a, Carried> {
        Box::pin(async { Ok(Carried::Interrupted(true)) })
    }
}

#[tokio::test]
async fn it_is_held_from_before_its_intent_until_its_outcome_is_noted() {
    let fake = Fake::new(pair(100, 0));
    let control = Arc::new(Holds { fake: fake.clone(), noted: Arc::default() });
    let ports = Ports { control: control.clone(), ..fake.ports() };
    execute(&ports, change(), "kim", "bastion-2", &quietly()).await;
    assert_eq!(*control.noted.lock().unwrap(), [0, 2]);
}

#[tokio::test]
async fn without_its_intent_on_disk_nothing_is_done() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    fake.room_for(0);
    let done = run(&fake, &control, change()).await;
    assert!(matches!(result(&done), Err(PulumiError::Storage(_))), "{done:?}");
    assert!(control.asked.lock().unwrap().is_empty());
}

/// What stops a run where the folder takes no lock.
struct TakesNoLock(Arc<Mutex<usize>>);

impl PulumiControl for TakesNoLock {
    fn hold<'a>(&'a self, _: &'a PulumiChange, _: &'a str) -> PulumiFuture<'a, Option<Box<dyn Send>>> {
        Box::pin(async { Err(PulumiError::NotStarted("no locks available".into())) })
    }

    fn carry_out<'a>(&'a self, _: &'a Confirmed<PulumiChange>, _: &'a str, _: &'a str) -> PulumiFuture<'a, Carried> {
        *self.0.lock().unwrap() += 1;
        Box::pin(async { Ok(Carried::Interrupted(true)) })
    }
}

#[tokio::test]
async fn what_stops_a_run_is_sent_where_nothing_can_be_held_or_noted_and_says_so() {
    let interrupt = || {
        let kim = ("kim", "bastion-2");
        let interrupt = Interrupt::new("r1", RunKind::Up, kim, "kim", &RunState::new());
        Confirmed::by_flag(Change::Pulumi(PulumiChange::Interrupt(interrupt)), YesFlag::from_cli(true).unwrap())
    };
    for (room, noted) in [(9, true), (0, false)] {
        let fake = Fake::new(pair(100, 0));
        fake.room_for(room);
        let sent = Arc::new(Mutex::new(0));
        let ports = Ports { control: Arc::new(TakesNoLock(Arc::clone(&sent))), ..fake.ports() };
        let done = execute(&ports, interrupt(), "kim", "bastion-2", &quietly()).await;
        assert_eq!(*sent.lock().unwrap(), 1);
        assert_eq!((result(&done).is_ok(), done.unwritten.is_none()), (true, noted), "{done:?}");
        // Whatever else is changed needs what was refused.
        let sent = Arc::new(Mutex::new(0));
        let ports = Ports { control: Arc::new(TakesNoLock(Arc::clone(&sent))), ..fake.ports() };
        assert!(result(&execute(&ports, change(), "kim", "bastion-2", &quietly()).await).is_err());
        assert_eq!(*sent.lock().unwrap(), 0);
    }
}

#[tokio::test]
async fn an_outcome_that_could_not_be_written_is_told() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    fake.room_for(1);
    let done = run(&fake, &control, change()).await;
    assert!(result(&done).is_ok() && done.unwritten.is_some());
}

fn somebody() -> Holder {
    let (host, operator) = ("bastion".into(), "maria".into());
    Holder { pid: 7, host, operator, since: Timestamp::default(), stopped: Some(true) }
}

#[tokio::test]
async fn it_has_the_turn_from_its_intent_to_its_outcome() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    run(&fake, &control, change()).await;
    assert_eq!(fake.steps(), ["lock", "entry", "entry", "unlock"]);
}

#[tokio::test(start_paused = true)]
async fn beside_a_turn_that_is_not_given_back_nothing_is_begun_and_a_run_is_stopped_all_the_same() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    fake.held_by(somebody());
    let began = tokio::time::Instant::now();
    let done = run(&fake, &control, change()).await;
    let Err(PulumiError::Storage(error)) = result(&done) else { panic!("{done:?}") };
    assert!(error.message.contains("process 7 of maria on bastion"), "{error}");
    assert!(began.elapsed() < TURN_BOUND * 2 && done.entries.is_empty());
    assert!(control.asked.lock().unwrap().is_empty());

    let owner = ("maria", "bastion-2");
    let stop = Interrupt::new("r1", RunKind::Up, owner, "kim", &RunState::new());
    let done = run(&fake, &control, confirmed(PulumiChange::Interrupt(stop))).await;
    assert!(result(&done).is_ok(), "{done:?}");
    assert_eq!(fake.steps(), ["aside", "entry", "entry"]);
}

#[tokio::test]
async fn a_run_is_stopped_although_somebody_keeps_the_journal_locked_and_nothing_else_is_done() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    fake.lock_journal(0);
    assert!(matches!(result(&run(&fake, &control, change()).await), Err(PulumiError::Storage(_))));
    assert!(control.asked.lock().unwrap().is_empty());
    let stop = Interrupt::new("r1", RunKind::Up, ("maria", "bastion-2"), "kim", &RunState::new());
    let done = run(&fake, &control, confirmed(PulumiChange::Interrupt(stop))).await;
    assert!(result(&done).is_ok() && done.unwritten.is_none() && done.entries.len() == 2, "{done:?}");
}

#[tokio::test]
async fn no_run_starts_while_it_is_not_known_what_came_of_a_change_of_the_records() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    fake.remember(entry(
        1,
        Event::Intent {
            id: "a".into(),
            record: "app.example.com.".into(),
            from: pair(100, 0),
            to: pair(90, 10),
            direction: Direction::Forward,
            overrides: vec![],
            evacuation: None,
        },
    ));
    let run_request = PulumiChange::Run(Box::new(RunRequest::refresh("prod")));
    let done = run(&fake, &control, confirmed(run_request)).await;
    assert!(matches!(result(&done), Err(PulumiError::Refused(BlockedReason::WeightChange(_)))), "{done:?}");
    assert!(control.asked.lock().unwrap().is_empty() && done.entries.is_empty());
}

/// The folders of runs, as they are.
struct Folders(Vec<RunSeen>);

impl Provisioner for Folders {
    fn ask(&self, query: PulumiQuery, _: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let PulumiQuery::Runs { unended } = query else { panic!("nobody has asked for {query:?}") };
        let seen = |run: &RunSeen| RunSeen { end_is_ours: unended.contains(&run.head.id), ..run.clone() };
        let answer = PulumiAnswer::Runs { seen: self.0.iter().map(seen).collect(), may_lack: false };
        Box::pin(async move { tell(answer).await })
    }
}

fn seen(id: &str, intent: Option<&str>, end: Option<&str>) -> RunSeen {
    let head = RunHead {
        id: id.into(),
        kind: RunKind::Up,
        line: "pulumi up".into(),
        operator: "maria".into(),
        host: "bastion".into(),
        started_at: Timestamp::default(),
        asked_to_stop: Some(false),
    };
    let (intent, end) = (intent.map(str::to_owned), end.map(str::to_owned));
    RunSeen { head, intent, end, stops: vec![], end_is_ours: false }
}

/// What is written by two looks, one after the other, beside these folders.
async fn settled(fake: &Fake, folders: Vec<RunSeen>) -> Vec<(String, String)> {
    let ports = Ports { provision: Arc::new(Folders(folders)), ..fake.ports() };
    let mut written = Vec::new();
    for _ in 0..2 {
        let entries = settle(&ports, None, "kim", "bastion-2").await.unwrap();
        written.extend(entries.iter().map(|entry| (entry.operator.clone(), entry.event.text())));
    }
    written
}

fn intent() -> Event {
    PulumiChange::Run(Box::new(RunRequest::refresh("prod"))).intent("i1".into())
}

#[tokio::test]
async fn a_run_that_was_confirmed_and_left_is_settled_from_its_folder_once() {
    for (folders, says) in [
        (vec![], "not done: Refresh"),
        (vec![seen("r1", Some("another"), None)], "not done: Refresh"),
        (vec![seen("r1", Some("i1"), None)], "pulumi up: started: pulumi up"),
    ] {
        let fake = Fake::new(pair(100, 0));
        fake.remember(entry(1, intent()));
        let written = settled(&fake, folders).await;
        assert!(written.len() == 1 && written[0].0 == "kim", "{written:?}");
        assert!(written[0].1.starts_with(says), "{written:?}");
    }
}

#[tokio::test]
async fn nothing_is_settled_while_somebody_has_the_turn_and_may_be_at_it() {
    let fake = Fake::new(pair(100, 0));
    fake.remember(entry(1, intent()));
    fake.held_by(somebody());
    assert_eq!(settled(&fake, vec![]).await, []);
}

#[tokio::test]
async fn an_end_that_nobody_has_noted_is_noted_once_under_whoever_started_the_run() {
    let fake = Fake::new(pair(100, 0));
    let begun = |id: &str| PulumiChange::started(RunKind::Up, id, "pulumi up", None);
    for event in [begun("r1"), begun("r2"), PulumiChange::ended(RunKind::Up, "r2", "succeeded"), begun("r3")] {
        fake.remember(Entry { operator: "maria".into(), ..entry(1, event) });
    }
    let folders = vec![
        seen("r1", None, Some("succeeded")),
        seen("r2", None, Some("succeeded")),
        seen("r3", None, None),
        seen("r4", None, Some("succeeded")),
    ];
    let written = settled(&fake, folders).await;
    assert_eq!(written, [("maria".to_owned(), "pulumi up: ended: succeeded".to_owned())]);
}

#[tokio::test]
async fn a_change_that_went_through_leaves_nothing_open() {
    let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
    run(&fake, &control, change()).await;
    assert_eq!(settled(&fake, vec![]).await, []);
}

//! What was left open around Pulumi, held against folders and looks.

use std::collections::BTreeMap;

use super::*;
use crate::domain::provision::{PulumiProblem, RunHead};
use crate::domain::pulumi::config::ConfigValue;
use crate::domain::pulumi::lock::{Holder, Lock};
use crate::domain::pulumi::stop::StopSeen;
use crate::domain::pulumi::{RunKind, Setup};

const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn open(means: Means) -> OpenChange {
    OpenChange { id: "i1".into(), at: AT, title: "Do it".into(), means }
}

fn run(id: &str) -> RunSeen {
    let head = RunHead {
        id: id.into(),
        kind: RunKind::Up,
        line: "pulumi up".into(),
        operator: "maria".into(),
        host: "bastion".into(),
        started_at: AT,
        asked_to_stop: Some(false),
    };
    RunSeen { head, intent: None, end: None, stops: vec![], end_is_ours: false }
}

fn look() -> PulumiStatus {
    let setup = Setup { exists: true, bundled: true, values: Some(BTreeMap::new()) };
    PulumiStatus {
        asked_at: AT,
        pulumi: Ok("3.255.0".into()),
        locks: vec![],
        pending: vec![],
        newest: None,
        setup: Some(setup),
        passed_through: vec![],
    }
}

/// What is written so many seconds later; nothing while it is open.
fn said(open: &OpenChange, runs: &[RunSeen], look: Option<&PulumiStatus>, secs: u64) -> Option<String> {
    let event = settle(open, runs, false, look, AT.plus(Duration::from_secs(secs)))?;
    if let Event::Note { change, .. } = &event {
        assert_eq!(change.as_deref(), Some(&ChangeMark::Outcome { id: open.id.clone() }), "it is closed by its id");
    }
    Some(event.text())
}

#[track_caller]
fn begins(said: Option<String>, words: &str) {
    let said = said.unwrap_or_default();
    assert!(said.starts_with(words), "{said:?}, not {words}");
}

#[test]
fn a_run_is_known_by_the_intent_that_its_folder_names_at_once() {
    let of = open(Means::Run);
    begins(said(&of, &[run("r1")], None, 1), "not done: Do it: no run of it began");
    let own = RunSeen { intent: Some("i1".into()), ..run("r2") };
    let event = settle(&of, &[run("r1"), own], false, None, AT).unwrap();
    assert_eq!(event, PulumiChange::started(RunKind::Up, "r2", "pulumi up", Some("i1".into())));
    let later = |count: usize| -> Vec<RunSeen> {
        let mut run = run("r1");
        run.head.started_at = AT.plus(Duration::from_secs(9));
        vec![run; count]
    };
    begins(said(&of, &later(KEPT_RUNS - 1), None, 1), "not done: ");
    begins(said(&of, &later(KEPT_RUNS), None, 1), "not known: Do it: the folders of that time are gone");
    let torn = settle(&of, &[run("r1")], true, None, AT).map(|event| event.text());
    begins(torn, "not known: Do it: not all folders of runs can be read");
}

#[test]
fn what_stops_a_run_is_known_by_what_was_written_after_the_signal_and_while_somebody_is_at_it_nobody_says_anything() {
    let ended = |run: RunSeen| RunSeen { end: Some("succeeded".into()), ..run };
    let stop = |intent: &str, is_held, stage| StopSeen { intent: intent.into(), is_held, stage };
    let with =
        |stage| RunSeen { stops: vec![stop("another", true, Stage::Sent), stop("i1", false, stage)], ..run("r1") };
    for means in [Means::Interrupt { run: "r1".into() }, Means::ForceStop { run: "r1".into() }] {
        let of = open(means);
        for (run, words) in [
            (with(Stage::Sent), "done: Do it: the signal was sent, and the run goes on. Next step"),
            (ended(with(Stage::Sent)), "done: Do it: the signal was sent, and the run has ended: succeeded"),
            (with(Stage::About), "not known: Do it: the signal may have been sent, and the run goes on. Next step"),
            (ended(with(Stage::About)), "not known: Do it: the signal may have been sent, and the run has ended"),
            (with(Stage::NotBegun), "not done: Do it: no signal was sent, and the run goes on. Next step"),
            (ended(with(Stage::NotBegun)), "not done: Do it: no signal was sent, and the run has ended"),
            (with(Stage::AskedBefore), "not done: Do it: it was asked before, and nothing was sent"),
            (with(Stage::NotSent), "not done: Do it: the signal could not be sent"),
        ] {
            begins(said(&of, std::slice::from_ref(&run), None, 1), words);
            let held = run.stops.iter().map(|stop| StopSeen { is_held: true, ..stop.clone() }).collect();
            let held = [RunSeen { stops: held, ..run }];
            assert_eq!(said(&of, &held, None, 9_999), None, "whoever is at it lives");
        }
        // A mark of somebody else's request proves nothing of this one, and neither does one that names nobody.
        let mut asked = RunSeen { stops: vec![stop("another", false, Stage::Sent)], ..run("r1") };
        asked.head.asked_to_stop = Some(true);
        for (runs, words) in [
            (vec![asked.clone()], "not known: Do it: how far it came was not kept, and the run goes on. Next step"),
            (vec![ended(asked)], "not known: Do it: how far it came was not kept, and the run has ended"),
            (vec![run("r2")], "not known: Do it: the run's folder is gone. Next step"),
        ] {
            assert_eq!(said(&of, &runs, None, 59), None);
            begins(said(&of, &runs, None, 60), words);
        }
    }
}

#[test]
fn a_call_that_may_land_late_is_done_by_one_look_and_not_known_when_it_never_showed() {
    let setup = |exists, values: &[(&str, &str, bool)]| {
        let value = |(name, value, secret): &(&str, &str, bool)| {
            ((*name).to_owned(), ConfigValue { value: (!secret).then(|| (*value).to_owned()), secret: *secret })
        };
        let values = Some(values.iter().map(value).collect());
        PulumiStatus { setup: Some(Setup { exists, bundled: true, values }), ..look() }
    };
    let lock = Lock { pid: 7, host: "bastion".into(), user: "ops".into(), since: None };
    let locked = PulumiStatus { locks: vec![(lock.clone(), Holder::DeadHere)], ..look() };
    let key = |value: Option<&str>| Means::Config { key: "owner".into(), value: value.map(str::to_owned) };
    let locks = Means::ClearLocks { locks: vec![lock.to_string()] };
    let night = Some("night");
    for (means, look, is_done, later) in [
        (Means::CreateStack, setup(true, &[]), true, ""),
        (Means::CreateStack, setup(false, &[]), false, "not known: Do it: 5 min later the stack does not exist"),
        (key(night), setup(true, &[("tap:owner", "night", false)]), true, ""),
        (
            key(night),
            setup(true, &[("tap:owner", "day", false)]),
            false,
            "not known: Do it: 5 min later owner is set to",
        ),
        (key(night), setup(true, &[]), false, "not known: Do it: 5 min later owner is not set"),
        (
            key(None),
            setup(true, &[("tap:owner", "", true)]),
            false,
            "not known: Do it: 5 min later owner is set to a secret",
        ),
        (locks.clone(), look(), true, ""),
        (locks, locked, false, "not known: Do it: 5 min later the stack is still locked"),
    ] {
        let of = open(means);
        assert_eq!(said(&of, &[], None, 900), None, "without a look nothing is known");
        let at =
            |secs: i64| PulumiStatus { asked_at: Timestamp::from_millis(AT.millis() + secs * 1000), ..look.clone() };
        let blind =
            PulumiStatus { pulumi: Err(PulumiProblem { message: String::new(), hint: String::new() }), ..at(900) };
        assert_eq!(said(&of, &[], Some(&blind), 900), None, "{of:?}");
        for older in [-60, 0] {
            assert_eq!(said(&of, &[], Some(&at(older)), 900), None, "{of:?}: what was seen before proves nothing");
        }
        if is_done {
            begins(said(&of, &[], Some(&at(1)), 900), "done: Do it");
        } else {
            assert_eq!(said(&of, &[], Some(&at(299)), 900), None, "{of:?}: it may have landed since");
            begins(said(&of, &[], Some(&at(300)), 900), later);
        }
    }
}

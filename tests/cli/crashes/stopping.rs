//! What stops a run, killed at each step, and beside a turn or a journal that somebody does not give back.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::locks::{HeldRun, lock_journal, lock_turn, until_about_to_note};
use crate::support::process::{Process, until};
use crate::support::rows::for_each_row;
use crate::support::stack::Stack;
use crate::support::terminal::{Act, Terminal};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use Act::{Press, Shown};

/// What stops a run, as keys.
struct Change {
    name: &'static str,
    /// Keys that ask for it, up to its question.
    keys: &'static [Act],
    /// What answers the question.
    answer: &'static str,
    confirmed: &'static str,
    done: &'static str,
    /// What is said of it when it was not done.
    not_done: &'static str,
}

const ASK: &[Act] = &[Press("5"), Shown("x stop"), Press("x"), Shown("any other key")];
const FORCE: &[Act] = &[Press("5"), Shown("x stop"), Press("x"), Shown("Esc leaves it")];

const STOPS: &[Change] = &[
    Change {
        name: "interrupt",
        keys: ASK,
        answer: "y",
        confirmed: "confirmed: Interrupt ",
        done: "done: Interrupt ",
        not_done: "not done: Interrupt ",
    },
    Change {
        name: "force stop",
        keys: FORCE,
        answer: "terminate\r",
        confirmed: "confirmed: End the run ",
        done: "by force",
        not_done: "not done: End the run ",
    },
];

impl Change {
    /// A run that goes on, and was asked to stop where this is about force; and the command that follows it.
    fn night(&self) -> (Stack, Process, PathBuf) {
        let stack = Stack::lacking_one();
        let up = stack.up_going_on();
        if self.name == "force stop" {
            let mut cockpit = Terminal::open(&stack.command(""));
            cockpit.does(ASK);
            cockpit.press("y");
            cockpit.until_shown("Pulumi was asked to stop");
            cockpit.leaves();
        }
        let dir = stack.newest().path().to_owned();
        (stack, up, dir)
    }

    /// A cockpit in which the question is open.
    fn asked(&self, stack: &Stack) -> Terminal {
        let mut cockpit = Terminal::open(&stack.command(""));
        cockpit.does(self.keys);
        cockpit
    }

    /// What the journal says of it, oldest first.
    fn said(&self, stack: &Stack) -> Vec<String> {
        let about = |line: &String| [self.confirmed, self.done, self.not_done].iter().any(|words| line.contains(words));
        stack.sentences().into_iter().filter(about).collect()
    }

    /// Whether the run's folder says that the signal was sent: of an end by force, after that of the interrupt before it.
    fn has_stopped(&self, dir: &Path) -> bool {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let marks = names.filter(|name| name.starts_with("stop-"));
        let sent = marks.filter(|name| fs::read_to_string(dir.join(name)).unwrap().ends_with("\nsent\n")).count();
        sent > usize::from(self.name == "force stop")
    }

    /// The next cockpit can do it after all, and the run ends by it.
    fn is_done_after_all(&self, stack: &Stack, up: Process) {
        let mut cockpit = self.asked(stack);
        cockpit.press(self.answer);
        self.ends(stack, up);
        cockpit.leaves();
    }

    fn ends(&self, stack: &Stack, up: Process) {
        if self.name == "interrupt" {
            until("the mark of an interrupt", || self.has_stopped(stack.newest().path()).then_some(()));
            stack.let_go();
        }
        up.ended().0.ended(if self.name == "interrupt" { 5 } else { 7 });
        assert!(stack.going_on().is_none());
    }
}

/// Whether every thread of a process is stopped: the signal is taken by one, which stops the others in its own time.
fn all_stand_still(pid: u32) -> bool {
    let mut tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.all(|task| {
        let stat = fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    })
}

fn killed_before_the_intent_nothing_is_noted_and_the_run_goes_on(change: &Change) {
    let (stack, up, dir) = change.night();
    let before = change.said(&stack);
    let mut cockpit = change.asked(&stack);
    let journal = lock_journal(&stack.state());
    cockpit.press(change.answer);
    until_about_to_note(&stack.state(), cockpit.id());
    cockpit.kill();
    drop(journal);
    assert_eq!(change.said(&stack), before);
    assert!(!change.has_stopped(&dir) && stack.going_on().is_some());
    change.is_done_after_all(&stack, up);
}

for_each_row!(killed_before_the_intent_nothing_is_noted_and_the_run_goes_on in STOPS: interrupt, force_stop);

fn killed_between_intent_and_signal_the_next_look_says_that_nothing_was_sent(change: &Change) {
    let (stack, up, dir) = change.night();
    let mut cockpit = change.asked(&stack);
    let held = HeldRun::hold(&dir);
    cockpit.press(change.answer);
    stack.until_noted(change.confirmed);
    cockpit.kill();
    held.let_go();
    assert!(!change.has_stopped(&dir) && stack.going_on().is_some());
    assert_eq!(change.said(&stack).len(), 1, "what came of it is not claimed: {:#?}", change.said(&stack));
    for _ in 0..2 {
        stack.run("status").ended(0);
        let said = change.said(&stack);
        assert!(said.len() == 2 && said[1].contains(change.not_done), "it is settled, once: {said:#?}");
    }
    change.is_done_after_all(&stack, up);
}

for_each_row!(killed_between_intent_and_signal_the_next_look_says_that_nothing_was_sent in STOPS: interrupt, force_stop);

fn killed_between_signal_and_outcome_the_next_look_says_that_it_was_sent(change: &Change) {
    let (stack, up, dir) = change.night();
    let mut cockpit = change.asked(&stack);
    let held = HeldRun::hold(&dir);
    cockpit.press(change.answer);
    stack.until_noted(change.confirmed);
    let journal = lock_journal(&stack.state());
    held.let_go();
    until("the mark in the run's folder", || change.has_stopped(&dir).then_some(()));
    until_about_to_note(&stack.state(), cockpit.id());
    cockpit.kill();
    drop(journal);
    assert_eq!(change.said(&stack).len(), 1, "{:#?}", change.said(&stack));
    if change.name == "interrupt" {
        let mut next = Terminal::open(&stack.command(""));
        next.does(FORCE);
        next.kill();
    }
    change.ends(&stack, up);
    for _ in 0..2 {
        stack.run("status").ended(0);
        let said = change.said(&stack);
        assert!(said.len() == 2 && said[1].contains(change.done), "it is settled, once: {said:#?}");
    }
}

for_each_row!(killed_between_signal_and_outcome_the_next_look_says_that_it_was_sent in STOPS: interrupt, force_stop);

fn stopped_between_intent_and_signal_nobody_settles_it_and_it_notes_its_outcome_once(change: &Change) {
    let (stack, up, dir) = change.night();
    let mut cockpit = change.asked(&stack);
    let held = HeldRun::hold(&dir);
    cockpit.press(change.answer);
    stack.until_noted(change.confirmed);
    let process = Pid::from_raw(i32::try_from(cockpit.id()).unwrap()).unwrap();
    kill_process(process, Signal::STOP).unwrap();
    until("that every thread stands still", || all_stand_still(cockpit.id()).then_some(()));
    held.let_go();
    // What stops a run needs no turn, so that the next process has one beside it.
    fs::remove_file(stack.state().join("lock")).unwrap();
    stack.drill.advance(3_600);
    stack.run("status").ended(0);
    assert_eq!(change.said(&stack).len(), 1, "nobody knows what it will do: {:#?}", change.said(&stack));
    kill_process(process, Signal::CONT).unwrap();
    until("its outcome", || (change.said(&stack).len() > 1).then_some(()));
    stack.run("status").ended(0);
    let said = change.said(&stack);
    assert!(said.len() == 2 && said[1].contains(change.done), "{said:#?}");
    change.ends(&stack, up);
    cockpit.leaves();
}

for_each_row!(stopped_between_intent_and_signal_nobody_settles_it_and_it_notes_its_outcome_once in STOPS: interrupt, force_stop);

fn beside_a_turn_that_is_not_given_back_it_goes_on_and_notes_it_in_a_segment(change: &Change) {
    let (stack, up, dir) = change.night();
    let mut cockpit = change.asked(&stack);
    let holder = json!({"pid": 4242, "host": "bastion-9", "operator": "maria", "since": "2026-11-22T12:00:00Z"});
    let turn = lock_turn(&stack.state(), &holder);
    cockpit.press(change.answer);
    cockpit.until_shown("WAITING");
    cockpit.until_shown("maria");
    until("the mark in the run's folder", || change.has_stopped(&dir).then_some(()));
    it_is_in_a_segment(change, &stack);
    change.ends(&stack, up);
    drop(turn);
    cockpit.leaves();
}

for_each_row!(beside_a_turn_that_is_not_given_back_it_goes_on_and_notes_it_in_a_segment in STOPS: interrupt, force_stop);

fn beside_a_locked_journal_it_goes_on_and_notes_it_in_a_segment(change: &Change) {
    let (stack, up, dir) = change.night();
    let mut cockpit = change.asked(&stack);
    let journal = lock_journal(&stack.state());
    cockpit.press(change.answer);
    until("the mark in the run's folder", || change.has_stopped(&dir).then_some(()));
    it_is_in_a_segment(change, &stack);
    drop(journal);
    change.ends(&stack, up);
    cockpit.leaves();
}

for_each_row!(beside_a_locked_journal_it_goes_on_and_notes_it_in_a_segment in STOPS: interrupt, force_stop);

/// Intent and outcome stand in a file of their own, and whoever reads the journal reads them.
fn it_is_in_a_segment(change: &Change, stack: &Stack) {
    let segment = stack.state().join("journal-1.jsonl");
    let text = until("both lines in a segment", || {
        let text = fs::read_to_string(&segment).ok()?;
        (text.lines().count() == 2).then_some(text)
    });
    assert!(text.lines().next().unwrap().contains(change.confirmed), "{text}");
    let said = change.said(stack);
    assert!(said.len() == 2 && said[0].contains(change.confirmed) && said[1].contains(change.done), "{said:#?}");
}

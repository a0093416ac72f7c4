//! Pulumi's runs and configuration on one state folder with another process: a shift that is stopped in the middle of its
//! call, and an `up` that goes on.

use std::fs::{File, TryLockError};
use std::time::Duration;

use crate::drill::Ran;
use crate::support::process::{Process, until};
use crate::support::stack::Stack;
use crate::support::terminal::Act::{Press, Shown};
use crate::two_processes::{BOUND, Holder, SLACK};

fn ran(stack: &Stack, line: &str) -> (Ran, Duration) {
    Process::start(stack.command(line)).ended()
}

#[test]
fn no_run_starts_beside_a_shift_that_is_stopped_in_the_middle_and_nothing_is_set() {
    let stack = Stack::lacking_one();
    let holder = Holder::with(stack.command("shift --step +10 --yes"), &stack.drill);
    for line in ["up --yes --json", "refresh --yes --json", "destroy --yes --json"] {
        let (ran, took) = ran(&stack, line);
        assert!(took < BOUND + SLACK, "{line}: {took:?}");
        let error = ran.ended(3).json()["error"].clone();
        assert_eq!(error["code"], "blocked", "{line}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("it is not known yet what came of"), "{line}: {error}");
        let named = format!("process {} of ", holder.id());
        for words in [named.as_str(), " on ", " since ", "which is stopped", "kill -CONT"] {
            assert!(message.contains(words), "{line}: {words}: {error}");
        }
    }
    let (ran, took) = ran(&stack, "config set owner night-shift --yes");
    let (said, pid) = (ran.ended(1).stderr, format!("process {}", holder.id()));
    assert!(said.contains(&pid) && said.contains("which is stopped") && said.contains("Next step: "), "{said}");
    assert!(took < BOUND + SLACK, "{took:?}");
    assert_eq!((stack.changes(), stack.kinds()), (vec![], vec![]));
    holder.gone();
}

#[test]
fn beside_an_up_that_goes_on_nothing_else_starts_and_the_way_back_goes_on() {
    let stack = Stack::lacking_one();
    stack.run("shift --to 10 --yes").ended(0);
    stack.drill.advance(3600);
    let up = stack.up_going_on();
    let own = stack.changes();
    for line in [
        "up --yes",
        "refresh --yes",
        "destroy --yes",
        "preview",
        "config set owner night-shift --yes",
        "shift --step +10 --yes",
        "release --to legacy --yes",
    ] {
        let said = stack.run(line).ended(3).stderr;
        assert!(said.contains("pulumi up on prod since") && said.contains("Next step: "), "{line}: {said}");
    }
    assert_eq!(stack.changes(), own);
    assert_eq!(stack.drill.weights(), (90, 10));
    stack.run("rollback --yes").ended(0);
    assert_eq!(stack.drill.weights(), (100, 0));
    stack.let_go();
    up.ended().0.ended(0);
    assert_eq!(stack.drill.weights(), (100, 0), "an up leaves the weights where they are");
}

#[test]
fn of_two_ups_at_once_one_runs_and_the_other_names_it() {
    let stack = Stack::lacking_one();
    stack.up_is_long();
    let start = || Process::start(stack.command("up --yes"));
    let mut both = vec![start(), start()];
    stack.until_under_way();
    let lost = until("one that gives up", || both.iter_mut().position(Process::has_ended));
    let lost = both.remove(lost);
    let said = lost.ended().0.ended(3).stderr;
    assert!(said.contains("is going on"), "{said}");
    stack.let_go();
    both.remove(0).ended().0.ended(0);
    assert_eq!(stack.changes().len(), 1, "{:?}", stack.changes());
}

#[test]
fn an_up_that_somebody_stops_in_a_cockpit_ends_and_the_command_that_follows_it_says_so() {
    let stack = Stack::lacking_one();
    let up = stack.up_going_on();
    stack.at_the_keyboard(&[
        Shown("BLOCKED"),
        Press("5"),
        Shown("x stop"),
        Press("x"),
        Shown("any other key"),
        Press("y"),
        Shown("Pulumi was asked to stop"),
    ]);
    stack.let_go();
    let said = up.ended().0.ended(5).stderr;
    assert!(said.contains("interrupted"), "{said}");
    let journal = stack.sentences();
    assert!(journal.last().unwrap().contains("pulumi up: ended: "), "{journal:#?}");
    assert!(stack.going_on().is_none());
}

#[test]
fn no_run_begins_while_stale_locks_are_cleared() {
    let stack = Stack::whole();
    stack.lock_of_the_dead();
    stack.hold("cancel");
    let unlock = Process::start(stack.command("unlock --yes"));
    stack.until_held();
    // Whoever starts a run takes this lock first; one that began now would take the stack's lock, and lose it again.
    let start = File::options().write(true).open(stack.state().join("runs/.lock")).unwrap();
    assert!(matches!(start.try_lock(), Err(TryLockError::WouldBlock)));
    stack.let_go();
    unlock.ended().0.ended(0);
    assert!(!stack.is_locked());
    start.try_lock().unwrap();
}

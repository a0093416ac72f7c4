//! Changes of the records, killed while their call of Route 53 is held.
//!
//! The truth is what the simulated Route 53 has; no start may ever tell the contrary, and what cannot be known yet stays
//! open.

use crate::drill::Ran;
use crate::support::night::Night;
use crate::support::rows::for_each_row;
use crate::support::wire::Hold;

const WRITE: &str = "<ChangeResourceRecordSetsRequest";

/// A change, and what brings the world to where it is possible.
struct Change {
    name: &'static str,
    line: &'static str,
    before: &'static [&'static str],
}

const OF_WEIGHTS: &[Change] = &[
    Change { name: "a step", line: "shift --step +10 --yes", before: &[] },
    Change { name: "a share", line: "shift --to 5 --yes", before: &[] },
    Change { name: "rollback", line: "rollback --yes", before: &["shift --to 10 --yes"] },
    Change { name: "evacuation", line: "evacuate --reason drill --yes --confirm prod", before: &[] },
];

const OF_THE_ZONE: &[Change] = &[
    Change { name: "release", line: "release --to legacy --yes", before: &[] },
    Change { name: "adopt", line: "adopt --yes", before: &["release --to legacy --yes"] },
];

/// The next start, which looks and tells.
fn next_start(night: &Night) -> Ran {
    night.drill.run("status --json").ended(0)
}

/// What the journal says of how changes ended, newest last.
fn outcomes(night: &Night) -> Vec<String> {
    let journal = night.journal();
    let outcomes = journal.iter().filter(|entry| entry["event"] == "outcome");
    outcomes.map(|entry| entry["result"].as_str().unwrap().to_owned()).collect()
}

/// Words for an outcome that says that the change was made, or that it was not.
fn says_made(outcome: &str) -> bool {
    matches!(outcome, "accepted" | "settled_applied" | "made")
}

fn killed_before_the_intent_nothing_is_noted_and_nothing_is_made(change: &Change) {
    let night = Night::after(change.before);
    let (records, before) = (night.records(), outcomes(&night));
    night.killed_at(change.line, "/rrset", Hold::Answer);
    night.wire.drop_it();
    assert_eq!(night.records(), records, "{}", change.line);
    next_start(&night);
    assert_eq!(outcomes(&night), before, "{}", change.line);
    // And the change can be made after all.
    night.drill.run(change.line).ended(0);
}

for_each_row!(
    killed_before_the_intent_nothing_is_noted_and_nothing_is_made in OF_WEIGHTS, OF_THE_ZONE:
    a_step, a_share, rollback, evacuation, release, adopt
);

fn killed_before_the_call_arrives_the_next_start_says_that_it_is_open_until_it_cannot_land_any_more(change: &Change) {
    let night = Night::after(change.before);
    let (records, before) = (night.records(), outcomes(&night));
    night.killed_at(change.line, WRITE, Hold::Request);
    night.wire.drop_it();
    let said = next_start(&night).stderr;
    assert!(said.contains("not known yet") && said.contains("may be made until"), "{}: {said}", change.line);
    let early: Vec<String> = outcomes(&night).split_off(before.len());
    assert!(!early.iter().any(|outcome| says_made(outcome)), "{}: {early:?}", change.line);
    assert!(!early.iter().any(|outcome| outcome == "settled_not_applied"), "{}: one look proves nothing", change.line);
    // The signature of the request is too old by then.
    night.drill.advance(370);
    assert_eq!(night.records(), records);
    let said = next_start(&night).stderr;
    assert!(said.contains("settled") && said.contains("not made"), "{}: {said}", change.line);
    assert_eq!(outcomes(&night).last().map(String::as_str), Some("settled_not_applied"), "{}", change.line);
    // And the change can be made after all.
    night.drill.run(change.line).ended(0);
}

for_each_row!(
    killed_before_the_call_arrives_the_next_start_says_that_it_is_open_until_it_cannot_land_any_more in OF_WEIGHTS, OF_THE_ZONE:
    a_step, a_share, rollback, evacuation, release, adopt
);

fn killed_before_the_answer_the_next_start_knows_that_the_change_was_made(change: &Change) {
    let night = Night::after(change.before);
    let before = outcomes(&night);
    night.killed_at(change.line, WRITE, Hold::Answer);
    let made = night.records();
    night.wire.drop_it();
    let said = next_start(&night).stderr;
    assert!(said.contains("settled") && said.contains("it was made"), "{}: {said}", change.line);
    assert_eq!(night.records(), made, "{}", change.line);
    let told: Vec<String> = outcomes(&night).split_off(before.len());
    assert!(told.last().is_some_and(|outcome| says_made(outcome)), "{}: {told:?}", change.line);
}

for_each_row!(
    killed_before_the_answer_the_next_start_knows_that_the_change_was_made in OF_WEIGHTS, OF_THE_ZONE:
    a_step, a_share, rollback, evacuation, release, adopt
);

fn a_call_that_lands_after_its_caller_died_and_was_looked_for_is_told_as_made(change: &Change) {
    let night = Night::after(change.before);
    let (records, before) = (night.records(), outcomes(&night));
    night.killed_at(change.line, WRITE, Hold::Request);
    next_start(&night);
    // Route 53 limits the calls a second of the whole account; this one is not to be refused for the others.
    night.drill.advance(2);
    night.wire.let_go();
    assert_ne!(night.records(), records, "{}: it has landed", change.line);
    let said = next_start(&night).stderr;
    assert!(said.contains("settled") && said.contains("it was made"), "{}: {said}", change.line);
    let told: Vec<String> = outcomes(&night).split_off(before.len());
    assert!(told.last().is_some_and(|outcome| says_made(outcome)), "{}: {told:?}", change.line);
}

for_each_row!(
    a_call_that_lands_after_its_caller_died_and_was_looked_for_is_told_as_made in OF_WEIGHTS, OF_THE_ZONE:
    a_step, a_share, rollback, evacuation, release, adopt
);

fn killed_after_the_outcome_the_next_start_follows_the_change(change: &Change) {
    let night = Night::after(change.before);
    night.killed_at(&format!("{} --wait", change.line), "/change/", Hold::Request);
    night.wire.drop_it();
    assert!(outcomes(&night).last().is_some_and(|outcome| outcome == "accepted"), "{:?}", outcomes(&night));
    let status = next_start(&night).json();
    assert_eq!(status["traffic"]["change"]["status"], "PENDING", "{}", change.line);
}

for_each_row!(killed_after_the_outcome_the_next_start_follows_the_change in OF_WEIGHTS: a_step, a_share, rollback, evacuation);

//! Every change of records by keys and by its command: the same calls to Route 53, the same journal.

use serde_json::Value;

use super::{ASKED, GO, NAME_ASKED, Other, SAID_YES, WHO, nameless};
use crate::drill::Ran;
use crate::support::night::Night;
use crate::support::rows::for_each_row;
use crate::support::terminal::Act;

use Act::{Press, Shown};

/// One row of the table.
struct Change {
    name: &'static str,
    /// Commands that bring both worlds to where the change is possible.
    before: &'static [&'static str],
    keys: &'static [Act],
    command: Other,
    /// Events that it leaves in the journal, in order.
    events: &'static [&'static str],
}

const OF_TRAFFIC: &[Change] = &[
    Change {
        name: "a step forward",
        before: &[],
        keys: &[GO, Press("]"), ASKED, SAID_YES, Shown("PENDING")],
        command: Other::Command("shift --step +10 --yes"),
        events: &["intent", "outcome"],
    },
    Change {
        name: "the way back",
        before: &["shift --to 10 --yes"],
        keys: &[Shown("10 % new"), Press("R"), ASKED, SAID_YES, Shown("10 % → 0 %")],
        command: Other::Command("rollback --yes"),
        events: &["intent", "outcome"],
    },
    Change {
        name: "a share that is typed",
        before: &[],
        keys: &[GO, Press("="), Shown("percent 0 to 100"), Press("5\r"), ASKED, SAID_YES, Shown("PENDING")],
        command: Other::Command("shift --to 5 --yes"),
        events: &["intent", "outcome"],
    },
    Change {
        name: "an evacuation",
        before: &[],
        keys: &[GO, Press("V"), Shown("why: "), Press("drill\r"), NAME_ASKED, Press("prod\r"), Shown("PENDING")],
        command: Other::Command("evacuate --reason drill --yes --confirm prod"),
        events: &["intent", "outcome"],
    },
];

/// The journal without what differs between two nights.
fn journal(night: &Night) -> Vec<Value> {
    let mut entries = night.journal();
    entries.iter_mut().for_each(nameless);
    // What watching adds is no part of the change.
    entries.retain(|entry| entry["event"] != "seen" && entry["event"] != "insync");
    entries
}

fn is_the_same(change: &Change, by_keys: &Night, by_command: &Night, before: [usize; 2]) {
    let name = change.name;
    let writes = |night: &Night, before: usize| night.wire.writes().split_off(before);
    let (keys, command) = (writes(by_keys, before[0]), writes(by_command, before[1]));
    assert_eq!(keys, command, "{name}: calls");
    assert_eq!(keys.len(), 1, "{name}: one batch");
    assert_eq!(by_keys.records(), by_command.records(), "{name}: records");
    let (keys, command) = (journal(by_keys), journal(by_command));
    assert_eq!(keys, command, "{name}: journal");
    let events: Vec<&str> = keys.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert!(events.ends_with(change.events), "{name}: {events:?}");
}

const NAME_TYPED: Act = Press("app.example.com\r");

const OF_THE_ZONE: &[Change] = &[
    Change {
        name: "release",
        before: &[],
        keys: &[GO, Press("5E"), NAME_ASKED, NAME_TYPED, Shown("accepted")],
        command: Other::Command("release --to legacy --yes"),
        events: &["zone_intent", "outcome"],
    },
    Change {
        name: "adopt",
        before: &["release --to legacy --yes"],
        keys: &[Shown("simple record"), Press("5A"), NAME_ASKED, NAME_TYPED, Shown("accepted")],
        command: Other::Command("adopt --yes"),
        events: &["zone_intent", "outcome"],
    },
];

fn every_change_of_records_is_the_same_by_keys_and_by_its_command(change: &Change) {
    let nights = [Night::after(change.before), Night::after(change.before)];
    let before = [&nights[0], &nights[1]].map(|night| night.wire.writes().len());
    let [by_keys, by_command] = &nights;
    by_keys.at_the_keyboard(&[&[WHO][..], change.keys].concat());
    let Other::Command(line) = change.command else { panic!("{}", change.name) };
    by_command.run(line).ended(0);
    is_the_same(change, by_keys, by_command, before);
}

for_each_row!(
    every_change_of_records_is_the_same_by_keys_and_by_its_command in OF_TRAFFIC, OF_THE_ZONE:
    a_step_forward, the_way_back, a_share_that_is_typed, an_evacuation, release, adopt
);

/// Weights that somebody else has set are taken as the baseline by keys alone.
const BASELINE: Change = Change {
    name: "weights that were found become the baseline",
    before: &[],
    keys: &[Shown("not from here"), Press("a"), ASKED, SAID_YES, Shown("as confirmed")],
    command: Other::Nothing("it says that a person has looked at weights of somebody else; no script does so"),
    events: &["accepted"],
};

#[test]
fn weights_that_are_taken_as_the_baseline_are_noted_and_nothing_is_sent() {
    let night = Night::after(BASELINE.before);
    Ran::of(night.drill.command("b", &["shift", "--to", "10", "--yes"]).output().unwrap()).ended(0);
    night.at_the_keyboard(&[&[WHO][..], BASELINE.keys].concat());
    assert_eq!(night.wire.writes(), Vec::<String>::new());
    let journal = journal(&night);
    assert_eq!(journal.last().unwrap()["event"], BASELINE.events[0], "{journal:#?}");
}

/// Keys and command of every row.
pub(super) fn rows() -> impl Iterator<Item = (&'static [Act], &'static Other)> {
    let rows = OF_TRAFFIC.iter().chain(OF_THE_ZONE).chain([&BASELINE]);
    rows.map(|change| (change.keys, &change.command))
}

//! One state folder: what a crash, another stack or a lock in it does to the journal, and what it never does to the way back.

use std::fs::{File, OpenOptions, Permissions, set_permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::drill::Drill;
use crate::support::stack::Stack;

/// What a crash leaves of a line.
const TORN: &str = r#"{"seq":9,"prev":"torn"#;

/// A step to 10 that has been in effect for long.
fn at_ten(drill: &Drill) {
    drill.run("shift --to 10 --yes").ended(0);
    settled(drill);
}

fn settled(drill: &Drill) {
    drill.advance(120);
    drill.run("status").ended(0);
    drill.advance(3600);
}

fn appended(drill: &Drill, text: &str) {
    let path = drill.state_of("a").join("journal.jsonl");
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Somebody has the file's lock for as long as this lives.
fn held(path: &Path) -> File {
    let file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.try_lock().unwrap();
    file
}

/// The changes of weights in the journal, in its order.
fn moves(drill: &Drill) -> Vec<(u64, u64)> {
    let journal = drill.run("journal --json").ended(0).json();
    let intents = journal["entries"].as_array().unwrap().iter().filter(|entry| entry["event"] == "intent");
    let new = |pair: &Value| pair["new"].as_u64().unwrap();
    intents.map(|entry| (new(&entry["from"]), new(&entry["to"]))).collect()
}

#[test]
fn ways_back_beside_a_held_turn_and_a_torn_line_stand_where_they_were_done_and_the_next_step_goes_forward() {
    let drill = Drill::steady();
    at_ten(&drill);
    appended(&drill, TORN);
    let turn = held(&drill.state_of("a").join("lock"));
    drill.run("shift --step -5 --yes").ended(0);
    drill.run("shift --to 0 --yes").ended(0);
    drop(turn);
    assert_eq!(moves(&drill), [(0, 10), (10, 5), (5, 0)]);
    settled(&drill);
    at_ten(&drill);
    let lines = || drill.events().len();
    let before = lines();
    drill.run("status").ended(0);
    assert_eq!(lines(), before, "a look finds no news");
    assert_eq!(moves(&drill), [(0, 10), (10, 5), (5, 0), (0, 10)]);
}

#[test]
fn another_stack_gets_nothing_into_the_folder_and_the_own_way_back_is_open_whatever_is_in_it() {
    let stack = Stack::whole();
    let drill = &stack.drill;
    at_ten(drill);
    let mut other = stack.command("config set owner night-shift --yes");
    other.env("TAPCTL_STACK", "other").env_remove("TAPCTL_OUTPUTS");
    let ran = crate::drill::Ran::of(other.output().unwrap()).ended(1);
    assert!(ran.stderr.contains("holds the journal of") && ran.stderr.contains("TAPCTL_STATE_DIR"), "{}", ran.stderr);
    assert_eq!(stack.changes(), Vec::<String>::new(), "nothing was set");
    let foreign = json!({
        "seq": 9, "prev": "", "stack": "shop", "zone": "Z2", "name": "shop.example.com.", "type": "A",
        "at": "2026-11-22T12:00:00Z", "operator": "kim", "host": "vm", "event": "seen", "weights": {"legacy": 0, "new": 100},
    });
    appended(drill, &format!("{foreign}\n{TORN}"));
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.weights(), (100, 0));
    assert!(!drill.run("journal").ended(0).stdout.contains("0/100"), "what is about another record does not count");
}

#[test]
fn the_way_back_goes_on_beside_a_locked_journal() {
    let drill = Drill::steady();
    at_ten(&drill);
    let journal = held(&drill.state_of("a").join("journal.jsonl"));
    drill.run("rollback --yes").ended(0);
    assert_eq!(drill.weights(), (100, 0));
    drop(journal);
    assert_eq!(moves(&drill), [(0, 10), (10, 0)]);
    drill.run("status").ended(0);
}

/// From now on everybody can put another folder in the place of this host's state folder.
fn way_is_open(drill: &Drill) {
    let above = drill.state_of("a").parent().unwrap().to_owned();
    set_permissions(above, Permissions::from_mode(0o777)).unwrap();
}

#[test]
fn a_doubtful_way_to_the_folder_is_told_beside_the_way_back_and_refuses_every_other_change() {
    let drill = Drill::steady();
    at_ten(&drill);
    way_is_open(&drill);
    let refused = drill.run("shift --to 20 --yes").ended(1);
    assert!(refused.stderr.contains("can be written by others (mode 777)"), "{}", refused.stderr);
    assert!(refused.stderr.contains("chmod go-w") && refused.stderr.contains("subPath"), "{}", refused.stderr);
    assert_eq!(drill.weights(), (90, 10));
    let back = drill.run("rollback --yes").ended(0);
    assert!(back.stderr.contains("is used, although"), "{}", back.stderr);
    assert_eq!(drill.weights(), (100, 0));
}

#[test]
fn a_run_is_asked_to_stop_and_followed_also_where_the_way_to_its_folder_is_doubtful_by_now() {
    for is_pulumi_there in [true, false] {
        let stack = Stack::lacking_one();
        let up = stack.up_going_on();
        way_is_open(&stack.drill);
        if !is_pulumi_there {
            // Then there are no outputs either, and the run is found all the same.
            stack.pulumi_is("#!/bin/sh\nexit 1\n");
        }
        let asked = stack.run("interrupt --yes").ended(0);
        assert!(
            asked.stderr.contains("is used, although") && asked.stderr.contains("was asked to stop"),
            "{}",
            asked.stderr
        );
        stack.let_go();
        up.ended().0.ended(5);
        let followed = stack.run("attach").ended(5);
        assert!(followed.stderr.contains("is used, although"), "{}", followed.stderr);
    }
}

//! Every change around Pulumi by keys and by its command: the same calls of Pulumi, the same runs, the same journal and
//! the same sentences.

use std::fs;

use serde_json::Value;
use tapctl::adapters::pulumi::folder::file;

use super::{ASKED, GO, NAME_ASKED, Other, SAID_YES, WHO, nameless};
use crate::drill::Ran;
use crate::support::process::until;
use crate::support::rows::for_each_row;
use crate::support::stack::Stack;
use crate::support::terminal::{Act, Terminal};

use Act::{Press, Shown};
use Other::Command;

/// One row of the table.
struct Change {
    name: &'static str,
    /// The stack before.
    stack: fn() -> Stack,
    /// Commands that bring it to where the change is possible.
    before: &'static [&'static str],
    /// The preview whose plan is read first, and the keys that ask for it.
    preview: Option<(&'static str, &'static [Act])>,
    keys: &'static [Act],
    command: Other,
    /// Calls of Pulumi that change something.
    calls: &'static [&'static str],
    /// What was run.
    runs: &'static [&'static str],
    /// What the journal says of it, one entry after the other.
    says: &'static [&'static str],
}

/// Legacy's latency, which comes with its requests: before they are read nobody knows who still comes to the new stack.
const LEGACY_COUNTED: Act = Shown(" ms");
const PLAN_READ: Act = Shown("runs it, after your yes");

const AROUND_PULUMI: &[Change] = &[
    Change {
        name: "the stack is made",
        stack: Stack::unmade,
        before: &[],
        preview: None,
        keys: &[Press("5"), Shown("p makes it"), Press("p"), ASKED, SAID_YES, PLAN_READ],
        command: Command("preview --yes"),
        calls: &["stack init prod"],
        runs: &["preview"],
        says: &[
            "confirmed: Create the stack prod, which does not exist yet (pulumi stack init prod --no-select)",
            "the stack prod did not exist; it was created",
            "pulumi preview: started",
            "pulumi preview: ended: succeeded",
        ],
    },
    Change {
        name: "config set",
        stack: without_owner,
        before: &[],
        preview: None,
        keys: &[
            GO,
            Press("5"),
            Shown("owner"),
            Press("e\r"),
            Press("night-shift\r"),
            ASKED,
            SAID_YES,
            Shown("owner was set to night-shift"),
        ],
        command: Command("config set owner night-shift --yes"),
        calls: &["config set"],
        runs: &[],
        says: &[
            "confirmed: Set owner of the stack prod (pulumi config set",
            "configuration of prod: owner was set to night-shift",
        ],
    },
    Change {
        name: "up",
        stack: Stack::lacking_one,
        before: &[],
        preview: Some(("preview", &[GO, Press("5p")])),
        keys: &[Press("u"), ASKED, SAID_YES, Shown("pulumi up: succeeded")],
        command: Command("up --yes"),
        calls: &["up --stack prod --plan"],
        runs: &["preview", "up"],
        says: &[
            "pulumi preview: started",
            "pulumi preview: ended: succeeded",
            "confirmed: Run the plan on prod: create 1 (pulumi up --stack prod --plan runs/RUN-preview/plan",
            "pulumi up: started",
            "pulumi up: ended: succeeded",
        ],
    },
    Change {
        name: "refresh",
        stack: Stack::whole,
        before: &[],
        preview: None,
        keys: &[GO, Press("5S"), ASKED, SAID_YES, Shown("pulumi refresh: succeeded")],
        command: Command("refresh --yes"),
        calls: &["refresh --stack prod --yes"],
        runs: &["refresh"],
        says: &[
            "confirmed: Refresh the Pulumi state of prod (pulumi refresh",
            "pulumi refresh: started",
            "pulumi refresh: ended: succeeded",
        ],
    },
    Change {
        name: "destroy",
        stack: Stack::whole,
        before: &["release --to legacy --yes"],
        preview: Some((
            "destroy --stack prod --refresh --preview-only",
            &[Shown("simple record"), Shown("Aurora lag"), LEGACY_COUNTED, Press("5D")],
        )),
        keys: &[Press("D"), NAME_ASKED, Press("prod\r"), Shown("no records of this stack remain"), Press("\r")],
        command: Command("destroy --yes"),
        calls: &["destroy --stack prod"],
        runs: &["preview of destroy", "destroy"],
        says: &[
            "pulumi preview of destroy: started",
            "pulumi preview of destroy: ended: succeeded",
            "confirmed: DESTROY the stack prod: delete",
            "pulumi destroy: started",
            "pulumi destroy: ended: succeeded",
        ],
    },
];

/// What stops a run, and what clears locks.
const STOPS: &[Change] = &[
    Change {
        name: "a run is asked to stop",
        stack: Stack::lacking_one,
        before: &["up --yes"],
        preview: None,
        keys: &[
            Shown("BLOCKED"),
            Press("5"),
            Shown("x stop"),
            Press("x"),
            ASKED,
            SAID_YES,
            Shown("Pulumi was asked to stop"),
        ],
        command: Command("interrupt --yes"),
        calls: &["up --stack prod --plan"],
        runs: &["preview", "up"],
        says: &["confirmed: Interrupt your pulumi up on ", "done: Interrupt your pulumi up on "],
    },
    Change {
        name: "a run is ended by force",
        stack: Stack::lacking_one,
        before: &["up --yes"],
        preview: None,
        keys: &[
            Shown("BLOCKED"),
            Press("5"),
            Shown("x stop"),
            Press("x"),
            ASKED,
            SAID_YES,
            Shown("Pulumi was asked to stop"),
            Press("x"),
            NAME_ASKED,
            Press("terminate\r"),
            Shown("ended with exit code 255"),
        ],
        command: Command("interrupt --yes; interrupt --force --yes --confirm terminate"),
        calls: &["up --stack prod --plan"],
        runs: &["preview", "up"],
        says: &[
            "confirmed: Interrupt your pulumi up on ",
            "done: Interrupt your pulumi up on ",
            "confirmed: End the run RUN-up by force (a second SIGINT to the run's pulumi)",
            "the run RUN-up was ended by force",
        ],
    },
    Change {
        name: "locks of the dead are cleared",
        stack: locked_by_the_dead,
        before: &[],
        preview: None,
        keys: &[
            GO,
            Press("5"),
            Shown("locked by"),
            Press("c"),
            NAME_ASKED,
            Press("prod\r"),
            Shown("locks were cleared"),
        ],
        command: Command("unlock --yes"),
        calls: &["cancel --yes --stack prod"],
        runs: &[],
        says: &["confirmed: Clear 1 lock of prod (pulumi cancel --yes --stack prod)", "the stale locks were cleared"],
    },
];

fn without_owner() -> Stack {
    let stack = Stack::whole();
    stack.without_key("owner");
    stack
}

fn locked_by_the_dead() -> Stack {
    let stack = Stack::whole();
    stack.lock_of_the_dead();
    stack
}

/// The journal without what differs between two nights.
fn journal(stack: &Stack) -> Vec<Value> {
    let mut entries = stack.journal();
    entries.iter_mut().for_each(nameless);
    entries.iter().map(|entry| serde_json::from_str(&stack.nameless(&entry.to_string())).unwrap()).collect()
}

#[track_caller]
fn begins_with(name: &str, found: &[String], wanted: &[&str]) {
    let same = found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| found.contains(wanted));
    assert!(same, "{name}: {found:#?}, wanted {wanted:#?}");
}

fn every_change_around_pulumi_is_the_same_by_keys_and_by_its_command(change: &Change) {
    let name = change.name;
    let nights = [(change.stack)(), (change.stack)()];
    for stack in &nights {
        for line in change.before {
            stack.run(line).ended(0);
            stack.drill.advance(7200);
        }
    }
    let [by_keys, by_command] = &nights;
    let before = by_keys.sentences().len();
    let mut cockpit = Terminal::open(&by_keys.command(""));
    cockpit.does(&[WHO]);
    if let Some((call, keys)) = change.preview {
        by_keys.hold(call);
        cockpit.does(keys);
        by_keys.until_held();
        // The plan is there a moment before the gate knows that its preview has ended; until then nothing starts.
        cockpit.does(&[Press("1"), Shown("on prod since")]);
        by_keys.let_go();
        cockpit.does(&[Shown("no Pulumi run"), Press("5"), PLAN_READ]);
    }
    cockpit.does(change.keys);
    cockpit.leaves();
    let Command(line) = change.command else { panic!("{name}") };
    by_command.run(line).ended(0);
    assert_eq!(by_keys.changes(), by_command.changes(), "{name}: calls");
    begins_with(name, &by_keys.changes(), change.calls);
    assert_eq!(by_keys.kinds(), change.runs, "{name}");
    assert_eq!(by_command.kinds(), change.runs, "{name}");
    assert_eq!(by_keys.drill.state()["stack"], by_command.drill.state()["stack"], "{name}: what stands");
    assert_eq!(journal(by_keys), journal(by_command), "{name}: journal");
    begins_with(name, &by_keys.sentences()[before..], change.says);
}

for_each_row!(
    every_change_around_pulumi_is_the_same_by_keys_and_by_its_command in AROUND_PULUMI:
    the_stack_is_made, config_set, up, refresh, destroy
);

fn what_stops_a_run_or_clears_locks_is_the_same_by_keys_and_by_its_command(change: &Change) {
    let name = change.name;
    let nights = [(change.stack)(), (change.stack)()];
    let running = nights.each_ref().map(|stack| (!change.before.is_empty()).then(|| stack.up_going_on()));
    let before = nights[0].sentences().len();
    let [by_keys, by_command] = &nights;
    by_keys.at_the_keyboard(&[&[WHO][..], change.keys].concat());
    let Command(lines) = change.command else { panic!("{name}") };
    for line in lines.split("; ") {
        by_command.run(line).ended(0);
    }
    // Whoever follows a run notes its end, beside this change.
    let said = |stack: &Stack| {
        let mut said = stack.sentences().split_off(before);
        said.retain(|sentence| !sentence.contains("pulumi up: ended"));
        said
    };
    for stack in &nights {
        begins_with(name, &stack.changes(), change.calls);
        assert_eq!(stack.kinds(), change.runs, "{name}");
        begins_with(name, &said(stack), change.says);
        assert!(!stack.is_locked());
    }
    drop(running);
}

for_each_row!(
    what_stops_a_run_or_clears_locks_is_the_same_by_keys_and_by_its_command in STOPS:
    a_run_is_asked_to_stop, a_run_is_ended_by_force, locks_of_the_dead_are_cleared
);

#[test]
fn what_stops_a_run_says_what_it_does_not_do_and_ends_with_its_code() {
    let stack = Stack::lacking_one();
    let none = stack.run("interrupt --yes --json").ended(0).json();
    assert_eq!((&none["result"], &none["run"]), (&"nothing_to_do".into(), &Value::Null), "{none}");
    assert_eq!(stack.run("unlock --yes --json").ended(0).json()["result"], "nothing_to_do");
    let up = stack.up_going_on();
    stack.run("interrupt --force --yes").ended(2);
    stack.run("interrupt --confirm terminate").ended(2);
    let early = stack.run("interrupt --force --yes --confirm terminate --json").ended(1).json();
    assert_eq!(early["error"]["code"], "not_asked", "{early}");
    stack.run("interrupt").ended(5);
    stack.run("interrupt --yes --read-only").ended(5);
    assert!(stack.going_on().is_some_and(|run| !run.id.is_empty()));
    let asked = stack.run("interrupt --yes --json").ended(0).json();
    assert_eq!((&asked["result"], asked["run"].is_string()), (&"asked".into(), true), "{asked}");
    assert_eq!(stack.run("interrupt --yes --json").ended(0).json()["result"], "already_asked");
    let wrong = stack.run("interrupt --force --yes --confirm yes --json").ended(5).json();
    assert_eq!(wrong["error"]["code"], "declined", "{wrong}");
    stack.let_go();
    up.ended().0.ended(5);
    stack.lock_of_the_dead();
    stack.run("unlock").ended(5);
    assert!(stack.is_locked());
    let cleared = stack.run("unlock --yes --json").ended(0).json();
    assert_eq!(
        (&cleared["result"], cleared["locks"].as_array().map(Vec::len)),
        (&"cleared".into(), Some(1)),
        "{cleared}"
    );
}

/// The command on a disk where not one byte can be written any more.
fn on_a_full_disk(stack: &Stack, line: &str) -> Ran {
    let command = stack.command(line);
    let mut limited = std::process::Command::new("/bin/sh");
    limited.env_clear().args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args()).current_dir(stack.drill.folder.path());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(limited.output().unwrap())
}

#[test]
fn on_a_full_disk_a_run_is_asked_once_or_somebody_says_that_nobody_can_know() {
    let stack = Stack::lacking_one();
    let up = stack.up_going_on();
    let run = stack.until_under_way().id;
    let mark = stack.state().join("runs").join(run).join(file::INTERRUPTED);
    // No byte may be written, not even into the room that was set aside.
    let unproved = on_a_full_disk(&stack, "interrupt --yes --json").ended(1).json();
    assert!(unproved["error"]["message"].as_str().unwrap().contains("nothing was sent"), "{unproved}");
    assert!(unproved["error"]["hint"].as_str().unwrap().contains("interrupt --force"), "{unproved}");
    assert!(stack.going_on().is_some());
    // A run of an earlier version, which set no room aside: a file is made, and has no byte.
    fs::remove_file(&mark).unwrap();
    let asked = on_a_full_disk(&stack, "interrupt --yes --json").ended(0).json();
    assert_eq!((&asked["result"], fs::metadata(&mark).unwrap().len()), (&"asked".into(), 0), "{asked}");
    let again = on_a_full_disk(&stack, "interrupt --yes --json").ended(0).json();
    assert_eq!(again["result"], "already_asked", "{again}");
    stack.let_go();
    up.ended().0.ended(5);
}

#[test]
fn where_nobody_can_know_whether_a_run_was_asked_the_word_ends_it() {
    let stack = Stack::lacking_one();
    let _up = stack.up_going_on();
    let sent = on_a_full_disk(&stack, "interrupt --force --yes --confirm terminate --json").ended(0).json();
    assert_eq!(sent["result"], "ended", "{sent}");
    let again = on_a_full_disk(&stack, "interrupt --force --yes --confirm terminate --json").ended(0).json();
    assert_eq!(again["result"], "ended", "{again}");
    until("an end by force", || stack.going_on().is_none().then_some(()));
}

/// Keys and command of every row.
pub(super) fn rows() -> impl Iterator<Item = (&'static [Act], &'static Other)> {
    let rows = AROUND_PULUMI.iter().chain(STOPS);
    rows.map(|change| (change.keys, &change.command))
}

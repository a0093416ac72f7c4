//! Changes around Pulumi, and of what the journal says, killed at each step.
//!
//! A run goes on without whoever started it: then the truth is what Pulumi does, and the next start finds it. What is not
//! a run is done by one call of Pulumi, which may land after its caller has died.

use serde_json::Value;

use crate::drill::Drill;
use crate::support::locks::{lock_journal, until_about_to_note};
use crate::support::process::{Process, until};
use crate::support::rows::for_each_row;
use crate::support::stack::Stack;
use crate::support::terminal::{Act, Terminal};
use crate::support::wire::{Hold, Wire};

use Act::{Press, Shown};

/// What is killed: a command, or a cockpit at which somebody presses keys.
enum Victim {
    Command(Process),
    Cockpit(Box<Terminal>),
}

impl Victim {
    fn id(&self) -> u32 {
        match self {
            Self::Command(process) => process.id(),
            Self::Cockpit(terminal) => terminal.id(),
        }
    }

    fn kill(self) {
        match self {
            Self::Command(process) => process.kill(),
            Self::Cockpit(terminal) => terminal.kill(),
        }
    }
}

/// A change, and the call of Pulumi that carries it out.
struct Change {
    name: &'static str,
    stack: fn() -> Stack,
    before: &'static [&'static str],
    /// The command; of a change that has keys alone, nothing.
    line: &'static str,
    /// Keys that lead to its question, and the answer.
    keys: (&'static [Act], &'static str),
    call: &'static str,
}

const RUNS: &[Change] = &[
    Change {
        name: "up",
        stack: Stack::lacking_one,
        before: &[],
        line: "up --yes",
        keys: (&[], ""),
        call: "up --stack prod --plan",
    },
    Change {
        name: "refresh",
        stack: Stack::whole,
        before: &[],
        line: "refresh --yes",
        keys: (&[], ""),
        call: "refresh --stack prod",
    },
    Change {
        name: "destroy",
        stack: Stack::whole,
        before: &["release --to legacy --yes"],
        line: "destroy --yes",
        keys: (&[], ""),
        call: "destroy --stack prod --refresh --yes",
    },
];

const ONE_CALL: &[Change] = &[
    Change {
        name: "stack init",
        stack: Stack::unmade,
        before: &[],
        line: "preview --yes",
        keys: (&[], ""),
        call: "stack init prod",
    },
    Change {
        name: "config set",
        stack: without_owner,
        before: &[],
        line: "config set owner night-shift --yes",
        keys: (&[], ""),
        call: "config set",
    },
    Change {
        name: "clear locks",
        stack: locked_by_the_dead,
        before: &[],
        line: "",
        // What was left open is looked at when Pulumi was: nothing else is asked for until GO stands there again.
        keys: (
            &[Shown("GO"), Press("5"), Shown("locked by"), Shown("GO"), Press("c"), Shown("Esc leaves it")],
            "prod\r",
        ),
        call: "cancel --yes",
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

impl Change {
    /// The stack from which it is possible, on a host that has looked at it before.
    fn night(&self) -> Stack {
        let stack = (self.stack)();
        for line in self.before {
            stack.run(line).ended(0);
            stack.drill.advance(7200);
        }
        stack.run("status");
        stack
    }

    fn begun(&self, stack: &Stack) -> Victim {
        if !self.line.is_empty() {
            return Victim::Command(Process::start(stack.command(self.line)));
        }
        let mut cockpit = Terminal::open(&stack.command(""));
        cockpit.does(self.keys.0);
        cockpit.press(self.keys.1);
        Victim::Cockpit(Box::new(cockpit))
    }

    /// Begun, and held where all that comes before the turn is done.
    fn begun_up_to_its_turn(&self, stack: &Stack) -> (Victim, Wire) {
        let wire = Wire::to(&stack.drill.endpoint);
        let previews = matches!(self.name, "up" | "destroy");
        if previews {
            stack.hold(if self.name == "up" { "preview" } else { "destroy --stack prod --refresh --preview-only" });
        } else {
            wire.hold("/rrset", Hold::Request);
        }
        let mut command = stack.command(self.line);
        command.env("TAPCTL_ENDPOINT_URL", &wire.endpoint);
        let victim = Process::start(command);
        if previews {
            stack.until_held();
            // What stands is asked once more after the plan was read.
            wire.hold("/rrset", Hold::Request);
            stack.let_go();
        }
        wire.until_held();
        (Victim::Command(victim), wire)
    }

    /// It can be made after all, and then it is made.
    fn is_made_after_all(&self, stack: &Stack) {
        let before = stack.changes().len();
        if self.line.is_empty() {
            let Victim::Cockpit(mut cockpit) = self.begun(stack) else { panic!("{}", self.name) };
            cockpit.until_shown("locks were cleared");
            cockpit.kill();
        } else {
            stack.run(self.line).ended(0);
        }
        let changes = stack.changes().split_off(before);
        assert!(changes.len() == 1 && changes[0].starts_with(self.call), "{}: {changes:?}", self.name);
    }
}

/// What was confirmed on host `a`, as its journal says.
fn confirmed(stack: &Stack) -> Vec<String> {
    stack.sentences().into_iter().filter(|sentence| sentence.contains("confirmed: ")).collect()
}

fn attached(stack: &Stack, code: i32) -> Value {
    stack.run("attach --json").ended(code).json()
}

fn killed_with_the_turn_before_the_intent_nothing_is_noted_and_nothing_is_done(change: &Change) {
    let stack = change.night();
    let before = confirmed(&stack);
    let is_run = RUNS.iter().any(|run| run.name == change.name);
    let (victim, journal) = if is_run {
        let (victim, wire) = change.begun_up_to_its_turn(&stack);
        let journal = lock_journal(&stack.state());
        wire.let_go();
        (victim, journal)
    } else if change.line.is_empty() {
        let mut cockpit = Terminal::open(&stack.command(""));
        cockpit.does(change.keys.0);
        let journal = lock_journal(&stack.state());
        cockpit.press(change.keys.1);
        (Victim::Cockpit(Box::new(cockpit)), journal)
    } else {
        let journal = lock_journal(&stack.state());
        (change.begun(&stack), journal)
    };
    until_about_to_note(&stack.state(), victim.id());
    victim.kill();
    drop(journal);
    let name = change.name;
    assert_eq!(confirmed(&stack), before, "{name}");
    assert_eq!(stack.changes(), Vec::<String>::new(), "{name}");
    assert!(stack.going_on().is_none(), "{name}");
    change.is_made_after_all(&stack);
}

for_each_row!(
    killed_with_the_turn_before_the_intent_nothing_is_noted_and_nothing_is_done in RUNS, ONE_CALL:
    up, refresh, destroy, stack_init, config_set, clear_locks
);

fn killed_after_the_intent_of_a_run_nothing_runs_and_the_next_start_can(change: &Change) {
    let (name, stack) = (change.name, change.night());
    let (victim, wire) = change.begun_up_to_its_turn(&stack);
    let before = stack.kinds();
    let runs = stack.lock_runs();
    wire.let_go();
    stack.until_noted("confirmed: ");
    victim.kill();
    drop(runs);
    assert_eq!((stack.changes(), stack.kinds()), (vec![], before), "{name}");
    let said = stack.sentences();
    assert!(said.last().unwrap().contains("confirmed: "), "{name}: what came of it is not claimed: {said:#?}");
    for _ in 0..2 {
        let status = stack.run("status --json").ended(0).json();
        assert!(!status.to_string().contains("pulumi up by"), "{name}: {status}");
        let said = stack.sentences();
        let settled: Vec<_> = said.iter().filter(|sentence| sentence.contains("not done: ")).collect();
        assert!(settled.len() == 1 && settled[0].contains("no run of it began"), "{name}: {said:#?}");
    }
    change.is_made_after_all(&stack);
}

for_each_row!(killed_after_the_intent_of_a_run_nothing_runs_and_the_next_start_can in RUNS: up, refresh, destroy);

fn killed_before_it_is_noted_that_a_run_has_begun_the_next_start_finds_the_run(change: &Change) {
    let (name, stack) = (change.name, change.night());
    let (victim, wire) = change.begun_up_to_its_turn(&stack);
    let runs = stack.lock_runs();
    wire.let_go();
    stack.until_noted("confirmed: ");
    let journal = lock_journal(&stack.state());
    stack.hold(change.call);
    drop(runs);
    stack.until_held();
    until_about_to_note(&stack.state(), victim.id());
    victim.kill();
    drop(journal);
    let noted = stack.sentences();
    assert!(noted.last().unwrap().contains("confirmed: "), "{name}: {noted:#?}");
    it_goes_on_and_ends_well(change, &stack);
    let begun = format!("pulumi {name}: started: ");
    let said = stack.sentences();
    assert_eq!(said.iter().filter(|sentence| sentence.contains(&begun)).count(), 1, "{name}: {said:#?}");
}

for_each_row!(
    killed_before_it_is_noted_that_a_run_has_begun_the_next_start_finds_the_run in RUNS:
    up, refresh, destroy
);

fn killed_while_its_run_goes_on_the_next_start_follows_it_to_its_end(change: &Change) {
    let stack = change.night();
    stack.hold(change.call);
    let victim = change.begun(&stack);
    stack.until_held();
    stack.until_noted(&format!("started: pulumi {} --stack prod", change.name));
    victim.kill();
    it_goes_on_and_ends_well(change, &stack);
}

for_each_row!(killed_while_its_run_goes_on_the_next_start_follows_it_to_its_end in RUNS: up, refresh, destroy);

/// A held run without anybody who follows it: no other starts, a cockpit shows it, and `attach` tells its end.
fn it_goes_on_and_ends_well(change: &Change, stack: &Stack) {
    let name = change.name;
    let record = stack.going_on().unwrap();
    assert_eq!(record.kind.name(), name);
    let beside = stack.run(&format!("{} --json", change.line)).ended(3).json();
    let message = beside["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("pulumi {name} on prod")), "{name}: {message}");
    let running: &'static str = Box::leak(format!("pulumi {name}").into_boxed_str());
    stack.at_the_keyboard(&[Press("5"), Shown(running), Shown("x stop")]);
    stack.let_go();
    let told = attached(stack, 0);
    assert_eq!((&told["operation"], &told["result"]), (&Value::from(name), &Value::from("succeeded")), "{told}");
    assert_eq!(stack.changes().len(), 1, "{name}: {:?}", stack.changes());
    let ends = stack.sentences().iter().filter(|said| said.contains(&format!("pulumi {name}: ended"))).count();
    assert_eq!(ends, 1, "{name}: {:#?}", stack.sentences());
    assert!(stack.going_on().is_none());
}

fn killed_before_the_end_of_its_run_is_noted_the_next_start_tells_that_end(change: &Change) {
    let (name, stack) = (change.name, change.night());
    stack.hold(change.call);
    let victim = change.begun(&stack);
    stack.until_held();
    stack.until_noted(&format!("started: pulumi {name} --stack prod"));
    let journal = lock_journal(&stack.state());
    stack.let_go();
    let noted = stack.newest().file("noted");
    until("somebody who notes the end", || noted.exists().then_some(()));
    victim.kill();
    drop(journal);
    assert!(stack.going_on().is_none());
    let succeeded: &'static str = Box::leak(format!("pulumi {name}").into_boxed_str());
    let gone: &[Act] = &[Press("5"), Shown("no records of this stack remain"), Press("\r")];
    let ended: &[Act] = &[Press("5"), Shown(succeeded), Shown("succeeded")];
    stack.at_the_keyboard(if name == "destroy" { gone } else { ended });
    let told = attached(&stack, 0);
    assert_eq!((&told["operation"], &told["result"]), (&Value::from(name), &Value::from("succeeded")), "{told}");
    let said = stack.sentences();
    let ends = said.iter().filter(|sentence| sentence.contains(&format!("pulumi {name}: ended"))).count();
    assert_eq!(ends, 1, "{name}: it is noted after all, once: {said:#?}");
}

for_each_row!(killed_before_the_end_of_its_run_is_noted_the_next_start_tells_that_end in RUNS: up, refresh, destroy);

fn a_call_of_pulumi_may_land_after_its_caller_died_and_the_next_start_tells_what_stands(change: &Change) {
    let (name, stack) = (change.name, change.night());
    stack.hold(change.call);
    let victim = change.begun(&stack);
    stack.until_held();
    victim.kill();
    let said = stack.sentences();
    assert!(said.last().unwrap().contains("confirmed: "), "{name}: what came of it is not claimed: {said:#?}");
    stands(change, &stack, false);
    if change.line.is_empty() {
        // It was a child of the terminal, which is gone, and so is it.
        change.is_made_after_all(&stack);
    } else {
        stack.let_go();
        until("the call that lands late", || is_made(name, &stack).then_some(()));
    }
    stands(change, &stack, true);
    let said = stack.sentences();
    let settled = said.iter().filter(|sentence| sentence.contains("done: ") && sentence.contains("(settled: ")).count();
    assert_eq!(settled, 1, "{name}: {said:#?}");
}

for_each_row!(
    a_call_of_pulumi_may_land_after_its_caller_died_and_the_next_start_tells_what_stands in ONE_CALL:
    stack_init, config_set, clear_locks
);

fn is_made(name: &str, stack: &Stack) -> bool {
    match name {
        "stack init" => stack.exists(),
        "config set" => stack.configured("owner").as_deref() == Some("night-shift"),
        _ => !stack.is_locked(),
    }
}

/// What stands is what a command and a cockpit tell, made or not.
fn stands(change: &Change, stack: &Stack, made: bool) {
    let name = change.name;
    assert_eq!(is_made(name, stack), made, "{name}");
    let keys: &[Act] = match (name, made) {
        ("stack init", false) => &[Press("5"), Shown("p makes it")],
        ("stack init", true) => &[Press("5"), Shown("✓ owner")],
        ("config set", false) => &[Press("5"), Shown("✗ owner")],
        ("config set", true) => &[Press("5"), Shown("✓ owner"), Shown("night-shift")],
        (_, false) => &[Press("5"), Shown("locked by")],
        _ => &[Press("5"), Shown("Pulumi 3."), Press("c"), Shown("the stack is not locked"), Press("\r")],
    };
    stack.at_the_keyboard(keys);
    if change.line.is_empty() {
        return;
    }
    let listed = stack.run("config --json");
    let is_missing = name == "config set" && !made;
    assert_eq!(listed.code, i32::from(is_missing), "{name}: {}", listed.stderr);
    assert_eq!(listed.json()["exists"], Value::from(name == "config set" || made), "{name}");
}

#[test]
fn killed_before_a_baseline_is_noted_the_weights_are_still_those_of_somebody_else() {
    let drill = Drill::steady();
    drill.run("status").ended(0);
    let elsewhere = drill.command("b", &["shift", "--to", "10", "--yes"]).output().unwrap();
    assert!(elsewhere.status.success());
    let asked = || {
        let mut cockpit = Terminal::open(&drill.command("a", &[]));
        cockpit.does(&[Shown("not from here"), Press("a"), Shown("any other key")]);
        cockpit
    };
    let mut cockpit = asked();
    let journal = lock_journal(&drill.state_of("a"));
    cockpit.press("y");
    until_about_to_note(&drill.state_of("a"), cockpit.id());
    cockpit.kill();
    drop(journal);
    let drift = || drill.run("status --json").ended(0).json()["traffic"]["drift"]["found"].clone();
    assert_eq!(drift(), serde_json::json!({"legacy": 90, "new": 10}));
    assert!(!drill.events().contains(&"accepted".to_owned()), "{:?}", drill.events());
    // And they can be taken after all.
    let mut cockpit = asked();
    cockpit.press("y");
    let journal = drill.state_of("a").join("journal.jsonl");
    let is_noted = || std::fs::read_to_string(&journal).unwrap().contains("\"accepted\"");
    until("the baseline in the journal", || is_noted().then_some(()));
    cockpit.kill();
    assert_eq!(drill.events().iter().filter(|event| *event == "accepted").count(), 1, "{:?}", drill.events());
    assert_eq!(drift(), Value::Null);
}

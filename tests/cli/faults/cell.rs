//! One cell of the table: a change, with one fault at one moment, in a world of its own, and what came of it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

use super::cockpit::ignoring_xfsz;
use super::judge::{Ended, Seen};
use super::table::{Change, Deed, Does, Fault, Moment};
use tapctl::adapters::journal::FileJournal;
use tapctl::domain::record::{Event, OutcomeKind};
use tapctl::ports::Journal;

use crate::drill::{Drill, Ran};
use crate::support::way::{Call, Fate, Way, advance, colleague_writes, state};

/// A command that goes on for longer hangs. A batch is given up after a minute, and what came of it is looked for then.
const BOUND: Duration = Duration::from_secs(150);

#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) change: &'static Change,
    pub(super) fault: &'static Fault,
    pub(super) moment: &'static Moment,
}

impl Cell {
    pub(super) fn name(&self) -> String {
        format!("{} × {} × {}", self.change.name, self.fault.name, self.moment.name)
    }
}

/// What the hook knows of its cell.
struct Scene {
    cell: Cell,
    sim: String,
    zone: String,
    state: PathBuf,
    /// The command's process, as soon as there is one.
    process: (Mutex<Option<Pid>>, Condvar),
    happened: AtomicUsize,
    colleague: AtomicUsize,
    settled: AtomicBool,
    over: AtomicBool,
    locks: Mutex<Vec<fs::File>>,
}

impl Scene {
    fn process(&self) -> Pid {
        let process = self.process.0.lock().unwrap();
        self.process.1.wait_while(process, |process| process.is_none()).unwrap().unwrap()
    }

    fn signal(&self, signal: Signal) {
        let _gone = kill_process(self.process(), signal);
    }

    fn fate(self: &Arc<Self>, call: &Call) -> Fate {
        if call.operation == "GetChange" && call.since > 0 && !matches!(self.cell.fault.does, Does::NeverInsync) {
            let seen_first = self.cell.moment.wants_pending() && call.since == 1;
            if !seen_first && !self.settled.swap(true, Ordering::Relaxed) {
                advance(&self.sim, 60);
            }
        }
        let (goes_on, once) = match self.cell.fault.does {
            Does::Call { goes_on, .. } => (goes_on, false),
            Does::NeverInsync => (true, false),
            Does::Host(_) | Does::Endpoint(_) => (false, true),
        };
        if !self.cell.moment.means(call, goes_on) {
            return Fate::Goes;
        }
        let before = self.happened.fetch_add(1, Ordering::Relaxed);
        // Some ten minutes are waited for INSYNC; whoever waits has enough of it before.
        if call.operation == "GetChange" && call.since == 3 {
            self.signal(Signal::INT);
        }
        match self.cell.fault.does {
            // What came of it is looked for until it is known. It is to be known when the fault is over.
            Does::Call { .. } if self.over.load(Ordering::Relaxed) => Fate::Goes,
            Does::Call { fate, .. } => fate(),
            Does::NeverInsync => Fate::Altered("INSYNC", "PENDING"),
            Does::Host(deed) if !(once && before > 0) => self.deed(deed),
            Does::Host(_) | Does::Endpoint(_) => Fate::Goes,
        }
    }

    fn deed(self: &Arc<Self>, deed: Deed) -> Fate {
        let journal = self.state.join("journal.jsonl");
        match deed {
            Deed::KilledBefore => {
                self.signal(Signal::KILL);
                return Fate::Closed { after: false };
            }
            Deed::KilledAfter => {
                let scene = Arc::clone(self);
                return Fate::Then(Box::new(move || scene.signal(Signal::KILL)));
            }
            Deed::Terminated => self.signal(Signal::TERM),
            Deed::Interrupted => self.signal(Signal::INT),
            Deed::Stopped => {
                self.signal(Signal::STOP);
                thread::sleep(Duration::from_secs(2));
                self.signal(Signal::CONT);
            }
            Deed::JournalLocked => self.lock(&journal),
            Deed::TurnHeld => self.lock(&self.state.join("lock")),
            Deed::JournalTorn => {
                let file = OpenOptions::new().append(true).open(&journal);
                let _torn = file.and_then(|mut file| file.write_all(b"{\"seq\":9,\"prev\":\"torn"));
            }
            Deed::JournalIsFolder => {
                let _gone = fs::remove_file(&journal);
                let _made = fs::create_dir_all(&journal);
            }
            Deed::FolderGone => {
                let _gone = fs::rename(&self.state, self.state.with_extension("gone"));
            }
            Deed::DiskFull => {
                let none = Rlimit { current: Some(0), maximum: Some(0) };
                let _full = prlimit(Some(self.process()), Resource::Fsize, none);
            }
            Deed::WrittenBefore => self.colleague_writes(),
            Deed::WrittenAfter => {
                let scene = Arc::clone(self);
                return Fate::Then(Box::new(move || scene.colleague_writes()));
            }
            Deed::TimePasses => advance(&self.sim, 600),
            Deed::OutputsGone => {
                let _gone = fs::remove_file(self.state.parent().unwrap().with_file_name("sim").join("outputs.json"));
            }
        }
        Fate::Goes
    }

    fn colleague_writes(&self) {
        // The whole account has five calls a second.
        advance(&self.sim, 2);
        colleague_writes(&self.sim, &self.zone);
        self.colleague.fetch_add(1, Ordering::Relaxed);
        advance(&self.sim, 2);
    }

    fn lock(&self, path: &Path) {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        // The process may have it itself right now, and nobody takes it away from it.
        if let Ok(file) = file
            && file.try_lock().is_ok()
        {
            self.locks.lock().unwrap().push(file);
        }
    }
}

/// Plays the cell; what came of it, with every promise that was broken.
pub(super) fn play(cell: Cell) -> Seen {
    let drill = Drill::steady();
    for line in cell.change.before {
        drill.run(line).ended(0);
        drill.advance(90);
        // It has become INSYNC, which somebody sees.
        if cell.change.name == "rollback" {
            drill.run("status").ended(0);
        }
        drill.advance(3600);
    }
    let scene = Arc::new(Scene {
        cell,
        sim: drill.endpoint.clone(),
        zone: drill.read_outputs()["hostedZoneId"].as_str().unwrap().to_owned(),
        state: drill.state_of("a"),
        process: Default::default(),
        happened: AtomicUsize::new(0),
        colleague: AtomicUsize::new(0),
        settled: AtomicBool::new(false),
        over: AtomicBool::new(false),
        locks: Mutex::default(),
    });
    let outputs = fs::read(&drill.outputs).unwrap();
    let hook = Arc::clone(&scene);
    let way = Way::to(&drill.endpoint, Arc::new(move |call| hook.fate(call)));
    let (before, intents) = (Truth::of(&drill), intents(&drill.state_of("a")).unwrap().len());
    let began = Instant::now();
    let (ended, stdout, stderr) = run(&drill, &scene, &way);
    let took = began.elapsed();
    let counts = way.counts();
    scene.locks.lock().unwrap().clear();
    way.arrive();
    way.end();
    fs::write(&drill.outputs, outputs).unwrap();
    drill.clear_faults();
    if matches!(cell.fault.does, Does::Host(Deed::JournalIsFolder)) {
        let _gone = fs::remove_dir_all(drill.state_of("a").join("journal.jsonl"));
    }
    let after = Truth::of(&drill);
    let colleague = scene.colleague.load(Ordering::Relaxed);
    let mut seen = Seen {
        cell,
        ended,
        stdout,
        stderr,
        took,
        happened: scene.happened.load(Ordering::Relaxed),
        counts,
        sent: way.writes(),
        made: after.changes.saturating_sub(before.changes + colleague),
        colleague,
        moved: before.records != after.records,
        broken: Vec::new(),
    };
    seen.judge_end(BOUND);
    let lost = matches!(cell.fault.does, Does::Host(deed) if deed.loses_journal());
    settle(&drill, intents, lost, &mut seen);
    way_back(&drill, &mut seen);
    seen
}

/// What the simulated Route 53 has.
struct Truth {
    records: [Value; 3],
    changes: usize,
}

impl Truth {
    fn of(drill: &Drill) -> Self {
        let state = state(&drill.endpoint);
        let traffic = &state["traffic"];
        let records = ["record", "legacy_weight", "new_weight"].map(|key| traffic[key].clone());
        Self { records, changes: traffic["changes"].as_array().unwrap().len() }
    }
}

/// Runs the command to its end. What it waits for comes as soon as it says that it waits.
fn run(drill: &Drill, scene: &Arc<Scene>, way: &Way) -> (Ended, String, String) {
    let mut child = command(drill, scene.cell, way).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    *scene.process.0.lock().unwrap() = Some(Pid::from_child(&child));
    scene.process.1.notify_all();
    let mut stdout = child.stdout.take().unwrap();
    let out = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _end = stdout.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let (words, told, late) = (child.stderr.take().unwrap(), Arc::clone(scene), way.clone());
    let err = thread::spawn(move || {
        let (mut reader, mut text, mut waits) = (BufReader::new(words), String::new(), true);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let said = String::from_utf8_lossy(&line).into_owned();
            if waits && said.contains("it may land until") {
                waits = false;
                told.over.store(true, Ordering::Relaxed);
                if late.arrive() == 0 {
                    advance(&told.sim, 400);
                }
            }
            text.push_str(&said);
            line.clear();
        }
        text
    });
    let pid = Pid::from_child(&child);
    let (send, waited) = mpsc::channel();
    thread::spawn(move || send.send(child.wait()));
    let status = waited.recv_timeout(BOUND).ok().or_else(|| {
        let _ended = kill_process(pid, Signal::KILL);
        None
    });
    // Whoever still waits for the process waits no longer.
    scene.process.1.notify_all();
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    let ended = match status {
        None => Ended::Never,
        Some(status) => {
            let status = status.unwrap();
            status.code().map_or(Ended::ByForce, Ended::Code)
        }
    };
    (ended, stdout, stderr)
}

fn command(drill: &Drill, cell: Cell, way: &Way) -> Command {
    let args: Vec<&str> = cell.change.line.split(' ').collect();
    let mut command = drill.command("a", &args);
    let endpoint = match cell.fault.does {
        Does::Endpoint(other) => other(&way.endpoint),
        _ => way.endpoint.clone(),
    };
    // Keys, for where nobody says that it is a simulator.
    command.env("TAPCTL_ENDPOINT_URL", endpoint);
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-EXAMPLE");
    // A file that may not grow is refused with an error, as on a full disk, where the signal of it is ignored.
    if matches!(cell.fault.does, Does::Host(Deed::DiskFull)) { ignoring_xfsz(&command) } else { command }
}

/// Intents about the records that host `a` has noted, and how each ended, if it did; read as the next start reads them.
fn intents(state: &Path) -> Result<Vec<(String, Option<OutcomeKind>)>, String> {
    let (entries, _) = FileJournal::new(state).read().map_err(|error| error.to_string())?;
    let outcome = |of: &str| {
        entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Outcome { id, result, .. } if id == of => Some(*result),
            _ => None,
        })
    };
    let ids = entries.iter().filter_map(|entry| entry.event.intent_id());
    Ok(ids.map(|id| (id.to_owned(), outcome(id))).collect())
}

/// The next start settles what is open, and tells the truth.
fn settle(drill: &Drill, before: usize, lost: bool, seen: &mut Seen) {
    // Of what was left open an early look tells nothing that is not so; the late one tells all.
    let waits: &[u32] = if matches!(seen.ended, Ended::Code(0)) { &[400] } else { &[2, 400] };
    for wait in waits {
        drill.advance(*wait);
        let ran = drill.run("status --json");
        if ran.code != 0 {
            seen.broken.push(format!("the next `status` ends with {}: {}", ran.code, ran.stderr));
            return;
        }
    }
    let intents = match intents(&drill.state_of("a")) {
        Ok(intents) => intents,
        Err(why) => return seen.broken.push(format!("the journal cannot be read: {why}")),
    };
    // An answer that says of the batch that it was refused, and was not, leaves no proof of whose the records are.
    if lost || seen.is_called_somebody_elses() {
        return;
    }
    let new = &intents[before.min(intents.len())..];
    if new.is_empty() && seen.sent > 0 {
        seen.broken.push("a batch was sent without an intent in the journal".to_owned());
    }
    if new.iter().any(|(_, outcome)| outcome.is_none()) {
        seen.broken.push("an intent stays open for good".to_owned());
    }
    let applied = new.iter().filter(|(_, outcome)| outcome.is_some_and(OutcomeKind::applied)).count();
    if applied != seen.made {
        seen.broken.push(format!("the journal tells of {applied} changes that were made, and {} were", seen.made));
    }
}

/// Whatever happened, the way back is open.
fn way_back(drill: &Drill, seen: &mut Seen) {
    drill.advance(60);
    let ran = drill.run(seen.cell.change.back);
    let print = |ran: &Ran| format!("{}: {} {}", ran.code, ran.stdout, ran.stderr);
    if ran.code != 0 {
        return seen.broken.push(format!("the way back ends with {}", print(&ran)));
    }
    let traffic = &state(&drill.endpoint)["traffic"];
    let new = traffic["new_weight"].as_u64().unwrap_or(0);
    if new != 0 && !ran.stdout.contains("change_batch") {
        seen.broken.push(format!("after the way back the new stack has {new}: {}", print(&ran)));
    }
}

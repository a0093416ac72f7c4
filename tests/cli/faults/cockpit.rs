//! The cockpit on a terminal, with one fault from one moment of a night on: a step, INSYNC, the way back.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

use crate::drill::Drill;
use crate::support::terminal::Terminal;
use crate::support::way::{Fate, Way, advance, colleague_writes, state};

/// What does not come within this time does not come beside the fault; the night goes on without it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before the fault all comes, however busy the machine is.
const BEFORE: Duration = Duration::from_secs(90);
/// The cockpit leaves within this time, whatever goes on.
const LEAVES: Duration = Duration::from_secs(30);

/// What the fault does from its moment on.
pub(super) enum Does {
    /// To every call of AWS.
    Calls(fn() -> Fate),
    /// To the next call of AWS.
    NextCall(fn() -> Fate),
    /// To the next batch.
    NextWrite(fn() -> Fate),
    Small,
    Broadcast,
    Vanishes,
    Signal(Signal),
    StopsAndGoesOn,
    JournalLocked,
    TurnHeld,
    JournalTorn,
    FolderGone,
    DiskFull,
    ColleagueWrites,
    TimePasses,
}

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) does: Does,
}

const fn fault(name: &'static str, does: Does) -> Fault {
    Fault { name, does }
}

pub(super) const FAULTS: [Fault; 28] = [
    fault("throttled, again and again", Does::Calls(|| Fate::Coded { code: "Throttling", after: false })),
    fault("503, again and again", Does::Calls(|| Fate::Coded { code: "ServiceUnavailable", after: false })),
    fault("denied", Does::Calls(|| Fate::Coded { code: "AccessDenied", after: false })),
    fault("keys expire", Does::Calls(|| Fate::Coded { code: "ExpiredToken", after: false })),
    fault("connection closed, again and again", Does::Calls(|| Fate::Closed { after: false })),
    fault("connection reset once", Does::NextCall(|| Fate::Reset { after: false })),
    fault("no answer, ever", Does::Calls(|| Fate::Silent { after: false })),
    fault("a proxy's page, 200", Does::Calls(page)),
    fault("answers cut", Does::Calls(|| Fate::Cut { framed: true })),
    fault("old answers again", Does::Calls(|| Fate::Old)),
    fault("slow, 2 s", Does::Calls(|| Fate::Slow(Duration::from_secs(2)))),
    fault("AWS's clock an hour ahead", Does::Calls(|| Fate::Dated(3_600))),
    fault("carried out, answer lost", Does::NextWrite(|| Fate::Closed { after: true })),
    fault("the batch arrives late", Does::NextWrite(|| Fate::Late)),
    fault(
        "another change goes first",
        Does::NextWrite(|| Fate::Coded { code: "PriorRequestNotComplete", after: false }),
    ),
    fault("window too small", Does::Small),
    fault("a broadcast on the screen", Does::Broadcast),
    fault("terminal gone", Does::Vanishes),
    fault("killed", Does::Signal(Signal::KILL)),
    fault("ended by SIGTERM", Does::Signal(Signal::TERM)),
    fault("stopped for 2 s", Does::StopsAndGoesOn),
    fault("journal locked", Does::JournalLocked),
    fault("turn held", Does::TurnHeld),
    fault("journal torn", Does::JournalTorn),
    fault("state folder gone", Does::FolderGone),
    fault("disk full", Does::DiskFull),
    fault("a colleague writes", Does::ColleagueWrites),
    fault("ten minutes pass at once", Does::TimePasses),
];

fn page() -> Fate {
    Fate::Answered { status: "200 OK", kind: "text/html", body: b"<html><body>Sign in</body></html>", after: false }
}

/// Moments of the night, in order.
pub(super) const MOMENTS: [&str; 9] = [
    "start",
    "all read, GO",
    "question of the step",
    "step answered",
    "step accepted",
    "INSYNC",
    "question of the way back",
    "way back answered",
    "way back accepted",
];

#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) fault: &'static Fault,
    pub(super) moment: usize,
}

impl Cell {
    pub(super) fn name(&self) -> String {
        format!("cockpit × {} × {}", self.fault.name, MOMENTS[self.moment])
    }
}

pub(super) fn cells() -> Vec<Cell> {
    let of = |fault| (0..MOMENTS.len()).map(move |moment| Cell { fault, moment });
    FAULTS.iter().flat_map(of).collect()
}

/// What came of a night.
pub(super) struct Came {
    pub(super) made: usize,
    pub(super) asked: usize,
    pub(super) ended: bool,
    pub(super) broken: Vec<String>,
    pub(super) screen: String,
}

impl Came {
    /// How far the night came hangs on how fast the machine is; what is promised does not.
    pub(super) fn letter(&self) -> char {
        match (self.broken.is_empty(), self.ended) {
            (false, _) => '!',
            (true, true) => 'K',
            (true, false) => '✓',
        }
    }
}

struct Night {
    cell: Cell,
    drill: Drill,
    way: Way,
    is_on: Arc<AtomicBool>,
    colleague: Arc<AtomicUsize>,
    locks: Vec<fs::File>,
    cockpit: Option<Terminal>,
    asked: usize,
    ended: bool,
}

pub(super) fn play(cell: Cell) -> Came {
    let drill = Drill::steady();
    let (is_on, used) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    let hears = Arc::clone(&is_on);
    let way = Way::to(
        &drill.endpoint,
        Arc::new(move |call| {
            let on = hears.load(Ordering::Relaxed);
            let first = |of: bool| on && of && !used.swap(true, Ordering::Relaxed);
            match cell.fault.does {
                Does::Calls(fate) if on => fate(),
                Does::NextCall(fate) if first(true) => fate(),
                Does::NextWrite(fate) if first(call.operation == crate::support::way::WRITE) => fate(),
                _ => Fate::Goes,
            }
        }),
    );
    let mut night = Night {
        cell,
        drill,
        way,
        is_on,
        colleague: Arc::default(),
        locks: Vec::new(),
        cockpit: None,
        asked: 0,
        ended: false,
    };
    night.goes()
}

impl Night {
    fn goes(&mut self) -> Came {
        let mut command = self.drill.command("a", &[]);
        command.env("TAPCTL_ENDPOINT_URL", &self.way.endpoint);
        if matches!(self.cell.fault.does, Does::DiskFull) {
            command = ignoring_xfsz(&command);
        }
        self.cockpit = Some(Terminal::open(&command));
        let mut broken = Vec::new();
        self.steps(&mut broken);
        let screen = self.cockpit.as_ref().map(Terminal::screen).unwrap_or_default();
        self.leave(&mut broken);
        self.judge(broken, screen)
    }

    fn comes(&mut self, words: &str, broken: &mut Vec<String>) -> bool {
        let is_on = self.is_on.load(Ordering::Relaxed);
        let patience = if is_on { PATIENCE } else { BEFORE };
        let Some(cockpit) = &mut self.cockpit else { return false };
        if cockpit.ends(Duration::ZERO).is_some() {
            return false;
        }
        let comes = cockpit.comes(words, patience);
        if !comes && !is_on {
            broken.push(format!("{words:?} never came before the fault:\n{}", cockpit.screen()));
        }
        comes
    }

    fn press(&mut self, keys: &str) {
        if let Some(cockpit) = &mut self.cockpit {
            cockpit.tries(keys);
        }
    }

    /// The night, as far as the fault lets it go.
    fn steps(&mut self, broken: &mut Vec<String>) {
        self.at(0);
        self.comes("✓ GO", broken);
        self.at(1);
        self.press("]");
        let is_asked = self.comes("any other key", broken);
        self.at(2);
        self.answer(is_asked, broken);
        self.at(3);
        self.comes("PENDING", broken);
        self.at(4);
        advance(&self.drill.endpoint, 60);
        self.comes("INSYNC 90/10, read back", broken);
        self.at(5);
        self.press("R");
        let is_asked = self.comes("any other key", broken);
        self.at(6);
        self.answer(is_asked, broken);
        self.at(7);
        self.comes("10 % → 0 %", broken);
        self.at(8);
        advance(&self.drill.endpoint, 60);
        self.comes("INSYNC 100/0, read back", broken);
    }

    /// Says yes to a question that stands there; what is not asked takes no answer.
    fn answer(&mut self, is_asked: bool, broken: &mut Vec<String>) {
        let before = self.way.writes();
        self.press("y");
        if is_asked {
            self.asked += 1;
        } else if self.way.writes() > before {
            broken.push("a batch was sent without a question".to_owned());
        }
    }

    /// The moment has come.
    fn at(&mut self, moment: usize) {
        if moment != self.cell.moment {
            return;
        }
        self.is_on.store(true, Ordering::Relaxed);
        let state = self.drill.state_of("a");
        let Some(cockpit) = &mut self.cockpit else { return };
        let process = Pid::from_raw(cockpit.id().try_into().unwrap()).unwrap();
        let signal = |signal| {
            let _gone = kill_process(process, signal);
        };
        match self.cell.fault.does {
            Does::Calls(_) | Does::NextCall(_) | Does::NextWrite(_) => {}
            Does::Small => cockpit.resized(8, 30),
            Does::Broadcast => cockpit.written_over("\r\nBroadcast message: the building closes at eight\r\n"),
            Does::Vanishes => {
                self.ended = true;
                self.cockpit = None;
            }
            Does::Signal(which) => {
                self.ended = true;
                signal(which);
            }
            Does::StopsAndGoesOn => {
                signal(Signal::STOP);
                std::thread::sleep(Duration::from_secs(2));
                signal(Signal::CONT);
            }
            Does::JournalLocked | Does::TurnHeld => {
                let name = if matches!(self.cell.fault.does, Does::TurnHeld) { "lock" } else { "journal.jsonl" };
                let _made = fs::create_dir_all(&state);
                let file = OpenOptions::new().read(true).append(true).create(true).open(state.join(name)).unwrap();
                if file.try_lock().is_ok() {
                    self.locks.push(file);
                }
            }
            Does::JournalTorn => {
                let file = OpenOptions::new().append(true).open(state.join("journal.jsonl"));
                let _torn = file.and_then(|mut file| file.write_all(b"{\"seq\":9,\"prev\":\"torn"));
            }
            Does::FolderGone => drop(fs::rename(&state, state.with_extension("gone"))),
            Does::DiskFull => {
                let none = Rlimit { current: Some(0), maximum: Some(0) };
                let _full = prlimit(Some(process), Resource::Fsize, none);
            }
            Does::ColleagueWrites => {
                let zone = self.drill.read_outputs()["hostedZoneId"].as_str().unwrap().to_owned();
                advance(&self.drill.endpoint, 2);
                colleague_writes(&self.drill.endpoint, &zone);
                self.colleague.fetch_add(1, Ordering::Relaxed);
                advance(&self.drill.endpoint, 2);
            }
            Does::TimePasses => advance(&self.drill.endpoint, 600),
        }
    }

    /// The fault is over, and the cockpit is left: it goes at once, whatever it was about to do.
    fn leave(&mut self, broken: &mut Vec<String>) {
        self.is_on.store(false, Ordering::Relaxed);
        self.locks.clear();
        self.way.arrive();
        let Some(mut cockpit) = self.cockpit.take() else { return };
        if self.ended {
            if cockpit.ends(LEAVES).is_none() {
                broken.push("it goes on after it was ended".to_owned());
            }
            return;
        }
        cockpit.resized(36, 120);
        // A question that stands there is left first; a line that is typed, too.
        cockpit.tries("\x1b");
        cockpit.comes("1 Overview", PATIENCE);
        cockpit.tries("q");
        let mut ended = cockpit.ends(LEAVES);
        if ended.is_none() {
            cockpit.tries("q");
            ended = cockpit.ends(LEAVES);
        }
        match ended {
            None => broken.push(format!("it cannot be left:\n{}", cockpit.screen())),
            Some(status) if !status.success() => broken.push(format!("it ends with {status:?}:\n{}", cockpit.screen())),
            Some(_) => {}
        }
        if cockpit.text.contains("panicked") {
            broken.push("it panicked".to_owned());
        }
    }

    fn judge(&mut self, mut broken: Vec<String>, screen: String) -> Came {
        self.way.end();
        self.drill.clear_faults();
        let changes = |drill: &Drill| state(&drill.endpoint)["traffic"]["changes"].as_array().unwrap().len();
        let made = changes(&self.drill) - self.colleague.load(Ordering::Relaxed);
        if made > self.asked {
            broken.push(format!("{made} batches were made and {} questions answered", self.asked));
        }
        for wait in [2, 400] {
            self.drill.advance(wait);
            let ran = self.drill.run("status --json");
            if ran.code != 0 {
                broken.push(format!("the next `status` ends with {}: {}", ran.code, ran.stderr));
            }
        }
        let ran = self.drill.run("journal --json");
        let entries: Vec<Value> =
            if ran.code == 0 { ran.json()["entries"].as_array().unwrap().clone() } else { Vec::new() };
        let outcome = |id: &Value| entries.iter().rev().find(|entry| entry["event"] == "outcome" && entry["id"] == *id);
        let mut applied = 0;
        for intent in entries.iter().filter(|entry| entry["event"] == "intent") {
            match outcome(&intent["id"]).and_then(|entry| entry["result"].as_str()) {
                Some("accepted" | "settled_applied") => applied += 1,
                Some(_) => {}
                None => broken.push("an intent stays open for good".to_owned()),
            }
        }
        if applied != made && !matches!(self.cell.fault.does, Does::FolderGone) {
            broken.push(format!("the journal tells of {applied} changes that were made, and {made} were"));
        }
        self.drill.advance(60);
        let back = self.drill.run("rollback --yes --json");
        if back.code != 0 || self.drill.weights().1 != 0 {
            broken.push(format!("the way back ends with {}: {} {}", back.code, back.stdout, back.stderr));
        }
        Came { made, asked: self.asked, ended: self.ended, broken, screen }
    }
}

/// The same command, for which a file that may not grow is an error and no signal.
pub(super) fn ignoring_xfsz(command: &std::process::Command) -> std::process::Command {
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().current_dir(command.get_current_dir().unwrap()).stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

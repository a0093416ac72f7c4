//! Pulumi's stack `prod` beside a simulator: a program's folder, and the scenarios' fake Pulumi under the name `pulumi`.
//!
//! Every call is recorded, and one can be held before the fake Pulumi does anything. What is held waits on a pipe and not
//! for a time; a test that ends lets it go and ends the runs that it has started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use tapctl::adapters::pulumi::folder::{RunDir, RunRecord, Runs, file};
use tapctl::adapters::pulumi::process::host;
use tapctl::domain::pulumi::RunKind;
use tapctl::domain::units::Timestamp;
use tapctl::fake_pulumi::{Config, FakeStack, Settings};

use super::PATIENCE;
use super::drill::{Drill, Ran};
use super::locks::locked;
use super::process::{Process, until};
use super::pulumi::recording;
use super::terminal::{Act, Terminal};

/// A resource of the program that the simulator knows nothing of: making or deleting it moves nothing else.
pub(crate) const SMALL: &str = "migration-dashboard-prod";

/// Calls of Pulumi that change something, by their first words.
const CHANGES: [&str; 6] =
    ["stack init", "up", "refresh", "destroy --stack prod --refresh --yes", "config set", "cancel"];

/// A stack of the bundled program, and the host `a` that works on it.
pub(crate) struct Stack {
    pub(crate) drill: Drill,
}

impl Stack {
    /// All that the program makes stands.
    pub(crate) fn whole() -> Self {
        Self::holding(&FakeStack::provisioned().unwrap())
    }

    /// All but one small resource stands, so that an `up` has something to do and a plan without danger.
    pub(crate) fn lacking_one() -> Self {
        let whole = FakeStack::provisioned().unwrap();
        let resources = whole.resources.iter().filter(|urn| !urn.ends_with(SMALL)).cloned().collect();
        Self::holding(&FakeStack { resources, ..whole })
    }

    /// Nobody has made it yet.
    pub(crate) fn unmade() -> Self {
        Self::holding(&FakeStack::default())
    }

    /// It was made, and no `up` has run on it.
    pub(crate) fn never_up() -> Self {
        Self::holding(&FakeStack { exists: true, ..FakeStack::default() })
    }

    fn holding(stack: &FakeStack) -> Self {
        let this = Self { drill: Drill::steady() };
        let (project, bin) = (this.path("pulumi"), this.path("bin"));
        fs::create_dir_all(&project).unwrap();
        fs::create_dir_all(&bin).unwrap();
        fs::write(project.join("Pulumi.yaml"), "name: tap\nruntime: python\n").unwrap();
        fs::write(project.join("Pulumi.prod.yaml"), "config: {}\n").unwrap();
        // Only dates the engine's own events, of which nothing here reads the age.
        let demo_at = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let settings = Settings {
            stack: "prod".into(),
            speed: f64::INFINITY,
            demo_at,
            outputs: Some(this.drill.outputs.clone()),
            simulator: Some(this.drill.endpoint.clone()),
            ..Settings::default()
        };
        settings.write(&this.settings()).unwrap();
        stack.write(&this.settings()).unwrap();
        for pipe in ["arrived", "gate"] {
            assert!(Command::new("mkfifo").arg(this.path(pipe)).status().unwrap().success());
        }
        let script = format!(
            "#!/bin/sh\nHERE='{}'\n\
             echo \"$*\" >>\"$HERE/pulumi-calls\"\n\
             if [ -f \"$HERE/held\" ]; then\n\
             case \"$*\" in\n\
             \"$(cat \"$HERE/held\")\"*) rm \"$HERE/held\"; echo here >\"$HERE/arrived\"; cat \"$HERE/gate\" >/dev/null ;;\n\
             esac\nfi\n\
             case \"$1\" in\n\
             whoami) echo \"{{\\\"user\\\":\\\"ops\\\",\\\"url\\\":\\\"file://$HERE/backend\\\"}}\"; exit 0 ;;\n\
             up) if [ -f \"$HERE/long\" ]; then\n\
             cat \"$HERE/long\"; rm \"$HERE/long\"; asked=0; trap 'asked=$((asked+1))' INT\n\
             cat \"$HERE/gate\" >/dev/null & gate=$!\n\
             while [ $asked -lt 2 ] && kill -0 $gate 2>/dev/null; do wait $gate; done\n\
             [ $asked -lt 2 ] || {{ kill $gate 2>/dev/null; exit 255; }}\n\
             [ $asked = 0 ] || {{ cat \"$HERE/stopped\"; exit 1; }}\n\
             fi ;;\n\
             cancel) rm -rf \"$HERE/backend/.pulumi/locks\" ;;\n\
             esac\n\
             exec '{}' __pulumi --settings \"$HERE/fake_pulumi.json\" \"$@\"\n",
            this.drill.folder.path().display(),
            env!("CARGO_BIN_EXE_tapctl"),
        );
        this.pulumi_is(&script);
        this
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.drill.folder.path().join(name)
    }

    fn settings(&self) -> PathBuf {
        self.path("fake_pulumi.json")
    }

    /// This script answers in the place of Pulumi from now on.
    pub(crate) fn pulumi_is(&self, script: &str) {
        // Written beside it and renamed: a process that is just starting the old one does not keep the new one from it.
        let (program, new) = (self.path("bin/pulumi"), self.path("bin/.pulumi.new"));
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, program).unwrap();
    }

    /// An `up` that goes on until it is let go or ended by force, and the command that has started and follows it. Asked
    /// to stop it waits for what is under way, as Pulumi does.
    pub(crate) fn up_going_on(&self) -> Process {
        self.up_is_long();
        let up = Process::start(self.command("up --yes"));
        self.until_under_way();
        self.until_noted("started: pulumi up");
        up
    }

    /// The next `up` is a long one: its first resource is under way until it is let go. Asked to stop it ends with that.
    pub(crate) fn up_is_long(&self) {
        const AT: u64 = 1_795_727_920;
        let recorded = recording("bundled-up.jsonl");
        let recorded = || std::str::from_utf8(&recorded).unwrap().lines();
        let of_small = |line: &&str, kind: &str| line.contains(kind) && line.contains(&format!("::{SMALL}\""));
        let begun = recorded().filter(|line| line.contains("preludeEvent") || of_small(line, "resourcePreEvent"));
        let said = json!({"timestamp": AT, "stdoutEvent": {"message": "^C received; cancelling.\n", "color": "never"}});
        let stopped = [
            said,
            json!({"timestamp": AT, "summaryEvent": {"durationSeconds": 1, "resourceChanges": {"create": 1}, "result": "failed"}}),
            json!({"timestamp": AT, "cancelEvent": {}}),
        ];
        let stopped = recorded()
            .filter(|line| of_small(line, "resOutputsEvent"))
            .map(str::to_owned)
            .chain(stopped.iter().map(Value::to_string));
        let text = |lines: Vec<String>| lines.join("\n") + "\n";
        fs::write(self.path("stopped"), text(stopped.collect())).unwrap();
        fs::write(self.path("long"), text(begun.map(str::to_owned).collect())).unwrap();
    }

    /// Waits until the first resource of a long `up` is under way.
    pub(crate) fn until_under_way(&self) -> RunRecord {
        until("the first step of an up", || {
            let record = self.going_on().filter(|record| record.kind == RunKind::Up && record.child.is_some())?;
            let events = fs::read_to_string(self.state().join("runs").join(&record.id).join(file::EVENTS)).unwrap();
            events.contains("resourcePreEvent").then_some(record)
        })
    }

    /// A key is not set.
    pub(crate) fn without_key(&self, key: &str) {
        Config::read(&self.settings()).unwrap().without(key).write(&self.settings()).unwrap();
    }

    /// What it hands out once an `up` went through.
    pub(crate) fn outputs(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(&self.drill.outputs).unwrap()).unwrap()
    }

    /// It hands out these from now on.
    pub(crate) fn hands_out(&self, outputs: &Value) {
        fs::write(&self.drill.outputs, outputs.to_string()).unwrap();
    }

    /// What the stack is configured with.
    pub(crate) fn configured(&self, key: &str) -> Option<String> {
        let config = Config::read(&self.settings()).unwrap();
        config.get(key).map(str::to_owned)
    }

    /// Whether somebody has made it.
    pub(crate) fn exists(&self) -> bool {
        FakeStack::read(&self.settings()).unwrap().exists
    }

    /// A lock of a process of this host that is gone.
    pub(crate) fn lock_of_the_dead(&self) {
        let folder = self.path("backend/.pulumi/locks/organization/tap/prod");
        fs::create_dir_all(&folder).unwrap();
        let lock = json!({
            "pid": u32::MAX, "username": "ops", "hostname": host(), "timestamp": "2026-11-22T09:00:00Z",
        });
        fs::write(folder.join("a.json"), lock.to_string()).unwrap();
    }

    /// Whether a lock stands.
    pub(crate) fn is_locked(&self) -> bool {
        self.path("backend/.pulumi/locks/organization/tap/prod/a.json").exists()
    }

    /// A command on host `a` that finds stack and Pulumi by itself.
    pub(crate) fn command(&self, line: &str) -> Command {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.drill.command("a", &args);
        command.env_remove("TAPCTL_OUTPUTS").env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        // Some requests a minute are what is left when a name was released hours ago.
        command.env("TAPCTL_STACK", "prod").env("TAPCTL_UNUSED_PER_MIN", "90");
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap())
    }

    /// A cockpit on host `a` in which somebody does this, and leaves.
    pub(crate) fn at_the_keyboard(&self, acts: &[Act]) {
        let mut cockpit = Terminal::open(&self.command(""));
        cockpit.does(acts);
        cockpit.leaves();
    }

    /// The next call of Pulumi that begins with these words is held before it does anything.
    pub(crate) fn hold(&self, words: &str) {
        fs::write(self.path("held"), words).unwrap();
    }

    /// Waits until a call is held.
    pub(crate) fn until_held(&self) {
        let arrived = self.path("arrived");
        let (send, held) = mpsc::channel();
        thread::spawn(move || send.send(fs::read_to_string(arrived)));
        let held = held.recv_timeout(PATIENCE);
        held.unwrap_or_else(|_| panic!("no call of Pulumi came to where it is held")).unwrap();
    }

    /// Lets the held call go on.
    pub(crate) fn let_go(&self) {
        let gate = self.path("gate");
        let (send, gone) = mpsc::channel();
        // A pipe is opened when its reader is there.
        thread::spawn(move || send.send(fs::write(gate, "go\n")));
        let gone = gone.recv_timeout(PATIENCE);
        gone.unwrap_or_else(|_| panic!("no call of Pulumi waits")).unwrap();
    }

    /// Every call of Pulumi that changes something, in order; folders of runs have no name here.
    pub(crate) fn changes(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("pulumi-calls")).unwrap_or_default();
        let changes = calls.lines().filter(|call| CHANGES.iter().any(|words| call.starts_with(words)));
        changes.filter(|call| !call.contains("--preview-only")).map(|call| self.nameless(call)).collect()
    }

    /// A text without what differs between two nights: folders, and the names of runs.
    pub(crate) fn nameless(&self, text: &str) -> String {
        let text = text.replace(&self.drill.folder.path().display().to_string(), "HERE");
        let begin = |at: usize| {
            let name = text.as_bytes().get(at..at + "20261122T120000123Z-".len()).unwrap_or_default();
            name.iter().enumerate().all(|(i, byte)| match i {
                8 => *byte == b'T',
                18 => *byte == b'Z',
                19 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            }) && !name.is_empty()
        };
        let mut out = String::new();
        let mut at = 0;
        while at < text.len() {
            if begin(at) {
                out.push_str("RUN");
                at += "20261122T120000123Z".len();
            } else {
                let next = text[at..].chars().next().unwrap();
                out.push(next);
                at += next.len_utf8();
            }
        }
        out
    }

    fn runs(&self) -> Runs {
        Runs::new(&self.state())
    }

    /// Whether a run was ever begun on host `a`, if only its folder.
    pub(crate) fn has_begun_a_run(&self) -> bool {
        !self.runs().ids().unwrap().is_empty()
    }

    /// What was run on host `a`, oldest first: `preview`, `up` and so on.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let runs = self.runs();
        let record = |id: &String| runs.dir(id)?.read().unwrap();
        runs.ids().unwrap().iter().filter_map(record).map(|record| record.kind.name().to_owned()).collect()
    }

    /// The newest run.
    pub(crate) fn newest(&self) -> RunDir {
        self.runs().newest().unwrap().unwrap()
    }

    /// The run that goes on.
    pub(crate) fn going_on(&self) -> Option<RunRecord> {
        self.runs().going_on().unwrap()
    }

    /// The state folder of host `a`.
    pub(crate) fn state(&self) -> PathBuf {
        self.drill.state_of("a")
    }

    /// Keeps everybody on host `a` from starting a run for as long as the value lives, which they bear for five seconds.
    pub(crate) fn lock_runs(&self) -> fs::File {
        locked(&self.state().join("runs/.lock"))
    }

    /// Waits until the journal of host `a` says this; nothing is started for it.
    pub(crate) fn until_noted(&self, words: &str) {
        let journal = self.state().join("journal.jsonl");
        until(words, || fs::read_to_string(&journal).ok()?.contains(words).then_some(()));
    }

    /// The journal of host `a`, oldest first, without what watching adds.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let journal = self.run("journal --json").ended(0).json();
        let mut entries = journal["entries"].as_array().unwrap().clone();
        entries.retain(|entry| entry["event"] != "seen" && entry["event"] != "insync");
        entries
    }

    /// The sentences of the journal, oldest first.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let said = self.run("journal").ended(0).stdout;
        said.lines().filter(|line| !line.contains("weights found at")).map(|line| self.nameless(line)).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let gate = self.path("gate");
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        if let Ok(gate) = rustix::fs::open(&gate, flags, rustix::fs::Mode::empty()) {
            let _gone = rustix::io::write(gate, b"go\n");
        }
        // Only what this test has started, known by its identity.
        if let Ok(Some(record)) = self.runs().going_on()
            && let Some(child) = record.child
        {
            let _ended = child.signal(Signal::KILL);
        }
    }
}

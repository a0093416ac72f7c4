//! Recorded streams, and a state folder with a made-up Pulumi in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tapctl::adapters::pulumi::RunStatus;
use tapctl::adapters::pulumi::folder::{RunDir, RunRecord, Runs};
use tapctl::adapters::pulumi::follow::{Follower, Update};
use tapctl::adapters::pulumi::headless::Context;
use tapctl::adapters::pulumi::run::Supervisor;
use tapctl::adapters::pulumi::{Pulumi, StartedBy, stack};
use tapctl::domain::confirm::{Confirmed, YesFlag};
use tapctl::domain::pulumi::{NewStack, RunState};
use tapctl::domain::units::Timestamp;

use super::folder::Folder;

/// How often the tests look at what another process writes.
pub(crate) const EVERY: Duration = Duration::from_millis(2);

/// Where the recorded streams lie: those that the scenarios play too lie beside the code that plays them.
const RECORDED: [&str; 2] = ["tests/fixtures/engine", "src/sim/recordings"];

/// A recorded stream.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    let folders = RECORDED.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        assert!(output.status.success(), "gzip: {}", String::from_utf8_lossy(&output.stderr));
        return output.stdout;
    }
    fs::read(&path).unwrap()
}

/// Names of all recorded streams.
pub(crate) fn recordings() -> Vec<String> {
    let entries = RECORDED.iter().flat_map(|folder| {
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(Result::unwrap)
    });
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    names
}

/// A stream folded to its last line.
pub(crate) fn folded(bytes: &[u8]) -> RunState {
    let mut run_state = RunState::new();
    bytes.split(|byte| *byte == b'\n').for_each(|line| run_state.fold_line(line));
    run_state
}

/// A state folder, and a shell script in the place of Pulumi.
pub(crate) struct Fake {
    pub(crate) folder: Folder,
    pub(crate) context: Context,
}

impl Fake {
    /// `script` runs in the place of Pulumi. `$GATE` is a pipe that it can wait on until the test opens it.
    pub(crate) fn new(script: &str) -> Self {
        let folder = Folder::new();
        let program = folder.path().join("pulumi");
        let gate = folder.path().join("gate");
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        let here = folder.path().display();
        let text = format!(
            "#!/bin/sh\nGATE='{}'\nHERE='{here}'\nwait_for_gate() {{ cat \"$GATE\" >/dev/null; }}\n{script}\n",
            gate.display()
        );
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let pulumi = Pulumi { program, prefix: vec![], project: folder.path().to_owned(), stack: "prod".into() };
        Self { context: context(folder.path(), pulumi), folder }
    }

    /// Lets the script go on.
    pub(crate) fn open_gate(&self) {
        fs::write(self.folder.path().join("gate"), "go\n").unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn context(state_dir: &Path, pulumi: Pulumi) -> Context {
    Context {
        pulumi,
        runs: Runs::new(state_dir),
        supervisor: Supervisor { program: env!("CARGO_BIN_EXE_tapctl").into() },
        every: EVERY,
    }
}

/// Makes the stack when there is none; says whether it did.
pub(crate) async fn created(context: &Context) -> bool {
    let yes = YesFlag::from_cli(true).unwrap();
    stack::create(&context.pulumi, &Confirmed::by_flag(NewStack::new(&context.pulumi.stack), yes)).await.unwrap()
}

pub(crate) fn request() -> StartedBy {
    StartedBy { operator: "oncall".into(), at: Timestamp::parse("2026-11-23T02:19:00Z").unwrap(), intent: None }
}

/// Waits until the run is as wanted. Bounded by the test runner alone: a run that never gets there is a failure to see.
pub(crate) async fn until(dir: &RunDir, wanted: impl Fn(&RunRecord, &RunStatus) -> bool) -> RunRecord {
    loop {
        if let Some(record) = dir.read().unwrap() {
            let status = record.status();
            if wanted(&record, &status) {
                return record;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Follows a run until its fold is as wanted, or to its end.
pub(crate) async fn follow_until(dir: &RunDir, wanted: impl Fn(&RunState) -> bool) -> (RunState, Option<RunStatus>) {
    let mut follower = Follower::new(dir.clone(), EVERY);
    let mut run_state = RunState::new();
    while let Some(update) = follower.next().await.unwrap() {
        match update {
            Update::Restarted => run_state = RunState::new(),
            Update::Lines(batch) => batch.lines.into_iter().for_each(|line| run_state.fold(line)),
            Update::Ended(status) => {
                run_state.process_ended();
                return (run_state, Some(status));
            }
        }
        if wanted(&run_state) {
            return (run_state, None);
        }
    }
    (run_state, None)
}

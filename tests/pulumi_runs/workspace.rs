//! The real Pulumi engine and the bundled program, against the stand-in cloud of `tests/pulumi_engine`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tapctl::adapters::pulumi::headless::Context;
use tapctl::adapters::pulumi::{Pulumi, Started, locks};
use tapctl::domain::confirm::{Confirmed, YesFlag};
use tapctl::domain::pulumi::Previewed;
use tapctl::domain::pulumi::lock::{Holder, Lock};
use tapctl::domain::pulumi::{RunPreconditions, RunRequest, RunState};

use crate::support::folder::Folder;
use crate::support::pulumi::{context, request};

/// The Python with the pinned requirements, and the Pulumi CLI.
pub(crate) struct Toolchain {
    pub(crate) python: PathBuf,
    pub(crate) pulumi: PathBuf,
}

pub(crate) fn toolchain() -> Option<&'static Toolchain> {
    static FOUND: OnceLock<Option<Toolchain>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let ask = |what: &str| {
                let output = Command::new("python3").arg(engine("toolchain.py")).arg(what).output().ok()?;
                let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
                (output.status.success() && !path.is_empty()).then(|| PathBuf::from(path))
            };
            let found = ask("cli").and_then(|pulumi| Some(Toolchain { pulumi, python: ask("venv")? }));
            assert!(found.is_some() || std::env::var_os("CI").is_none(), "no Pulumi engine to test with");
            if found.is_none() {
                tell("left out: there is no Pulumi CLI, and no Go to build one with");
            }
            found
        })
        .as_ref()
}

/// Tells past the test's own capture: a test that was left out must not look like one that passed.
pub(crate) fn tell(text: &str) {
    let _told = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
}

fn engine(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pulumi_engine").join(name)
}

/// A stack of the bundled program, its state, and a cloud of its own that ends with this value.
pub(crate) struct Workspace {
    pub(crate) folder: Folder,
    server: Child,
    toolchain: &'static Toolchain,
    pub(crate) context: Context,
}

impl Workspace {
    pub(crate) fn new() -> Option<Self> {
        let toolchain = toolchain()?;
        let folder = Folder::new();
        let state = folder.path().join("cloud.json");
        let mut server = Command::new(&toolchain.python)
            .arg(engine("cloud.py"))
            .args(["serve", "--until-eof", "--state"])
            .arg(&state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let (home, program) = (folder.path().join("home"), folder.path().join("program"));
        let environment = {
            let mut command = Command::new(&toolchain.python);
            command.arg(engine("cloud.py")).args(["env", "--json", "--port", port.trim(), "--home"]).arg(&home);
            let output = command.arg("--pulumi").arg(&toolchain.pulumi).output().unwrap();
            serde_json::from_slice::<BTreeMap<String, String>>(&output.stdout).unwrap()
        };
        let mut project = Command::new(&toolchain.python);
        project.arg(engine("cloud.py")).args(["project", "--stack", "prod", "--port", port.trim(), "--into"]);
        project.arg(&program).arg("--home").arg(&home).arg("--pulumi").arg(&toolchain.pulumi);
        let made = project.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // A test cannot change its own environment, so the program that is started brings it along.
        let wrapper = folder.path().join("pulumi");
        let mut script = "#!/bin/sh\n".to_owned();
        for (name, value) in &environment {
            writeln!(script, "export {name}='{}'", value.replace('\'', r"'\''")).unwrap();
        }
        writeln!(script, "exec '{}' \"$@\"", toolchain.pulumi.display()).unwrap();
        fs::write(&wrapper, script).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        let pulumi = Pulumi { program: wrapper, prefix: vec![], project: program, stack: "prod".into() };
        Some(Self { context: context(folder.path(), pulumi), folder, server, toolchain })
    }

    pub(crate) fn cloud(&self, args: &[&str]) -> String {
        let (command, rest) = args.split_first().unwrap();
        let mut call = Command::new(&self.toolchain.python);
        call.arg(engine("cloud.py")).arg(command).arg("--state").arg(self.folder.path().join("cloud.json")).args(rest);
        let output = call.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The virtual environment that holds the program's packages.
    pub(crate) fn virtualenv(&self) -> &Path {
        self.toolchain.python.ancestors().nth(2).unwrap()
    }

    pub(crate) fn locks(&self) -> Vec<(Lock, Holder)> {
        let url = format!("file://{}", self.folder.path().join("home/state").display());
        locks::of_backend(&url, Path::new("/"), "tap", "prod", &self.context.runs.processes().unwrap()).unwrap()
    }

    /// The stack's state as it lies in the backend now, whole or not.
    pub(crate) fn state(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("home/state/.pulumi/stacks/tap/prod.json")).unwrap()
    }

    pub(crate) async fn preview(&self) -> Previewed {
        self.context.preview(false, request(), &mut |_| ()).await.unwrap()
    }

    pub(crate) async fn start(&self) -> Started {
        let previewed = self.preview().await;
        let run_request = RunRequest::up("prod", &previewed.run.id, previewed.plan).unwrap();
        self.context.start(&yes(run_request), &calm(), request()).await.unwrap()
    }

    pub(crate) async fn up(&self) -> RunState {
        let started = self.start().await;
        self.context.follow(&started.dir, &mut |_| ()).await.unwrap().ok().unwrap().state
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ended = self.server.wait();
    }
}

pub(crate) fn yes<T>(subject: T) -> Confirmed<T> {
    Confirmed::by_flag(subject, YesFlag::from_cli(true).unwrap())
}

pub(crate) fn calm() -> RunPreconditions {
    RunPreconditions {
        running: None,
        weight_change: None,
        name_state: None,
        new_requests: None,
        unused_per_min: 0.0,
        ways_used: true,
        provisioned: false,
    }
}

//! The whole binary with the real Pulumi engine: `tapctl up` is killed, hung up on, started twice, and its disk runs
//! full, as it happens to an operator. What counts is that the run ends well and that `tapctl attach` tells it all.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::Signal;
use serde_json::Value;
use tapctl::adapters::pulumi::RunStatus;
use tapctl::adapters::pulumi::folder::{RunDir, Runs};
use tapctl::adapters::pulumi::process::ProcessId;
use tapctl::domain::pulumi::RunState;

use super::workspace::{Workspace, tell};
use crate::support::pulumi::{EVERY, follow_until};

/// How long an `up` with its preview may take to begin.
const BEGINS: Duration = Duration::from_secs(180);
const AURORA: &str = "migration-aurora-prod";

/// What an operator's shell would set, and nothing of this machine but its PATH.
fn variables(world: &Workspace) -> Vec<(String, String)> {
    let folder = world.folder.path();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let text = |path: PathBuf| path.display().to_string();
    [
        ("PATH", path),
        ("HOME", text(folder.to_owned())),
        ("USER", "oncall".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TAPCTL_STATE_DIR", text(folder.to_owned())),
        ("TAPCTL_PULUMI_DIR", text(world.context.pulumi.project.clone())),
        // Nobody listens there: a guard that wants to ask AWS gets no answer and sends nothing anywhere.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn tapctl(world: &Workspace, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapctl"));
    command.args(args).args(["--stack", "prod"]).env_clear().envs(variables(world));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {}", stderr(output))).unwrap()
}

/// The `up` in this state folder, once it is there.
async fn the_up(runs: &Runs) -> RunDir {
    let begun = async {
        loop {
            let up = runs.ids().unwrap().into_iter().rev().find(|id| id.ends_with("-up"));
            if let Some(dir) = up.and_then(|id| runs.dir(&id))
                && dir.read().unwrap().is_some_and(|record| record.child.is_some())
            {
                return dir;
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::time::timeout(BEGINS, begun).await.unwrap_or_else(|_| panic!("no up began: {:?}", runs.ids()))
}

fn holds(run_state: &RunState) -> bool {
    run_state.under_way().iter().any(|resource| resource.name() == AURORA)
}

/// A world in which an `up` stops in the middle of the database cluster until the test lets it go on.
fn held() -> Option<Workspace> {
    let world = Workspace::new()?;
    world.cloud(&["control", "--hold", &format!("create:{AURORA}")]);
    let project = &world.context.pulumi.project;
    std::os::unix::fs::symlink(world.virtualenv(), project.join("venv")).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/pulumi/requirements.txt"), project.join("requirements.txt"))
        .unwrap();
    Some(world)
}

/// What `attach` has to tell of a run that went well although nobody was there.
fn assert_complete(world: &Workspace) {
    let attached = tapctl(world, &["attach", "--json"]).output().unwrap();
    assert_eq!(attached.status.code(), Some(0), "{}", stderr(&attached));
    let told = json(&attached);
    assert_eq!((told["operation"].as_str(), told["result"].as_str()), (Some("up"), Some("succeeded")), "{told}");
    assert_eq!(told["outputs"]["recordName"].as_str().map(|name| name.trim_end_matches('.')), Some("app.example.com"));
    assert!(told["changes"]["create"].as_u64().unwrap() > 100, "{told}");
    assert!(told["failure"].is_null());
    assert!(world.locks().is_empty());
}

#[tokio::test]
async fn a_killed_tapctl_leaves_its_run_going_and_the_next_one_finds_it() {
    let Some(world) = held() else { return };
    let mut first = tapctl(&world, &["up", "--yes"]).spawn().unwrap();
    let dir = the_up(&world.context.runs).await;
    follow_until(&dir, holds).await;
    first.kill().unwrap();
    let ended = first.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), None, "{}", stderr(&ended));
    assert_eq!(dir.read().unwrap().unwrap().status(), RunStatus::Running);
    let second = tapctl(&world, &["up", "--yes", "--json"]).output().unwrap();
    assert_eq!(second.status.code(), Some(3), "{}", stderr(&second));
    assert!(json(&second)["error"]["message"].as_str().unwrap().contains("is going on"));
    // Ctrl-C ends the following of a run, and says that it is only that.
    let mut third = tapctl(&world, &["attach"]).spawn().unwrap();
    let mut words = BufReader::new(third.stderr.take().unwrap());
    words.read_line(&mut String::new()).unwrap();
    ProcessId::of(third.id()).unwrap().signal(Signal::INT).unwrap();
    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    assert_eq!(third.wait().unwrap().code(), Some(5), "{rest}");
    assert!(rest.contains("goes on") && rest.contains("`tapctl attach`"), "{rest}");
    assert_eq!(dir.read().unwrap().unwrap().status(), RunStatus::Running);
    world.cloud(&["control"]);
    assert_complete(&world);
}

#[tokio::test]
async fn a_closed_terminal_leaves_the_run_going() {
    let Some(world) = held() else { return };
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tapctl"));
    command.args(["up", "--yes", "--stack", "prod"]);
    command.env_clear();
    for (name, value) in variables(&world) {
        command.env(name, value);
    }
    command.cwd(world.folder.path());
    let mut shell = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    // Somebody reads along, or the terminal would be full sooner or later.
    let mut screen = pty.master.try_clone_reader().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut screen, &mut std::io::sink()));
    let dir = the_up(&world.context.runs).await;
    follow_until(&dir, holds).await;
    let tapctl = ProcessId::of(shell.process_id().unwrap()).unwrap();
    // What the kernel sends to the session of a terminal that goes away.
    tapctl.signal(Signal::HUP).unwrap();
    assert!(!shell.wait().unwrap().success());
    drop(pty.master);
    let _ended = reader.join().unwrap();
    assert_eq!(dir.read().unwrap().unwrap().status(), RunStatus::Running);
    world.cloud(&["control"]);
    assert_complete(&world);
}

#[tokio::test]
async fn of_two_at_once_one_runs_and_the_other_says_who_does() {
    let Some(world) = held() else { return };
    let start = || tapctl(&world, &["up", "--yes"]).spawn().unwrap();
    let both: [Child; 2] = [start(), start()];
    let dir = the_up(&world.context.runs).await;
    follow_until(&dir, holds).await;
    world.cloud(&["control"]);
    let mut ended = both.map(|child| child.wait_with_output().unwrap());
    ended.sort_by_key(|output| output.status.code());
    let [won, lost] = ended;
    assert_eq!((won.status.code(), lost.status.code()), (Some(0), Some(3)), "{}\n{}", stderr(&won), stderr(&lost));
    assert!(stderr(&lost).contains("is going on"), "{}", stderr(&lost));
    let ups = world.context.runs.ids().unwrap().into_iter().filter(|id| id.ends_with("-up")).count();
    assert_eq!(ups, 1);
    assert_complete(&world);
}

/// A shell with a file system of its own, a small one, where the state folder is; its pid leads there from outside.
fn on_a_small_disk(world: &Workspace, script: &str) -> Option<Child> {
    let state = world.folder.path().join("small");
    fs::create_dir(&state).unwrap();
    let private = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_tapctl")]);
        command.env_clear().envs(variables(world)).env("TAPCTL_STATE_DIR", &state);
        command
    };
    let mount = "mount -t tmpfs -o size=40m,mode=700 none \"$TAPCTL_STATE_DIR\"";
    if !private(mount).output().is_ok_and(|output| output.status.success()) {
        // Some hosts give no user a file system of their own.
        tell("left out: no private file system can be mounted here");
        return None;
    }
    let mut shell = private(&format!("{mount} && {{ {script}; }}"));
    Some(shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

#[tokio::test]
async fn a_disk_that_runs_full_hides_neither_the_end_nor_that_something_is_missing() {
    let Some(world) = held() else { return };
    // Beside the run's own output the disk has room for what the operator wants to know afterwards: nothing.
    let script = "$0 up --yes --stack prod >&2; echo $?; $0 attach --stack prod --json; echo $?";
    let Some(shell) = on_a_small_disk(&world, script) else { return };
    let state = PathBuf::from(format!("/proc/{}/root{}/small", shell.id(), world.folder.path().display()));
    let dir = the_up(&Runs::new(&state)).await;
    follow_until(&dir, holds).await;
    let mut filler = fs::File::create(state.join("filler")).unwrap();
    let full = loop {
        if let Err(error) = filler.write_all(&[b'x'; 1 << 12]) {
            break error;
        }
    };
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    world.cloud(&["control"]);
    let output = shell.wait_with_output().unwrap();
    // Pulumi does not mind that its events go nowhere, and its state is on another disk: all was done.
    let weights = world.cloud(&["weights"]);
    assert_eq!(weights.trim(), r#"{"migration-legacy-prod": 100, "migration-new-prod": 0}"#, "{}", stderr(&output));
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let [up, attached, code] = stdout.lines().collect::<Vec<_>>()[..] else { panic!("{stdout}\n{}", stderr(&output)) };
    // Whoever reads the events cannot know that, and says so.
    assert_eq!((up, code), ("7", "7"), "{}", stderr(&output));
    assert!(stderr(&output).contains("the outcome is not known: Pulumi succeeded, but"), "{}", stderr(&output));
    let told: Value = serde_json::from_str(attached).unwrap();
    let error = &told["error"];
    assert!(error["message"].as_str().unwrap().contains("stop before the engine's summary"), "{told}");
    assert!(error["hint"].as_str().unwrap().contains("if the disk of the state folder is full"), "{told}");
    assert_eq!(error["run"]["status"], "succeeded");
}

/// The world's Pulumi with another environment, as a shell that was set up wrongly has it.
fn with_environment(world: &Workspace, name: &str, value: Option<&str>) {
    let wrapper = world.folder.path().join("pulumi");
    let kept = fs::read_to_string(&wrapper).unwrap();
    let others = kept.lines().filter(|line| !line.starts_with(&format!("export {name}="))).map(str::to_owned);
    let mut lines: Vec<String> = others.collect();
    let exec = lines.pop().unwrap();
    lines.extend(value.map(|value| format!("export {name}='{value}'")));
    lines.push(exec);
    fs::write(&wrapper, lines.join("\n")).unwrap();
}

#[test]
fn what_pulumi_cannot_work_with_is_told_with_the_way_out() {
    let Some(world) = held() else { return };
    let refused = |wanted: &str, way_out: &str| {
        let output = tapctl(&world, &["preview", "--json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
        let error = &json(&output)["error"];
        let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
        assert!(message.contains(wanted), "{message}");
        assert!(hint.contains(way_out), "{message}: {hint}");
    };
    let state = format!("file://{}", world.folder.path().join("home/state").display());
    with_environment(&world, "PULUMI_CONFIG_PASSPHRASE", None);
    refused("passphrase must be set", "PULUMI_CONFIG_PASSPHRASE_FILE");
    with_environment(&world, "PULUMI_CONFIG_PASSPHRASE", Some("another one"));
    refused("incorrect passphrase", "PULUMI_CONFIG_PASSPHRASE_FILE");
    with_environment(&world, "PULUMI_BACKEND_URL", Some("file:///nowhere/at/all"));
    refused("unable to open bucket", "PULUMI_BACKEND_URL");
    with_environment(&world, "PULUMI_BACKEND_URL", Some(&state));
    fs::remove_file(world.context.pulumi.project.join("venv")).unwrap();
    refused("no virtual environment in venv", "pulumi install");
    let wrapper = world.folder.path().join("pulumi");
    fs::write(&wrapper, "#!/bin/sh\necho v3.46.1\n").unwrap();
    refused("version 3.46.1", "install a newer Pulumi CLI");
    fs::write(&wrapper, "#!/bin/sh\necho 'Exec format error' >&2\nexit 126\n").unwrap();
    refused("does not work", "pulumi version");
    fs::remove_file(&wrapper).unwrap();
    if Command::new("pulumi").arg("version").output().is_err() {
        refused("pulumi was not found", "install the Pulumi CLI");
    }
    assert!(world.context.runs.ids().unwrap().is_empty() || world.context.runs.going_on().unwrap().is_none());
}

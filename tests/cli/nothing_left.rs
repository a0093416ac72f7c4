//! What a demo and a simulator leave behind: nothing, however they end.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::drill::tapctl;
use crate::support::folder::Folder;
use crate::support::process::until;
use crate::support::terminal::Terminal;

const ENDS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

fn with_tmp(home: &Path, tmp: &Path, args: &[&str]) -> Command {
    let mut command = tapctl(home, args);
    command.env("TMPDIR", tmp);
    command
}

/// A simulator that listens, and its folder.
fn sim(home: &Path, tmp: &Path) -> (Child, PathBuf) {
    let mut child = with_tmp(home, tmp, &["sim"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let hello: serde_json::Value = serde_json::from_str(&line).unwrap();
    let folder = Path::new(hello["outputs"].as_str().unwrap()).parent().unwrap().to_owned();
    assert!(folder.starts_with(tmp) && folder.is_dir());
    (child, folder)
}

fn left_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn a_simulator_that_is_told_to_end_leaves_nothing_behind() {
    let (home, tmp) = (Folder::new(), Folder::new());
    for signal in ENDS {
        let (mut child, _) = sim(home.path(), tmp.path());
        send(child.id(), signal);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal:?}");
        assert_eq!(left_in(tmp.path()), Vec::<PathBuf>::new(), "{signal:?}");
    }
}

#[test]
fn what_a_killed_one_has_left_goes_at_the_next_start_and_what_is_in_use_stays() {
    let (home, tmp) = (Folder::new(), Folder::new());
    let (mut killed, left) = sim(home.path(), tmp.path());
    let (mut living, in_use) = sim(home.path(), tmp.path());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left.is_dir(), "nobody was there to take it away");
    let (mut next, _) = sim(home.path(), tmp.path());
    assert!(!left.exists() && in_use.is_dir(), "{:?}", left_in(tmp.path()));
    for child in [&mut living, &mut next] {
        send(child.id(), Signal::TERM);
        child.wait().unwrap();
    }
    assert_eq!(left_in(tmp.path()), Vec::<PathBuf>::new());
}

/// Processes whose command line names something in this folder.
fn processes_in(folder: &Path) -> Vec<String> {
    let of = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().filter_map(of);
    all.filter(|line| line.contains(folder.to_str().unwrap())).collect()
}

/// A demo beside whose cockpit a run of the fake Pulumi goes on.
fn demo(home: &Path, tmp: &Path) -> Terminal {
    let mut terminal = Terminal::open(&with_tmp(home, tmp, &["demo", "--scenario", "reattach"]));
    terminal.until_shown("5 Provision");
    until("a run of the fake Pulumi", || (!processes_in(tmp).is_empty()).then_some(()));
    terminal
}

#[test]
fn a_demo_that_ends_takes_its_folder_and_its_processes_with_it() {
    let (home, tmp) = (Folder::new(), Folder::new());
    let left = demo(home.path(), tmp.path());
    left.leaves();
    assert_eq!((left_in(tmp.path()), processes_in(tmp.path())), (vec![], vec![]), "q");
    for signal in ENDS {
        let terminal = demo(home.path(), tmp.path());
        send(terminal.id(), signal);
        terminal.end();
        assert_eq!((left_in(tmp.path()), processes_in(tmp.path())), (vec![], vec![]), "{signal:?}");
    }
}

#[test]
fn a_demo_that_is_killed_leaves_no_process_and_its_folder_goes_at_the_next_start() {
    let (home, tmp) = (Folder::new(), Folder::new());
    demo(home.path(), tmp.path()).kill();
    until("the end of the fake Pulumi", || processes_in(tmp.path()).is_empty().then_some(()));
    let (mut next, folder) = sim(home.path(), tmp.path());
    assert_eq!(left_in(tmp.path()), [folder]);
    send(next.id(), Signal::TERM);
    next.wait().unwrap();
    assert_eq!(left_in(tmp.path()), Vec::<PathBuf>::new());
}

//! Questions on a real terminal.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use portable_pty::{CommandBuilder, ExitStatus, PtySize, native_pty_system};

use crate::drill::Drill;

/// A command on a terminal: what it shows, and what is typed.
pub(crate) struct Session {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: mpsc::Receiver<Vec<u8>>,
    text: String,
    _terminal: Box<dyn portable_pty::MasterPty + Send>,
}

impl Session {
    fn open(drill: &Drill, line: &str) -> Self {
        let args: Vec<&str> = line.split_whitespace().collect();
        Self::of(&drill.command("a", &args), drill.folder.path())
    }

    /// The same command on a terminal.
    pub(crate) fn of(template: &Command, folder: &Path) -> Self {
        let mut command = CommandBuilder::new(template.get_program());
        command.args(template.get_args());
        command.env_clear();
        for (name, value) in template.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.cwd(folder);
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keys = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 || send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, shown, text: String::new(), _terminal: pair.master }
    }

    /// Reads until words come that were not there before.
    pub(crate) fn until_new(&mut self, words: &str) {
        let before = self.text.len();
        while !self.text[before..].contains(words) {
            match self.shown.recv() {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(gone) => panic!("{words:?} never came ({gone}): {}", self.text),
            }
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Reads until the words are on the screen.
    fn until(&mut self, words: &str) {
        while !self.text.contains(words) {
            match self.shown.recv() {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(gone) => panic!("{words:?} never came ({gone}): {}", self.text),
            }
        }
    }

    fn type_line(&mut self, text: &str) {
        writeln!(self.keys, "{text}").unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.shown.recv() {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status, self.text)
    }
}

#[test]
fn a_step_is_asked_for_and_takes_a_y() {
    let drill = Drill::steady();
    let mut session = Session::open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    assert!(session.text.contains("100/0 → 90/10") && session.text.contains("ChangeResourceRecordSets"));
    session.type_line("y");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 0, "{text}");
    assert_eq!(drill.weights(), (90, 10));
}

#[test]
fn anything_else_leaves_things_as_they_are() {
    let drill = Drill::steady();
    let mut session = Session::open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    session.type_line("");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 5, "{text}");
    assert_eq!(drill.weights(), (100, 0));
    assert_eq!(drill.events(), ["seen", "declined"]);
}

#[test]
fn all_traffic_needs_the_records_name() {
    for (typed, code, weights) in [("y", 5, (100, 0)), ("app.example.com", 0, (0, 100))] {
        let drill = Drill::steady();
        let mut session = Session::open(&drill, "shift --to 100 --override step-size --reason drill");
        session.until("Type app.example.com. to go on: ");
        session.type_line(typed);
        let (status, text) = session.end();
        assert_eq!(status.exit_code(), code, "{text}");
        assert_eq!(drill.weights(), weights);
    }
}

#[test]
fn what_somebody_else_does_while_the_question_stands_is_a_conflict() {
    let drill = Drill::steady();
    let mut session = Session::open(&drill, "shift --to 10");
    session.until("Go on? [y/N] ");
    let other = drill.command("b", &["shift", "--to", "5", "--yes"]).output().unwrap();
    assert_eq!(other.status.code(), Some(0), "{}", String::from_utf8_lossy(&other.stderr));
    session.type_line("y");
    let (status, text) = session.end();
    assert_eq!(status.exit_code(), 4, "{text}");
    assert!(text.contains("expected 100/0, found 95/5"), "{text}");
    assert_eq!(drill.weights(), (95, 5));
}

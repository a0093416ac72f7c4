//! A command on a real terminal: what it shows, and what is typed.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, PtySize, native_pty_system};

use super::PATIENCE;
use super::process::until;
use super::pulumi::EVERY;

/// What a person does at the cockpit.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Waits until this stands on the screen.
    Shown(&'static str),
    /// Presses these keys, one after the other.
    Press(&'static str),
}

const ROWS: u16 = 36;
const COLUMNS: u16 = 120;

type Started = (Box<dyn portable_pty::MasterPty + Send>, Box<dyn portable_pty::Child + Send + Sync>);

fn started(template: &Command) -> Started {
    let mut command = CommandBuilder::new(template.get_program());
    command.args(template.get_args());
    command.env_clear();
    for (name, value) in template.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.cwd(template.get_current_dir().unwrap());
    let pair = native_pty_system().openpty(PtySize { rows: ROWS, cols: COLUMNS, ..PtySize::default() }).unwrap();
    let child = pair.slave.spawn_command(command).unwrap();
    (pair.master, child)
}

/// Does this on a terminal that goes away then, as when a connection drops, once `ready` comes back; how the process ends
/// when `gone` was done.
pub(crate) fn on_one_that_vanishes(
    template: &Command,
    acts: &[Act],
    ready: impl FnOnce(),
    gone: impl FnOnce(),
) -> ExitStatus {
    let (master, mut child) = started(template);
    let (mut keys, mut reader) = (master.take_writer().unwrap(), master.try_clone_reader().unwrap());
    let (mut screen, mut buffer) = (emulator(), [0; 4096]);
    for act in acts {
        match act {
            Act::Press(typed) => keys.write_all(typed.as_bytes()).and_then(|()| keys.flush()).unwrap(),
            Act::Shown(words) => {
                while !screen.screen().contents().contains(words) {
                    let length = reader.read(&mut buffer).unwrap();
                    assert!(length > 0, "{words:?} never came:\n{}", screen.screen().contents());
                    screen.process(&buffer[..length]);
                }
            }
        }
    }
    ready();
    drop((keys, reader, master));
    gone();
    until("the end of the process", || child.try_wait().unwrap())
}

fn emulator() -> vt100::Parser {
    let size = |cells| std::num::NonZero::new(cells).unwrap();
    vt100::Parser::new(size(ROWS), size(COLUMNS), 0)
}

/// A process on a terminal of its own.
pub(crate) struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: mpsc::Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was written to it.
    pub(crate) text: String,
    master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    /// Starts the command on a terminal of 120 columns and 36 rows.
    pub(crate) fn open(template: &Command) -> Self {
        let (master, child) = started(template);
        let keys = master.take_writer().unwrap();
        let mut reader = master.try_clone_reader().unwrap();
        let (send, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 || send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, shown, screen: emulator(), text: String::new(), master }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.text.push_str(&String::from_utf8_lossy(bytes));
    }

    fn wait_for(&mut self, words: &str, is_there: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there(self) {
            match self.shown.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(gone) => panic!("{words:?} never came ({gone}):\n{}", self.screen()),
            }
        }
    }

    /// Reads until the words were written.
    pub(crate) fn until(&mut self, words: &str) {
        self.wait_for(words, |terminal| terminal.text.contains(words));
    }

    /// Reads until words are written that were not there before.
    pub(crate) fn until_new(&mut self, words: &str) {
        self.until_after(self.text.len(), words);
    }

    /// Reads until the words are written behind this position of the text.
    pub(crate) fn until_after(&mut self, position: usize, words: &str) {
        self.wait_for(words, |terminal| terminal.text[position..].contains(words));
    }

    /// Reads until the words stand on the screen.
    pub(crate) fn until_shown(&mut self, words: &str) {
        self.wait_for(words, |terminal| terminal.screen().contains(words));
    }

    /// Reads until the words stand on the screen no more.
    pub(crate) fn until_gone(&mut self, words: &str) {
        self.wait_for(words, |terminal| !terminal.screen().contains(words));
    }

    /// Whether the words come to stand on the screen within this time.
    pub(crate) fn comes(&mut self, words: &str, within: Duration) -> bool {
        let until = Instant::now() + within;
        while !self.screen().contains(words) {
            match self.shown.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => return false,
            }
        }
        true
    }

    /// Whether the process ends within this time, and how.
    pub(crate) fn ends(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                return ended;
            }
            while let Ok(bytes) = self.shown.recv_timeout(EVERY) {
                self.take(&bytes);
            }
        }
    }

    /// The window has another size from now on.
    pub(crate) fn resized(&mut self, rows: u16, columns: u16) {
        self.master.resize(PtySize { rows, cols: columns, ..PtySize::default() }).unwrap();
        let size = |cells| std::num::NonZero::new(cells).unwrap();
        self.screen.set_size(size(rows), size(columns));
    }

    /// Forgets what was written so far; what stands on the screen stays.
    pub(crate) fn forgets(&mut self) {
        self.text.clear();
    }

    /// Presses keys, if anybody is there to take them.
    pub(crate) fn tries(&mut self, keys: &str) {
        let _gone = self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush());
    }

    /// Whether keys reach the process as they are typed.
    pub(crate) fn is_raw(&self) -> bool {
        self.master.get_termios().is_some_and(|termios| !format!("{:?}", termios.local_flags).contains("ICANON"))
    }

    /// Somebody else writes on the same terminal.
    pub(crate) fn written_over(&self, text: &str) {
        let name = self.master.tty_name().unwrap();
        std::fs::OpenOptions::new().write(true).open(name).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The screen as it is now.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// What a person does, one act after the other.
    pub(crate) fn does(&mut self, acts: &[Act]) {
        for act in acts {
            match act {
                Act::Shown(words) => self.until_shown(words),
                Act::Press(keys) => self.press(keys),
            }
        }
    }

    /// Leaves the cockpit, which ends well.
    pub(crate) fn leaves(mut self) {
        self.press("q");
        let (status, text) = self.end();
        assert!(status.success(), "{text}");
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        self.press(&format!("{text}\n"));
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Kills the process, whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end of the process; gives its status and all that it wrote.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = until("the end of the process", || self.child.try_wait().unwrap());
        while let Ok(bytes) = self.shown.recv() {
            self.take(&bytes);
        }
        (status, self.text.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only this very child; it may have ended already.
        let _ = self.child.kill();
        // Until it is gone it may write to the folder that the test is about to remove.
        let _ = self.child.wait();
    }
}

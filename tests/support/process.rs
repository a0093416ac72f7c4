//! A process that goes on beside the test: stopped, killed, or waited for, and gone when the test is.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::drill::Ran;
use super::pulumi::EVERY;

/// Looks again and again until there is something; what does not come within [`PATIENCE`] does not come at all.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut f: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = f() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} never came");
        thread::sleep(EVERY);
    }
}

/// A process that this test has started.
pub(crate) struct Process {
    child: Option<Child>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child: Some(child) }
    }

    fn child(&self) -> &Child {
        self.child.as_ref().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child().id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Stops it as a suspended terminal does: it lives and does nothing.
    pub(crate) fn stop(&self) {
        kill_process(Pid::from_child(self.child()), Signal::STOP).unwrap();
    }

    /// Kills it, whatever it does.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// How it ended, and after how long; one that does not end within [`PATIENCE`] is killed and fails the test.
    pub(crate) fn ended(mut self) -> (Ran, Duration) {
        let child = self.child.take().unwrap();
        let (pid, began) = (Pid::from_child(&child), Instant::now());
        let (send, ended) = mpsc::channel();
        thread::spawn(move || send.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(PATIENCE) else {
            kill_process(pid, Signal::KILL).unwrap();
            panic!("it did not end within {PATIENCE:?}");
        };
        (Ran::of(output.unwrap()), began.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only this very child. A stopped process takes a kill at once.
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

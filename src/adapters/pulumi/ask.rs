//! Asks Pulumi what changes nothing, before it is known which stack everything is about.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::find;
use crate::adapters::environment::{self, Needs};

/// Words of the CLI about a state that is just being written: a `file://` backend writes it in place.
const HALF_WRITTEN: &str = "failed to load checkpoint";
/// Reads of such a state before its failure counts.
const READS: u32 = 10;
/// Pause between two of them.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// Whom to ask, and about what.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The program to start; nothing is `pulumi` on PATH.
    pub program: Option<&'a Path>,
    /// The folder of `Pulumi.yaml`.
    pub dir: &'a Path,
    /// The stack, where one is named.
    pub stack: Option<&'a str>,
    /// How long an answer may take.
    pub deadline: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It could not be started, for this reason.
    NotStarted(String),
    /// It failed, with these words.
    Failed(String),
}

impl Asked<'_> {
    /// What Pulumi answers to these arguments.
    ///
    /// # Errors
    /// [`NoAnswer`] when it cannot be started, fails, or is silent past the deadline.
    pub async fn answer(&self, question: &[&str]) -> Result<String, NoAnswer> {
        let mut reads = 1;
        loop {
            match self.once(question).await {
                Err(NoAnswer::Failed(why)) if why.contains(HALF_WRITTEN) && reads < READS => {
                    reads += 1;
                    tokio::time::sleep(READ_AGAIN).await;
                }
                answered => return answered,
            }
        }
    }

    async fn once(&self, question: &[&str]) -> Result<String, NoAnswer> {
        let found = find::locate(self.program, std::env::var_os("PATH").as_deref());
        // Where it is not found the system says so, in the words below.
        let program = found.unwrap_or_else(|_| self.program.map_or_else(|| "/nowhere/pulumi".into(), Path::to_owned));
        let mut command = Command::new(program);
        environment::confine(command.as_std_mut(), Needs::Pulumi);
        command.args(question).args(["--non-interactive", "--color", "never"]).arg("--cwd").arg(self.dir);
        if let Some(stack) = self.stack {
            command.arg("--stack").arg(stack);
        }
        command.env("PULUMI_SKIP_UPDATE_CHECK", "true").stdin(Stdio::null()).kill_on_drop(true);
        let output = match tokio::time::timeout(self.deadline, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                let why = self.program.map_or_else(
                    || "there is no `pulumi` on PATH".to_owned(),
                    |program| format!("{} is not there", program.display()),
                );
                return Err(NoAnswer::NotStarted(why));
            }
            Ok(Err(error)) => return Err(NoAnswer::NotStarted(error.to_string())),
            Err(_) => {
                let why = format!("no answer within {} s", self.deadline.as_secs());
                return Err(NoAnswer::Failed(why));
            }
        };
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(NoAnswer::Failed(last_words(&output)))
        }
    }
}

/// The line that says what is wrong: Pulumi warns of other things behind it now and then.
fn last_words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.clone().find(|line| line.starts_with("error:")).or_else(|| lines.next_back());
    line.map_or_else(|| format!("it ended with {} and said nothing", output.status), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_warning_behind_the_error_does_not_hide_it() {
        let said = |stderr: &str| {
            let status = std::process::ExitStatus::from_raw(255 << 8);
            last_words(&Output { status, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() })
        };
        let warned =
            "warning: a plug-in\nerror: passphrase must be set\nwarning: A new version of Pulumi is available\n";
        assert_eq!(said(warned), "error: passphrase must be set");
        assert_eq!(said("something\nelse\n\n"), "else");
        assert!(said("").contains("said nothing"));
    }
}

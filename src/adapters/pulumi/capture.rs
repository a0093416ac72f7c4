//! Short questions to Pulumi: both pipes are read while it lives, and neither grows without bound.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::command::Invocation;
use crate::adapters::environment::{self, Needs};
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::text::clean;
use crate::domain::text::hide;

/// Longest answer that is read. The state of the bundled program has about 400 kB.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Longest complaint that is kept.
const MAX_COMPLAINT_BYTES: u64 = 64 << 10;

/// What a command answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Its exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr, cleaned.
    pub stderr: String,
}

/// Whether a question may be broken off when its answer takes too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It only reads: it is ended after this long.
    Limited(Duration),
    /// It writes: it is waited for.
    Unlimited,
}

/// Asks, and takes any exit code for an answer.
///
/// # Errors
/// [`PulumiError::Unusable`] when it cannot be started, [`PulumiError::NoAnswer`] when patience runs out.
pub async fn ask(invocation: &Invocation, patience: Patience) -> Result<CommandOutput, PulumiError> {
    ask_with(invocation, patience, Needs::Pulumi).await
}

async fn ask_with(invocation: &Invocation, patience: Patience, needs: Needs) -> Result<CommandOutput, PulumiError> {
    let unusable = |error: &std::io::Error| PulumiError::Unusable {
        path: invocation.argv.first().map(Into::into).unwrap_or_default(),
        message: error.to_string(),
    };
    let (program, args) = invocation.argv.split_first().ok_or_else(|| PulumiError::Missing("no program".to_owned()))?;
    let mut command = Command::new(program);
    environment::confine(command.as_std_mut(), needs);
    let mut child = command
        .args(args)
        .current_dir(&invocation.cwd)
        .envs(invocation.env.iter().cloned())
        .stdin(if invocation.input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(patience != Patience::Unlimited)
        .spawn()
        .map_err(|error| unusable(&error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, &invocation.input) {
                // A command that does not read its input says so by its exit code.
                let _unread = stdin.write_all(input.as_bytes()).await;
            }
        };
        let (status, stdout, stderr, ()) =
            tokio::join!(child.wait(), drain(stdout, MAX_ANSWER_BYTES), drain(stderr, MAX_COMPLAINT_BYTES), feed);
        Ok(CommandOutput {
            code: status.map_err(|error| unusable(&error))?.code(),
            stdout,
            stderr: hide(&clean(&stderr)).trim().to_owned(),
        })
    };
    match patience {
        Patience::Unlimited => talk.await,
        Patience::Limited(limit) => tokio::time::timeout(limit, talk)
            .await
            .unwrap_or_else(|_| Err(PulumiError::NoAnswer { line: invocation.line.clone(), seconds: limit.as_secs() })),
    }
}

/// Asks, and takes only exit code 0 for an answer.
///
/// # Errors
/// As [`ask`], and [`PulumiError::Refusing`] with what it wrote to stderr.
pub async fn answer(invocation: &Invocation, patience: Patience) -> Result<String, PulumiError> {
    taken(invocation, ask(invocation, patience).await?)
}

/// The same for a question that needs no secret at all.
///
/// # Errors
/// As [`answer`].
pub async fn answer_without_secrets(invocation: &Invocation, patience: Patience) -> Result<String, PulumiError> {
    taken(invocation, ask_with(invocation, patience, Needs::Nothing).await?)
}

fn taken(invocation: &Invocation, answer: CommandOutput) -> Result<String, PulumiError> {
    if answer.code == Some(0) {
        return Ok(answer.stdout);
    }
    let said = answer.stderr.strip_prefix("error: ").unwrap_or(&answer.stderr).to_owned();
    let code = answer.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
    let message = if said.is_empty() { code } else { said };
    Err(PulumiError::Refusing { line: invocation.line.clone(), message })
}

/// Reads to the end, keeps the first `max` bytes. What is beyond is read too, so that the writer never blocks.
async fn drain<R: AsyncRead + Unpin>(pipe: Option<R>, max: u64) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut kept = Vec::new();
    let mut limited = (&mut pipe).take(max);
    if limited.read_to_end(&mut kept).await.is_ok() {
        let _rest = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: Option<&str>) -> Invocation {
        Invocation {
            argv: ["sh", "-c", script].map(str::to_owned).into(),
            cwd: "/".into(),
            env: vec![("ADDED".into(), "here".into())],
            line: "sh".into(),
            input: input.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn both_pipes_are_read_and_the_exit_code_decides() {
        let chatty = "head -c 200000 /dev/zero | tr '\\0' x >&2; head -c 200000 /dev/zero | tr '\\0' y; exit 3";
        let answer = ask(&shell(chatty, None), Patience::Unlimited).await.unwrap();
        assert_eq!((answer.code, answer.stdout.len(), answer.stderr.len()), (Some(3), 200_000, 65_536));
        assert_eq!(answer_text("echo $ADDED").await, Ok("here\n".to_owned()));
        let refused = answer_text("echo 'error: no stack' >&2; exit 6").await.unwrap_err();
        assert!(matches!(refused, PulumiError::Refusing { message, .. } if message == "no stack"));
    }

    async fn answer_text(script: &str) -> Result<String, PulumiError> {
        answer(&shell(script, None), Patience::Unlimited).await
    }

    #[tokio::test]
    async fn input_goes_through_the_pipe_and_patience_has_an_end() {
        assert_eq!(answer(&shell("cat", Some("swordfish")), Patience::Unlimited).await, Ok("swordfish".to_owned()));
        let slow = ask(&shell("read line < /dev/zero", None), Patience::Limited(Duration::from_millis(20))).await;
        assert!(matches!(slow, Err(PulumiError::NoAnswer { .. })));
        let missing = Invocation { argv: vec!["/nowhere/pulumi".into()], ..shell("", None) };
        assert!(matches!(ask(&missing, Patience::Unlimited).await, Err(PulumiError::Unusable { .. })));
    }
}

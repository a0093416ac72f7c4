//! Asks on a plain terminal: the plan on stderr, the answer from stdin.
//!
//! What was typed before the question is thrown away, and a question that nobody answers dies. It never takes silence
//! for a yes.

use std::io;

use crate::domain::confirm::{Challenge, EXPIRES_AFTER, YesFlag};

use super::console::Console;
use super::failure::{Exit, Failure};
use super::tty;

/// How a question ended without a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined(pub String);

impl From<Declined> for Failure {
    fn from(declined: Declined) -> Self {
        Self::new(
            Exit::Declined,
            "declined",
            format!("nothing was changed: {}", declined.0),
            "run it again to decide anew, with --yes where nobody can be asked",
        )
    }
}

/// Asks for what `challenge` says, and waits for the answer for as long as a dialog of the cockpit would.
///
/// # Errors
/// [`Declined`] for any other answer, none in time, an interrupt, or nobody to ask.
pub async fn ask(out: &mut Console, challenge: &Challenge) -> Result<YesFlag, Declined> {
    if !tty::can_ask() {
        return Err(Declined("there is no terminal to ask on, and --yes was not given".to_owned()));
    }
    tty::flush_stdin();
    out.prompt(&match challenge {
        Challenge::Yes => "Go on? [y/N] ".to_owned(),
        Challenge::Typed(name) => format!("Type {name} to go on: "),
    });
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let declined = |why: &str| Err(Declined(why.to_owned()));
    let line = tokio::select! {
        answer = tokio::time::timeout(EXPIRES_AFTER, line) => match answer {
            Ok(Ok(Ok(line))) => line,
            Ok(_) => return declined("the answer could not be read"),
            Err(_) => {
                out.say("");
                return declined("nobody answered within 30 s");
            }
        },
        _ = tokio::signal::ctrl_c() => {
            out.say("");
            return declined("interrupted");
        }
    };
    YesFlag::from_answer(&line, challenge).map_or_else(|| declined("the answer was not a yes"), Ok)
}

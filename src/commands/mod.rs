//! The headless commands: the same domain functions and the same ports as the cockpit, printed instead of drawn.
//!
//! One file for each command. They may use everything below the cockpit. Data goes to stdout, words to stderr, and the
//! exit code tells the truth.

pub mod cockpit;
mod concurrent_up;
pub mod config;
pub mod console;
pub mod demo;
pub mod dns;
pub mod doctor;
pub mod failure;
pub mod gates;
pub mod iam_policy;
pub mod journal;
pub mod prompt;
pub mod provision;
pub mod report;
pub mod run_text;
pub mod runbook;
pub mod shell;
pub mod shift;
pub mod sim;
pub mod snapshot;
pub mod status;
pub mod text;
pub mod tty;
mod wait;
pub mod zone;

use crate::cli::{Cli, Command};
use crate::compose::pulumi::withheld_text;
use crate::config::Global;

use console::Console;
use failure::{Exit, Failure};

/// Does what was typed.
///
/// # Errors
/// [`Failure`] with the exit code, the words and the next step.
pub async fn run(cli: Cli, out: &mut Console) -> Result<Exit, Failure> {
    let global = &cli.global.typed();
    Box::pin(done(cli.command.as_ref(), global, out)).await.map_err(|failure| match withheld_text() {
        // What it lacks may be what it was not given.
        Some(withheld) if failure.code == "pulumi" => {
            Failure { hint: format!("{}; {withheld}", failure.hint), ..failure }
        }
        _ => failure,
    })
}

async fn done(command: Option<&Command>, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    match command {
        None => Box::pin(cockpit::run(global)).await,
        Some(Command::Demo(args)) => Box::pin(demo::run(args, global, out)).await,
        Some(Command::Sim(args)) => sim::run(args, out).await,
        Some(Command::Status(args)) => status::run(*args, global, out).await,
        Some(Command::Gates(args)) => gates::run(*args, global, out).await,
        Some(Command::Dns(args)) => Box::pin(dns::run(*args, global, out)).await,
        Some(Command::Shift(args)) => shift::shift(args, global, out).await,
        Some(Command::Evacuate(args)) => shift::evacuate(args, global, out).await,
        Some(Command::Rollback(args)) => shift::rollback(*args, global, out).await,
        Some(Command::Adopt(args)) => zone::adopt(*args, global, out).await,
        Some(Command::Release(args)) => zone::release(*args, global, out).await,
        Some(Command::Preview(args)) => provision::preview(*args, global, out).await,
        Some(Command::Up(args)) => provision::up(*args, global, out).await,
        Some(Command::Refresh(args)) => provision::refresh(*args, global, out).await,
        Some(Command::Destroy(args)) => provision::destroy(*args, global, out).await,
        Some(Command::Config(args)) => config::run(args, global, out).await,
        Some(Command::Attach(args)) => provision::attach(args, global, out).await,
        Some(Command::Interrupt(args)) => provision::interrupt(args, global, out).await,
        Some(Command::Unlock(args)) => provision::unlock(*args, global, out).await,
        Some(Command::Journal(args)) => journal::run(*args, global, out).await,
        Some(Command::Report(args)) => report::run(args, global, out).await,
        Some(Command::Runbook(args)) => Box::pin(runbook::run(args, global, out)).await,
        Some(Command::Doctor(args)) => doctor::run(*args, global, out).await,
        Some(Command::IamPolicy) => iam_policy::run(global, out).await,
        Some(Command::Completions { shell }) => shell::completions(*shell, out),
        Some(Command::Man) => shell::man(out),
    }
}

//! `tapctl`: a terminal cockpit for moving a live system between AWS regions, and the same from scripts.
pub mod adapters;
pub mod cli;
pub mod commands;
pub mod config;
pub mod domain;
pub mod keymap;
pub mod ports;
pub mod runtime;
pub mod sim;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use commands::failure::{Exit, Failure};
use commands::out::Out;

/// Threads of the runtime: one can wait for answers while another reads one.
const WORKERS: usize = 2;

/// Reads the arguments, does what they say, and gives the exit code; the first argument is the program's name.
///
/// # Errors
/// When the runtime cannot be started at all.
pub fn run(args: impl IntoIterator<Item = OsString>) -> color_eyre::Result<ExitCode> {
    commands::host::started();
    let args: Vec<OsString> = args.into_iter().collect();
    let mut out = Out::standard();
    let cli = match cli::parse(args.iter().cloned()) {
        Ok(cli) => cli,
        Err(error) => return Ok(ExitCode::from(not_understood(&args, &error, &mut out) as u8)),
    };
    let json = cli.command.as_ref().is_some_and(cli::Command::wants_json);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let exit = runtime.block_on(commands::run(cli, &mut out)).unwrap_or_else(|failure| {
        out.failure(&failure, json);
        failure.exit
    });
    // A question that nobody answers still waits for a line on stdin; nobody waits for it.
    runtime.shutdown_background();
    Ok(ExitCode::from(exit as u8))
}

/// Prints help where it was asked for, and else what is wrong; with `--json` also as an object.
fn not_understood(args: &[OsString], error: &clap::Error, out: &mut Out) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    if args.iter().any(|arg| arg == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let _ = out.json(&Failure::usage(first.trim_start_matches("error: ")).json());
    }
    let _ = error.print();
    Exit::Usage
}

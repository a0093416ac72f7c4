//! `tapctl`: a terminal cockpit for the engineer who moves a live system from one AWS region to another.
//!
//! Functional core, imperative shell: an Elm loop (model, message, update, view, effect) with ports and adapters at its
//! edges. What a key does is decided by a plain function over plain values; what touches AWS, a disk or a terminal is
//! thin and replaceable.
//!
//! ```text
//! keys ────> keymap ──┐                                          (facts come back only as messages)
//! tick(now) ──────────┼──> Msg ──> update(&mut Model) ──> [Effect] ──> runtime::effects ──> ports ──> adapters ──> AWS
//! answers ────────────┘               │                                      ▲                           │
//!                                     └──> ui::draw(&Model) ──> frame        └────────── Msg <───────────┘
//! commands ─────────────────────────────> the same domain functions, the same ports, printed instead of drawn
//! ```
//!
//! | module | what it holds | what it never does |
//! |---|---|---|
//! | [`domain`] | values, gates, plans, confirmations, the model and `update` | I/O, clocks, async, SDK types |
//! | [`keymap`] | the one table of keys | know what is on the screen |
//! | [`ports`] | small traits over domain values, one closed error | name an SDK, a file or a process |
//! | [`adapters`] | AWS through its official SDK, the journal, clocks, Pulumi | decide anything |
//! | [`runtime`] | the loop, effects, the terminal, what commands share with the cockpit | await in the loop |
//! | [`ui`] | views as plain functions of the model | change anything |
//! | [`commands`] | headless commands, one file each | decide what `domain` decides |
//! | [`compose`] | which adapter keeps which port, and whether anything may be written | decide anything else |
//! | [`config`], [`cli`] | what was typed and found, and what it means | talk to AWS |
//! | [`script`] | golden scripts: a night as text, and the machine that plays it through the loop | sleep, or reach a network |
//! | [`sim`] | the simulator: physics on virtual time, AWS's wire formats, faults | use another module |
//! | [`fake_pulumi`] | the scenarios' fake Pulumi, which plays recorded runs | run in a real migration |
//!
//! What a room never does is held by `tests/cockpit/borders/`; that no script sleeps or reaches a network, by the golden
//! scripts, which are played on a time that stands still (`tests/cockpit/golden.rs`).
//!
//! # Invariants
//!
//! 1. Only `update` writes the model; only the runtime runs effects; views get shared references.
//! 2. Nothing is awaited in the loop. Every effect has a number, a deadline and one closing message, also on a panic;
//!    a stale number changes nothing.
//! 3. A write takes a [`Confirmed`](domain::confirm::Confirmed) value, and only `confirm` makes one. No single key
//!    press changes anything outside the terminal, and no question that is not wholly on the screen takes an answer
//!    (`ui::question_tests`, `runtime::window_tests`). Only the executor calls a writing port
//!    (`tests/cockpit/borders/`).
//! 4. Weights change by one Route 53 batch only: DELETE the exact records seen, CREATE the new ones, the whole group at
//!    once. A mismatch is a conflict: shown, never sent again by itself (`tests/conformance/test_weight_swap.py`). A sum
//!    of 0 cannot be expressed.
//! 5. The journal holds the intent, synced to disk, before the call, and the outcome after it. Only *made* is proved by
//!    one look at the records; an intent without an outcome stays open until it is known (`tests/cli/crashes/`,
//!    `domain::change::{outcome, settle, settle_pulumi}`).
//! 6. Unknown is no: missing, stale, partial, contradicting or future data passes no gate, and every fact in hand is
//!    judged (`domain::judged`). The way back to the legacy stack has no gate, and waits for no lock past its bound
//!    (`tests/cli/two_processes.rs`).
//! 7. Every queue, series, log and retry has a bound, and the bound a reason.
//! 8. Text from outside is cleaned where it comes in, and once more where it is printed; secrets reach neither the screen
//!    nor the journal nor the log (`tests/cli/foreign.rs`). A process that must not write holds no port that could
//!    (`tests/cli/endpoints.rs`).
//! 9. What a person sees carries its age, and reads the same in 16 colours, without colour and in ASCII.

pub mod adapters;
pub mod cli;
pub mod commands;
pub mod compose;
pub mod config;
pub mod domain;
pub mod fake_pulumi;
pub mod keymap;
pub mod ports;
pub mod runtime;
pub mod script;
pub mod sim;
pub mod ui;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use futures_util::future::LocalBoxFuture;

use commands::console::Console;
use commands::failure::{Exit, Failure};
use domain::text::Printable;

/// Threads of a cockpit: one can wait for answers while another reads one.
const WORKERS: usize = 2;

/// Where the work is done. A cockpit and a simulator do several things at once; a command waits for answers, and has them
/// sooner where no thread wakes another for each.
fn runtime_for(command: Option<&cli::Command>) -> std::io::Result<tokio::runtime::Runtime> {
    if matches!(command, None | Some(cli::Command::Demo(_) | cli::Command::Sim(_))) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()
    } else {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    }
}

/// Reads the arguments, does what they say, and gives the exit code; the first argument is the program's name.
///
/// # Errors
/// When the runtime cannot be started at all.
pub fn run(args: impl IntoIterator<Item = OsString>) -> color_eyre::Result<ExitCode> {
    let args: Vec<OsString> = args.into_iter().collect();
    adapters::host::leave_no_core();
    if let Some(code) = of_its_own(&args) {
        return Ok(code);
    }
    adapters::environment::keep_secrets();
    let mut out = Console::standard();
    let cli = match cli::parse(args.iter().cloned()) {
        Ok(cli) => cli,
        Err(error) => {
            // What was typed is in the message, and may have been pasted.
            let words =
                cli::explained(&args).unwrap_or_else(|| Printable::line(&error.to_string()).as_str().to_owned());
            return Ok(ExitCode::from(not_understood(&args, &error, &words, &mut out) as u8));
        }
    };
    let json = cli.command.as_ref().is_some_and(cli::Command::wants_json);
    let runtime = runtime_for(cli.command.as_ref())?;
    // One compiled copy: what waits for it is compiled more than once, and would carry all the commands each time.
    let command: LocalBoxFuture<'_, _> = Box::pin(commands::run(cli, &mut out));
    let exit = runtime.block_on(command).unwrap_or_else(|failure| {
        out.failure(&failure, json);
        failure.exit
    });
    // A question that nobody answers still waits for a line on stdin; nobody waits for it.
    runtime.shutdown_background();
    Ok(ExitCode::from(exit as u8))
}

/// The two roles in which the program starts itself: the one that waits for the end of a Pulumi run in a session of its
/// own, and the fake Pulumi in scenarios. Neither is for people, so neither is in the help.
fn of_its_own(args: &[OsString]) -> Option<ExitCode> {
    let words: Vec<&str> = args.iter().skip(1).map_while(|arg| arg.to_str()).collect();
    match words.as_slice() {
        ["__run", "--dir", folder] => {
            Some(ExitCode::from(adapters::pulumi::supervisor::main(std::path::Path::new(folder))))
        }
        ["__pulumi", rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            Some(ExitCode::from(fake_pulumi::main(&rest)))
        }
        _ => None,
    }
}

/// Prints help where it was asked for, and else what is wrong; with `--json` also as an object.
fn not_understood(args: &[OsString], error: &clap::Error, text: &str, out: &mut Console) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    if args.iter().any(|arg| arg == "--json") {
        let first = text.lines().next().unwrap_or_default();
        let _ = out.json(&Failure::usage(first.trim_start_matches("error: ")).json());
    }
    out.say(text.trim_end());
    Exit::Usage
}

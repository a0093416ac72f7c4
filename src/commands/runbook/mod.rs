//! `runbook`: the night as Markdown, from live facts.
//!
//! It looks and changes nothing, so that it works read-only and without a state folder that can be written.

mod file;

use std::path::PathBuf;

use crate::cli::RunbookArgs;
use crate::compose::session::{Session, connect_to_look};
use crate::config::{Global, Settings, defaults};
use crate::domain::facts::{Facts, Source};
use crate::domain::record::remembered;
use crate::domain::runbook::{Cli, MARK, Night, runbook};
use crate::domain::traffic::Record;
use crate::runtime::collect::{Collected, collect};

use super::console::Console;
use super::failure::{Exit, Failure, nothing_answered};

/// Prints it, or writes it to a file.
///
/// # Errors
/// When the configuration cannot be used, not one source of AWS has answered, or the file cannot be written.
pub async fn run(args: &RunbookArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect_to_look(global).await?;
    let collected = collect(&session.ports, &Source::ALL, Facts::default(), defaults::COLLECT_DEADLINE).await;
    // A runbook of nothing but what is not known would take the place of one that helps.
    if let Some(failure) = nothing_answered(&collected.facts) {
        return Err(failure);
    }
    let text = written(&session, &collected);
    let Some(path) = &args.output else {
        out.data(&text)?;
        return Ok(Exit::Done);
    };
    file::write(path, &text, MARK).map_err(|refused| {
        let message = format!("{} was not written: {refused}", path.display());
        Failure::new(Exit::Error, "storage", message, "give another file with --output; nothing else was changed")
    })?;
    out.say(&format!("written to {}", path.display()));
    Ok(Exit::Done)
}

fn written(session: &Session, collected: &Collected) -> String {
    let entries = collected.journal.as_ref().map(|journal| journal.entries.as_slice()).unwrap_or_default();
    let records: Vec<Record> = remembered(entries).cloned().collect();
    let gates = session.gates(collected);
    let settings = &session.settings;
    let cli = Cli { profile: settings.profile.clone(), endpoint_url: settings.endpoint_url.clone() };
    let by = format!("{}@{}", session.operator(&collected.facts), session.watcher.host);
    runbook(&Night {
        stack: &session.stack,
        outputs: session.known.outputs(),
        facts: &collected.facts,
        gates: &gates,
        policy: &session.policy,
        remembered: &records,
        cli: &cli,
        options: &options(settings),
        by: &by,
        at: collected.now,
    })
}

/// What was said by file, environment or flags, as flags.
fn options(settings: &Settings) -> Vec<(&'static str, String)> {
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
    [
        ("--config", settings.file.as_ref().map(whole)),
        ("--outputs", settings.outputs.as_ref().map(whole)),
        ("--stack", settings.stack.clone()),
        ("--region", settings.region.clone()),
        ("--legacy-region", settings.legacy_region.clone()),
        ("--profile", settings.profile.clone()),
        ("--endpoint-url", settings.endpoint_url.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

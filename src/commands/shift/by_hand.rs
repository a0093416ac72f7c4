//! The way back for whoever sends it by hand: the exact batch, as a command of the official command line.

use serde_json::json;

use crate::cli::GoArgs;
use crate::compose::session::{Session, connect_to_look};
use crate::config::{Global, defaults};
use crate::domain::change::aws_cli::{change_batch, command, region_of_route53};
use crate::domain::change::way_back::{Known, WayBack, way_back};
use crate::domain::facts::{Facts, Source};
use crate::domain::record::remembered;
use crate::domain::traffic::{Record, RecordGroup};
use crate::runtime::collect::collect;

use super::super::console::Console;
use super::super::failure::{Exit, Failure};

/// Prints the batch that sends all traffic back, and sends nothing.
///
/// # Errors
/// [`Failure`] when the records cannot be read, or no batch can be named.
pub(super) async fn print(go: GoArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect_to_look(global).await?;
    let back = read(&session).await?;
    let back = back.map_err(|why| Failure::new(Exit::Error, "record_group", why, HINT))?;
    if back.is_done() {
        return is_done(&session, &back, go, out);
    }
    say(&session, &back, out);
    let command = command_of(&session, &back);
    if go.json {
        out.json(&json!({
            "schema": 1, "result": "printed", "record": session.ports.key.name, "from": null, "to": null,
            "new_percent": null, "change": null, "hosted_zone_id": session.ports.key.zone_id, "change_batch": change_batch(&back.batch), "command": command, "notes": back.notes,
        }))?;
    } else {
        out.data(&format!("{command}\n"))?;
    }
    Ok(Exit::Done)
}

const HINT: &str = "`tapctl status` shows what is there; fix the stack outputs or the records, then ask again";

/// What `rollback` could not send by itself, as far as a batch can be named.
pub(super) async fn instead(
    session: &Session,
    failure: Failure,
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let back = read(session).await?;
    let back = match back {
        Ok(back) => back,
        Err(why) => return Err(Failure { message: format!("{}; {why}", failure.message), ..failure }),
    };
    if back.is_done() {
        return is_done(session, &back, go, out);
    }
    let command = command_of(session, &back);
    if !go.json {
        say(session, &back, out);
        out.data(&format!("{command}\n"))?;
    }
    let hint = "send the printed batch with the AWS CLI, as it stands; `tapctl rollback --print` makes it anew from fresh \
                records";
    Err(Failure { hint: hint.to_owned(), ..failure }
        .with("hosted_zone_id", json!(session.ports.key.zone_id))
        .with("change_batch", change_batch(&back.batch))
        .with("command", json!(command))
        .with("notes", json!(back.notes)))
}

/// The way back from the freshest records.
async fn read(session: &Session) -> Result<Result<WayBack, String>, Failure> {
    let collected = collect(&session.ports, &[Source::Records], Facts::default(), defaults::COLLECT_DEADLINE).await;
    if let Some(error) = collected.facts.error(Source::Records) {
        return Err(error.clone().into());
    }
    let entries = collected.journal.as_ref().map(|journal| journal.entries.as_slice()).unwrap_or_default();
    let remembered: Vec<Record> = remembered(entries).cloned().collect();
    let back = way_back(Known {
        key: &session.ports.key,
        endpoints: &session.stack.endpoints,
        legacy_region: &session.stack.legacy_region,
        records: &collected.facts.records,
        remembered: &remembered,
    });
    let weights = collected.facts.shiftable().map(RecordGroup::weights);
    let may_land = weights.zip(collected.history()).and_then(|(weights, history)| history.may_land(weights));
    Ok(back.map(|mut back| {
        back.notes.extend(may_land.map(|(to, until)| {
            format!("a change to {to} may still be made until {} UTC: `tapctl rollback` waits for it", until.hms())
        }));
        back
    }))
}

fn command_of(session: &Session, back: &WayBack) -> String {
    let settings = &session.settings;
    // Without one in its own configuration the command line asks for a region, though Route 53 has none.
    let options = [
        ("--profile", settings.profile.as_deref()),
        ("--region", Some(region_of_route53(&session.stack.legacy_region))),
        ("--endpoint-url", settings.endpoint_url.as_deref()),
    ];
    let options: Vec<(&str, &str)> = options.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    command(&back.batch, &session.ports.key.zone_id, &options)
}

fn say(session: &Session, back: &WayBack, out: &mut Console) {
    let name = &session.ports.key.name;
    out.say(&format!("all of {name} back to the legacy stack: one batch, which fails whole when a record has changed"));
    for note in &back.notes {
        out.say(&format!("  {note}"));
    }
    out.say("nothing was sent; this is the command that sends it:");
}

fn is_done(session: &Session, back: &WayBack, go: GoArgs, out: &mut Console) -> Result<Exit, Failure> {
    let record = &session.ports.key.name;
    if go.json {
        out.json(&json!({
            "schema": 1, "result": "nothing_to_do", "record": record, "from": null, "to": null, "new_percent": 0.0,
            "change": null, "notes": back.notes,
        }))?;
    }
    for note in &back.notes {
        out.say(&format!("  ATTENTION: {note}"));
    }
    out.say(&format!("all traffic of {record} goes to the legacy stack already; nothing was sent"));
    Ok(Exit::Done)
}

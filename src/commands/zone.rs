//! `adopt` and `release`: the zone's first and last day, from scripts.
//!
//! Look, plan, ask, look again, send once, and with `--wait` follow to INSYNC. The plan is the domain's, the sending
//! [`crate::runtime::zone`]'s. Neither moves traffic: what would is refused.

use serde_json::json;

use crate::cli::{AdoptArgs, GoArgs, ReleaseArgs};
use crate::compose::session::{Session, connect};
use crate::config::{Global, defaults};
use crate::domain::change::preconditions::{Blocked, Ground, check, may_change_zone};
use crate::domain::change::propose::{self, NoZoneChange};
use crate::domain::change::{self, load, outcome::Outcome};
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::facts::{Facts, Source};
use crate::domain::model::Model;
use crate::domain::record::Event;
use crate::domain::traffic::{Change, Record, Side};
use crate::domain::units::age_text;
use crate::domain::zone::{ZonePlan, ZoneRefusal, ZoneStep};
use crate::runtime::collect::{collect, reconcile_journal};
use crate::runtime::ports_set::JournalWriter;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::{Declined, ask};
use super::wait::{self, End};

/// What has to be known before and right before the sending.
const ASKED: [Source; 4] = [Source::Records, Source::Change, Source::StackRun, Source::Identity];

/// Turns the simple record into the weighted pair.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn adopt(args: AdoptArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    carry_out(ZoneStep::Adopt, args.go, global, out).await
}

/// Turns the weighted pair back into one simple record.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn release(args: ReleaseArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    carry_out(ZoneStep::Release(args.to), args.go, global, out).await
}

async fn carry_out(step: ZoneStep, go: GoArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect(global).await?;
    if !go.dry_run {
        session.may_change()?;
    }
    session.settle_open(out).await?;
    let seen = look(&session, out).await?;
    let key = &session.ports.key;
    let stack = &session.stack;
    let plan = match propose::zone(step, key, &stack.endpoints, &seen.model.live.facts) {
        Ok(plan) => plan,
        Err(NoZoneChange::Done(words)) => return nothing_to_do(step, &words, &seen, go, out),
        Err(NoZoneChange::Refused(refusal)) => return Err(refused(&refusal)),
    };
    describe(&plan, &session, out);
    if go.dry_run {
        report(&plan, "dry_run", None, None, go, out)?;
        return Ok(Exit::Done);
    }
    let operator = session.operator(&seen.model.live.facts);
    let yes = confirm(&session, &plan, &operator, go, out).await?;
    let again = look(&session, out).await?;
    check(&change::Change::Zone(plan.clone()), &again.ground()).map_err(|why| again.failure(why))?;
    send(&session, plan, yes, &operator, go, out).await
}

/// What was seen, as the cockpit would know it.
struct Seen {
    model: Model,
    overtaken_by: Option<String>,
}

impl Seen {
    /// The right to write was asked before anything was read, and a dry run needs none.
    fn ground(&self) -> Ground<'_> {
        Ground { overtaken_by: self.overtaken_by.clone(), read_only: None, ..Ground::of(&self.model) }
    }

    fn failure(&self, why: Blocked) -> Failure {
        match why {
            Blocked::RecordsChanged | Blocked::Overtaken(_) => {
                conflict(&why.to_string(), &self.model.live.facts.records)
            }
            why => why.into(),
        }
    }
}

/// Reads the records, who asks, the journal and the runs of this host, and refuses what nobody may change now.
async fn look(session: &Session, out: &mut Console) -> Result<Seen, Failure> {
    let mut collected = collect(&session.ports, &ASKED, Facts::default(), defaults::COLLECT_DEADLINE).await;
    for source in [Source::Records, Source::StackRun] {
        if let Some(error) = collected.facts.error(source) {
            return Err(error.clone().into());
        }
    }
    // A weight change that has become INSYNC meanwhile does not stand in the way.
    let operator = session.operator(&collected.facts);
    for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    let overtaken_by = session.overtaken_by(collected.journal.as_ref().map_err(Clone::clone)?);
    let seen = Seen { model: session.model(&collected), overtaken_by };
    may_change_zone(&seen.ground()).map_err(|why| seen.failure(why))?;
    Ok(seen)
}

/// A plan that cannot be made, by its name.
fn refused(refusal: &ZoneRefusal) -> Failure {
    let hint = match refusal {
        ZoneRefusal::OtherHasWeight { to: Side::Legacy, .. } => "tapctl rollback, then release again",
        ZoneRefusal::OtherHasWeight { .. } => "tapctl shift, then release again",
        _ => "do what the sentence says, then try again; `tapctl status` shows what is seen",
    };
    Failure::new(Exit::Gate, "refused", format!("nothing was changed: {refusal}"), hint)
}

/// The name is answered like that already.
fn nothing_to_do(step: ZoneStep, words: &str, seen: &Seen, go: GoArgs, out: &mut Console) -> Result<Exit, Failure> {
    if go.json {
        out.json(&json!({
            "schema": 1, "result": "nothing_to_do", "record": seen.model.stack.group.name, "step": step, "change": null,
        }))?;
    }
    out.say(&format!("{words}; nothing was sent"));
    Ok(Exit::Done)
}

fn describe(plan: &ZonePlan, session: &Session, out: &mut Console) {
    out.say(&plan.title());
    for cost in load::release_costs(plan, &session.stack) {
        out.say(&format!("  ATTENTION: {cost}"));
    }
    out.say(&format!("  {}", plan.call_text()));
    out.say("  one batch, all of it or nothing; no traffic moves");
}

async fn confirm(
    session: &Session,
    plan: &ZonePlan,
    operator: &str,
    go: GoArgs,
    out: &mut Console,
) -> Result<YesFlag, Failure> {
    if let Some(yes) = YesFlag::from_cli(go.yes) {
        return Ok(yes);
    }
    match ask(out, &change::Change::Zone(plan.clone()).challenge()).await {
        Ok(yes) => Ok(yes),
        Err(Declined(why)) => {
            note(session, operator, Event::Declined { what: plan.title(), why: why.clone() }, out).await;
            Err(Declined(why).into())
        }
    }
}

async fn note(session: &Session, operator: &str, event: Event, out: &mut Console) {
    if let Err(error) = JournalWriter::new(&session.ports, operator, &session.watcher.host).append(event).await {
        out.say(&format!("the journal cannot be written: {error}"));
    }
}

async fn send(
    session: &Session,
    plan: ZonePlan,
    yes: YesFlag,
    operator: &str,
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let interrupt = wait::Interrupt::listen();
    let confirmed = Confirmed::by_flag(change::Change::Zone(plan.clone()), yes);
    let (outcome, entries) = wait::executed(session, confirmed, operator, out).await;
    let outcome = match outcome {
        Outcome::Unknown { until, .. } if go.wait => {
            wait::until_known(session, &wait::intent_of(&entries), until, interrupt, out).await?
        }
        outcome => End::Known(outcome),
    };
    let change = match outcome {
        End::Known(Outcome::Accepted(change)) => change,
        End::Known(outcome) => return not_accepted(&plan, outcome, go, out),
        End::Settled(true) => return made(&plan, go, out),
        End::Settled(false) => {
            let text = "the records show that it was not made, and its request is too old to be made any more";
            return Err(Failure::new(Exit::Access, "not_made", text, "look at what is there now, then decide again"));
        }
    };
    let interrupt = wait::Interrupt::listen();
    out.say(&format!("Route 53 accepted it as {}: {}", change.id, change.status));
    if !go.wait {
        out.say(&plan.for_pulumi());
        report(&plan, "accepted", Some(&change), None, go, out)?;
        return Ok(Exit::Done);
    }
    let hint = "`tapctl status` shows how the name is answered";
    let (change, _) = wait::insync(session, &change, interrupt, hint, out).await?;
    let records = session.ports.read_records().await.map_err(|error| wait::stays(&change.id, error, hint))?;
    let verified = plan.is_done(&records);
    let text =
        format!("{}: INSYNC, read back {}", plan.title(), if verified { "as confirmed" } else { "as something else" });
    note(session, operator, Event::note(text), out).await;
    if !verified {
        return Err(conflict("they are not what was confirmed", &records));
    }
    let ttl = plan.creates.iter().chain(&plan.deletes).map(Record::ttl).max().unwrap_or_default();
    out.say(&format!("read back as confirmed; resolvers may cache the old answer for up to {}", age_text(ttl)));
    out.say(&plan.for_pulumi());
    report(&plan, "insync", Some(&change), Some(true), go, out)?;
    Ok(Exit::Done)
}

/// The records show that it was made.
fn made(plan: &ZonePlan, go: GoArgs, out: &mut Console) -> Result<Exit, Failure> {
    out.say(&plan.for_pulumi());
    report(plan, "settled", None, Some(true), go, out)?;
    Ok(Exit::Done)
}

/// The batch was refused, or its answer was lost: then the records say whether it was carried out.
fn not_accepted(plan: &ZonePlan, outcome: Outcome, go: GoArgs, out: &mut Console) -> Result<Exit, Failure> {
    match outcome {
        Outcome::Made { error, .. } => {
            out.say(&format!("the answer was lost ({error}), but the records show that it was made"));
            made(plan, go, out)
        }
        Outcome::Conflict { message, found } => Err(conflict(&message, &found.unwrap_or_default())),
        Outcome::AlreadySo { message, found } => {
            Err(conflict(&format!("already so, by somebody else: {message}"), &found))
        }
        Outcome::Unknown { error, until, found } => Err(wait::not_known(&error, until, &found)),
        Outcome::Refused(error) => {
            let mut failure = Failure::from(error);
            failure.message.push_str("; nothing was changed");
            Err(failure)
        }
        Outcome::Accepted(_) => Ok(Exit::Done),
    }
}

/// A conflict, with what is there.
fn conflict(words: &str, found: &[Record]) -> Failure {
    Failure::new(
        Exit::Conflict,
        "conflict",
        format!("conflict: records changed since they were read; nothing was sent again: {words}"),
        "look at who changed them (tapctl journal, CloudTrail), then decide again from what is there now",
    )
    .with("found", json!(found))
}

fn report(
    plan: &ZonePlan,
    result: &str,
    change: Option<&Change>,
    verified: Option<bool>,
    go: GoArgs,
    out: &mut Console,
) -> Result<(), Failure> {
    if !go.json {
        return Ok(());
    }
    let change = change.map(|c| json!({"id": c.id, "status": c.status, "at": c.at.to_string()}));
    out.json(&json!({
        "schema": 1,
        "result": result,
        "record": plan.name,
        "step": plan.step,
        "deletes": plan.deletes,
        "creates": plan.creates,
        "call": plan.call_text(),
        "change": change,
        "verified": verified,
        "pulumi": plan.for_pulumi(),
    }))
}

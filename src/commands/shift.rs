//! `shift` and `rollback`: look, decide, ask, send, and with `--wait` follow to INSYNC.
//!
//! The decision stands on what was seen when this process began: whatever changed since is a conflict, never a reason
//! to decide anew without the operator. The sending itself is [`crate::runtime::execute`]'s.

use serde_json::{Value, json};

use crate::cli::{GoArgs, RollbackArgs, ShiftArgs};
use crate::compose::session::{Session, connect};
use crate::config::{Global, defaults};
use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::change::preconditions::{Blocked, Ground, check, not_overtaken};
use crate::domain::change::propose::{self, NoShift};
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::facts::{Facts, Query, Source};
use crate::domain::gate::{Gate, for_step};
use crate::domain::model::Model;
use crate::domain::record::Event;
use crate::domain::shift::{Direction, Override, ShiftPlan};
use crate::domain::targets::astray;
use crate::domain::traffic::{Change as Change53, GroupKey, RecordGroup, Side};
use crate::domain::units::{Percent, WeightPair, age_text};
use crate::runtime::collect::{Collected, collect, reconcile_journal};
use crate::runtime::execute::outcome_written;
use crate::runtime::ports_set::JournalWriter;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::{Declined, ask};
use super::snapshot::gate_rows;
use super::wait::{self, End, Followed};

/// Sources that are asked first: what is there, and who asks.
const FIRST: [Source; 2] = [Source::Records, Source::Identity];

/// Moves weight to the share that was asked for.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn shift(args: &ShiftArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let overrides = args.overrides().map_err(Failure::usage)?;
    let share = |now: Percent| args.to.or_else(|| args.step.map(|points| now.step(points))).unwrap_or(now);
    let session = connect(global).await?;
    carry_out(&session, &share, &overrides, args.go, out).await
}

/// Sends all traffic back.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn rollback(args: RollbackArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let sent = async {
        let session = connect(global).await?;
        carry_out(&session, &|_| Percent::ZERO, &[], args.go, out).await
    };
    sent.await.map_err(with_another_folder)
}

/// A journal that cannot be written does not keep anybody from the way back: it needs nothing of what was done before.
fn with_another_folder(failure: Failure) -> Failure {
    if failure.code != "storage" {
        return failure;
    }
    let hint = format!(
        "to send all traffic back now, with a journal in another folder: TAPCTL_STATE_DIR=$(mktemp -d) tapctl rollback \
         --yes; then: {}",
        failure.hint
    );
    Failure { hint, ..failure }
}

/// What was seen at the beginning; the decision stands on it.
struct Base {
    collected: Collected,
    group: RecordGroup,
    operator: String,
}

async fn carry_out(
    session: &Session,
    share: &(dyn Fn(Percent) -> Percent + Sync),
    overrides: &[Override],
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    if !go.dry_run {
        session.may_change()?;
    }
    let back = share(Percent::FULL) == Percent::ZERO && share(Percent::ZERO) == Percent::ZERO;
    match session.settle_open(out).await {
        // What cannot be settled now does not stand in the way back.
        Err(error) if back => out.say(&format!("what was left open is not settled: {error}")),
        settled => settled?,
    }
    let base = look_first(session, out).await?;
    let (history, now) = (base.collected.history(), base.collected.now);
    let mut plan = match propose::shift(share, &base.collected.facts, history, now) {
        Ok(plan) if plan.lands_until.is_some() => return Box::pin(recall(session, base, plan, go, out)).await,
        Ok(plan) => plan,
        Err(NoShift::NothingToDo { weights, .. }) => {
            if !back {
                not_overtaken(&ground(session, &base, &session.model(&base.collected)))
                    .map_err(|why| conflict(&base.group, Ok(&base.group), &why.to_string()))?;
            }
            let words = format!("the weights already are {weights}: there is nothing to change");
            return nothing_to_do(session, base, go, &words, out).await;
        }
        Err(NoShift::Unknown(why)) => return Err(wrong_shape(&why)),
    };
    let (base, model) = Box::pin(look_again(session, base, &plan, out)).await?;
    let gates = match plan.direction() {
        Direction::Back => Vec::new(),
        Direction::Forward => for_step(&model.live.gates, &plan, &session.policy),
    };
    plan.overrides = propose::needed(overrides, &gates);
    describe(session, &base, &plan, &gates, out);
    may_be_sent(session, &base, &plan, &model)?;
    if go.dry_run {
        report(&plan, &gates, "dry_run", None, None, go, out)?;
        return Ok(Exit::Done);
    }
    let yes = confirm(session, &base, &plan, go, out).await?;
    let base = if go.yes {
        base
    } else {
        // Somebody has read the question and typed: what it stood on may be gone meanwhile.
        let (base, model) = Box::pin(look_again(session, base, &plan, out)).await?;
        may_be_sent(session, &base, &plan, &model)?;
        base
    };
    send(session, &base, Confirmed::by_flag(plan, yes), &gates, go, out).await
}

/// Reads the records and who asks.
async fn look_first(session: &Session, out: &mut Console) -> Result<Base, Failure> {
    let mut collected = collect(&session.ports, &FIRST, Facts::default(), defaults::COLLECT_DEADLINE).await;
    if let Some(error) = collected.facts.error(Source::Records) {
        return Err(error.clone().into());
    }
    let group = match collected.facts.group.as_ref().map(|fact| &fact.value) {
        Some(Ok(group)) => group.clone(),
        Some(Err(shape)) if !session.stack.is_provisioned() => return Err(not_provisioned(&shape.to_string())),
        Some(Err(shape)) => return Err(wrong_shape(&shape.to_string())),
        None => return Err(wrong_shape("Route 53 told no records")),
    };
    let operator = session.operator(&collected.facts);
    for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    Ok(Base { collected, group, operator })
}

/// Asks everything that the preconditions of a step forward want to know, and then the records once more: what the
/// operator decides on has to be what is there. For the way back the first look has told all.
async fn look_again(
    session: &Session,
    base: Base,
    plan: &ShiftPlan,
    out: &mut Console,
) -> Result<(Base, Model), Failure> {
    if plan.direction() == Direction::Back {
        let model = session.model(&base.collected);
        return Ok((base, model));
    }
    let rest: Vec<Source> = Source::ALL.into_iter().filter(|source| !FIRST.contains(source)).collect();
    let mut collected = collect(&session.ports, &rest, base.collected.facts, defaults::COLLECT_DEADLINE).await;
    for error in reconcile_journal(&session.ports, &mut collected, &base.operator, &session.watcher.host).await {
        out.say(&format!("the journal is behind: {error}"));
    }
    let again = session.ports.observe.observe(Query::Records).await?;
    collected.now = session.ports.clock.now();
    collected.facts.absorb(&session.ports.key, Source::Records, Ok(again), collected.now);
    if let Ok(journal) = session.ports.read_journal().await {
        collected.journal = Ok(journal);
    }
    let model = session.model(&collected);
    Ok((Base { collected, ..base }, model))
}

/// What a step stands on. The right to write was asked before anything was read, and a dry run needs none.
fn ground<'a>(session: &Session, base: &Base, model: &'a Model) -> Ground<'a> {
    let overtaken_by = base.collected.journal.as_ref().ok().and_then(|journal| session.overtaken_by(journal));
    Ground { overtaken_by, read_only: None, ..Ground::of(model) }
}

/// Whether the step may be sent on what was seen last.
fn may_be_sent(session: &Session, base: &Base, plan: &ShiftPlan, model: &Model) -> Result<(), Failure> {
    check(&Change::Weights(plan.clone()), &ground(session, base, model)).map_err(|why| match &why {
        Blocked::Gates(gates) => blocked_by(gates),
        Blocked::RecordsChanged | Blocked::Overtaken(_) => {
            let found = match base.collected.facts.group.as_ref().map(|fact| &fact.value) {
                Some(found) => found.as_ref().map_err(ToString::to_string),
                None => Err("Route 53 told no records".to_owned()),
            };
            conflict(&plan.expected, found.as_ref().map(|group| *group).map_err(String::as_str), &why.to_string())
        }
        _ => why.into(),
    })
}

/// The weights are there already: when that was read, and whether the traffic follows them.
async fn nothing_to_do(
    session: &Session,
    base: Base,
    go: GoArgs,
    words: &str,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let (weights, read) = (base.group.weights(), base.collected.now);
    let counts = [Source::MetricsNew, Source::MetricsLegacy];
    let counted = collect(&session.ports, &counts, base.collected.facts, defaults::COLLECT_DEADLINE).await;
    let apart = counted.facts.seen_apart(counted.now);
    if go.json {
        out.json(&json!({
            "schema": 1, "result": "nothing_to_do", "from": weights, "to": weights,
            "new_percent": weights.new_percent(), "change": null, "read_at": read.to_string(), "seen_apart": apart,
        }))?;
    }
    out.say(&format!("{words}, read at {} UTC; nothing was sent", read.hms()));
    if let Some(apart) = apart {
        out.say(&format!("  ATTENTION: {apart}; old answers of resolvers may last for some minutes"));
    }
    Ok(Exit::Done)
}

fn describe(session: &Session, base: &Base, plan: &ShiftPlan, gates: &[Gate], out: &mut Console) {
    out.say(&format!("{}: {}  {} → {}", plan.title(), plan.record_name(), plan.from(), plan.to));
    out.say(&format!("  {}", plan.call_text()));
    out.say(&format!(
        "  in effect about {} after the call (INSYNC, then one TTL); the way back takes as long",
        age_text(plan.effect_after())
    ));
    if plan.direction() == Direction::Back {
        out.say("  no gate blocks the way back");
        if let Some(problem) = astray(&plan.expected, &session.stack.endpoints, Side::Legacy) {
            out.say(&format!("  ATTENTION: {problem}: what is sent back goes there"));
        }
    } else if let Some(history) = base.collected.history() {
        out.say(&format!("  {}", history.carried_text()));
    }
    for over in &plan.overrides {
        let reason = gates.iter().find(|gate| gate.id.name() == over.gate).map_or("", |gate| gate.reason.as_str());
        out.say(&format!("  overriding {}: {} ({reason})", over.gate, over.reason));
    }
}

fn blocked_by(blocked: &[Gate]) -> Failure {
    let lines: Vec<_> =
        blocked.iter().map(|gate| format!("\n  {} {}: {}", gate.verdict.word(), gate.id, gate.reason)).collect();
    let (noun, verb) = if blocked.len() == 1 { ("gate", "blocks") } else { ("gates", "block") };
    let message = format!("{} {noun} {verb} this step; nothing was sent:{}", blocked.len(), lines.concat());
    let hint = match blocked.iter().find(|gate| !gate.id.can_be_overridden()) {
        Some(gate) => format!("{} cannot be overridden: put right what it names, then try again", gate.id),
        None => format!(
            "wait until they pass (tapctl gates), or override each by name: --override {} --reason TEXT",
            blocked.first().map_or("GATE", |gate| gate.id.name())
        ),
    };
    let rows = serde_json::to_value(gate_rows(blocked)).unwrap_or_default();
    Failure::new(Exit::Gate, "gate", message, hint).with("gates", rows)
}

fn not_provisioned(why: &str) -> Failure {
    Failure::new(
        Exit::Error,
        "not_provisioned",
        format!("there is no pair to shift yet, the new stack was not provisioned: {why}"),
        "`tapctl adopt` makes the name a weighted record, `tapctl up` the stack and the pair",
    )
}

fn wrong_shape(why: &str) -> Failure {
    Failure::new(
        Exit::Error,
        "record_group",
        format!("the records cannot be shifted: {why}"),
        "bring them into the shape of one weighted pair, or fix the stack outputs; `tapctl status` shows what is seen",
    )
}

/// A conflict, with what was expected and what is there.
pub(super) fn conflict(expected: &RecordGroup, found: Result<&RecordGroup, &str>, words: &str) -> Failure {
    let (text, value) = match found {
        Ok(group) => (group.weights().to_string(), json!(group.weights())),
        Err(why) => (format!("something else ({why})"), Value::Null),
    };
    Failure::new(
        Exit::Conflict,
        "conflict",
        format!(
            "conflict: records changed since they were read: expected {}, found {text}; nothing was sent again: {words}",
            expected.weights()
        ),
        "look at who changed them (tapctl journal, CloudTrail), then decide again from what is there now",
    )
    .with("expected", json!(expected.weights()))
    .with("found", value)
}

async fn confirm(
    session: &Session,
    base: &Base,
    plan: &ShiftPlan,
    go: GoArgs,
    out: &mut Console,
) -> Result<YesFlag, Failure> {
    if let Some(yes) = YesFlag::from_cli(go.yes) {
        return Ok(yes);
    }
    let challenge = Change::Weights(plan.clone()).challenge();
    match ask(out, &challenge).await {
        Ok(yes) => Ok(yes),
        Err(Declined(why)) => {
            let event = Event::Declined { what: plan.title(), why: why.clone() };
            let mut writer = JournalWriter::new(&session.ports, &base.operator, &session.watcher.host);
            if let Err(error) = writer.append(event).await {
                out.say(&format!("the journal cannot be written: {error}"));
            }
            Err(Declined(why).into())
        }
    }
}

async fn send(
    session: &Session,
    base: &Base,
    plan: Confirmed<ShiftPlan>,
    gates: &[Gate],
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let interrupt = wait::Interrupt::listen();
    let wanted = plan.get().clone();
    let Some(change) = plan.narrow(|plan| Some(Change::Weights(plan))) else {
        return Err(Failure::new(Exit::Error, "other", "there is no change to send", "try again"));
    };
    let (outcome, entries) = wait::executed(session, change, &base.operator, out).await;
    if !outcome_written(&entries) {
        out.say("the outcome could not be written to the journal; the next start settles it from the records");
    }
    let outcome = match outcome {
        Outcome::Unknown { until, .. } if go.wait => {
            wait::until_known(session, &wait::intent_of(&entries), until, interrupt, out).await?
        }
        outcome => End::Known(outcome),
    };
    let change = match outcome {
        End::Known(outcome) => accepted(&wanted, outcome, &session.ports.key, out)?,
        End::Settled(true) => None,
        End::Settled(false) => {
            let text = "the records show that the change was not made, and its request is too old to be made any more";
            return Err(Failure::new(Exit::Access, "not_made", text, "look at what is there now, then decide again"));
        }
    };
    let Some(change) = change else {
        return settled(session, &wanted, gates, go, out).await;
    };
    let interrupt = wait::Interrupt::listen();
    out.say(&format!("Route 53 accepted it as {}: {}", change.id, change.status));
    if !go.wait {
        report(&wanted, gates, "accepted", Some(&change), None, go, out)?;
        return Ok(Exit::Done);
    }
    match wait::to_the_end(session, &change, wanted.to, &base.operator, interrupt, out).await? {
        Followed { change, verified: true, .. } => {
            report(&wanted, gates, "insync", Some(&change), Some(true), go, out)?;
            Ok(Exit::Done)
        }
        Followed { found, .. } => {
            let found = found.map_err(|shape| shape.to_string());
            Err(conflict(&wanted.target(), found.as_ref().map_err(String::as_str), "they are not what was confirmed"))
        }
    }
}

/// The batch was made and its answer was lost. With `--wait` the usual time passes before the records are read back.
async fn settled(
    session: &Session,
    wanted: &ShiftPlan,
    gates: &[Gate],
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    if !go.wait {
        report(wanted, gates, "settled", None, None, go, out)?;
        return Ok(Exit::Done);
    }
    wait::usual_time(session, wait::Interrupt::listen(), out).await?;
    match session.ports.read_group().await? {
        Ok(found) if found == wanted.target() => {
            out.say(&format!("read back as confirmed: {}", found.weights()));
            report(wanted, gates, "settled", None, Some(true), go, out)?;
            Ok(Exit::Done)
        }
        Ok(found) => Err(conflict(&wanted.target(), Ok(&found), "they are not what was confirmed")),
        Err(shape) => Err(conflict(&wanted.target(), Err(&shape.to_string()), "they are not what was confirmed")),
    }
}

/// The change that Route 53 accepted, nothing when the answer was lost and the records show that it was made.
fn accepted(
    plan: &ShiftPlan,
    outcome: Outcome,
    key: &GroupKey,
    out: &mut Console,
) -> Result<Option<Change53>, Failure> {
    match outcome {
        Outcome::Accepted(change) => Ok(Some(change)),
        Outcome::Made { error, .. } => {
            out.say(&format!("the answer was lost ({error}), but the records show {}: it was made", plan.to));
            Ok(None)
        }
        Outcome::Conflict { message, found } => {
            let found = found.and_then(|found| RecordGroup::from_records(key, &found).map_err(|e| e.to_string()));
            Err(conflict(&plan.expected, found.as_ref().map_err(String::as_str), &message))
        }
        Outcome::AlreadySo { message, found } => {
            let found = RecordGroup::from_records(key, &found).map_err(|error| error.to_string());
            let words = format!("already so, by somebody else, and not taken as the new base: {message}");
            Err(conflict(&plan.expected, found.as_ref().map_err(String::as_str), &words))
        }
        Outcome::Refused(error) => {
            let mut failure = Failure::from(error);
            failure.message = format!("nothing was changed: {}", failure.message);
            Err(failure)
        }
        Outcome::Unknown { error, until, .. } => Err(wait::not_known(&error, until)),
    }
}

/// The way back when the legacy stack has everything already, and a change may still land that takes some away: it can
/// only be taken back after that.
async fn recall(
    session: &Session,
    base: Base,
    plan: ShiftPlan,
    go: GoArgs,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let (landed, until) = (plan.from(), plan.lands_until.unwrap_or(base.collected.now));
    let landing = base.collected.history().and_then(|history| history.landing(base.group.weights()));
    let landing = landing.map(|open| open.id.clone()).unwrap_or_default();
    let words = format!(
        "the weights already are {}, but a change to {landed} may land until {} UTC",
        base.group.weights(),
        until.hms()
    );
    if go.dry_run || !go.wait {
        let hint = "tapctl rollback --wait watches, and sends all traffic back when it does";
        return Err(Failure::new(Exit::Access, "not_known", words, hint).with("until", json!(until.to_string())));
    }
    out.say(&format!("{words}; watching"));
    let yes = confirm(session, &base, &plan, go, out).await?;
    match wait::until_known(session, &landing, until, wait::Interrupt::listen(), out).await? {
        End::Settled(true) => {
            out.say("it has landed; all traffic is sent back now");
            send(session, &base, Confirmed::by_flag(plan, yes), &[], go, out).await
        }
        _ => {
            nothing_to_do(session, base, go, "the change was not made and never will be: nothing to send back", out)
                .await
        }
    }
}

fn report(
    plan: &ShiftPlan,
    gates: &[Gate],
    result: &str,
    change: Option<&Change53>,
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
        "record": plan.record_name(),
        "direction": plan.direction(),
        "from": plan.from(),
        "to": plan.to,
        "new_percent": WeightPair::new_percent(plan.to),
        "call": plan.call_text(),
        "overrides": plan.overrides,
        "gates": gate_rows(gates),
        "change": change,
        "verified": verified,
    }))
}

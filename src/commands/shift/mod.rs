//! `shift` and `rollback`: look, decide, ask, send, and with `--wait` follow to INSYNC.
//!
//! The decision stands on what was seen when this process began: whatever changed since is a conflict, never a reason
//! to decide anew without the operator. The sending itself is [`crate::runtime::execute`]'s.

mod by_hand;
mod evacuate;
mod look;
mod send;

use serde_json::{Value, json};

use crate::cli::{GoArgs, RollbackArgs, ShiftArgs};
use crate::compose::session::{Session, connect, connect_anyway};
use crate::config::{Global, defaults};
use crate::domain::change::preconditions::not_overtaken;
use crate::domain::change::propose::{self, NoShift};
use crate::domain::change::{Change, load};
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::facts::Source;
use crate::domain::gate::{Gate, for_step};
use crate::domain::record::Event;
use crate::domain::shift::{Direction, Override, ShiftPlan};
use crate::domain::targets::astray;
use crate::domain::targets::sent_astray;
use crate::domain::traffic::{Change as Change53, RecordGroup, Side, beside, beside_text};
use crate::domain::units::{Percent, WeightPair, age_text};
use crate::runtime::collect::collect;
use crate::runtime::ports_set::JournalWriter;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::{Declined, ask};
use super::snapshot::gate_rows;
use super::wait::{self, End};

pub use evacuate::evacuate;
use look::{Base, ground, look_again, look_first, may_be_sent};
use send::send;

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

/// Sends all traffic back, or prints the batch that does where tapctl itself cannot.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn rollback(args: RollbackArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    if args.print {
        return by_hand::print(args.go, global, out).await;
    }
    let session = connect_anyway(global).await.map_err(|error| another_way(error.into()))?;
    if let Some(doubt) = &session.doubt {
        out.say(doubt);
    }
    match carry_out(&session, &|_| Percent::ZERO, &[], args.go, out).await {
        Err(failure) if matches!(failure.code, "record_group" | "not_provisioned" | ASTRAY) => {
            by_hand::instead(&session, failure, args.go, out).await
        }
        sent => sent.map_err(another_way),
    }
}

/// Neither a journal that cannot be written nor a right that is missing here keeps anybody from the way back: it needs
/// nothing of what was done before.
fn another_way(failure: Failure) -> Failure {
    let way = match failure.code {
        "storage" => {
            "to send all traffic back now, with a journal in another folder: TAPCTL_STATE_DIR=$(mktemp -d) tapctl rollback \
             --yes"
        }
        "read_only" | "endpoints" | "denied" => "`tapctl rollback --print` prints the batch for whoever may send it",
        _ => return failure,
    };
    Failure { hint: format!("{way}; then: {}", failure.hint), ..failure }
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
            if let Some(why) = sent_astray(&base.group, &session.stack.endpoints) {
                return Err(led_astray(&format!("the weights already are {weights}, but {why}")));
            }
            let words = format!("the weights already are {weights}: there is nothing to change");
            return nothing_to_do(session, base, go, &words, out).await;
        }
        Err(NoShift::Unknown(why)) => return Err(wrong_shape(&why)),
    };
    let (base, model) = Box::pin(look_again(session, base, &plan, out)).await?;
    let gates = match plan.direction() {
        Direction::Back => Vec::new(),
        Direction::Forward => for_step(&model.live.gates, &plan, model.gate_inputs()),
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
        for past in beside(plan.record_name(), &base.collected.facts.records) {
            out.say(&format!("  ATTENTION: {}", beside_text(past)));
        }
    } else {
        let (facts, now) = (&base.collected.facts, base.collected.now);
        out.say(&format!("  so far: {}", load::carried(plan, facts, base.collected.history(), now)));
        out.say(&format!("  load: {}", load::to_come(plan, facts, now)));
    }
    for over in &plan.overrides {
        let reason = gates.iter().find(|gate| gate.id.name() == over.gate).map_or("", |gate| gate.reason.as_str());
        let verb = if plan.evacuation.is_some() { "stepping over" } else { "overriding" };
        out.say(&format!("  {verb} {}: {} ({reason})", over.gate, over.reason));
    }
    if plan.evacuation.is_some() {
        out.say(&format!("  {}", load::writes(&session.stack)));
        out.say(&format!("  no reason steps over {}", load::HOLDS));
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

const ASTRAY: &str = "led_astray";

/// Weights that are what was asked for, while the traffic goes to another place than they say.
fn led_astray(why: &str) -> Failure {
    let message = format!("{why}; nothing was sent");
    Failure::new(Exit::Error, ASTRAY, message, "`tapctl rollback --print` names the batch that leads back")
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

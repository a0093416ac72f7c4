//! The call: one word and one sentence that say whether the next step is allowed, folded from gates and weights.
//!
//! Pure.

use std::time::Duration;

use crate::domain::facts::Source;
use crate::domain::gate::{Gate, GateId, Verdict};
use crate::domain::model::{Model, Moving, World};
use crate::domain::series::STALE;
use crate::domain::units::{Percent, age_text, countdown_text};
use crate::keymap::{Action, key_for};

use super::first_day;
use super::theme::Mark;

/// Percentage points of one step.
pub(super) const STEP: i16 = 10;

/// Whether the next step is allowed.
pub(super) struct Call {
    /// How it stands.
    pub(super) mark: Mark,
    /// The one word.
    pub(super) word: &'static str,
    /// Why, and what to do.
    pub(super) sentence: String,
}

impl Call {
    fn new(mark: Mark, word: &'static str, sentence: impl Into<String>) -> Self {
        Self { mark, word, sentence: sentence.into() }
    }
}

/// How a gate is shown. A gate that will pass by itself with time is *waiting*, not failed: red is for what needs a hand.
pub(super) fn gate_mark(gate: &Gate, world: &World) -> Mark {
    match (gate.verdict, gate.id) {
        (Verdict::Pass, _) => Mark::Pass,
        (Verdict::Fail, GateId::Bake | GateId::DnsSettled) => Mark::Waiting,
        (Verdict::Fail, _) => Mark::Fail,
        (Verdict::Unknown, _) if !awaited(gate.id, world).is_empty() => Mark::Waiting,
        (Verdict::Unknown, GateId::Errors | GateId::Latency) if minutes_are_coming(world) => Mark::Waiting,
        (Verdict::Unknown, _) if gate.at.is_some_and(|at| world.now.since(at) > STALE) => Mark::Stale,
        (Verdict::Unknown, _) => Mark::Unknown,
    }
}

/// Where a gate's facts come from.
const fn feeds(gate: GateId) -> &'static [Source] {
    match gate {
        GateId::ReplicationTask => &[Source::Replication],
        GateId::ReplicationLag => &[Source::MetricsNew],
        GateId::Tables | GateId::Validation => &[Source::Tables],
        GateId::Alarms => &[Source::AlarmsNew, Source::AlarmsLegacy],
        GateId::Service => &[Source::Service],
        GateId::Targets => &[Source::Targets],
        GateId::Errors | GateId::Latency => &[Source::Records, Source::MetricsNew, Source::MetricsLegacy],
        GateId::DnsSettled | GateId::Bake | GateId::Drift | GateId::RecordTargets => &[Source::Records],
        GateId::StepSize => &[],
        GateId::StackIdle => &[Source::StackRun],
    }
}

/// The sources of a gate that have not answered once, neither with a value nor with a failure.
pub(super) fn awaited(gate: GateId, world: &World) -> Vec<Source> {
    feeds(gate).iter().copied().filter(|source| is_silent(*source, world)).collect()
}

fn is_silent(source: Source, world: &World) -> bool {
    world.facts.sources.get(&source).is_none_or(|h| h.last_ok.is_none() && h.error.is_none())
}

/// Whether the first settled minutes since the newest change are still on their way, as they are for the first half of
/// each bake, and nothing says that they will not come.
fn minutes_are_coming(world: &World) -> bool {
    let baking = world.gates.iter().any(|g| g.id == GateId::Bake && g.verdict == Verdict::Fail);
    let broken = [Source::MetricsNew, Source::MetricsLegacy].into_iter().any(|s| world.facts.error(s).is_some());
    baking && !broken && world.facts.incomplete.is_empty()
}

/// What is left of the bake; nothing while a change is pending or when nothing was ever moved.
pub(super) fn bake_left(model: &Model, world: &World) -> Option<Duration> {
    let history = world.history.as_ref()?;
    if history.pending.is_some() || history.unfinished.is_some() {
        return None;
    }
    history.since_moved(world.now).map(|since| model.policy.bake.saturating_sub(since))
}

/// Sources that have not answered once, and how many there are in all.
pub(super) fn unheard(world: &World) -> (usize, usize) {
    let asked = Source::ALL.into_iter().filter(|s| *s != Source::Change);
    (asked.clone().filter(|s| is_silent(*s, world)).count(), asked.count())
}

/// The call.
pub(super) fn call(model: &Model, world: &World) -> Call {
    match &model.moving {
        Moving::Sending { plan, since, .. } => {
            let (from, to) = (plan.from().new_share(), plan.to.new_share());
            let since = age_text(model.uptime.saturating_sub(*since));
            return Call::new(
                Mark::Waiting,
                "SENDING",
                format!("{} → {to}: the batch is on its way to Route 53, {since}", from.get()),
            );
        }
        Moving::Settling { .. } => {
            return Call::new(
                Mark::Waiting,
                "SETTLING",
                "a change without a known outcome is being settled from what Route 53 says",
            );
        }
        Moving::No => {}
    }
    if !model.stack.is_provisioned() {
        return Call::new(Mark::Waiting, "NOT PROVISIONED", first_day::next(model, world));
    }
    let group = world.facts.shiftable();
    let share = group.map(crate::domain::traffic::RecordGroup::new_share);
    let mut open: Vec<(&Gate, Mark)> =
        world.gates.iter().filter(|g| !g.passes()).map(|g| (g, gate_mark(g, world))).collect();
    open.sort_by_key(|(gate, mark)| (rank(*mark), !matches!(gate.id, GateId::DnsSettled | GateId::Bake)));
    let worst = open.first().map(|(_, mark)| *mark);
    let (silent, asked) = unheard(world);
    let undecided = silent > 0 && worst.is_some_and(|mark| mark != Mark::Fail);
    if world.gates.len() != GateId::ALL.len() || undecided {
        return Call::new(
            Mark::Waiting,
            "READING",
            format!("first answers are coming in: {} of {asked} sources so far", asked - silent),
        );
    }
    if group.is_some_and(|g| g.weights().legacy() == 0) {
        let back = key_for(Action::ProposeRollback);
        return match worst {
            None => Call::new(
                Mark::Pass,
                "DONE",
                format!("all traffic is on the new stack and every gate passes; {back} sends it back"),
            ),
            Some(Mark::Waiting) => Call::new(
                Mark::Waiting,
                "WATCH",
                format!("all traffic is on the new stack: {}", list(&open, model, world)),
            ),
            Some(mark) => Call::new(
                mark,
                "TROUBLE",
                format!("all traffic is on the new stack: {}; {back} sends it back", list(&open, model, world)),
            ),
        };
    }
    let step = share.map_or_else(|| "next step".to_owned(), step_text);
    match worst {
        None if model.stack.read_only => {
            Call::new(Mark::Pass, "GO", format!("every gate passes for {step}; READ-ONLY: nothing is sent from here"))
        }
        None => Call::new(
            Mark::Pass,
            "GO",
            format!("every gate passes: {} moves {step}", key_for(Action::ProposeStep(STEP))),
        ),
        Some(Mark::Waiting) => Call::new(Mark::Waiting, "WAIT", format!("{step}: {}", list(&open, model, world))),
        Some(mark) => Call::new(mark, "BLOCKED", format!("{step}: {}", list(&open, model, world))),
    }
}

/// `20 → 30 %`.
fn step_text(share: Percent) -> String {
    format!("{} → {}", share.get(), share.step(STEP))
}

const fn rank(mark: Mark) -> u8 {
    match mark {
        Mark::Fail => 0,
        Mark::Unknown | Mark::Stale => 1,
        Mark::Waiting => 2,
        Mark::Pass => 3,
    }
}

/// What is open, the worst first. One alone says its whole sentence; of several each says its value.
fn list(open: &[(&Gate, Mark)], model: &Model, world: &World) -> String {
    if let [(gate, mark)] = open
        && *mark != Mark::Waiting
    {
        return format!("{} {}: {}", gate.id, mark.word(), gate.reason);
    }
    let baking = open.iter().any(|(gate, _)| gate.id == GateId::Bake);
    // The comparison waits for the same minutes as the bake: said once is enough.
    let is_said = |gate: &Gate, mark: Mark| {
        baking && mark == Mark::Waiting && matches!(gate.id, GateId::Errors | GateId::Latency)
    };
    let parts: Vec<_> = open
        .iter()
        .filter(|(gate, mark)| !is_said(gate, *mark))
        .map(|(gate, mark)| brief(gate, *mark, model, world))
        .collect();
    parts.join(" · ")
}

/// A gate that does not pass, in a few words.
pub(super) fn brief(gate: &Gate, mark: Mark, model: &Model, world: &World) -> String {
    match (&gate.value, mark) {
        (_, Mark::Waiting) if gate.id == GateId::Bake => bake_left(model, world)
            .map_or_else(|| "bake not begun".to_owned(), |left| format!("bake {} left", countdown_text(left))),
        (Some(value), Mark::Fail | Mark::Waiting) => format!("{} {value} (wants {})", gate.id, gate.limit),
        _ => format!("{} {}", gate.id, mark.word()),
    }
}

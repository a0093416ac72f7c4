//! What readiness and problems are made of, and how each gate is shown.

use std::time::Duration;

use crate::domain::change::turn::Stage;
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::{Gate, GateId, Policy, Verdict};
use crate::domain::model::{LiveState, Model, ShiftState, Stack, Watcher};
use crate::domain::pulumi::config::{Setup, missing_text};
use crate::domain::record::History;
use crate::domain::series::STALE;
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, countdown_text};
use crate::domain::zone::NameState;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Good.
    Pass,
    /// Needs a hand.
    Fail,
    /// Not known.
    Unknown,
    /// Will pass by itself.
    Waiting,
    /// Known, but too long ago.
    Stale,
}

impl Mark {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
            Self::Stale => "stale",
        }
    }
}

/// A change of ours that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnderWay {
    /// A batch waits for its turn or is being sent, for so long: what it is, and how far.
    Sending(String, Duration, Option<Stage>),
    /// A change without a known outcome is being settled.
    Settling,
}

/// What readiness and problems are made of.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// Who watches it.
    pub watcher: &'a Watcher,
    /// The limits.
    pub policy: &'a Policy,
    /// All that was learned.
    pub facts: &'a Facts,
    /// What the journal says.
    pub history: Option<&'a History>,
    /// Every gate's answer.
    pub gates: &'a [Gate],
    /// Why the journal cannot be read or written.
    pub journal_error: Option<&'a str>,
    /// Lines of the journal that could not be read.
    pub journal_broken: usize,
    /// Now.
    pub now: Timestamp,
    /// A change of ours that is under way.
    pub under_way: Option<UnderWay>,
    /// The Pulumi run that goes on.
    pub run: Option<String>,
    /// What the program's configuration lacks before the first run, in a few words; empty when nothing.
    pub missing: String,
}

impl<'a> Picture<'a> {
    /// What a cockpit shows.
    #[must_use]
    pub fn of(model: &'a Model, world: &'a LiveState) -> Self {
        let under_way = match &model.shift_state {
            ShiftState::Sending { change, since, stage, .. } => {
                Some(UnderWay::Sending(change.short(), model.uptime.saturating_sub(*since), stage.clone()))
            }
            ShiftState::Settling { .. } => Some(UnderWay::Settling),
            ShiftState::Idle => None,
        };
        let missing = model.provision.setup().map(Setup::missing).unwrap_or_default();
        Self {
            stack: &model.stack,
            watcher: &model.watcher,
            policy: &model.policy,
            facts: &world.facts,
            history: world.history.as_ref(),
            gates: &world.gates,
            journal_error: world.journal_error.as_deref(),
            journal_broken: world.journal_broken,
            now: world.now,
            under_way,
            run: model.provision.going_on().map(|run| run.head.kind.to_string()),
            missing: if missing.is_empty() { String::new() } else { missing_text(&missing) },
        }
    }

    /// How the name is answered; nothing before Route 53 was read.
    pub(super) fn name_state(&self) -> Option<NameState> {
        self.facts.group.as_ref()?;
        Some(NameState::of(&self.stack.group, &self.stack.endpoints, &self.facts.records))
    }

    /// How the name is answered, in a sentence; nothing before Route 53 was read.
    #[must_use]
    pub fn answered(&self) -> Option<String> {
        let name = self.stack.group.name.trim_end_matches('.');
        Some(match self.name_state()? {
            NameState::Pair(group) => format!("{name} is a weighted pair at {}", group.weights()),
            NameState::LegacyOnly => format!("{name} is adopted: the legacy record has all the traffic"),
            NameState::Simple(Some(Side::Legacy)) => format!("{name} is one simple record to the legacy stack"),
            NameState::Simple(_) => format!("{name} is one simple record, and not to the legacy stack"),
            NameState::Absent => format!("{name} has no record yet"),
            NameState::Other(error) => error.to_string(),
        })
    }

    /// What is left of the bake; nothing while a change is pending or when nothing was ever moved.
    #[must_use]
    pub fn bake_left(&self) -> Option<Duration> {
        let history = self.history?;
        if !history.is_settled() {
            return None;
        }
        history.since_moved(self.now, self.facts.aws_now(self.now)).map(|since| self.policy.bake.saturating_sub(since))
    }

    /// How a gate is shown. A gate that will pass by itself with time is *waiting*, not failed: red is for what needs a
    /// hand.
    #[must_use]
    pub fn mark(&self, gate: &Gate) -> Mark {
        match (gate.verdict, gate.id) {
            (Verdict::Pass, _) => Mark::Pass,
            (Verdict::Fail, GateId::Bake | GateId::DnsSettled) => Mark::Waiting,
            (Verdict::Fail, _) => Mark::Fail,
            (Verdict::Unknown, _) if !self.awaited(gate.id).is_empty() => Mark::Waiting,
            (Verdict::Unknown, GateId::Errors | GateId::Latency) if self.minutes_are_coming() => Mark::Waiting,
            (Verdict::Unknown, _) if gate.at.is_some_and(|at| self.now.since(at) > STALE) => Mark::Stale,
            (Verdict::Unknown, _) => Mark::Unknown,
        }
    }

    /// The sources of a gate that have not answered once, neither with a value nor with a failure.
    #[must_use]
    pub fn awaited(&self, gate: GateId) -> Vec<Source> {
        feeds(gate).iter().copied().filter(|source| self.is_silent(*source)).collect()
    }

    fn is_silent(&self, source: Source) -> bool {
        self.facts.sources.get(&source).is_none_or(|h| h.last_ok.is_none() && h.error.is_none())
    }

    /// Sources that have not answered once, and how many there are in all.
    #[must_use]
    pub fn unheard(&self) -> (usize, usize) {
        let asked = Source::ALL.into_iter().filter(|s| *s != Source::Change);
        (asked.clone().filter(|s| self.is_silent(*s)).count(), asked.count())
    }

    /// Whether the first settled minutes since the newest change are still on their way, as they are for the first half
    /// of each bake, and nothing says that they will not come.
    fn minutes_are_coming(&self) -> bool {
        let baking = self.gates.iter().any(|g| g.id == GateId::Bake && g.verdict == Verdict::Fail);
        let broken = [Source::MetricsNew, Source::MetricsLegacy].into_iter().any(|s| self.facts.error(s).is_some());
        baking && !broken && self.facts.incomplete.is_empty()
    }

    /// A gate that does not pass, in a few words.
    #[must_use]
    pub fn brief(&self, gate: &Gate) -> String {
        match (&gate.value, self.mark(gate)) {
            (_, Mark::Waiting) if gate.id == GateId::Bake => self
                .bake_left()
                .map_or_else(|| "bake not begun".to_owned(), |left| format!("bake {} left", countdown_text(left))),
            (Some(value), Mark::Fail | Mark::Waiting) => format!("{} {value} (wants {})", gate.id, gate.limit),
            (_, mark) => format!("{} {}", gate.id, mark.word()),
        }
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
        GateId::Targets => &[Source::Targets, Source::Service, Source::LegacyHosts],
        GateId::Errors | GateId::Latency => &[Source::Records, Source::MetricsNew, Source::MetricsLegacy],
        GateId::DnsSettled | GateId::Bake | GateId::Drift | GateId::RecordTargets => &[Source::Records],
        GateId::StepSize => &[],
        GateId::StackIdle => &[Source::StackRun],
    }
}

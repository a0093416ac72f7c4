//! Whether the next step is allowed: one verdict, the gate behind it, one sentence, and the next thing to do.
//!
//! Pure. The header of the cockpit and `status --json` say this same sentence. No key is named in it, because scripts
//! read it too: what is next is a value, which the cockpit shows as a key and JSON as a command.

use std::time::Duration;

use super::change::settle::SIGNATURE_LIFE;
use super::change::turn::{Holder, Stage};
use super::facts::{Facts, Source};
use super::gate::{Gate, GateId, Policy, Verdict};
use super::model::{LiveState, Model, ShiftState, Stack};
use super::pulumi::config::{Setup, missing_text};
use super::record::History;
use super::series::STALE;
use super::traffic::{RecordGroup, Side};
use super::units::{Percent, Timestamp, age_text, countdown_text};
use super::zone::NameState;

/// Percentage points of one step.
pub const STEP: i16 = 10;

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
    fn name_state(&self) -> Option<NameState> {
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
        if history.pending.is_some() || history.unfinished().is_some() {
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

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Move from one share to the other.
    Step(Percent, Percent),
    /// Send everything back, if need be.
    Rollback,
    /// Nothing: it goes on by itself.
    Wait,
    /// Nothing, though the way back is open and leaving is safe.
    WhileSending,
    /// What the blocking gate says.
    Resolve(String),
    /// Set keys of this program's or the stack's configuration.
    Configure,
    /// See which keys are to be set.
    ShowUnset,
    /// Make the name a weighted record.
    Adopt,
    /// Run Pulumi.
    Provision,
}

impl Next {
    /// For a script or a person at a shell: a command where there is one.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Step(..) => format!("tapctl shift --step +{STEP}"),
            Self::Rollback => "tapctl rollback".to_owned(),
            Self::Wait | Self::WhileSending => "wait".to_owned(),
            Self::Resolve(how) => how.clone(),
            Self::Configure => "tapctl config set KEY VALUE".to_owned(),
            Self::ShowUnset => "tapctl config".to_owned(),
            Self::Adopt => "tapctl adopt".to_owned(),
            Self::Provision => "tapctl up".to_owned(),
        }
    }
}

/// Whether the next step is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// How it stands.
    pub mark: Mark,
    /// The one word of the header.
    pub word: &'static str,
    /// The gate that is in the way first.
    pub gate: Option<GateId>,
    /// Why, in one sentence.
    pub sentence: String,
    /// The next thing to do.
    pub next: Next,
}

impl Readiness {
    fn new(mark: Mark, word: &'static str, sentence: impl Into<String>, next: Next) -> Self {
        Self { mark, word, gate: None, sentence: sentence.into(), next }
    }

    /// `go`, `wait`, `blocked` or `done`.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.word {
            "GO" => "go",
            "DONE" => "done",
            "BLOCKED" | "TROUBLE" | "NOT PROVISIONED" => "blocked",
            _ => "wait",
        }
    }
}

/// A change that waits for its turn, or is on its way to Route 53: two different things, since nothing was sent before
/// its turn came.
fn sending(what: &str, since: Duration, stage: Option<&Stage>) -> Readiness {
    let since = age_text(since);
    let (word, sentence, next) = match stage {
        Some(Stage::Sent(at)) => {
            let until = at.plus(SIGNATURE_LIFE).hms();
            ("SENDING", format!("{what}: {since} · may land until {until}"), Next::WhileSending)
        }
        Some(Stage::Waiting(holder)) => {
            let holder = holder.as_ref().map_or_else(|| "another process".to_owned(), Holder::text);
            ("WAITING", format!("{what}: nothing was sent, for {since}; the turn is held by {holder}"), Next::Wait)
        }
        None => ("WAITING", format!("{what}: nothing was sent yet, {since}"), Next::Wait),
    };
    Readiness::new(Mark::Waiting, word, sentence, next)
}

/// Folds gates and weights into one verdict.
#[must_use]
pub fn readiness(picture: &Picture<'_>) -> Readiness {
    match &picture.under_way {
        Some(UnderWay::Sending(what, since, stage)) => return sending(what, *since, stage.as_ref()),
        Some(UnderWay::Settling) => {
            let sentence = "a change without a known outcome is being settled from what Route 53 says";
            return Readiness::new(Mark::Waiting, "SETTLING", sentence, Next::Wait);
        }
        None => {}
    }
    if !picture.stack.is_provisioned() {
        let (sentence, next) = unprovisioned(picture);
        return Readiness::new(Mark::Waiting, "NOT PROVISIONED", sentence, next);
    }
    let mut open: Vec<(&Gate, Mark)> =
        picture.gates.iter().filter(|g| !g.passes()).map(|g| (g, picture.mark(g))).collect();
    open.sort_by_key(|(gate, mark)| (rank(*mark), !matches!(gate.id, GateId::DnsSettled | GateId::Bake)));
    let worst = open.first().map(|(_, mark)| *mark);
    let (silent, asked) = picture.unheard();
    let undecided = silent > 0 && worst.is_some_and(|mark| mark != Mark::Fail);
    if picture.gates.len() != GateId::ALL.len() || undecided {
        let sentence = format!("first answers are coming in: {} of {asked} sources so far", asked - silent);
        return Readiness::new(Mark::Waiting, "READING", sentence, Next::Wait);
    }
    let verdict = match picture.facts.shiftable() {
        Some(group) if group.weights().legacy() == 0 => at_the_end(picture, &open),
        group => on_the_way(picture, &open, group),
    };
    Readiness { gate: open.first().map(|(gate, _)| gate.id), ..verdict }
}

/// All traffic is on the new stack.
fn at_the_end(picture: &Picture<'_>, open: &[(&Gate, Mark)]) -> Readiness {
    const ALL: &str = "all traffic is on the new stack";
    match open.first() {
        None => Readiness::new(Mark::Pass, "DONE", format!("{ALL} and every gate passes"), Next::Rollback),
        Some((_, Mark::Waiting)) => {
            Readiness::new(Mark::Waiting, "WATCH", format!("{ALL}: {}", list(picture, open)), Next::Rollback)
        }
        Some((_, mark)) => Readiness::new(*mark, "TROUBLE", format!("{ALL}: {}", list(picture, open)), Next::Rollback),
    }
}

fn on_the_way(picture: &Picture<'_>, open: &[(&Gate, Mark)], group: Option<&RecordGroup>) -> Readiness {
    let share = group.map(RecordGroup::new_share);
    let step = share.map_or_else(|| "next step".to_owned(), |from| format!("{} → {}", from.get(), from.step(STEP)));
    match open.first() {
        None => {
            let read_only = if picture.stack.read_only { "; READ-ONLY: nothing is sent from here" } else { "" };
            let next = match share {
                Some(share) if !picture.stack.read_only => Next::Step(share, share.step(STEP)),
                _ => Next::Wait,
            };
            Readiness::new(Mark::Pass, "GO", format!("every gate passes{read_only}"), next)
        }
        Some((_, Mark::Waiting)) => {
            Readiness::new(Mark::Waiting, "WAIT", format!("{step}: {}", list(picture, open)), Next::Wait)
        }
        Some((gate, mark)) => {
            let next = Next::Resolve(gate.reason.clone());
            Readiness::new(*mark, "BLOCKED", format!("{step}: {}", list(picture, open)), next)
        }
    }
}

/// What is next before the first `up` and after the last `destroy`. Nothing here is a fault: a stack that nobody has
/// provisioned yet is how every migration begins.
fn unprovisioned(picture: &Picture<'_>) -> (String, Next) {
    match picture.stack.unset.len() {
        0 => {}
        1 => return ("1 thing is to be set first".to_owned(), Next::ShowUnset),
        unset => return (format!("{unset} things are to be set first"), Next::ShowUnset),
    }
    if let Some(run) = &picture.run {
        return (format!("pulumi {run} goes on"), Next::Wait);
    }
    if !picture.missing.is_empty() {
        return (format!("the configuration lacks {}", picture.missing), Next::Configure);
    }
    match picture.name_state() {
        Some(NameState::Simple(Some(Side::Legacy))) => ("the name is not a weighted pair yet".to_owned(), Next::Adopt),
        Some(NameState::Simple(_)) => {
            let sentence = "point the name at the legacy load balancer first: no pair can be made of it";
            (sentence.to_owned(), Next::Resolve(sentence.to_owned()))
        }
        _ => ("the new stack can be provisioned".to_owned(), Next::Provision),
    }
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
fn list(picture: &Picture<'_>, open: &[(&Gate, Mark)]) -> String {
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
    let parts = open.iter().filter(|(gate, mark)| !is_said(gate, *mark)).map(|(gate, _)| picture.brief(gate));
    parts.collect::<Vec<_>>().join(" · ")
}

//! The model: everything that the cockpit knows and shows. Only `update` writes it; views get shared references.
//!
//! Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::keymap::View;

use super::change::Change;
use super::change::turn::Stage;
use super::configure::Configure;
use super::confirm::{Confirmation, Confirmed};
use super::evidence::interval::Interval;
use super::evidence::watch::Answers;
use super::facts::Facts;
use super::gate::{Gate, Inputs, Policy};
use super::provision::PulumiState;
use super::pulumi::change::PulumiChange;
use super::record::{Entry, History};
use super::request::Request;
use super::schedule::Polls;
pub use super::screen::{Listing, SMALLEST_SCREEN, Screen, Shown, TOAST_TIME, Toast};
use super::shift::ShiftPlan;
pub use super::stack::watched::Stack;
pub use super::stack::watcher::{Simulation, Watcher};
use super::stack_reload::StackReload;
use super::time::Moment;
use super::traffic::RecordGroup;
use super::units::{Timestamp, WeightPair};
use super::zone::ZonePlan;

/// Journal entries that the cockpit keeps in memory; the file keeps all.
pub const JOURNAL_KEPT: usize = 1000;

/// What the views draw: facts, gates and journal at one instant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveState {
    /// The clock that the facts are dated with.
    pub now: Timestamp,
    /// All that was learned.
    pub facts: Facts,
    /// What the journal says; nothing before it was read or when it cannot be.
    pub history: Option<History>,
    /// Every gate's answer.
    pub gates: Vec<Gate>,
    /// The newest journal entries, oldest first.
    pub journal: VecDeque<Entry>,
    /// Lines of the journal that could not be read.
    pub journal_broken: usize,
    /// Why the journal cannot be read or written.
    pub journal_error: Option<String>,
    /// What the zone's name servers have answered.
    pub answers: Answers,
}

/// A look at the name servers that is older than this tells nothing of now: at rest they are asked once a minute.
const ANSWERS_STALE: Duration = Duration::from_mins(5);

impl LiveState {
    /// The share of the new stack as the name servers answer it, with the instant of the newest look: for the weights that
    /// Route 53 has now, and only as long as it tells of now.
    #[must_use]
    pub fn answered(&self) -> Option<(Interval, Timestamp)> {
        let (share, at) = self.answers.share(self.facts.shiftable()?.weights())?;
        (self.now.since(at) <= ANSWERS_STALE).then_some((share, at))
    }
}

/// Where a weight change of ours is.
#[derive(Debug, Clone, PartialEq)]
pub enum ShiftState {
    /// Nothing is under way.
    Idle,
    /// It waits for its turn, or is being sent.
    Sending {
        /// Which request.
        request: Request,
        /// The change.
        change: Box<Change>,
        /// Since when, uptime.
        since: Duration,
        /// How far it is; nothing before that was told.
        stage: Option<Stage>,
    },
    /// A change that an earlier process left open is being settled.
    Settling {
        /// Which request.
        request: Request,
    },
}

/// What is asked about Pulumi or the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingAction {
    /// Whether something around Pulumi is to be done.
    Pulumi(PulumiChange),
    /// Whether the zone's records are to be turned.
    Zone(ZonePlan),
}

impl PendingAction {
    /// What it asks, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Pulumi(change) => change.title(),
            Self::Zone(plan) => plan.title(),
        }
    }

    /// The change that it asks about.
    #[must_use]
    pub fn into_change(self) -> Change {
        match self {
            Self::Pulumi(change) => Change::Pulumi(change),
            Self::Zone(plan) => Change::Zone(plan),
        }
    }
}

/// What lies over the view.
#[derive(Debug, Clone, PartialEq)]
pub enum Dialog {
    /// A weight change waits for its yes.
    Shift(Confirmation<ShiftPlan>),
    /// Weights that somebody else set wait to be taken as the new base.
    Accept(Confirmation<WeightPair>),
    /// Something about Pulumi or the zone waits for its yes.
    Ask(Box<Confirmation<PendingAction>>),
    /// A key of the stack's configuration is being chosen, or its value typed.
    Configure(Configure),
    /// A share is being typed.
    Prompt {
        /// Digits so far.
        typed: String,
        /// Why what was typed cannot be taken.
        error: Option<String>,
    },
    /// The reason of an evacuation is being typed.
    Reason {
        /// What was typed so far.
        typed: String,
        /// Why what was typed cannot be taken.
        error: Option<String>,
        /// Since when the key that opens it counts for doubled, by the uptime.
        since: Duration,
    },
    /// The records were not what the operator saw.
    Conflict {
        /// What was expected.
        expected: RecordGroup,
        /// What is there, or why it could not be read.
        found: Result<RecordGroup, String>,
        /// What was wanted.
        wanted: WeightPair,
        /// Route 53's words.
        message: String,
    },
    /// Something to read: why a step is blocked, what failed.
    Notice {
        /// Title.
        title: String,
        /// Lines.
        lines: Vec<String>,
    },
    /// The keys.
    Help,
}

impl Dialog {
    /// Whether a key can answer it, or type into it what is asked about next.
    #[must_use]
    pub const fn takes_answers(&self) -> bool {
        match self {
            Self::Shift(_)
            | Self::Accept(_)
            | Self::Ask(_)
            | Self::Configure(_)
            | Self::Prompt { .. }
            | Self::Reason { .. } => true,
            Self::Conflict { .. } | Self::Notice { .. } | Self::Help => false,
        }
    }
}

/// When the journal is read: it is a source like any other, since other processes of this host write there, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalPoll {
    /// Since when it is being read, uptime.
    pub asked: Option<Duration>,
    /// When it was asked for what is known of it, uptime; nothing before the first reading.
    pub read: Option<Duration>,
    /// What it had then; nothing to read it whatever it has.
    pub stamp: Option<u64>,
    /// Entries of ours that are on their way to the disk, and so not in what is read.
    pub appending: u32,
    /// When the records were last read, uptime.
    pub records: Duration,
    /// Whether the journal has said something new since the records were asked for: they may be older than that, and so
    /// are no news.
    pub outran_records: bool,
}

/// When the zone's name servers are asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameServerPoll {
    /// From when on, by the steady clock; nothing before records were read that can be asked for.
    pub due: Option<Duration>,
    /// The look that is under way, and the weights that Route 53 had when it began.
    pub asked: Option<(Request, WeightPair)>,
    /// The weights that Route 53 had last.
    pub weights: Option<WeightPair>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What the stack is.
    pub stack: Stack,
    /// Who watches it.
    pub watcher: Watcher,
    /// The limits.
    pub policy: Policy,
    /// What is known now.
    pub live: LiveState,
    /// What was known when the display was frozen.
    pub frozen: Option<Box<LiveState>>,
    /// A steady clock since the program started.
    pub uptime: Duration,
    /// The steady clock in the seconds that the facts are dated in: what is due goes by it.
    pub steady: Duration,
    /// Which question is due, which is under way.
    pub polls: Polls,
    /// Number of the next request.
    pub next_request: Request,
    /// A weight change of ours.
    pub shift_state: ShiftState,
    /// The way back that is sent as soon as a change lands of which nobody knows whether it will.
    pub watch: Option<Confirmed<ShiftPlan>>,
    /// Change id that is INSYNC and whose records have to be read back, with the instant from which a reading counts.
    pub verifying: Option<(String, Timestamp)>,
    /// Pulumi.
    pub provision: PulumiState,
    /// Reading the stack anew.
    pub stack_reload: StackReload,
    /// What lies over the view.
    pub dialog: Option<Dialog>,
    /// Uptime until which keys are dropped, since the question that they were typed for has closed by itself.
    pub quiet_until: Option<Duration>,
    /// The screen.
    pub screen: Screen,
    /// When the journal is read.
    pub journal: JournalPoll,
    /// When the zone's name servers are asked.
    pub name_servers: NameServerPoll,
    /// Whether a shell can let the program go on once it was stopped.
    pub has_shell: bool,
    /// The loop is to end.
    pub quitting: bool,
    /// What came of the change that was under way when it ended, in words.
    pub parting: Option<String>,
}

impl Model {
    /// A cockpit that knows nothing yet.
    #[must_use]
    pub fn new(stack: Stack, watcher: Watcher, policy: Policy, now: Timestamp) -> Self {
        // Where nothing is provisioned there is nothing to look over.
        let view = if stack.is_provisioned() { View::Overview } else { View::Provision };
        let screen = Screen { view, ..Screen::default() };
        Self {
            stack,
            watcher,
            policy,
            live: LiveState { now, ..LiveState::default() },
            frozen: None,
            uptime: Duration::ZERO,
            steady: Duration::ZERO,
            polls: Polls::default(),
            next_request: 1,
            shift_state: ShiftState::Idle,
            watch: None,
            verifying: None,
            provision: PulumiState::default(),
            stack_reload: StackReload::Idle,
            dialog: None,
            quiet_until: None,
            screen,
            journal: JournalPoll::default(),
            name_servers: NameServerPoll::default(),
            has_shell: true,
            quitting: false,
            parting: None,
        }
    }

    /// Now, by both clocks.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        Moment { wall: self.live.now, steady: self.steady }
    }

    /// What the gates look at.
    #[must_use]
    pub fn gate_inputs(&self) -> Inputs<'_> {
        let live = &self.live;
        Inputs {
            facts: &live.facts,
            history: live.history.as_ref(),
            policy: &self.policy,
            endpoints: &self.stack.endpoints,
            now: live.now,
        }
    }

    /// What the views draw: the frozen world while the display is frozen, the live one otherwise.
    #[must_use]
    pub fn shown(&self) -> &LiveState {
        self.frozen.as_deref().unwrap_or(&self.live)
    }

    /// First visible row of the present view's list.
    #[must_use]
    pub fn scroll(&self) -> usize {
        self.screen.scroll.get(&self.screen.view).copied().unwrap_or(0)
    }

    /// Whether a change of the records is being sent, or settled, from here.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.shift_state != ShiftState::Idle
    }

    /// Whether a weight change is on its way: being sent, PENDING, or INSYNC and not read back.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.is_sending()
            || self.verifying.is_some()
            || self.watch.is_some()
            || self.live.history.as_ref().is_some_and(|h| !h.open.is_empty())
            || self.live.history.as_ref().is_some_and(|h| h.pending.is_some())
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! The stack that the tests watch, and who watches it.

    pub(crate) use crate::domain::stack::watched::fixtures::stack;
    pub(crate) use crate::domain::stack::watcher::fixtures::watcher;
}

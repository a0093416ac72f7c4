//! What the cockpit knows of Pulumi: whether it can be used, the run that is followed, the plan that waits.
//!
//! Pure. Runs themselves belong to processes of their own; this is the picture of them.

use serde::Serialize;

use super::facts::Fact;
use super::pulumi::change::PulumiChange;
use super::pulumi::config::Setup;
use super::pulumi::explain::ProcessEnd;
use super::pulumi::guard::RunKind;
use super::pulumi::lock::{Holder, Lock};
use super::pulumi::pending::Pending;
use super::pulumi::stop::StopSeen;
use super::pulumi::{Explanation, Parsed, Plan, RunState, Show};
use super::record::Event;
use super::request::Request;
use super::traffic::GroupKey;
use super::units::Timestamp;
use super::zone::{Endpoints, Orphan};

/// A plan older than this is read again before it is run: the world moves on.
pub const PLAN_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(1800);

/// Something that does not work, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulumiProblem {
    /// What is wrong, and what it means.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// What a look at Pulumi found.
#[derive(Debug, Clone, PartialEq)]
pub struct PulumiStatus {
    /// When the look began: it proves nothing of what was confirmed later.
    pub asked_at: Timestamp,
    /// Its version, or why it cannot be used.
    pub pulumi: Result<String, PulumiProblem>,
    /// Locks of the stack, with what is known of their holders.
    pub locks: Vec<(Lock, Holder)>,
    /// Operations that a crashed run left open.
    pub pending: Vec<Pending>,
    /// The newest run on this host, going on or ended.
    pub newest: Option<RunHead>,
    /// Whether the stack exists and how it is configured; nothing when Pulumi could not say.
    pub setup: Option<Setup>,
    /// Names of the environment's variables that are passed through; never their values.
    pub passed_through: Vec<String>,
}

/// What is fixed when a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHead {
    /// Its name.
    pub id: String,
    /// What Pulumi was asked to do.
    pub kind: RunKind,
    /// The command as a person would type it.
    pub line: String,
    /// Who asked.
    pub operator: String,
    /// On which host.
    pub host: String,
    /// When.
    pub started_at: Timestamp,
    /// Whether it was asked to stop; nothing where nothing proves it.
    pub asked_to_stop: Option<bool>,
}

/// A run of the state folder, as its own folder tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSeen {
    /// What is fixed.
    pub head: RunHead,
    /// The intent of the change that it was begun by.
    pub intent: Option<String>,
    /// How it ended, in a few words; nothing while it goes on.
    pub end: Option<String>,
    /// All requests to stop it.
    pub stops: Vec<StopSeen>,
    /// Whether the end is for this process to note: nobody else has, or lives who is about to.
    pub end_is_ours: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnding {
    /// In a few words.
    pub text: String,
    /// Whether Pulumi says that all went well.
    pub succeeded: bool,
    /// Why it failed, and the way out.
    pub explanation: Option<Explanation>,
}

/// The run that is followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What is fixed.
    pub head: RunHead,
    /// Everything that its events say.
    pub state: RunState,
    /// How it ended.
    pub ending: Option<RunEnding>,
    /// Whether the journal had its end already when this cockpit found it.
    pub was_over: bool,
}

/// A preview that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyPlan {
    /// The preview's run.
    pub run: String,
    /// Whether it is the plan of an `up` or of a `destroy`.
    pub kind: RunKind,
    /// What would happen.
    pub plan: Plan,
    /// When it was made.
    pub at: Timestamp,
}

/// Pulumi, as the cockpit sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PulumiState {
    /// What the newest look found.
    pub look: Option<Fact<PulumiStatus>>,
    /// A look was asked for.
    pub asked: bool,
    /// A preview was asked for before the first look, and waits for it.
    pub preview_wanted: bool,
    /// A request that has no answer yet.
    pub busy: Option<Request>,
    /// The run that is followed.
    pub run: Option<Run>,
    /// The plan that waits for its confirmation.
    pub plan: Option<ReadyPlan>,
    /// What a `destroy` has left in the zone, until it can be shown: a title and lines.
    pub left: Option<(String, Vec<String>)>,
    /// Which resources are listed.
    pub show: Show,
    /// Whether the log is shown in place of the resources.
    pub log: bool,
}

/// What Pulumi, or the zone, is asked; nothing here changes anything.
#[derive(Debug, Clone, PartialEq)]
pub enum PulumiQuery {
    /// Look at Pulumi, the stack's locks and its runs.
    Status,
    /// Say what an `up`, or a `destroy`, would do, of a stack that exists.
    Preview {
        /// Whether it is about `destroy`.
        destroy: bool,
    },
    /// Look at the folders of the runs; of those named it is to be known who notes their end.
    Runs {
        /// Runs whose end is not in the journal.
        unended: Vec<String>,
    },
    /// Follow the run of this name from its first event.
    Follow(String),
    /// Look through the zone for what a `destroy` has left behind.
    Orphans {
        /// The pair that is gone.
        key: GroupKey,
        /// The load balancers, as they were before it.
        endpoints: Endpoints,
    },
}

/// What a change around Pulumi came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Carried {
    /// A run has begun.
    Started(RunHead),
    /// A run was asked to stop; false when it had been asked before and nothing was sent.
    Interrupted(bool),
    /// The stack was created.
    StackCreated(String),
    /// It was done, in a sentence.
    Done(String),
}

impl Carried {
    /// What the journal holds of it.
    #[must_use]
    pub fn event(&self, change: &PulumiChange, intent: String) -> Event {
        match self {
            Self::Started(head) => PulumiChange::started(head.kind, &head.id, &head.line, Some(intent)),
            Self::Interrupted(true) => PulumiChange::outcome(intent, format!("done: {}", change.title())),
            Self::Interrupted(false) => change.not_done(intent, "it was asked before, and nothing was sent"),
            Self::StackCreated(text) | Self::Done(text) => PulumiChange::outcome(intent, text.clone()),
        }
    }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum PulumiAnswer {
    /// Answer to [`PulumiQuery::Status`].
    Looked(Box<PulumiStatus>),
    /// Answer to [`PulumiQuery::Runs`].
    Runs {
        /// Those whose folders could be read, oldest first.
        seen: Vec<RunSeen>,
        /// Whether there may be more, which could not be read.
        may_lack: bool,
    },
    /// A run has begun.
    Started(RunHead),
    /// New lines of a run.
    Lines {
        /// The run.
        run: String,
        /// The lines.
        lines: Vec<Parsed>,
        /// Lines that were too long to be read.
        oversized: u32,
    },
    /// What is expected of a run, from the preview that it was confirmed by.
    Expecting {
        /// The run.
        run: String,
        /// All that was planned.
        plan: Box<Plan>,
    },
    /// The run's file is another one, or was cut: what was folded does not count any more.
    Restarted {
        /// The run.
        run: String,
    },
    /// The run has ended and all is read.
    Ended {
        /// The run.
        run: String,
        /// How, as far as somebody saw it.
        exit: ProcessEnd,
        /// In a few words.
        text: String,
        /// Whether it is for this process to note the end in the journal; of all that follow a run one does.
        note: bool,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// The run was asked to stop; false when it had been asked before and nothing was sent.
    AskedToStop(bool),
    /// Answer to [`PulumiQuery::Orphans`].
    Orphans(Result<Vec<Orphan>, PulumiProblem>),
    /// Something was done in the zone, in a sentence.
    Done(String),
    /// Something was done around Pulumi, in a sentence; the journal has it already.
    Changed(String),
    /// The stack was created, in a sentence; the journal has it already.
    StackCreated(String),
    /// It could not be done.
    Failed(PulumiProblem),
}

impl PulumiState {
    /// How the stack is set up, as the newest look found it.
    #[must_use]
    pub fn setup(&self) -> Option<&Setup> {
        self.look.as_ref()?.value.setup.as_ref()
    }

    /// The run that goes on, if it is the one that is followed.
    #[must_use]
    pub fn going_on(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| run.ending.is_none())
    }
}

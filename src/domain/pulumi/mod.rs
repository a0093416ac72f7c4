//! A Pulumi run, folded from the events that the engine writes while it works.
//!
//! [`event`] reads one line, [`fold`] adds it to a [`RunState`], [`tree`] holds the [resources](resource), [`plan`] says what a
//! preview means, [`danger`] what is dangerous about it, [`completeness`] whether it is the whole plan, [`explain`] turns a failed run into a sentence and a way out.
//! [`lock`] and [`pending`] read what a dead run may leave behind; [`guard`] says when no run may start, and
//! [`config`] what the program has to be told before it can run.
//!
//! Pure. Files, processes and pipes belong to `adapters::pulumi`.
//!
//! Memory is bounded whatever the stream holds: [`MAX_RESOURCES`] resources, [`MAX_ERROR_BYTES`] and
//! [`MAX_OTHER_BYTES`] of messages, [`MAX_LOG_LINES`] log lines of [`MAX_LOG_LINE_BYTES`], [`MAX_DIFFS`] changed
//! properties per resource and [`MAX_OUTPUTS`] outputs. What is over a bound is counted, and stays in the run's file.

pub mod change;
pub mod completeness;
pub mod config;
pub mod danger;
pub mod ended;
pub mod event;
pub mod explain;
pub mod fold;
pub mod guard;
pub mod lock;
pub mod op;
pub mod outage;
pub mod outputs;
pub mod pending;
pub mod plan;
pub mod planned;
pub mod problem;
pub mod program;
pub mod progress;
pub mod resource;
pub mod run_request;
pub mod stop;
pub mod stream;
pub mod text;
pub mod tree;
pub mod used;
mod wire;

pub use change::{Interrupt, NewStack, PulumiChange};
pub use completeness::Gap;
pub use config::{SetConfig, Setup};
pub use danger::Danger;
pub use ended::{FileMark, Finished, Observer, Previewed, RunEnd, RunStatus};
pub use event::{Event, Parsed, Severity};
pub use explain::{Explanation, FailureKind};
pub use fold::RunState;
pub use guard::{BlockedReason, RunKind, RunPreconditions};
pub use op::Operation;
pub use plan::Plan;
pub use planned::Planned;
pub use problem::PulumiError;
pub use progress::{Failure, LogLine, Progress, RunOutcome, Summary};
pub use resource::{Resource, State};
pub use run_request::{AskedBefore, ForceStop, RunRequest};
pub use tree::{Filter, Show, TreeRow};

/// Runs whose folders are kept; older ones go when a new run starts. A migration takes a dozen.
pub const KEPT_RUNS: usize = 50;
/// Resources kept; a stack of this program has about 120, the largest recorded one 2,000.
pub const MAX_RESOURCES: usize = 5_000;
/// Bytes of error messages kept: room for 64 whole ones of the largest size.
pub const MAX_ERROR_BYTES: usize = 4 << 20;
/// Bytes of warnings and notes kept.
pub const MAX_OTHER_BYTES: usize = 1 << 20;
/// Bytes of one message; a Python traceback has a few thousand.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// Lines of the log pane: more than anybody scrolls; the run's file has all.
pub const MAX_LOG_LINES: usize = 2_000;
/// Bytes of one log line.
pub const MAX_LOG_LINE_BYTES: usize = 1 << 10;
/// Changed properties kept for each resource.
pub const MAX_DIFFS: usize = 40;
/// Stack outputs kept; the bundled program has 37.
pub const MAX_OUTPUTS: usize = 200;
/// Bytes of a name, a property path or an identifier; URNs of deep components reach a few hundred.
pub const MAX_NAME_BYTES: usize = 2 << 10;

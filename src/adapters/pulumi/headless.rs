//! Runs that are started and followed one after the other, as commands do it: the port [`PulumiRuns`], with typed results.
//!
//! A run goes on when the command that started it does not: all of these can be ended at any time, and `attach` finds
//! the run again.

use std::time::Duration;

use super::cockpit::{head, head_of};
use super::command::{self, Pulumi};
use super::folder::{RunDir, RunRecord, Runs};
use super::follow::{Follower, Update, expected_plan, so_far};
use super::interrupt::was_asked_for_sure;
use super::run::{self, Started, StartedBy, Supervisor};
use super::{find, stack};
use crate::domain::confirm::Confirmed;
use crate::domain::provision::RunHead;
use crate::domain::pulumi::explain::{Explanation, failure, unread};
use crate::domain::pulumi::guard::{RunKind, RunPreconditions};
use crate::domain::pulumi::{Finished, Observer, Plan, Previewed, PulumiError, RunRequest, RunState, RunStatus, Setup};
use crate::domain::units::Timestamp;
use crate::ports::{PulumiFuture, PulumiRuns};

/// How often a run's file is looked at: ten times per second, which a person takes for at once.
pub const FOLLOW_EVERY: Duration = Duration::from_millis(100);
/// Bytes of stderr that an explanation looks at.
const STDERR_TAIL: u64 = 16 << 10;

/// What every command needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// Pulumi, on the program and the stack.
    pub pulumi: Pulumi,
    /// The runs of the state folder.
    pub runs: Runs,
    /// The binary that waits for Pulumi.
    pub supervisor: Supervisor,
    /// How often to look.
    pub every: Duration,
}

impl Context {
    /// Says what an `up`, or a `destroy`, would do.
    ///
    /// # Errors
    /// As [`run::preview`], and [`PulumiError::Failed`] when Pulumi fails.
    pub async fn preview(
        &self,
        destroy: bool,
        request: StartedBy,
        seen: Observer<'_>,
    ) -> Result<Previewed, PulumiError> {
        let started = self.start_preview(destroy, request).await?;
        let run = self.follow(&started.dir, seen).await?.ok()?;
        Ok(Previewed { plan: Plan::of(&run.state), run })
    }

    /// Starts a preview.
    ///
    /// # Errors
    /// As [`run::preview`].
    pub async fn start_preview(&self, destroy: bool, request: StartedBy) -> Result<Started, PulumiError> {
        run::preview(&self.runs, &self.pulumi, &self.supervisor, destroy, request).await
    }

    /// Starts what was confirmed, when nothing forbids it.
    ///
    /// # Errors
    /// [`PulumiError::Refused`] by a guard, and as [`run::execute`].
    pub async fn start(
        &self,
        run_request: &Confirmed<RunRequest>,
        preconditions: &RunPreconditions,
        request: StartedBy,
    ) -> Result<Started, PulumiError> {
        run_request.get().may_run(preconditions)?;
        run::execute(&self.runs, &self.pulumi, &self.supervisor, run_request, request).await
    }

    /// Does what was confirmed, to its end.
    ///
    /// # Errors
    /// As [`Context::start`], and [`PulumiError::Failed`] when Pulumi fails.
    pub async fn execute(
        &self,
        run_request: &Confirmed<RunRequest>,
        preconditions: &RunPreconditions,
        request: StartedBy,
        seen: Observer<'_>,
    ) -> Result<Finished, PulumiError> {
        let started = self.start(run_request, preconditions, request).await?;
        self.follow(&started.dir, seen).await?.ok()
    }

    /// Follows a run that goes on, or reads one that ended: the one named, the one that goes on, or the newest.
    ///
    /// # Errors
    /// [`PulumiError::NoSuchRun`], [`PulumiError::Storage`].
    pub async fn attach(&self, id: Option<&str>, seen: Observer<'_>) -> Result<Finished, PulumiError> {
        let dir = match id {
            Some(id) => self.runs.dir(id),
            None => match self.runs.going_on()? {
                Some(record) => self.runs.dir(&record.id),
                None => self.runs.newest()?,
            },
        };
        let dir = dir.ok_or_else(|| PulumiError::NoSuchRun(id.unwrap_or("in the state folder").to_owned()))?;
        self.follow(&dir, seen).await
    }

    /// What is expected of a run before its first event: all that its preview planned, pending. A preview whose folder
    /// is gone by now leaves the total unknown.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when files are there and cannot be read.
    pub fn expected(&self, record: &RunRecord) -> Result<RunState, PulumiError> {
        Ok(expected_plan(&self.runs, record)?.map_or_else(RunState::new, |plan| RunState::expecting(&plan)))
    }

    /// Folds a run from its first event to its end.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when its files cannot be read.
    pub async fn follow(&self, dir: &RunDir, seen: Observer<'_>) -> Result<Finished, PulumiError> {
        let record = dir.read()?.ok_or_else(|| PulumiError::NoSuchRun(dir.id()))?;
        let blank = self.expected(&record)?.redacting(command::redactor());
        let mut run_state = blank.clone();
        let mut follower = Follower::new(dir.clone(), self.every);
        let mut status = RunStatus::Lost;
        while let Some(update) = follower.next().await? {
            match update {
                Update::Restarted => run_state = blank.clone(),
                Update::Lines(batch) => {
                    (0..batch.oversized).for_each(|_| run_state.skipped_line());
                    batch.lines.into_iter().for_each(|line| run_state.fold(line));
                }
                Update::Ended(how) => {
                    run_state.process_ended();
                    status = how;
                }
            }
            seen(&run_state);
        }
        let failure = failure_of(record.kind, dir, &run_state, &status);
        let missing = if failure.is_none() { unread(&run_state) } else { None };
        Ok(Finished {
            id: record.id,
            kind: record.kind,
            line: record.line,
            owner: record.operator,
            status,
            state: run_state,
            failure,
            missing,
        })
    }
}

impl PulumiRuns for Context {
    fn stack(&self) -> &str {
        &self.pulumi.stack
    }

    fn setup(&self) -> PulumiFuture<'_, Setup> {
        Box::pin(async {
            find::check_version(&self.pulumi).await?;
            stack::setup(&self.pulumi).await
        })
    }

    fn check_same<'a>(&'a self, outputs: &'a [(&'static str, String)]) -> PulumiFuture<'a, ()> {
        Box::pin(stack::check_same(&self.pulumi, outputs))
    }

    fn going_on(&self) -> Result<Option<String>, PulumiError> {
        Ok(self.runs.going_on()?.map(|record| record.summary()))
    }

    fn running(&self) -> Result<Option<RunHead>, PulumiError> {
        let Some(record) = self.runs.going_on()? else { return Ok(None) };
        let asked = self.runs.dir(&record.id).and_then(|dir| was_asked_for_sure(&dir));
        Ok(Some(head(record, asked)))
    }

    fn state(&self, run: &str) -> Result<RunState, PulumiError> {
        let dir = self.runs.dir(run).ok_or_else(|| PulumiError::NoSuchRun(run.to_owned()))?;
        Ok(so_far(&dir, RunState::new().redacting(command::redactor()))?)
    }

    fn preview<'a>(&'a self, destroy: bool, operator: &'a str, at: Timestamp) -> PulumiFuture<'a, RunHead> {
        Box::pin(async move { head_of(&self.start_preview(destroy, request(operator, at)).await?) })
    }

    fn follow<'a>(&'a self, run: &'a str, seen: Observer<'a>) -> PulumiFuture<'a, Finished> {
        Box::pin(Self::attach(self, Some(run), seen))
    }

    fn attach<'a>(&'a self, run: Option<&'a str>, seen: Observer<'a>) -> PulumiFuture<'a, Finished> {
        Box::pin(Self::attach(self, run, seen))
    }

    fn claim_end(&self, run: &str) -> bool {
        self.runs.dir(run).is_some_and(|dir| dir.claim_end_entry())
    }
}

/// Why a run that ended did not succeed; nothing when it did, or goes on.
#[must_use]
pub fn failure_of(kind: RunKind, dir: &RunDir, run_state: &RunState, status: &RunStatus) -> Option<Explanation> {
    failure(kind, run_state, &status.exit()?, &dir.stderr_tail(STDERR_TAIL))
}

/// A request by this operator, now.
#[must_use]
pub fn request(operator: &str, at: Timestamp) -> StartedBy {
    StartedBy { operator: operator.to_owned(), at, intent: None }
}

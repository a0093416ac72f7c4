//! `preview`, `up`, `refresh`, `destroy` and `attach` without a cockpit: typed results here, words in [`mod@print`].
//!
//! A run goes on when the command that started it does not: all of these can be ended at any time, and `attach` finds
//! the run again.

pub mod print;

use std::time::Duration;

use crate::adapters::pulumi::Pulumi;
use crate::adapters::pulumi::folder::{RunDir, RunRecord, RunStatus, Runs};
use crate::adapters::pulumi::follow::{Follower, Update, expected_plan};
use crate::adapters::pulumi::run::{Request, Started, Supervisor};
use crate::adapters::pulumi::{PulumiError, command, find, run, stack};
use crate::domain::confirm::Confirmed;
use crate::domain::deploy::explain::{Explanation, failure, unread};
use crate::domain::deploy::guard::{RunKind, Situation};
use crate::domain::deploy::{Deploy, Plan, RunOrder};
use crate::domain::units::Timestamp;

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

/// A run that has ended, or was ended already.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Its name.
    pub id: String,
    /// What it was.
    pub kind: RunKind,
    /// The command as it ran.
    pub line: String,
    /// How it ended.
    pub status: RunStatus,
    /// Everything that it did.
    pub deploy: Deploy,
    /// Why it did not succeed.
    pub failure: Option<Explanation>,
    /// What is missing in the picture of a run that succeeded.
    pub missing: Option<String>,
}

impl Finished {
    /// The run, when it succeeded.
    ///
    /// # Errors
    /// [`PulumiError::Failed`] with the explanation.
    pub fn ok(self) -> Result<Self, PulumiError> {
        match self.failure {
            Some(failure) => Err(PulumiError::Failed(Box::new(failure))),
            None => Ok(self),
        }
    }
}

/// What a preview came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Previewed {
    /// The run; its plan is the one that can be confirmed.
    pub run: Finished,
    /// What would be done.
    pub plan: Plan,
}

/// Called after every change of a run that is followed.
pub type Observer<'a> = &'a mut (dyn FnMut(&Deploy) + Send);

impl Context {
    /// Checks Pulumi, the program and its packages, and makes the stack when it is new and `kind` is to fill it. Says
    /// whether it did.
    ///
    /// # Errors
    /// The first [`PulumiError`] on the way.
    pub async fn prepare(&self, kind: RunKind) -> Result<bool, PulumiError> {
        find::check_version(&self.pulumi).await?;
        if self.pulumi.prefix.is_empty() {
            find::check_program(&self.pulumi.project).await?;
        }
        match kind {
            RunKind::Preview | RunKind::Up => stack::ensure(&self.pulumi).await,
            _ => stack::check_exists(&self.pulumi).await.map(|()| false),
        }
    }

    /// Says what an `up`, or a `destroy`, would do.
    ///
    /// # Errors
    /// As [`run::preview`], and [`PulumiError::Failed`] when Pulumi fails.
    pub async fn preview(&self, destroy: bool, request: Request, seen: Observer<'_>) -> Result<Previewed, PulumiError> {
        let started = run::preview(&self.runs, &self.pulumi, &self.supervisor, destroy, request).await?;
        let run = self.follow(&started.dir, seen).await?.ok()?;
        Ok(Previewed { plan: Plan::of(&run.deploy), run })
    }

    /// Starts what was confirmed, when nothing forbids it.
    ///
    /// # Errors
    /// [`PulumiError::Refused`] by a guard, and as [`run::execute`].
    pub async fn start(
        &self,
        order: &Confirmed<RunOrder>,
        situation: &Situation,
        request: Request,
    ) -> Result<Started, PulumiError> {
        order.get().may_run(situation)?;
        run::execute(&self.runs, &self.pulumi, &self.supervisor, order, request).await
    }

    /// Does what was confirmed, to its end.
    ///
    /// # Errors
    /// As [`Context::start`], and [`PulumiError::Failed`] when Pulumi fails.
    pub async fn execute(
        &self,
        order: &Confirmed<RunOrder>,
        situation: &Situation,
        request: Request,
        seen: Observer<'_>,
    ) -> Result<Finished, PulumiError> {
        let started = self.start(order, situation, request).await?;
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
    pub fn expected(&self, record: &RunRecord) -> Result<Deploy, PulumiError> {
        Ok(expected_plan(&self.runs, record)?.map_or_else(Deploy::new, |plan| Deploy::expecting(&plan)))
    }

    /// Folds a run from its first event to its end.
    ///
    /// # Errors
    /// [`PulumiError::Storage`] when its files cannot be read.
    pub async fn follow(&self, dir: &RunDir, seen: Observer<'_>) -> Result<Finished, PulumiError> {
        let record = dir.read()?.ok_or_else(|| PulumiError::NoSuchRun(dir.id()))?;
        let blank = self.expected(&record)?.redacting(command::redactor());
        let mut deploy = blank.clone();
        let mut follower = Follower::new(dir.clone(), self.every);
        let mut status = RunStatus::Lost;
        while let Some(update) = follower.next().await? {
            match update {
                Update::Restarted => deploy = blank.clone(),
                Update::Lines(batch) => {
                    (0..batch.oversized).for_each(|_| deploy.skipped_line());
                    batch.lines.into_iter().for_each(|line| deploy.fold(line));
                }
                Update::Ended(how) => {
                    deploy.process_ended();
                    status = how;
                }
            }
            seen(&deploy);
        }
        let failure = failure_of(record.kind, dir, &deploy, &status);
        let missing = if failure.is_none() { unread(&deploy) } else { None };
        Ok(Finished { id: record.id, kind: record.kind, line: record.line, status, deploy, failure, missing })
    }
}

/// Why a run that ended did not succeed; nothing when it did, or goes on.
#[must_use]
pub fn failure_of(kind: RunKind, dir: &RunDir, deploy: &Deploy, status: &RunStatus) -> Option<Explanation> {
    failure(kind, deploy, &status.exit()?, &dir.stderr_tail(STDERR_TAIL))
}

/// A request by this operator, now.
#[must_use]
pub fn request(operator: &str, at: Timestamp) -> Request {
    Request { operator: operator.to_owned(), at }
}

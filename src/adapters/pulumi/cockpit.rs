//! Pulumi for the cockpit: the port [`Provisioner`], kept by runs that outlive the terminal.
//!
//! Decides nothing: what may start, and what has to be confirmed, the domain says.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::folder::{RunDir, RunRecord};
use super::follow::expected_plan;
use super::run::{Started, StartedBy, Supervisor, execute, only_one, preview};
use super::{
    Follower, Interrupted, Pulumi, PulumiError, RunStatus, Runs, Update, command, find, interrupt, locks, stack,
    stop_mark,
};
use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus, RunHead, RunSeen};
use crate::domain::pulumi::change::ConfirmedChange;
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::{Plan, PulumiChange};
use crate::ports::{Clock, PortError, Provisioner, PulumiControl, PulumiFuture, Tell};

/// Pause between two looks at a run's files once all is read: short enough to feel live, long enough to cost nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Bytes of stderr that explain a failure.
const STDERR_TAIL: u64 = 8 << 10;

/// Runs Pulumi on one stack.
pub struct CockpitRuns {
    /// Pulumi, or why there is none.
    pub pulumi: Result<Pulumi, PulumiError>,
    /// Who waits for the end of a run.
    pub supervisor: Supervisor,
    /// The folders of all runs.
    pub runs: Runs,
    /// The program's name in `Pulumi.yaml`, for the folder of its locks.
    pub project: String,
    /// Where `file://~` points.
    pub home: PathBuf,
    /// Whether the Python packages of the program are looked for; a stand-in has none.
    pub check_packages: bool,
    /// Outputs that Pulumi's stack has to hand out for a run to start: set where the cockpit's own are from a file.
    pub landmarks: Vec<(&'static str, String)>,
    /// Dates runs.
    pub clock: Arc<dyn Clock>,
}

fn trouble(error: &PulumiError) -> PulumiProblem {
    PulumiProblem { message: error.to_string(), hint: error.hint() }
}

pub(super) fn head(record: RunRecord, asked_to_stop: Option<bool>) -> RunHead {
    RunHead {
        id: record.id,
        kind: record.kind,
        line: record.line,
        operator: record.operator,
        host: record.host,
        started_at: record.started_at,
        asked_to_stop,
    }
}

impl CockpitRuns {
    fn pulumi(&self) -> Result<&Pulumi, PulumiProblem> {
        self.pulumi.as_ref().map_err(trouble)
    }

    async fn look(&self) -> PulumiStatus {
        let newest = match self.runs.newest() {
            Ok(Some(dir)) => dir.read().ok().flatten().map(|record| head(record, interrupt::was_asked(&dir))),
            _ => None,
        };
        let mut look = PulumiStatus {
            asked_at: self.clock.now(),
            pulumi: Err(PulumiProblem { message: String::new(), hint: String::new() }),
            locks: Vec::new(),
            pending: Vec::new(),
            newest,
            setup: None,
            passed_through: command::passed_through().into_iter().map(str::to_owned).collect(),
        };
        look.pulumi = match self.pulumi() {
            Err(trouble) => Err(trouble),
            Ok(pulumi) => self.usable(pulumi, &mut look).await.map_err(|error| trouble(&error)),
        };
        look
    }

    async fn usable(&self, pulumi: &Pulumi, look: &mut PulumiStatus) -> Result<String, PulumiError> {
        let version = find::check_version(pulumi).await?;
        if self.check_packages {
            find::check_program(&pulumi.project).await?;
        }
        let setup = stack::setup(pulumi).await?;
        let exists = setup.exists;
        look.setup = Some(setup);
        if self.check_packages {
            let backend = stack::backend_url(pulumi).await?;
            look.locks =
                locks::of_backend(&backend, &self.home, &self.project, &pulumi.stack, &self.runs.processes()?)?;
            // While a run goes on its operations are open because it works on them.
            if exists && self.runs.going_on()?.is_none() {
                look.pending = stack::pending(pulumi).await?;
            }
        }
        Ok(version.to_string())
    }

    /// Refuses while what is known of the stack is from a file that may be of another one.
    async fn check_same(&self, pulumi: &Pulumi) -> Result<(), PulumiError> {
        if self.landmarks.is_empty() { Ok(()) } else { stack::check_same(pulumi, &self.landmarks).await }
    }

    fn request(&self, operator: &str, intent: Option<&str>) -> StartedBy {
        StartedBy { operator: operator.to_owned(), at: self.clock.now(), intent: intent.map(str::to_owned) }
    }

    /// The runs as their folders tell of them. One that cannot be read proves nothing, not even that there is none.
    async fn seen(&self, unended: Vec<String>) -> PulumiAnswer {
        let runs = self.runs.clone();
        let look = move || {
            let ids = runs.ids().ok()?;
            let looks = ids.iter().filter_map(|id| runs.dir(id)).map(|dir| seen(&dir, &unended));
            Some(looks.collect::<Vec<_>>())
        };
        let looks = tokio::task::spawn_blocking(look).await.ok().flatten();
        let may_lack = looks.as_ref().is_none_or(|looks| looks.iter().any(Result::is_err));
        let seen = looks.into_iter().flatten().flatten().flatten().collect();
        PulumiAnswer::Runs { seen, may_lack }
    }

    /// Begins a preview, of a stack that exists: one that does not is only made when somebody says so.
    async fn preview(&self, destroy: bool, operator: &str) -> Result<RunHead, PulumiError> {
        let pulumi = self.usable_pulumi()?;
        self.check_same(pulumi).await?;
        stack::check_exists(pulumi).await?;
        let kind = if destroy { RunKind::PreviewDestroy } else { RunKind::Preview };
        stack::check_configured(pulumi, kind).await?;
        head_of(&preview(&self.runs, pulumi, &self.supervisor, destroy, self.request(operator, None)).await?)
    }

    async fn change(
        &self,
        change: &Confirmed<PulumiChange>,
        operator: &str,
        intent: &str,
    ) -> Result<Carried, PulumiError> {
        match change.clone().into_part() {
            ConfirmedChange::CreateStack(new) => {
                stack::create(self.usable_pulumi()?, &new).await?;
                Ok(Carried::StackCreated(new.get().done_text()))
            }
            ConfirmedChange::Run(run) => {
                let pulumi = self.usable_pulumi()?;
                self.check_same(pulumi).await?;
                let by = self.request(operator, Some(intent));
                let started = execute(&self.runs, pulumi, &self.supervisor, &run, by).await?;
                Ok(Carried::Started(head_of(&started)?))
            }
            ConfirmedChange::Config(set) => {
                let pulumi = self.usable_pulumi()?;
                self.check_idle()?;
                stack::set_config(pulumi, &set).await?;
                Ok(Carried::Done(set.get().done_text()))
            }
            ConfirmedChange::Interrupt(subject) => {
                let run = subject.get().run();
                let dir = self.runs.dir(run).ok_or_else(|| PulumiError::NoSuchRun(run.to_owned()))?;
                let by = self.request(operator, Some(intent));
                let sent = beside(move || interrupt::ask_to_stop(&dir, &by)).await?;
                Ok(Carried::Interrupted(sent == Interrupted::Asked))
            }
            ConfirmedChange::ForceStop(subject) => {
                let done = format!("the run {} was ended by force", subject.get().run());
                let (runs, by) = (self.runs.clone(), self.request(operator, Some(intent)));
                beside(move || interrupt::terminate(&runs, &subject, &by)).await?;
                Ok(Carried::Done(done))
            }
            ConfirmedChange::ClearLocks(subject) => {
                let pulumi = self.usable_pulumi()?;
                // Held until the locks are gone, so that no run of ours begins, and takes one, in between.
                let _only_one = only_one(&self.runs).await?;
                self.check_idle()?;
                locks::clear(pulumi, &subject, &self.runs.processes()?).await?;
                Ok(Carried::Done("the stale locks were cleared".to_owned()))
            }
        }
    }

    fn usable_pulumi(&self) -> Result<&Pulumi, PulumiError> {
        self.pulumi.as_ref().map_err(PulumiError::clone)
    }

    /// Refuses while a run of this state folder goes on.
    fn check_idle(&self) -> Result<(), PulumiError> {
        match self.runs.going_on()? {
            Some(record) => Err(PulumiError::Refused(BlockedReason::RunGoesOn(record.summary()))),
            None => Ok(()),
        }
    }

    /// What the run's preview planned, so that its total is known after a restart, too. Without it only the total is
    /// unknown.
    async fn expected(&self, dir: &RunDir) -> Option<Box<Plan>> {
        let (runs, dir) = (self.runs.clone(), dir.clone());
        let read = move || Some(Box::new(expected_plan(&runs, &dir.read().ok()??).ok()??));
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    async fn follow(&self, run: String, tell: &Tell) {
        let Some(dir) = self.runs.dir(&run) else { return };
        let plan = self.expected(&dir).await;
        let expect = async || {
            if let Some(plan) = plan.clone() {
                tell(PulumiAnswer::Expecting { run: run.clone(), plan }).await;
            }
        };
        expect().await;
        let mut follower = Follower::new(dir.clone(), LOOK_AGAIN);
        let mut told = None;
        loop {
            let next = follower.next().await;
            if next.is_ok() {
                told = None;
            }
            match next {
                Ok(Some(Update::Lines(batch))) => {
                    tell(PulumiAnswer::Lines { run: run.clone(), lines: batch.lines, oversized: batch.oversized })
                        .await;
                }
                Ok(Some(Update::Restarted)) => {
                    tell(PulumiAnswer::Restarted { run: run.clone() }).await;
                    expect().await;
                }
                Ok(Some(Update::Ended(status))) => {
                    tell(ended(&dir, &status)).await;
                    return;
                }
                Ok(None) => return,
                Err(error) => {
                    // Files that cannot be read are tried again and again, and told once.
                    let trouble = PulumiProblem { message: error.to_string(), hint: error.hint() };
                    if told.as_ref() != Some(&trouble) {
                        told = Some(trouble.clone());
                        tell(PulumiAnswer::Failed(trouble)).await;
                    }
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    }
}

/// What waits for the disk, off the threads that serve everything else.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PulumiError> + Send + 'static,
) -> Result<T, PulumiError> {
    let failed = |error: tokio::task::JoinError| PulumiError::NotStarted(error.to_string());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// A run as its folder tells of it; nothing of one that never began.
fn seen(dir: &RunDir, unended: &[String]) -> Result<Option<RunSeen>, PortError> {
    let Some(record) = dir.read()? else { return Ok(None) };
    let status = record.status();
    let end = (!status.is_active()).then(|| ended_text(&status));
    Ok(Some(RunSeen {
        intent: record.intent.clone(),
        stops: stop_mark::all(dir)?,
        end_is_ours: end.is_some() && unended.contains(&record.id) && dir.end_is_ours(),
        end,
        head: head(record, interrupt::was_asked(dir)),
    }))
}

fn ended_text(status: &RunStatus) -> String {
    match status {
        RunStatus::Ended(end) => end.text(),
        _ => "it is gone, and nobody saw its exit code".to_owned(),
    }
}

pub(super) fn head_of(started: &Started) -> Result<RunHead, PulumiError> {
    let empty = || PulumiError::NotStarted("the run's folder is empty; start it again".to_owned());
    Ok(head(started.dir.read()?.ok_or_else(empty)?, Some(false)))
}

fn ended(dir: &RunDir, status: &RunStatus) -> PulumiAnswer {
    let text = ended_text(status);
    let exit = status.exit().unwrap_or(ProcessEnd::Unseen);
    PulumiAnswer::Ended { run: dir.id(), exit, text, note: dir.claim_end_entry(), stderr: dir.stderr_tail(STDERR_TAIL) }
}

impl Provisioner for CockpitRuns {
    fn ask(&self, query: PulumiQuery, operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let answer = match query {
                PulumiQuery::Status => PulumiAnswer::Looked(Box::new(self.look().await)),
                PulumiQuery::Preview { destroy } => match self.preview(destroy, &operator).await {
                    Ok(head) => PulumiAnswer::Started(head),
                    Err(error) => PulumiAnswer::Failed(trouble(&error)),
                },
                PulumiQuery::Runs { unended } => self.seen(unended).await,
                PulumiQuery::Follow(run) => return self.follow(run, &tell).await,
                PulumiQuery::Orphans { .. } => return,
            };
            tell(answer).await;
        })
    }
}

impl PulumiControl for CockpitRuns {
    fn hold<'a>(&'a self, change: &'a PulumiChange, intent: &'a str) -> PulumiFuture<'a, Option<Box<dyn Send>>> {
        Box::pin(async move {
            let dir = change.stops().and_then(|run| self.runs.dir(run));
            let Some(dir) = dir else { return Ok(None) };
            let intent = intent.to_owned();
            let held = beside(move || Ok(stop_mark::hold(&dir, &intent)?)).await?;
            Ok(Some(Box::new(held) as Box<dyn Send>))
        })
    }

    fn carry_out<'a>(
        &'a self,
        change: &'a Confirmed<PulumiChange>,
        operator: &'a str,
        intent: &'a str,
    ) -> PulumiFuture<'a, Carried> {
        Box::pin(self.change(change, operator, intent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::pulumi::folder::Runs;

    #[test]
    fn a_folder_that_cannot_be_read_is_no_run_that_never_began() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::new(folder.path());
        for (id, state, right) in [("r1", None, Some(true)), ("r2", Some("{\"id\":"), None)] {
            std::fs::create_dir_all(runs.root().join(id)).unwrap();
            if let Some(text) = state {
                std::fs::write(runs.root().join(id).join("state.json"), text).unwrap();
            }
            let looked = seen(&runs.dir(id).unwrap(), &[]).ok().map(|run| run.is_none());
            assert_eq!(looked, right, "{id}");
        }
    }
}

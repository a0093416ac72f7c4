//! Pulumi for the cockpit: the port [`Provisioner`], kept by runs that outlive the terminal.
//!
//! Decides nothing: what may start, and what has to be confirmed, the domain says.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::folder::{RunDir, RunRecord};
use super::follow::expected_plan;
use super::run::{Request, Started, Supervisor, execute, preview};
use super::{
    Follower, Interrupted, Pulumi, PulumiError, RunStatus, Runs, Update, command, find, interrupt, locks, stack,
};
use crate::domain::confirm::Confirmed;
use crate::domain::deploy::Plan;
use crate::domain::deploy::config::SetConfig;
use crate::domain::deploy::explain::Exit;
use crate::domain::deploy::guard::{Refusal, RunKind};
use crate::domain::provision::{Look, News, Order, RunHead, Trouble};
use crate::ports::{Clock, Provisioner, Tell};

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

fn trouble(error: &PulumiError) -> Trouble {
    Trouble { message: error.to_string(), hint: error.hint() }
}

fn head(record: RunRecord, asked_to_stop: bool) -> RunHead {
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
    fn pulumi(&self) -> Result<&Pulumi, Trouble> {
        self.pulumi.as_ref().map_err(trouble)
    }

    async fn look(&self) -> Look {
        let newest = match self.runs.newest() {
            Ok(Some(dir)) => dir.read().ok().flatten().map(|record| head(record, interrupt::was_asked(&dir))),
            _ => None,
        };
        let mut look = Look {
            pulumi: Err(Trouble { message: String::new(), hint: String::new() }),
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

    async fn usable(&self, pulumi: &Pulumi, look: &mut Look) -> Result<String, PulumiError> {
        let version = find::check_version(pulumi).await?;
        if self.check_packages {
            find::check_program(&pulumi.project).await?;
        }
        let setup = stack::setup(pulumi).await?;
        let exists = setup.exists;
        look.setup = Some(setup);
        if self.check_packages {
            let backend = stack::backend_url(pulumi).await?;
            look.locks = locks::of_backend(&backend, &self.home, &self.project, &pulumi.stack)?;
            // While a run goes on its operations are open because it works on them.
            if exists && self.runs.going_on()?.is_none() {
                look.pending = stack::pending(pulumi).await?;
            }
        }
        Ok(version.to_string())
    }

    async fn start(&self, order: &Order, operator: String) -> Result<RunHead, Trouble> {
        let pulumi = self.pulumi()?;
        let request = Request { operator, at: self.clock.now() };
        if !self.landmarks.is_empty() {
            stack::check_same(pulumi, &self.landmarks).await.map_err(|error| trouble(&error))?;
        }
        let started: Result<Started, PulumiError> = match order {
            Order::Preview { destroy } => {
                let there =
                    if *destroy { stack::check_exists(pulumi).await } else { stack::ensure(pulumi).await.map(drop) };
                there.map_err(|error| trouble(&error))?;
                let kind = if *destroy { RunKind::PreviewDestroy } else { RunKind::Preview };
                stack::check_configured(pulumi, kind).await.map_err(|error| trouble(&error))?;
                preview(&self.runs, pulumi, &self.supervisor, *destroy, request).await
            }
            Order::Execute(run) => execute(&self.runs, pulumi, &self.supervisor, run, request).await,
            _ => return Err(Trouble { message: "not a run".to_owned(), hint: String::new() }),
        };
        let started = started.map_err(|error| trouble(&error))?;
        match started.dir.read() {
            Ok(Some(record)) => Ok(head(record, false)),
            Ok(None) => {
                Err(Trouble { message: "the run's folder is empty".to_owned(), hint: "start it again".to_owned() })
            }
            Err(error) => Err(Trouble { message: error.to_string(), hint: error.hint() }),
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
                tell(News::Expecting { run: run.clone(), plan }).await;
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
                    tell(News::Lines { run: run.clone(), lines: batch.lines, oversized: batch.oversized }).await;
                }
                Ok(Some(Update::Restarted)) => {
                    tell(News::Restarted { run: run.clone() }).await;
                    expect().await;
                }
                Ok(Some(Update::Ended(status))) => {
                    tell(ended(&dir, &status)).await;
                    return;
                }
                Ok(None) => return,
                Err(error) => {
                    // Files that cannot be read are tried again and again, and told once.
                    let trouble = Trouble { message: error.to_string(), hint: error.hint() };
                    if told.as_ref() != Some(&trouble) {
                        told = Some(trouble.clone());
                        tell(News::Failed(trouble)).await;
                    }
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    }

    async fn set_config(&self, set: &Confirmed<SetConfig>) -> Result<News, Trouble> {
        let pulumi = self.pulumi()?;
        let going_on = self.runs.going_on().map_err(|error| trouble(&error.into()))?;
        if let Some(record) = going_on {
            return Err(trouble(&PulumiError::Refused(Refusal::RunGoesOn(record.summary()))));
        }
        stack::set_config(pulumi, set).await.map_err(|error| trouble(&error))?;
        Ok(News::Done(set.get().done_text()))
    }

    fn ask_to_stop(&self, run: &str, operator: &str) -> News {
        let Some(dir) = self.runs.dir(run) else {
            return News::Failed(trouble(&PulumiError::NoSuchRun(run.to_owned())));
        };
        match interrupt::ask_to_stop(&dir, operator, self.clock.now()) {
            Ok(Interrupted::AlreadyAsked) => News::AskedToStop(false),
            Ok(_) => News::AskedToStop(true),
            Err(error) => News::Failed(trouble(&error)),
        }
    }
}

fn ended(dir: &RunDir, status: &RunStatus) -> News {
    let text = match status {
        RunStatus::Ended(end) => end.text(),
        _ => "it is gone, and nobody saw its exit code".to_owned(),
    };
    let exit = status.exit().unwrap_or(Exit::Unseen);
    News::Ended { run: dir.id(), exit, text, note: dir.takes_note(), stderr: dir.stderr_tail(STDERR_TAIL) }
}

impl Provisioner for CockpitRuns {
    fn carry_out(&self, order: Order, operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let news = match order {
                Order::Look => News::Looked(Box::new(self.look().await)),
                Order::Preview { .. } | Order::Execute(_) => match self.start(&order, operator).await {
                    Ok(head) => News::Started(head),
                    Err(trouble) => News::Failed(trouble),
                },
                Order::Follow(run) => return self.follow(run, &tell).await,
                Order::AskToStop(run) => self.ask_to_stop(&run, &operator),
                Order::Terminate(subject) => match interrupt::terminate(&self.runs, &subject) {
                    Ok(()) => News::Done(format!("the run {} was ended by force", subject.get().run())),
                    Err(error) => News::Failed(trouble(&error)),
                },
                Order::ClearLocks(subject) => match self.pulumi() {
                    Err(trouble) => News::Failed(trouble),
                    Ok(pulumi) => match locks::clear(pulumi, &subject).await {
                        Ok(()) => News::Done("the locks of dead processes were cleared".to_owned()),
                        Err(error) => News::Failed(trouble(&error)),
                    },
                },
                Order::SetConfig(set) => self.set_config(&set).await.unwrap_or_else(News::Failed),
                Order::Zone(_) | Order::Orphans { .. } => return,
            };
            tell(news).await;
        })
    }
}

/// The name in a `Pulumi.yaml`, which is also the folder of its stacks and locks in a backend.
#[must_use]
pub fn project_name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Pulumi.yaml")).ok()?;
    let line = text.lines().find(|line| line.starts_with("name:"))?;
    Some(line.trim_start_matches("name:").trim().trim_matches(['"', '\'']).to_owned())
}

/// A host on which Pulumi is not used: every order is refused with the way out.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPulumi;

impl Provisioner for NoPulumi {
    fn carry_out(&self, order: Order, _operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let trouble = Trouble {
            message: "no Pulumi program was given, so nothing can be provisioned from here".to_owned(),
            hint: "start tapctl in the folder that holds the program, or name it with `program` in the configuration"
                .to_owned(),
        };
        Box::pin(async move {
            let news = match order {
                Order::Look => News::Looked(Box::new(Look {
                    pulumi: Err(trouble),
                    locks: Vec::new(),
                    pending: Vec::new(),
                    newest: None,
                    setup: None,
                    passed_through: Vec::new(),
                })),
                _ => News::Failed(trouble),
            };
            tell(news).await;
        })
    }
}

//! Pulumi of a script: the fake Pulumi's recorded runs, given out on the script's own time instead of by processes.
//!
//! The fake Pulumi writes a whole run at once; its lines, and what they make in the simulated world, are told when they are
//! due. So a script ends a run before it leaves the cockpit, and no run here can be interrupted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus, RunHead};
use crate::domain::pulumi::config::{ConfigValue, SetConfig, Setup, may_run};
use crate::domain::pulumi::event::parse;
use crate::domain::pulumi::explain::ProcessEnd;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::{Plan, PulumiChange, PulumiError, RunState};
use crate::domain::stack::info::{ConfiguredStack, PROJECT, REGION, StackInfo};
use crate::domain::units::Timestamp;
use crate::fake_pulumi::{self, FakeStack, Settings, VERSION};
use crate::ports::{Clock, Provisioner, PulumiControl, PulumiFuture, Tell};
use crate::sim::Sim;

/// The stack of every script.
pub(super) const STACK: &str = "prod";
/// Who has started the run that goes on when a script of such a scenario begins.
const COLLEAGUE: &str = "colleague";

/// A run with all its lines.
#[derive(Debug, Clone)]
struct Recorded {
    head: RunHead,
    /// When it began, on the script's time.
    began: Instant,
    lines: Vec<Line>,
    code: u8,
    stderr: String,
    /// What its preview had planned.
    plan: Option<Plan>,
}

/// One line, and what it makes of the stack.
#[derive(Debug, Clone)]
struct Line {
    due: Duration,
    text: String,
    /// All resources of the stack from then on, where they change.
    resources: Option<Vec<String>>,
}

/// The fake Pulumi on the script's time.
pub(super) struct ScriptedPulumi {
    settings: PathBuf,
    stack: String,
    sim: Sim,
    clock: Arc<dyn Clock>,
    runs: Mutex<Vec<Recorded>>,
}

/// How a command of the fake Pulumi went.
struct FakeOutput {
    code: u8,
    stdout: String,
    stderr: String,
}

impl ScriptedPulumi {
    /// A fake Pulumi whose files lie in `project`, as the scenario that is played begins with.
    ///
    /// # Errors
    /// Which file cannot be written.
    pub(super) fn new(project: &Path, sim: Sim, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let stand_in = fake_pulumi::set_up(project, &sim, f64::INFINITY, "")?;
        let settings = stand_in.prefix.last().map(PathBuf::from).ok_or("the fake Pulumi names no settings")?;
        // What a run makes is told to the simulator here, line by line.
        let read = Settings::read(&settings)?;
        Settings { stack: STACK.to_owned(), simulator: None, ..read }.write(&settings)?;
        Ok(Self { settings, stack: STACK.to_owned(), sim, clock, runs: Mutex::default() })
    }

    fn runs(&self) -> MutexGuard<'_, Vec<Recorded>> {
        // Each run is whole before it is added.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One command to its end, on a thread of its own: the fake Pulumi has a runtime for itself.
    fn call(&self, args: &[&str], input: &str) -> FakeOutput {
        let file = self.settings.display().to_string();
        let args: Vec<String> = ["--settings", &file].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let told = std::thread::scope(|scope| scope.spawn(|| fake_pulumi::call(&args, input)).join());
        let (code, stdout, stderr) = told.unwrap_or_else(|_| (1, String::new(), "the fake Pulumi failed".to_owned()));
        FakeOutput { code, stdout, stderr }
    }

    fn state(&self) -> Result<FakeStack, String> {
        FakeStack::read(&self.settings)
    }

    /// The stack before a run of this kind. What reads first finds out that the name's weighted records are gone.
    fn refreshed(&self, kind: RunKind) -> Result<FakeStack, String> {
        let mut stack = self.state()?;
        let reads = matches!(kind, RunKind::Destroy | RunKind::PreviewDestroy | RunKind::Refresh);
        if reads && self.sim.state()["traffic"]["record"] != "weighted" {
            stack.resources.retain(|urn| !urn.contains("aws:route53/record:Record::"));
            stack.write(&self.settings)?;
        }
        Ok(stack)
    }

    /// Whether an `up` went through, also one whose last line is not due yet.
    pub(super) fn has_outputs(&self) -> Result<bool, String> {
        let going_on = self.runs().iter().any(|run| run.head.kind == RunKind::Up && !run.is_over());
        Ok(self.state()?.outputs && !going_on)
    }

    /// The stack as its configuration says that it is to be.
    pub(super) fn configured(&self) -> Result<StackInfo, String> {
        let values = self.setup()?.values.unwrap_or_default();
        let values = values.into_iter().filter_map(|(key, value)| Some((key, value.value?))).collect();
        Ok(ConfiguredStack::read(&self.stack, PROJECT, REGION, &values).into())
    }

    fn setup(&self) -> Result<Setup, String> {
        let exists = self.state()?.exists;
        let shown = self.call(&["config", "--json", "--stack", &self.stack], "");
        let shown: BTreeMap<String, Value> = serde_json::from_str(&shown.stdout).unwrap_or_default();
        let value = |entry: &Value| ConfigValue {
            value: entry["value"].as_str().map(str::to_owned),
            secret: entry["secret"].as_bool().unwrap_or(false),
        };
        let values = shown.iter().map(|(key, entry)| (key.clone(), value(entry))).collect();
        Ok(Setup { exists, bundled: true, values: exists.then_some(values) })
    }

    /// Somebody else's run, which goes on when the cockpit opens.
    ///
    /// # Errors
    /// What the fake Pulumi says.
    pub(super) fn colleague_starts_an_up(&self) -> Result<(), String> {
        let preview = self.start(RunKind::Preview, None, COLLEAGUE).map_err(|trouble| trouble.message)?;
        let started = self.start(RunKind::Up, Some(preview.id), COLLEAGUE);
        started.map(drop).map_err(|trouble| trouble.message)
    }

    /// Lets the fake Pulumi write the whole run.
    fn start(&self, kind: RunKind, preview: Option<String>, operator: &str) -> Result<RunHead, PulumiProblem> {
        let trouble = |message: String| PulumiProblem { message, hint: "fix it and try again".to_owned() };
        let before = self.refreshed(kind).map_err(trouble)?;
        if !before.exists {
            return Err(trouble(PulumiError::NoSuchStack(self.stack.clone()).to_string()));
        }
        let setup = self.setup().map_err(trouble)?;
        may_run(kind, Some(&setup)).map_err(|refusal| trouble(refusal.to_string()))?;
        let now = self.clock.now();
        // The lines are dated in whole seconds, and so is their beginning.
        let began = Timestamp::from_millis(now.millis().div_euclid(1000) * 1000);
        let read = Settings::read(&self.settings).map_err(trouble)?;
        Settings { demo_at: began, wall_at: Settings::default().wall_at, ..read }
            .write(&self.settings)
            .map_err(trouble)?;
        let id = format!("{}-{}", kind.name().replace(' ', "-"), self.runs().len() + 1);
        let plan_of = |run: &str| self.settings.with_file_name(format!("{run}.plan")).display().to_string();
        let mut args = match kind {
            RunKind::Preview => vec!["preview".to_owned(), "--save-plan".to_owned(), plan_of(&id)],
            RunKind::Up => vec!["up".to_owned()],
            RunKind::Refresh => vec!["refresh".to_owned()],
            RunKind::PreviewDestroy => vec!["destroy".to_owned(), "--preview-only".to_owned()],
            RunKind::Destroy => vec!["destroy".to_owned()],
        };
        if let Some(preview) = preview.as_deref().filter(|_| kind == RunKind::Up) {
            args.extend(["--plan".to_owned(), plan_of(preview)]);
        }
        args.extend(["--stack".to_owned(), self.stack.clone(), "--json".to_owned()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let answer = self.call(&args, "");
        let head = RunHead {
            id,
            kind,
            line: format!("pulumi {}", args[0]),
            operator: operator.to_owned(),
            host: "bastion".to_owned(),
            started_at: now,
            asked_to_stop: Some(false),
        };
        let plan = preview.and_then(|preview| {
            let runs = self.runs();
            let run = runs.iter().find(|run| run.head.id == preview)?;
            let mut run_state = RunState::new();
            run.lines.iter().for_each(|line| run_state.fold_line(line.text.as_bytes()));
            Some(Plan::of(&run_state))
        });
        let lines = lines(&answer.stdout, began, &before, kind);
        let (code, stderr) = (answer.code, answer.stderr);
        self.runs().push(Recorded { head: head.clone(), began: Instant::now(), lines, code, stderr, plan });
        Ok(head)
    }

    /// Tells a run from its first line, each one not before it is due.
    async fn follow(&self, run: String, tell: &Tell) {
        let Some(recorded) = self.runs().iter().find(|recorded| recorded.head.id == run).cloned() else { return };
        if let Some(plan) = recorded.plan.clone() {
            tell(PulumiAnswer::Expecting { run: run.clone(), plan: Box::new(plan) }).await;
        }
        for group in recorded.lines.chunk_by(|a, b| a.due == b.due) {
            tokio::time::sleep_until(recorded.began + group[0].due).await;
            if let Some(resources) = group.iter().rev().find_map(|line| line.resources.as_ref()) {
                self.clock.now();
                if let Err(message) = self.sim.set_stack(resources) {
                    tell(PulumiAnswer::Failed(PulumiProblem { message, hint: "fix the script".to_owned() })).await;
                }
            }
            let lines = group.iter().map(|line| parse(line.text.as_bytes())).collect();
            tell(PulumiAnswer::Lines { run: run.clone(), lines, oversized: 0 }).await;
        }
        let code = i32::from(recorded.code);
        let text = if code == 0 { "succeeded".to_owned() } else { format!("failed with exit code {code}") };
        let exit = ProcessEnd::Code(Some(code));
        tell(PulumiAnswer::Ended { run, exit, text, note: true, stderr: recorded.stderr }).await;
    }

    /// Makes the stack when there is none.
    fn create(&self) {
        if !self.state().is_ok_and(|stack| stack.exists) {
            self.call(&["stack", "init", &self.stack], "");
        }
    }

    fn change(&self, change: &PulumiChange, operator: &str) -> Result<Carried, PulumiError> {
        match change {
            PulumiChange::CreateStack(new) => {
                self.create();
                Ok(Carried::StackCreated(new.done_text()))
            }
            PulumiChange::Run(run) => self
                .start(run.kind(), run.preview().map(str::to_owned), operator)
                .map(Carried::Started)
                .map_err(|trouble| PulumiError::NotStarted(trouble.message)),
            PulumiChange::Config(set) => self.set_config(set),
            PulumiChange::Interrupt(_) | PulumiChange::ForceStop(_) | PulumiChange::ClearLocks(_) => Err(
                PulumiError::NotStarted("no run of a script can be interrupted; `tapctl demo` plays processes".into()),
            ),
        }
    }

    fn set_config(&self, set: &SetConfig) -> Result<Carried, PulumiError> {
        self.create();
        let mut args = vec!["config", "set", set.key(), "--stack", &self.stack];
        if set.is_secret() {
            args.push("--secret");
        }
        let answer = self.call(&args, set.value());
        if answer.code == 0 {
            return Ok(Carried::Done(set.done_text()));
        }
        Err(PulumiError::Refusing { line: set.call_text(), message: answer.stderr })
    }

    fn look(&self) -> PulumiStatus {
        PulumiStatus {
            asked_at: self.clock.now(),
            pulumi: Ok(VERSION.trim_start_matches('v').to_owned()),
            locks: Vec::new(),
            pending: Vec::new(),
            newest: self.runs().last().map(|run| run.head.clone()),
            setup: self.setup().ok(),
            passed_through: Vec::new(),
        }
    }
}

impl Recorded {
    fn is_over(&self) -> bool {
        self.lines.last().is_none_or(|line| self.began.elapsed() >= line.due)
    }
}

/// The lines of a run with their times, and what they make of the stack as it was before.
fn lines(text: &str, began: Timestamp, before: &FakeStack, kind: RunKind) -> Vec<Line> {
    let changes = matches!(kind, RunKind::Up | RunKind::Destroy);
    let mut stack = before.clone();
    let mut lines = Vec::new();
    for text in text.lines() {
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        let at = event["timestamp"].as_i64().unwrap_or(0);
        let due = Timestamp::from_millis(at * 1000).since(began);
        let step = &event["resOutputsEvent"]["metadata"];
        let resources = step["urn"].as_str().filter(|_| changes).and_then(|urn| {
            stack = match step["op"].as_str()? {
                "same" => return None,
                "delete" => stack.without(urn),
                _ => stack.with(urn),
            };
            Some(stack.resources.clone())
        });
        lines.push(Line { due, text: text.to_owned(), resources });
    }
    if kind == RunKind::Destroy
        && let Some(last) = lines.last_mut()
    {
        // What is left is the stack itself and a provider that leaves no line behind.
        last.resources = Some(Vec::new()).filter(|_| stack.resources.len() <= 2);
    }
    lines
}

impl Provisioner for ScriptedPulumi {
    fn ask(&self, query: PulumiQuery, operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let started = |started: Result<RunHead, PulumiProblem>| {
                started.map_or_else(PulumiAnswer::Failed, PulumiAnswer::Started)
            };
            let answer = match query {
                PulumiQuery::Status => PulumiAnswer::Looked(Box::new(self.look())),
                PulumiQuery::Preview { destroy } => {
                    let kind = if destroy { RunKind::PreviewDestroy } else { RunKind::Preview };
                    started(self.start(kind, None, &operator))
                }
                // No process of a script dies between an intent and its outcome.
                PulumiQuery::Runs { .. } => PulumiAnswer::Runs { seen: Vec::new(), may_lack: false },
                PulumiQuery::Follow(run) => return self.follow(run, &tell).await,
                PulumiQuery::Orphans { .. } => return,
            };
            tell(answer).await;
        })
    }
}

impl PulumiControl for ScriptedPulumi {
    fn carry_out<'a>(
        &'a self,
        change: &'a Confirmed<PulumiChange>,
        operator: &'a str,
        _intent: &'a str,
    ) -> PulumiFuture<'a, Carried> {
        Box::pin(async move { self.change(change.get(), operator) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_up_make_the_stack_when_they_are_due() {
        let before = FakeStack::default();
        let made = |urn: &str, at: i64| {
            format!(r#"{{"timestamp":{at},"resOutputsEvent":{{"metadata":{{"op":"create","urn":"{urn}"}}}}}}"#)
        };
        let text = format!("{{\"timestamp\":100}}\n{}\n{}", made("a", 101), made("b", 160));
        let lines = lines(&text, Timestamp::from_millis(100_000), &before, RunKind::Up);
        let due: Vec<_> = lines.iter().map(|line| (line.due.as_secs(), line.resources.clone())).collect();
        let (a, both) = (vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(due, [(0, None), (1, Some(a)), (60, Some(both))]);
    }
}

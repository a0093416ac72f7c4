//! `preview`, `up`, `refresh`, `destroy`, `attach`: Pulumi on the bundled program, from scripts.
//!
//! The same guards, plans and runs as in the cockpit. A run goes on when the command that follows it ends.

use std::future::Future;
use std::io;
use std::path::Path;

use crate::adapters::clock::SystemClock;
use crate::adapters::pulumi::run::Supervisor;
use crate::adapters::pulumi::{Pulumi, PulumiError, Request, Runs, stack};
use crate::cli::{AttachArgs, Global, RunArgs};
use crate::config::{Settings, defaults, process_env, state};
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::deploy::guard::{RunKind, Situation, may_start};
use crate::domain::deploy::plan::Danger;
use crate::domain::deploy::{Deploy, Operation, RunOrder};
use crate::domain::facts::{Facts, Source};
use crate::domain::model::Model;
use crate::domain::provision::situation;
use crate::domain::zone::Orphan;
use crate::ports::Clock;
use crate::runtime::gather::{gather, keep_record};
use crate::runtime::zone;

use super::ask::ask;
use super::compose::{Session, connect, program};
use super::failure::{Exit, Failure};
use super::follow_up::Interrupt;
use super::host;
use super::out::Out;
use super::run::print::{self, Progress, finished_json};
use super::run::{Context, FOLLOW_EVERY, Finished, request};

/// What a guard wants to know of AWS before a run.
const ASKED: [Source; 6] =
    [Source::Records, Source::Change, Source::MetricsNew, Source::MetricsLegacy, Source::StackRun, Source::Identity];

/// What is meant to be done, which decides how much has to be known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Only reads what a run wrote.
    Attach,
    /// Only looks: what cannot be known is no reason to refuse.
    Look,
    /// Changes something: its guards need to know the stack.
    Change,
}

/// A stack, as far as it is known.
struct Place {
    context: Context,
    session: Option<Session>,
    stack: String,
    operator: String,
    read_only: bool,
}

async fn place(global: &Global, purpose: Purpose) -> Result<Place, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let session = match connect(global).await {
        Ok(session) => Some(session),
        Err(failure) if purpose == Purpose::Change || failure.exit == Exit::Usage => return Err(failure),
        Err(failure) if settings.outputs.is_some() => return Err(failure),
        Err(_) => None,
    };
    let stack = match (&session, &settings.stack) {
        (Some(session), _) => session.stack.name.clone(),
        (None, Some(stack)) => stack.clone(),
        (None, None) => {
            return Err(Failure::usage("name the stack with --stack NAME: there are no outputs to read its name from"));
        }
    };
    // An outputs file has a suffix, which may be the name of another stack than the one that was made with it.
    let named = session.as_ref().map_or(settings.stack.is_some(), |session| session.settings.stack.is_some());
    if purpose != Purpose::Attach && !named {
        return Err(Failure::usage("name Pulumi's stack with --stack NAME: an outputs file does not say which it is"));
    }
    let folder = match &session {
        Some(session) => session.state_dir.clone(),
        None => state::folder(&stack, &process_env)?,
    };
    let pulumi = match program(&settings, &stack) {
        Ok(pulumi) => pulumi,
        // What a run wrote can be read without the CLI.
        Err(_) if purpose == Purpose::Attach => Pulumi {
            program: "pulumi".into(),
            prefix: Vec::new(),
            project: settings.pulumi_dir.clone(),
            stack: stack.clone(),
        },
        Err(error) => return Err(error.into()),
    };
    let operator = host::local_user(&process_env);
    let read_only = settings.read_only;
    Ok(Place { context: context(pulumi, &folder)?, session, stack, operator, read_only })
}

fn context(pulumi: Pulumi, state_dir: &Path) -> Result<Context, Failure> {
    Ok(Context { pulumi, runs: Runs::new(state_dir), supervisor: Supervisor::own()?, every: FOLLOW_EVERY })
}

impl Place {
    /// What the guards look at, asked now.
    async fn situation(&self, out: &mut Out) -> Result<Situation, Failure> {
        let running = self.context.runs.going_on()?.map(|record| record.summary());
        let session = self.session.as_ref().ok_or_else(|| {
            let what = "nothing was started: what stands cannot be known, and so neither can what a run would do to it";
            Failure::new(Exit::Error, "unknown_stack", what, "`tapctl doctor` says what is missing")
        })?;
        let mut gathered = gather(&session.ports, &ASKED, Facts::default(), defaults::GATHER_DEADLINE).await;
        // A weight change that has become INSYNC meanwhile does not stand in the way.
        let operator = session.operator(&gathered.facts);
        for error in keep_record(&session.ports, &mut gathered, &operator, &session.stack.host).await {
            out.say(&format!("the journal is behind: {error}"));
        }
        let mut model = Model::new(session.stack.clone(), session.policy.clone(), gathered.now);
        model.live.history = gathered.history().cloned();
        model.live.facts = gathered.facts;
        Ok(Situation { running, ..situation(&model) })
    }

    /// Outputs from a file guard only the stack that they are of.
    async fn same_stack(&self) -> Result<(), Failure> {
        let Some(session) = self.session.as_ref().filter(|session| session.settings.outputs.is_some()) else {
            return Ok(());
        };
        let Some(outputs) = session.known.outputs() else { return Ok(()) };
        Ok(stack::check_same(&self.context.pulumi, &outputs.identity_outputs()).await?)
    }

    fn request(&self) -> Request {
        let now = self.session.as_ref().map_or_else(|| SystemClock.now(), |s| s.ports.clock.now());
        request(&self.operator, now)
    }

    fn refuse_read_only(&self) -> Result<(), Failure> {
        if !self.read_only {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Declined,
            "read_only",
            "nothing was started: this is --read-only (or TAPCTL_READ_ONLY, or read_only in the configuration)",
            "leave it out to run Pulumi; preview works with it",
        ))
    }
}

/// Prints what is new of a run to stderr.
fn watcher(json: bool) -> impl FnMut(&Deploy) + Send {
    let mut progress = Progress::default();
    move |deploy| {
        if !json {
            // Words that nobody can read any more do not end a run.
            let _ = progress.print(deploy, &mut io::stderr());
        }
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    let _ = write(&mut bytes);
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

fn finished(run: &Finished, args: RunArgs, out: &mut Out) -> Result<Exit, Failure> {
    if args.json {
        out.json(&finished_json(run))?;
    } else {
        out.data(&text(|bytes| print::finished(run, bytes)))?;
    }
    Ok(Exit::Done)
}

/// Follows a run until its end, or until Ctrl-C: that ends the following, never the run.
async fn followed<T>(run: impl Future<Output = Result<T, PulumiError>>) -> Result<T, Failure> {
    let mut interrupt = Interrupt::listen();
    tokio::select! {
        end = run => Ok(end?),
        () = interrupt.received() => Err(Failure::new(
            Exit::Declined,
            "interrupted",
            "the run is no longer followed here, and goes on",
            "`tapctl attach` follows it again; x in the cockpit's Provision view asks Pulumi to stop",
        )),
    }
}

/// Says that the stack is new.
fn made(is_new: bool, place: &Place, out: &mut Out) {
    if is_new {
        out.say(&format!("the stack {} did not exist; it was made", place.stack));
    }
}

/// Says what `up` would do.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being said.
pub async fn preview(args: RunArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Look).await?;
    made(place.context.prepare(RunKind::Preview).await?, &place, out);
    stack::check_configured(&place.context.pulumi, RunKind::Preview).await?;
    let previewed = followed(place.context.preview(false, place.request(), &mut watcher(args.json))).await?;
    if args.json {
        out.json(&print::plan_json(&previewed))?;
    } else {
        out.data(&text(|bytes| print::plan(&previewed.plan, bytes)))?;
    }
    Ok(Exit::Done)
}

/// Previews, asks, and runs exactly what was read.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn up(args: RunArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    change(RunKind::Up, args, global, out).await
}

/// Previews, asks, and deletes exactly what was read.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn destroy(args: RunArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    change(RunKind::Destroy, args, global, out).await
}

async fn change(kind: RunKind, args: RunArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Change).await?;
    place.refuse_read_only()?;
    may_start(kind, &place.situation(out).await?).map_err(PulumiError::from)?;
    made(place.context.prepare(kind).await?, &place, out);
    place.same_stack().await?;
    stack::check_configured(&place.context.pulumi, kind).await?;
    let destroy = kind == RunKind::Destroy;
    let previewed = followed(place.context.preview(destroy, place.request(), &mut watcher(args.json))).await?;
    out.say(&text(|bytes| print::plan(&previewed.plan, bytes)));
    if previewed.plan.is_empty() {
        out.say("nothing to do: the stack is as the program says");
        return finished(&previewed.run, args, out);
    }
    let order = if destroy {
        RunOrder::destroy(&place.stack, &previewed.run.id, previewed.plan)
    } else {
        RunOrder::up(&place.stack, &previewed.run.id, previewed.plan)
    };
    let order = order.map_err(PulumiError::from)?;
    order.may_run(&place.situation(out).await?).map_err(PulumiError::from)?;
    let yes = confirm(&order, args, out).await?;
    let now = place.situation(out).await?;
    let order = Confirmed::by_flag(order, yes);
    let run = followed(place.context.execute(&order, &now, place.request(), &mut watcher(args.json))).await?;
    if !destroy {
        return finished(&run, args, out);
    }
    let left = left_behind(&place, out).await;
    if args.json {
        let mut json = finished_json(&run);
        json["orphans"] = serde_json::json!(left);
        out.json(&json)?;
        return Ok(Exit::Done);
    }
    out.data(&text(|bytes| print::finished(&run, bytes)))?;
    match left {
        Some(left) if left.is_empty() => out.data("nothing of it is left in the zone")?,
        Some(left) => {
            for orphan in left {
                out.data(&format!("left in the zone: {}", orphan.text()))?;
            }
        }
        None => {}
    }
    Ok(Exit::Done)
}

/// What a `destroy` has left in the zone. The session is from before it: it knows the load balancer that is gone.
async fn left_behind(place: &Place, out: &mut Out) -> Option<Vec<Orphan>> {
    let session = place.session.as_ref()?;
    match zone::left_behind(&session.ports, &session.stack.group, &session.stack.endpoints).await {
        Ok(left) => Some(left),
        Err(trouble) => {
            out.say(&format!("the zone could not be looked through for records that were left: {}", trouble.message));
            out.say(&format!("  next: {}", trouble.hint));
            None
        }
    }
}

/// `--yes` answers for a plan without danger, and for a `destroy`, which the guards have let through. A plan that moves
/// weights, or that deletes or replaces what holds state, has to be read by somebody.
async fn confirm(order: &RunOrder, args: RunArgs, out: &mut Out) -> Result<YesFlag, Failure> {
    let harmless = |danger: &Danger| matches!(danger, Danger::WeightedRecord { op: Operation::Create, .. });
    out.say(&order.call_text());
    let Some(yes) = YesFlag::from_cli(args.yes) else {
        out.say(&order.title());
        return Ok(ask(out, &order.need()).await?);
    };
    match order.plan().dangers.iter().find(|danger| !harmless(danger)) {
        Some(danger) if order.kind() != RunKind::Destroy => Err(Failure::new(
            Exit::Gate,
            "dangerous_plan",
            format!("nothing was started: the plan {danger}"),
            "run it at a terminal without --yes, read the plan and type the stack's name",
        )),
        _ => Ok(yes),
    }
}

/// Reads how everything stands into Pulumi's state.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn refresh(args: RunArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Change).await?;
    place.refuse_read_only()?;
    place.context.prepare(RunKind::Refresh).await?;
    place.same_stack().await?;
    let order = RunOrder::refresh(&place.stack);
    let yes = confirm(&order, args, out).await?;
    let situation = place.situation(out).await?;
    let order = Confirmed::by_flag(order, yes);
    let run = followed(place.context.execute(&order, &situation, place.request(), &mut watcher(args.json))).await?;
    finished(&run, args, out)
}

/// Follows a run that goes on, or shows how one ended.
///
/// # Errors
/// [`Failure`] with the exit code of the run when it failed.
pub async fn attach(args: &AttachArgs, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Attach).await?;
    let run = followed(place.context.attach(args.run.as_deref(), &mut watcher(args.json))).await?;
    let ended = finished_json(&run);
    match run.failure.clone() {
        Some(failure) if args.json => Err(Failure::from(PulumiError::Failed(Box::new(failure))).with("run", ended)),
        Some(failure) => {
            finished(&run, RunArgs { yes: false, json: false }, out)?;
            Err(PulumiError::Failed(Box::new(failure)).into())
        }
        None => finished(&run, RunArgs { yes: false, json: args.json }, out),
    }
}

//! `preview`, `up`, `refresh`, `destroy`, `attach`: Pulumi on the bundled program, from scripts.
//!
//! The same guards, plans and runs as in the cockpit. A run goes on when the command that follows it ends.

use std::future::Future;
use std::io;
use std::sync::Arc;

use crate::cli::{AttachArgs, RunArgs};
use crate::compose::host;
use crate::compose::pulumi::{program, program_or_name, pulumi_ports, pulumi_runs};
use crate::compose::session::{Session, connect};
use crate::config::{Global, Settings, defaults, process_env, state};
use crate::domain::change::Change;
use crate::domain::change::preconditions::{Ground, check, may_begin};
use crate::domain::change::propose;
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::facts::{Facts, Source};
use crate::domain::model::Model;
use crate::domain::provision::{Carried, PulumiStatus, RunHead};
use crate::domain::pulumi::guard::{RunKind, RunPreconditions};
use crate::domain::pulumi::run_request::Unread;
use crate::domain::pulumi::{
    Finished, NewStack, Plan, Previewed, PulumiChange, PulumiError, RunRequest, RunState, RunStatus, config,
};
use crate::domain::record::Event;
use crate::domain::units::Timestamp;
use crate::domain::zone::Orphan;
use crate::ports::PulumiRuns;
use crate::runtime::collect::{collect, reconcile_journal};
use crate::runtime::ports_set::{JournalWriter, Ports};
use crate::runtime::pulumi;
use crate::runtime::zone;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::ask;
use super::run_text::{self as print, Progress, finished_json};
use super::wait::{Interrupt, carried_out};

/// What a guard wants to know of AWS before a run.
const ASKED: [Source; 6] =
    [Source::Records, Source::Change, Source::MetricsNew, Source::MetricsLegacy, Source::StackRun, Source::Identity];

/// What is meant to be done, which decides how much has to be known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Only reads what a run wrote.
    Attach,
    /// Only looks: what cannot be known is no reason to refuse.
    PulumiStatus,
    /// Changes something: its guards need to know the stack.
    Change,
}

/// A stack, as far as it is known.
struct Place {
    runs: Arc<dyn PulumiRuns>,
    ports: Ports,
    session: Option<Session>,
    stack: String,
    operator: String,
    read_only: bool,
}

/// What was seen of the stack, as the cockpit would know it.
struct Seen {
    model: Model,
    running: Option<String>,
}

impl Seen {
    fn ground(&self) -> Ground<'_> {
        let ground = Ground::of(&self.model);
        Ground { run: RunPreconditions { running: self.running.clone(), ..ground.run }, ..ground }
    }
}

async fn place(global: &Global, purpose: Purpose) -> Result<Place, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let session = match connect(global).await.map_err(Failure::from) {
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
    let pulumi =
        if purpose == Purpose::Attach { program_or_name(&settings, &stack) } else { program(&settings, &stack)? };
    let operator = host::local_user(&process_env);
    let read_only = settings.read_only;
    let ports = match &session {
        Some(session) => session.ports.clone(),
        None => pulumi_ports(&settings, &pulumi, &folder, None)?,
    };
    Ok(Place { runs: pulumi_runs(&pulumi, &folder)?, ports, session, stack, operator, read_only })
}

impl Place {
    /// What the preconditions look at, asked now, and who operates.
    async fn seen(&self, out: &mut Console) -> Result<(Seen, String), Failure> {
        let running = self.runs.going_on()?;
        let session = self.session.as_ref().ok_or_else(|| {
            let what = "nothing was started: what stands cannot be known, and so neither can what a run would do to it";
            Failure::new(Exit::Error, "unknown_stack", what, "`tapctl doctor` says what is missing")
        })?;
        let mut collected = collect(&session.ports, &ASKED, Facts::default(), defaults::COLLECT_DEADLINE).await;
        // A weight change that has become INSYNC meanwhile does not stand in the way.
        let operator = session.operator(&collected.facts);
        for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
            out.say(&format!("the journal is behind: {error}"));
        }
        Ok((Seen { model: session.model(&collected), running }, operator))
    }

    /// Whether a change around Pulumi may be made, on what is seen now.
    async fn may_be_made(&self, change: &PulumiChange, out: &mut Console) -> Result<(), Failure> {
        let (seen, _) = self.seen(out).await?;
        Ok(check(&Change::Pulumi(change.clone()), &seen.ground())?)
    }

    /// Who operates, as AWS says where it can be asked: the name under which the cockpit's runs stand, too.
    async fn who(&self) -> String {
        match &self.session {
            Some(session) => session.who().await,
            None => self.operator.clone(),
        }
    }

    /// Does what was confirmed, with its intent and its outcome in the journal.
    async fn changed(
        &self,
        change: PulumiChange,
        yes: YesFlag,
        operator: &str,
        out: &mut Console,
    ) -> Result<Carried, Failure> {
        let change = Confirmed::by_flag(Change::Pulumi(change), yes);
        let done = carried_out(&self.ports, change, (operator, &host::host_name()), out).await;
        if let Some(error) = &done.unwritten {
            out.say(&format!("the journal is behind: {error}"));
        }
        Ok(done.into_carried()?)
    }

    /// Follows a run to its end, and writes the end down under whoever started it when nobody else has.
    async fn follow(&self, head: &RunHead, json: bool, out: &mut Console) -> Result<Finished, Failure> {
        let run = followed(self.runs.follow(&head.id, &mut watcher(json))).await?;
        self.note_end(&run, out).await;
        Ok(run)
    }

    async fn note(&self, operator: &str, event: Event, out: &mut Console) {
        if let Err(error) = JournalWriter::new(&self.ports, operator, &host::host_name()).append(event).await {
            out.say(&format!("the journal is behind: {error}"));
        }
    }

    async fn note_end(&self, run: &Finished, out: &mut Console) {
        let RunStatus::Ended(end) = &run.status else { return };
        if self.runs.claim_end(&run.id) {
            self.note(&run.owner, PulumiChange::ended(run.kind, &run.id, &end.text()), out).await;
        }
    }

    /// Says what an `up`, or a `destroy`, would do.
    async fn preview(
        &self,
        destroy: bool,
        operator: &str,
        json: bool,
        out: &mut Console,
    ) -> Result<Previewed, Failure> {
        let head = self.runs.preview(destroy, operator, self.now()).await?;
        self.note(operator, PulumiChange::started(head.kind, &head.id, &head.line), out).await;
        let run = self.follow(&head, json, out).await?.ok()?;
        Ok(Previewed { plan: Plan::of(&run.state), run })
    }

    /// What the cockpit would know of Pulumi now: usable, the stack, its locks, what was left open. Locks and open
    /// operations are told.
    async fn look(&self, out: &mut Console) -> Result<PulumiStatus, Failure> {
        let silent = || Failure::new(Exit::Pulumi, "pulumi", "Pulumi could not be asked", "`tapctl doctor` says more");
        let look = pulumi::look(self.ports.provision.as_ref(), &self.operator).await.ok_or_else(silent)?;
        if let Err(trouble) = &look.pulumi {
            return Err(Failure::new(Exit::Pulumi, "pulumi", trouble.message.clone(), trouble.hint.clone()));
        }
        for (lock, holder) in &look.locks {
            out.say(&format!("the stack is locked by {lock}: {}", holder.words()));
        }
        for open in &look.pending {
            out.say(&format!("an earlier run left this open: {}", open.text()));
        }
        Ok(look)
    }

    /// Looks, and makes the stack when it is new, `kind` is to fill it, and somebody says yes.
    async fn ready(
        &self,
        kind: RunKind,
        args: RunArgs,
        operator: &str,
        out: &mut Console,
    ) -> Result<PulumiStatus, Failure> {
        let mut look = self.look(out).await?;
        let exists = |look: &PulumiStatus| look.setup.as_ref().is_some_and(|setup| setup.exists);
        if !exists(&look) {
            let name = self.runs.stack();
            if !matches!(kind, RunKind::Preview | RunKind::Up) {
                return Err(PulumiError::NoSuchStack(name.to_owned()).into());
            }
            if self.read_only {
                return Err(PulumiError::NoSuchStack(name.to_owned()).into());
            }
            self.may_write()?;
            let change = PulumiChange::CreateStack(NewStack::new(name));
            out.say(&format!("{}: {}", change.title(), change.call_text()));
            let yes = match YesFlag::from_cli(args.yes) {
                Some(yes) => yes,
                None => ask(out, &change.challenge()).await?,
            };
            if let Carried::StackCreated(text) = self.changed(change, yes, operator, out).await? {
                out.say(&text);
            }
            look = self.look(out).await?;
        }
        config::may_run(kind, look.setup.as_ref()).map_err(PulumiError::from)?;
        Ok(look)
    }

    /// Outputs from a file guard only the stack that they are of.
    async fn same_stack(&self) -> Result<(), Failure> {
        let Some(session) = self.session.as_ref().filter(|session| session.settings.outputs.is_some()) else {
            return Ok(());
        };
        let Some(outputs) = session.known.outputs() else { return Ok(()) };
        Ok(self.runs.check_same(&outputs.identity_outputs()).await?)
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Whether anything may be changed from here, said before anything is asked of anybody.
    fn may_write(&self) -> Result<(), Failure> {
        match &self.session {
            Some(session) => Ok(session.may_change()?),
            None => Ok(()),
        }
    }
}

/// Prints what is new of a run to stderr.
fn watcher(json: bool) -> impl FnMut(&RunState) + Send {
    let mut progress = Progress::default();
    move |run_state| {
        if !json {
            // Words that nobody can read any more do not end a run.
            let _ = progress.print(run_state, &mut io::stderr());
        }
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    let _ = write(&mut bytes);
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

fn finished(run: &Finished, args: RunArgs, out: &mut Console) -> Result<Exit, Failure> {
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

/// Says what `up` would do.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being said.
pub async fn preview(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::PulumiStatus).await?;
    let operator = place.who().await;
    // Where the stack cannot be known there is nothing that a preview could disturb but another run.
    if place.session.is_some() {
        let (seen, _) = place.seen(out).await?;
        may_begin(RunKind::Preview, &seen.ground())?;
    }
    let look = place.ready(RunKind::Preview, args, &operator, out).await?;
    let previewed = place.preview(false, &operator, args.json, out).await?;
    if args.json {
        let mut json = print::plan_json(&previewed);
        json["pending"] = serde_json::json!(look.pending);
        json["locks"] = serde_json::json!(look.locks.iter().map(|(lock, _)| lock).collect::<Vec<_>>());
        out.json(&json)?;
    } else {
        out.data(&text(|bytes| print::plan(&previewed.plan, bytes)))?;
    }
    Ok(Exit::Done)
}

/// Previews, asks, and runs exactly what was read.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn up(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    change(RunKind::Up, args, global, out).await
}

/// Previews, asks, and deletes exactly what was read.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn destroy(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    change(RunKind::Destroy, args, global, out).await
}

async fn change(kind: RunKind, args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Change).await?;
    place.may_write()?;
    let (seen, operator) = place.seen(out).await?;
    may_begin(kind, &seen.ground())?;
    let look = place.ready(kind, args, &operator, out).await?;
    place.same_stack().await?;
    let destroy = kind == RunKind::Destroy;
    let previewed = place.preview(destroy, &operator, args.json, out).await?;
    out.say(&text(|bytes| print::plan(&previewed.plan, bytes)));
    if previewed.plan.is_empty() {
        out.say("nothing to do: the stack is as the program says");
        return finished(&previewed.run, args, out);
    }
    let read = Some((previewed.run.id.as_str(), previewed.plan));
    let run_request = propose::run(kind, &place.stack, read, &look.pending).map_err(PulumiError::from)?;
    place.may_be_made(&PulumiChange::Run(Box::new(run_request.clone())), out).await?;
    let run = run(&place, run_request, args, &operator, out).await?;
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
        Some(left) if left.is_empty() => out.data("no records of this stack remain in the hosted zone")?,
        Some(left) => {
            for orphan in left {
                out.data(&format!("left in the zone: {}", orphan.text()))?;
            }
        }
        None => {}
    }
    Ok(Exit::Done)
}

/// Asks, looks at the guards once more, starts the run and follows it to its end.
async fn run(
    place: &Place,
    run_request: RunRequest,
    args: RunArgs,
    operator: &str,
    out: &mut Console,
) -> Result<Finished, Failure> {
    let yes = confirm(&run_request, args, out).await?;
    let change = PulumiChange::Run(Box::new(run_request));
    place.may_be_made(&change, out).await?;
    match place.changed(change, yes, operator, out).await? {
        Carried::Started(head) => Ok(place.follow(&head, args.json, out).await?.ok()?),
        other => Err(PulumiError::NotStarted(format!("another thing was done than a run: {other:?}")).into()),
    }
}

/// What a `destroy` has left in the zone. The session is from before it: it knows the load balancer that is gone.
async fn left_behind(place: &Place, out: &mut Console) -> Option<Vec<Orphan>> {
    let session = place.session.as_ref()?;
    match zone::left_behind(&session.ports, &session.stack.group, &session.stack.endpoints).await {
        Ok(left) => Some(left),
        Err(trouble) => {
            out.say(&format!("the zone could not be looked through for records that were left: {}", trouble.message));
            out.say(&format!("  Next step: {}", trouble.hint));
            None
        }
    }
}

/// `--yes` answers for a plan without danger, and for a `destroy`, which the guards have let through. A plan that moves
/// weights, or that deletes or replaces what holds state, has to be read by somebody.
async fn confirm(run_request: &RunRequest, args: RunArgs, out: &mut Console) -> Result<YesFlag, Failure> {
    out.say(&run_request.call_text());
    let Some(yes) = YesFlag::from_cli(args.yes) else {
        out.say(&run_request.title());
        return Ok(ask(out, &run_request.challenge()).await?);
    };
    match run_request.unattended() {
        Ok(()) => Ok(yes),
        Err(Unread::OpenOperation(open)) => Err(Failure::new(
            Exit::Gate,
            "pending_operations",
            format!(
                "nothing was started: an earlier run left operations open, and what they began may be made again: {open}"
            ),
            "look for it in AWS, then `tapctl refresh`; or run it at a terminal without --yes and type the stack's name",
        )),
        Err(Unread::Danger(danger)) => Err(Failure::new(
            Exit::Gate,
            "dangerous_plan",
            format!("nothing was started: the plan {danger}"),
            "run it at a terminal without --yes, read the plan and type the stack's name",
        )),
    }
}

/// Reads how everything stands into Pulumi's state.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn refresh(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Change).await?;
    place.may_write()?;
    let (seen, operator) = place.seen(out).await?;
    may_begin(RunKind::Refresh, &seen.ground())?;
    place.ready(RunKind::Refresh, args, &operator, out).await?;
    place.same_stack().await?;
    let ended = run(
        &place,
        propose::run(RunKind::Refresh, &place.stack, None, &[]).map_err(PulumiError::from)?,
        args,
        &operator,
        out,
    )
    .await?;
    finished(&ended, args, out)
}

/// Follows a run that goes on, or shows how one ended.
///
/// # Errors
/// [`Failure`] with the exit code of the run when it failed.
pub async fn attach(args: &AttachArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::Attach).await?;
    let run = followed(place.runs.attach(args.run.as_deref(), &mut watcher(args.json))).await?;
    place.note_end(&run, out).await;
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

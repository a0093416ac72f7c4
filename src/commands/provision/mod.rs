//! `preview`, `up`, `refresh`, `destroy`, `attach`, `interrupt`, `unlock`: Pulumi on the bundled program, from scripts.
//!
//! The same guards, plans and runs as in the cockpit. A run goes on when the command that follows it ends.

mod place;
mod stop;

use std::io;

use crate::cli::{AttachArgs, DestroyArgs, RunArgs};
use crate::config::Global;
use crate::domain::change::preconditions::{Blocked, may_begin, may_preview_unseen};
use crate::domain::change::propose;
use crate::domain::confirm::YesFlag;
use crate::domain::provision::Carried;
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::run_request::Unread;
use crate::domain::pulumi::{Finished, PulumiChange, PulumiError, RunRequest};
use crate::domain::zone::Orphan;
use crate::runtime::zone;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::ask;
use super::run_text::{self as print, finished_json};
use super::wait::{is_pulumi_open, settle_pulumi};

use place::{Place, Purpose, followed, place, watcher};
pub use stop::{interrupt, unlock};

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

/// Says what `up` would do.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being said.
pub async fn preview(args: RunArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = place(global, Purpose::PulumiStatus).await?;
    let operator = place.who().await;
    may_preview_unseen(place.runs.going_on()?)?;
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
    Box::pin(change(RunKind::Up, args, place(global, Purpose::Change).await?, out)).await
}

/// Previews, asks, and deletes exactly what was read.
///
/// # Errors
/// [`Failure`] with the exit code for whatever kept it from being done.
pub async fn destroy(args: DestroyArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let place = Place { unused_per_min: args.unused_per_min, ..place(global, Purpose::Change).await? };
    Box::pin(change(RunKind::Destroy, args.run, place, out)).await
}

async fn change(kind: RunKind, args: RunArgs, place: Place, out: &mut Console) -> Result<Exit, Failure> {
    place.may_write()?;
    let (seen, operator) = place.seen(out).await?;
    match may_begin(kind, &seen.ground()) {
        // Whether these are clients is for the question, which names their number.
        Err(Blocked::Run(BlockedReason::StillUsed(..))) if !args.yes => {}
        may => may?,
    }
    let look = place.ready(kind, args, &operator, out).await?;
    place.same_stack().await?;
    let destroy = kind == RunKind::Destroy;
    let previewed = place.preview(destroy, &operator, args.json, out).await?;
    out.say(&text(|bytes| print::plan(&previewed.plan, bytes)));
    if previewed.plan.is_empty() {
        out.say("nothing to do: the stack is as the program says");
        return finished(&previewed.run, args, out);
    }
    let preconditions = seen.ground().run;
    let read = Some((
        previewed.run.id.as_str(),
        previewed.plan.beside(&seen.model.stack.group.name, preconditions.name_state.as_ref(), preconditions.ways_used),
    ));
    let run_request = propose::run(kind, &place.stack, read, &look.pending).map_err(PulumiError::from)?;
    // With --yes only what was named is nobody's: the number of a question that nobody reads names nothing.
    let run_request = run_request.used(preconditions.used().filter(|used| !(args.yes && used.is_over())));
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
        if let Some(used) = run_request.in_use() {
            out.say(&used.text());
        }
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
    place.warn(out);
    // What began a run that nobody has noted stands before its end.
    if is_pulumi_open(&place.ports).await {
        settle_pulumi(&place.ports, None, &place.operator, out).await;
    }
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

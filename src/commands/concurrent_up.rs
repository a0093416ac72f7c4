//! A colleague in another terminal: starts an `up` in the demo's state folder before the cockpit opens, which then finds it.
//!
//! Goes the way of `tapctl up`: preview, confirmation, run, each a process of its own. Nothing here is for a real stack.

use crate::domain::change::Change;
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::pulumi::{Plan, PulumiChange, PulumiError, RunRequest};
use crate::ports::PulumiRuns;
use crate::runtime::execute::{execute, quietly};
use crate::runtime::ports_set::Ports;

use crate::compose::host;

/// Who the run belongs to.
const OPERATOR: &str = "colleague";

/// Starts it and leaves it alone.
///
/// # Errors
/// [`PulumiError`] when the preview or the start fails.
pub(super) async fn starts_an_up(runs: &dyn PulumiRuns, ports: &Ports) -> Result<(), PulumiError> {
    let head = runs.preview(false, OPERATOR, ports.clock.now()).await?;
    let previewed = runs.follow(&head.id, &mut |_| ()).await?.ok()?;
    let run_request = RunRequest::up(runs.stack(), &head.id, Plan::of(&previewed.state))?;
    // Whoever chose this scenario has said yes to the colleague's run.
    let Some(yes) = YesFlag::from_cli(true) else { return Ok(()) };
    let change = Confirmed::by_flag(Change::Pulumi(PulumiChange::Run(Box::new(run_request))), yes);
    execute(ports, change, OPERATOR, &host::host_name(), &quietly()).await.into_carried().map(drop)
}

//! A colleague in another terminal: starts an `up` in the demo's state folder before the cockpit opens, which then finds it.
//!
//! Goes the way of `tapctl up`: preview, order, run, each a process of its own. Nothing here is for a real stack.

use std::path::Path;

use crate::adapters::pulumi::folder::Runs;
use crate::adapters::pulumi::run::{Request, Supervisor};
use crate::adapters::pulumi::{Pulumi, PulumiError};
use crate::config::state;
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::deploy::RunOrder;
use crate::domain::deploy::guard::Situation;
use crate::domain::units::Timestamp;

use super::run::{Context, FOLLOW_EVERY};

/// Who the run belongs to.
const OPERATOR: &str = "colleague";

/// Starts it and leaves it alone.
///
/// # Errors
/// [`PulumiError`] when the preview or the start fails.
pub(super) async fn starts_an_up(pulumi: &Pulumi, state_dir: &Path, at: Timestamp) -> Result<(), PulumiError> {
    state::prepare(state_dir).map_err(|error| PulumiError::NotStarted(error.to_string()))?;
    let context = Context {
        pulumi: pulumi.clone(),
        runs: Runs::new(state_dir),
        supervisor: Supervisor::own()?,
        every: FOLLOW_EVERY,
    };
    let request = Request { operator: OPERATOR.to_owned(), at };
    let previewed = context.preview(false, request.clone(), &mut |_| ()).await?;
    let order = RunOrder::up(&pulumi.stack, &previewed.run.id, previewed.plan)?;
    // Whoever chose this drill has said yes to the colleague's run.
    let Some(yes) = YesFlag::from_cli(true) else { return Ok(()) };
    let situation = Situation {
        running: None,
        weight_change: None,
        standing: None,
        new_requests_per_min: None,
        unused_below_per_min: 1.0,
        provisioned: false,
    };
    context.start(&Confirmed::by_flag(order, yes), &situation, request).await.map(drop)
}

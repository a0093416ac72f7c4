//! `preview`, `up`, `refresh`, `destroy`, `attach`.

use super::failure::{Exit, Failure};

/// Says how to run Pulumi by hand.
///
/// # Errors
/// Always: this build does not start Pulumi.
pub fn run() -> Result<Exit, Failure> {
    Err(Failure::new(
        Exit::Error,
        "no_pulumi_runs",
        "this build does not run Pulumi",
        "run `pulumi up --refresh` in the folder pulumi/ yourself; the gates do not see such a run",
    ))
}

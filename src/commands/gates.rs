//! `gates`: the gates alone.

use crate::cli::JsonArgs;
use crate::compose::session::connect;
use crate::config::Global;
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::all_pass;

use super::console::Console;
use super::failure::{Exit, Failure, nothing_answered};
use super::snapshot::{GateList, gate_rows};
use super::status::look;
use super::text;

/// Prints the gates. Printing them is all that was asked for, so a gate in the way is no failure here.
///
/// # Errors
/// When the configuration cannot be used, or not one source of AWS has answered.
pub async fn run(args: JsonArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let session = connect(global).await?;
    let collected = look(&session, &Source::ALL, Facts::default(), out).await;
    if let Some(failure) = nothing_answered(&collected.facts) {
        return Err(failure);
    }
    let gates = session.gates(&collected);
    let rows = gate_rows(&gates);
    if !args.json {
        out.data(&text::gates(&rows))?;
        return Ok(Exit::Done);
    }
    out.json(&GateList {
        schema: 1,
        at: collected.now.to_string(),
        stack: session.stack.name.clone(),
        gates: rows,
        ready_to_shift: all_pass(&gates),
    })?;
    Ok(Exit::Done)
}

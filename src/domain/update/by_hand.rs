//! What can be done when the cockpit itself cannot send all traffic back.

use crate::domain::change::aws_cli::change_batch;
use crate::domain::change::way_back::{Known, way_back};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::model::Model;
use crate::domain::record::remembered;
use crate::domain::traffic::Record;

use super::{notice, toast};

const PRINT: &str =
    "In another terminal `tapctl rollback --print` prints the command with the batch, made from fresh records.";

/// The records cannot be moved as they are, for this reason: says the batch that sends everything back by hand.
pub(super) fn tell(model: &mut Model, why: &str) {
    if model.live.facts.group.is_none() {
        let lines = vec![why.to_owned(), format!("{PRINT} It needs Route 53 to answer there.")];
        return notice(model, "The weights are not known, so none is moved", lines);
    }
    let entries: Vec<_> = model.live.journal.iter().cloned().collect();
    let remembered: Vec<Record> = remembered(&entries).cloned().collect();
    let back = way_back(Known {
        key: &model.stack.group,
        endpoints: &model.stack.endpoints,
        legacy_region: &model.stack.legacy_region,
        records: &model.live.facts.records,
        remembered: &remembered,
    });
    let lines = match back {
        Ok(back) if back.is_done() => match model.live.facts.records_doubt(model.live.now) {
            None => return toast(model, "all traffic goes to the legacy stack already", false),
            // Unknown is not already.
            Some(doubt) => {
                vec![why.to_owned(), format!("All traffic went to the legacy stack, but {doubt}."), PRINT.to_owned()]
            }
        },
        Ok(back) => {
            let mut lines = vec![why.to_owned(), PRINT.to_owned()];
            lines.extend(back.notes.clone());
            lines.push(format!("The batch for the zone {}:", model.stack.group.zone_id));
            lines.push(change_batch(&back.batch).to_string());
            lines
        }
        Err(unknown) => vec![why.to_owned(), unknown],
    };
    notice(model, "Nothing is sent from here: all back by hand", lines);
}

/// What is left to do when a way back was refused.
pub(super) fn after(error: &PortError) -> String {
    match error.kind {
        ErrorKind::Storage => {
            "The way back needs no journal of yours: TAPCTL_STATE_DIR=$(mktemp -d) tapctl rollback --yes".to_owned()
        }
        _ => PRINT.to_owned(),
    }
}

/// The same where nothing may be changed from here.
pub(super) fn elsewhere() -> String {
    PRINT.to_owned()
}

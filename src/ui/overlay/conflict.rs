//! The records were not what the operator saw: expected and found side by side, and what to do now.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::traffic::{Record, RecordGroup};
use crate::domain::units::WeightPair;
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::theme::{Mark, Role};
use super::{DialogBody, TYPE, any_key, id_cells, named};

pub(super) fn sheet(
    cx: &ViewContext<'_>,
    expected: &RecordGroup,
    found: &Result<RecordGroup, String>,
    wanted: WeightPair,
    message: &str,
    width: usize,
) -> DialogBody {
    let ids = id_cells(cx, expected);
    let mut body = vec![
        cx.row().mark(Mark::Fail).put(Role::Fail, "Nothing was changed, and nothing is sent again by itself.").line(),
        Line::default(),
        cx.row()
            .cell(Role::Dim, "", TYPE + ids)
            .num(Role::Dim, "expected", 10)
            .num(Role::Dim, "found", 10)
            .num(Role::Dim, "wanted", 10)
            .line(),
    ];
    let found_records: Vec<&Record> = found.iter().flat_map(RecordGroup::records).collect();
    let wanted_group = expected.with_weights(wanted);
    for (record, want) in expected.records().zip(wanted_group.records()) {
        let is_legacy = record.set_identifier.as_deref() == Some(cx.model.stack.group.legacy_id.as_str());
        let there = found_records.iter().find(|r| r.rtype == record.rtype && r.set_identifier == record.set_identifier);
        let weight = |r: Option<&Record>| r.and_then(Record::weight).map_or_else(|| "?".to_owned(), |w| w.to_string());
        let other = there.is_none_or(|r| *r != record);
        let mut row = cx
            .row()
            .cell(Role::Text, &record.rtype, TYPE)
            .cell(
                if is_legacy { Role::Legacy } else { Role::New },
                record.set_identifier.as_deref().unwrap_or("-"),
                ids,
            )
            .num(Role::Text, weight(Some(record)), 10)
            .num(if other { Role::Fail } else { Role::Text }, weight(there.copied()), 10)
            .num(Role::Dim, weight(Some(want)), 10)
            .gap(2);
        if other {
            row = row.mark(Mark::Fail).put(Role::Fail, difference(record, there.copied()));
        }
        body.push(row.line());
    }
    body.push(Line::default());
    if let Err(why) = found {
        named(cx, &mut body, "found", Role::Unknown, why, width);
    }
    named(cx, &mut body, "Route 53", Role::Dim, message, width);
    let todo = format!(
        "find out who moved them (CloudTrail: ChangeResourceRecordSets). Then decide from what is there now: {} takes it \
         as the new base, {} sends all traffic back, {} proposes the next step.",
        key_for(Action::AcceptFound),
        key_for(Action::ProposeRollback),
        key_for(Action::ProposeStep(10)),
    );
    named(cx, &mut body, "to do", Role::Text, &todo, width);
    let title = "Conflict: the records are not what you saw".to_owned();
    DialogBody::reading(title, body, vec![Line::default(), any_key(cx).line()])
}

/// What is different, in a word or two.
fn difference(expected: &Record, found: Option<&Record>) -> &'static str {
    match found {
        None => "not there",
        Some(found) if found.weight() != expected.weight() => "weight",
        Some(found) if found.target != expected.target => "target",
        Some(_) => "other fields",
    }
}

//! How fast changes go through each table: the difference between two answers of DMS.
//!
//! Pure.

use super::replication::TableStat;
use super::units::Timestamp;

/// Changes a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableRate {
    /// Captured on the source.
    pub captured: f64,
    /// Applied on the target; nothing where DMS does not count them.
    pub applied: Option<f64>,
}

/// An earlier answer.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// When it came.
    pub at: Timestamp,
    /// What it told.
    pub tables: &'a [TableStat],
    /// The rates that it gave.
    pub rates: &'a [Option<TableRate>],
}

/// The rates since the answer before this one, one for each table; nothing where that one did not have it, or where DMS
/// has begun to count anew. DMS makes its statistics at its own pace: as long as it tells the same ones, their rates stay.
/// Both answers are sorted by schema and name.
#[must_use]
pub fn rates(before: Option<Earlier<'_>>, tables: &[TableStat], at: Timestamp) -> Vec<Option<TableRate>> {
    let Some(before) = before else { return vec![None; tables.len()] };
    let mut index = 0;
    let rate = |table: &TableStat| {
        while before.tables.get(index).is_some_and(|old| (&old.schema, &old.table) < (&table.schema, &table.table)) {
            index += 1;
        }
        let old = before.tables.get(index).filter(|old| old.schema == table.schema && old.table == table.table)?;
        let secs = match (old.updated, table.updated) {
            (Some(then), Some(now)) if then == now => return before.rates.get(index).copied().flatten(),
            (Some(then), Some(now)) => now.since(then),
            _ => at.since(before.at),
        }
        .as_secs_f64();
        let per_second = |old: i64, new: i64| (secs > 0.0 && new >= old).then(|| (new - old) as f64 / secs);
        let applied = old.applied.zip(table.applied).map(|(old, new)| per_second(old, new));
        let applied = if let Some(found) = applied { Some(found?) } else { None };
        Some(TableRate { captured: per_second(old.captured, table.captured)?, applied })
    };
    tables.iter().map(rate).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::replication::fixtures::table;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

    fn counted(name: &str, captured: i64, updated: Option<u64>) -> TableStat {
        let updated = updated.map(|secs| NOW.plus(Duration::from_secs(secs)));
        TableStat { captured, applied: Some(captured - 1), updated, ..table(name) }
    }

    #[test]
    fn a_rate_is_what_came_since_dms_last_counted() {
        let tables = [counted("a", 100, Some(0)), counted("c", 100, Some(0))];
        let old = [Some(TableRate { captured: 9.0, applied: None }), None];
        let now = [counted("a", 100, Some(0)), counted("b", 7, Some(60)), counted("c", 700, Some(60))];
        let before = Earlier { at: NOW, tables: &tables, rates: &old };
        let found = rates(Some(before), &now, NOW.plus(Duration::from_secs(30)));
        assert_eq!(found[0], old[0], "the same statistics have the same rate");
        assert_eq!(found[1], None, "a new table has none yet");
        assert_eq!(found[2], Some(TableRate { captured: 10.0, applied: Some(10.0) }));
        assert_eq!(rates(None, &now, NOW), [None, None, None]);
    }

    #[test]
    fn undated_statistics_count_from_answer_to_answer_and_a_reload_has_no_rate() {
        let tables = [counted("a", 100, None), counted("b", 100, None)];
        let before = Earlier { at: NOW, tables: &tables, rates: &[None, None] };
        let now = [counted("a", 400, None), counted("b", 3, None)];
        let found = rates(Some(before), &now, NOW.plus(Duration::from_secs(30)));
        assert_eq!(found, [Some(TableRate { captured: 10.0, applied: Some(10.0) }), None]);
    }
}

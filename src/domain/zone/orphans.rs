//! Records that a `destroy` should have taken along.

use serde::Serialize;

use super::Endpoints;
use crate::domain::traffic::{GroupKey, Record, Side, same_name};

/// A record that `destroy` should have taken along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// The record as it stands in the zone.
    pub record: Record,
    /// Why it looks like one of the destroyed stack.
    pub reason: String,
}

impl Orphan {
    /// In a line: the record, and why it looks like one of the destroyed stack.
    #[must_use]
    pub fn text(&self) -> String {
        let Record { name, rtype, set_identifier, .. } = &self.record;
        let member = set_identifier.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{name} {rtype}{member} {}", self.reason)
    }
}

/// Records that are left in the zone after a `destroy`. The AWS provider calls a delete done although Route 53 refused
/// the batch, so the zone itself has to be looked at.
#[must_use]
pub fn orphans(key: &GroupKey, endpoints: &Endpoints, zone: &[Record]) -> Vec<Orphan> {
    zone.iter()
        .filter_map(|record| {
            let ours = record.set_identifier.as_deref().filter(|id| *id == key.new_id || *id == key.legacy_id);
            let reason = if endpoints.side_of(&record.target) == Some(Side::New) {
                format!("points to {}, a load balancer that is gone", record.target_text())
            } else if let (true, Some(id)) = (same_name(&record.name, &key.name), ours) {
                format!("is still the pair's member {id}")
            } else {
                return None;
            };
            Some(Orphan { record: record.clone(), reason })
        })
        .collect()
}

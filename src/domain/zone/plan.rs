//! The batch that turns a name: what it deletes and creates, and what it says of itself.

use serde::{Deserialize, Serialize};

use crate::domain::traffic::{GroupKey, Record, Side, traffic_records};

/// What the batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneStep {
    /// Simple record to weighted pair.
    Adopt,
    /// Weighted pair to a simple record to this side.
    Release(Side),
}

/// One atomic batch: delete exactly these records, create those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonePlan {
    /// What it is for.
    pub step: ZoneStep,
    /// The zone, without the `/hostedzone/` prefix.
    pub zone_id: String,
    /// The name.
    pub name: String,
    /// Records to delete, exactly as seen. They come first in the batch.
    pub deletes: Vec<Record>,
    /// Records to create.
    pub creates: Vec<Record>,
    /// Simple records of the other address type, which the batch leaves as they are.
    pub stays: Vec<Record>,
}

impl ZonePlan {
    /// The title of the confirmation.
    #[must_use]
    pub fn title(&self) -> String {
        match self.step {
            ZoneStep::Adopt if self.creates.len() == 1 => {
                format!("Turn {} into a weighted record, all traffic on the legacy stack", self.name)
            }
            ZoneStep::Adopt => format!("Turn {} into a weighted pair, all traffic on the legacy stack", self.name),
            ZoneStep::Release(side) => format!("Turn {} into one record to the {} stack", self.name, side.name()),
        }
    }

    /// The batch as one readable line, the exact call that is made.
    #[must_use]
    pub fn call_text(&self) -> String {
        let list = |verb: &str, records: &[Record]| -> Vec<String> {
            records
                .iter()
                .map(|record| {
                    let member = match (&record.set_identifier, record.weight()) {
                        (Some(id), Some(weight)) => format!(" {id}={weight}"),
                        _ => " simple".to_owned(),
                    };
                    format!("{verb} {}{member} → {}", record.rtype, record.target_text())
                })
                .collect()
        };
        let parts = [list("DELETE", &self.deletes), list("CREATE", &self.creates)].concat();
        format!("route53:ChangeResourceRecordSets {}: {}", self.name, parts.join(", "))
    }

    /// Whether `records` are as they are to be after the batch: all that it creates, nothing that it deletes.
    #[must_use]
    pub fn is_done(&self, records: &[Record]) -> bool {
        let listed = |record: &Record, among: &[Record]| among.iter().any(|other| record.eq_normalized(other));
        self.creates.iter().all(|record| listed(record, records))
            && !self.deletes.iter().any(|record| !listed(record, &self.creates) && listed(record, records))
    }

    /// Whether `records` still are what the batch deletes and leaves, and nothing else answers the name.
    #[must_use]
    pub fn is_as_seen(&self, key: &GroupKey, records: &[Record]) -> bool {
        let found: Vec<&Record> = traffic_records(key, records).collect();
        let seen: Vec<&Record> = self.deletes.iter().chain(&self.stays).collect();
        found.len() == seen.len() && seen.iter().all(|record| found.contains(record))
    }

    /// What has to be done so that Pulumi knows of it. The bundled program declares both members with
    /// `allow_overwrite` (`pulumi/lib/routing.py`), so the next `up` takes over the records that it finds, with the
    /// weights that they have; a record that was imported under another parent would only be created twice.
    #[must_use]
    pub fn for_pulumi(&self) -> String {
        let other = self.creates.iter().any(|record| record.rtype == "AAAA");
        match self.step {
            ZoneStep::Adopt if other => "Pulumi needs no import: the next `up` takes the A records over as they are; \
                                         the AAAA records stay outside of Pulumi, and `release` takes them along"
                .to_owned(),
            ZoneStep::Adopt => "Pulumi needs no import: the next `up` takes the records over as they are".to_owned(),
            ZoneStep::Release(Side::New) => {
                "the name is the new stack's for good: `up` declares no pair any more, and asks \
                                             for no legacy load balancer"
                    .to_owned()
            }
            ZoneStep::Release(Side::Legacy) => {
                "until the name is adopted again, preview and `up` refuse it: a simple record \
                                     cannot stand beside a pair"
                    .to_owned()
            }
        }
    }
}

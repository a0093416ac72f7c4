//! Whose a journal is: a folder belongs to one record, and takes no entries of another.

use serde::{Deserialize, Serialize};

use crate::domain::traffic::same_name;

/// What a line is about, as its writer knew it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The stack's name. Of two who know the record it is not compared, since a name may be given in several ways.
    pub stack: String,
    /// The record; nothing where only Pulumi's side of the stack was known.
    #[serde(flatten)]
    pub record: Option<About>,
}

/// The record that a journal is about. A folder remembers it and takes no other, so that the gates of one stack never
/// pass by another's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The hosted zone.
    pub zone: String,
    /// The record's name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
}

impl About {
    fn is_same(&self, other: &Self) -> bool {
        self.zone == other.zone && same_name(&self.name, &other.name) && self.rtype == other.rtype
    }
}

impl Binding {
    /// Whether both name a record, and not the same one.
    pub(super) fn is_about_another(&self, other: &Self) -> bool {
        matches!((&self.record, &other.record), (Some(ours), Some(theirs)) if !ours.is_same(theirs))
    }

    /// Whether it is the same stack by its name, which either may give without organisation and project.
    fn is_named_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.stack.as_str(), other.stack.as_str());
        let short = |name: &str, whole: &str| !name.contains('/') && whole.rsplit('/').next() == Some(name);
        ours == theirs || short(ours, theirs) || short(theirs, ours)
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let Self { stack, record } = self;
        match record {
            Some(About { zone, name, rtype }) => format!("{name} {rtype} in the zone {zone} (stack {stack})"),
            None => format!("the stack {stack}"),
        }
    }
}

/// Finds out whose a folder is, from what its lines are about in the order of its files.
#[derive(Default)]
pub(super) struct Owner {
    /// The first line that names a record: the first who wrote here owns the folder.
    pub(super) record: Option<Binding>,
    /// The first line that names a stack.
    pub(super) named: Option<Binding>,
}

impl Owner {
    /// Hears of one more line; tells whether it may be `ours`, as soon as that is known.
    pub(super) fn hears(&mut self, line: Binding, ours: &Binding) -> Option<bool> {
        if line.record.is_some() && self.record.is_none() {
            self.record = Some(line.clone());
            if ours.record.is_some() {
                return Some(!line.is_about_another(ours));
            }
        }
        let is_foreign = self.record.as_ref().is_some_and(|owner| owner.is_about_another(&line));
        if ours.record.is_none() && !is_foreign && line.is_named_as(ours) {
            return Some(true);
        }
        self.named.get_or_insert(line);
        None
    }
}

//! The engine's operations, and what each of them means to the one who reads a plan.
//!
//! Pure. The names are those of `apitype.OpType` in Pulumi's SDK.

use std::fmt;

use serde::{Serialize, Serializer};

/// What the engine does to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Nothing.
    Same,
    /// Makes it.
    Create,
    /// Changes it in place.
    Update,
    /// Deletes it.
    Delete,
    /// Makes a new one and deletes the old one; the logical step around the next two.
    Replace,
    /// The new one of a replacement.
    CreateReplacement,
    /// The old one of a replacement.
    DeleteReplaced,
    /// Reads an existing resource.
    Read,
    /// Reads a resource that takes the place of a managed one.
    ReadReplacement,
    /// Asks the provider how it stands.
    Refresh,
    /// Forgets a resource that was only read.
    Discard,
    /// Forgets a replaced one that was only read.
    DiscardReplaced,
    /// Clears the mark of an unfinished replacement.
    RemovePendingReplace,
    /// Takes an existing resource over.
    Import,
    /// Takes an existing resource over in place of a managed one.
    ImportReplacement,
    /// An operation that this version does not know; treated as a change.
    Other,
}

impl Operation {
    /// The operation of this name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "same" => Self::Same,
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "replace" => Self::Replace,
            "create-replacement" => Self::CreateReplacement,
            "delete-replaced" => Self::DeleteReplaced,
            "read" => Self::Read,
            "read-replacement" => Self::ReadReplacement,
            "refresh" => Self::Refresh,
            "discard" => Self::Discard,
            "discard-replaced" => Self::DiscardReplaced,
            "remove-pending-replace" => Self::RemovePendingReplace,
            "import" => Self::Import,
            "import-replacement" => Self::ImportReplacement,
            _ => Self::Other,
        }
    }

    /// The engine's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::CreateReplacement => "create-replacement",
            Self::DeleteReplaced => "delete-replaced",
            Self::Read => "read",
            Self::ReadReplacement => "read-replacement",
            Self::Refresh => "refresh",
            Self::Discard => "discard",
            Self::DiscardReplaced => "discard-replaced",
            Self::RemovePendingReplace => "remove-pending-replace",
            Self::Import => "import",
            Self::ImportReplacement => "import-replacement",
            Self::Other => "other",
        }
    }

    /// The sign that Pulumi's own display puts in front.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
            Self::Replace => "+-",
            Self::CreateReplacement => "++",
            Self::DeleteReplaced => "--",
            Self::Read => ">",
            Self::ReadReplacement => ">>",
            Self::Refresh | Self::RemovePendingReplace => "~~",
            Self::Discard => "<",
            Self::DiscardReplaced => "<<",
            Self::Import => "=",
            Self::ImportReplacement => "=>",
            Self::Other => "?",
        }
    }

    /// What it does while it runs: `creating`.
    #[must_use]
    pub const fn doing(self) -> &'static str {
        match self {
            Self::Same => "checking",
            Self::Create | Self::CreateReplacement => "creating",
            Self::Update => "updating",
            Self::Delete | Self::DeleteReplaced => "deleting",
            Self::Replace => "replacing",
            Self::Read | Self::ReadReplacement => "reading",
            Self::Refresh => "refreshing",
            Self::Discard | Self::DiscardReplaced => "discarding",
            Self::RemovePendingReplace => "settling",
            Self::Import | Self::ImportReplacement => "importing",
            Self::Other => "working on",
        }
    }

    /// What it did: `created`.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Same => "unchanged",
            Self::Create | Self::CreateReplacement => "created",
            Self::Update => "updated",
            Self::Delete | Self::DeleteReplaced => "deleted",
            Self::Replace => "replaced",
            Self::Read | Self::ReadReplacement => "read",
            Self::Refresh => "refreshed",
            Self::Discard | Self::DiscardReplaced => "discarded",
            Self::RemovePendingReplace => "settled",
            Self::Import | Self::ImportReplacement => "imported",
            Self::Other => "done",
        }
    }

    /// Whether it counts as a change in a plan and in the progress of a run.
    #[must_use]
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Same | Self::Read | Self::ReadReplacement | Self::Refresh)
    }

    /// Whether it changes something at the provider, and not only in Pulumi's state.
    #[must_use]
    pub const fn touches_cloud(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Update
                | Self::Delete
                | Self::Replace
                | Self::CreateReplacement
                | Self::DeleteReplaced
                | Self::Other
        )
    }

    /// Whether it is a part of a replacement.
    #[must_use]
    pub const fn is_replacement(self) -> bool {
        matches!(self, Self::Replace | Self::CreateReplacement | Self::DeleteReplaced)
    }

    /// The operation under which a reader counts it: the steps of a replacement are one replacement.
    #[must_use]
    pub const fn family(self) -> Self {
        if self.is_replacement() { Self::Replace } else { self }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_an_unknown_one_counts_as_a_change() {
        for name in [
            "same",
            "create",
            "update",
            "delete",
            "replace",
            "create-replacement",
            "delete-replaced",
            "read",
            "read-replacement",
            "refresh",
            "discard",
            "discard-replaced",
            "remove-pending-replace",
            "import",
            "import-replacement",
        ] {
            assert_eq!(Operation::parse(name).name(), name);
            assert_ne!(Operation::parse(name), Operation::Other);
        }
        let odd = Operation::parse("teleport");
        assert!(odd.is_change() && odd.touches_cloud());
    }
}

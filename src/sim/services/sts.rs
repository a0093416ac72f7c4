//! STS (Query, 2011-06-15): who the caller is.

use crate::sim::wire::{Node, map};
use crate::sim::{CALLER, names as n};

pub(crate) const OPERATIONS: &[&str] = &["GetCallerIdentity"];

/// Answers `GetCallerIdentity`, the only operation.
pub(crate) fn handle() -> Node {
    map([("Arn", CALLER.into()), ("UserId", "AROA3XFRBF535PLBIFPI4:bastion".into()), ("Account", n::ACCOUNT.into())])
}

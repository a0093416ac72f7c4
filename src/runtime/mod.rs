//! What carries intentions out: the shared executor of weight changes, and the gathering of facts.
//!
//! It may use the ports and the domain, nothing of AWS itself.

pub mod apply;
pub mod follow;
pub mod gather;
pub mod ports_set;

#[cfg(test)]
pub(crate) mod fakes;

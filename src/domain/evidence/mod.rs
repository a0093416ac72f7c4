//! What was counted, and how far the truth may be from it.
//!
//! Pure: counts in, intervals and verdicts out.

pub mod answers;
pub mod interval;
pub mod servers;
pub mod watch;

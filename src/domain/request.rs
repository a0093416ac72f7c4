//! The number by which a request outside is known until it is answered.
//!
//! Pure.

/// Number of a request; it ties the answer to the question.
pub type Request = u64;

//! Library.
pub mod sim;

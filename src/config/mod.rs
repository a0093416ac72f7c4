//! What was typed and found, turned into what it means.
pub mod outputs;

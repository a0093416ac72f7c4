//! Which Pulumi works on what: the program, its folder and the stack.
//!
//! Pure. How it is started belongs to `adapters::pulumi`.

use std::path::PathBuf;

/// Pulumi, on one program and one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulumi {
    /// The program to start.
    pub program: PathBuf,
    /// Arguments before Pulumi's own; the demo's stand-in needs some.
    pub prefix: Vec<String>,
    /// The folder of `Pulumi.yaml`.
    pub project: PathBuf,
    /// The stack.
    pub stack: String,
}

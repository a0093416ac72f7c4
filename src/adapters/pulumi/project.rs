//! The Pulumi program as a project: its name.
//!
//! Reads one small file.

use std::path::Path;

/// The name in a `Pulumi.yaml`, which is also the folder of its stacks and locks in a backend.
#[must_use]
pub fn project_name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Pulumi.yaml")).ok()?;
    let line = text.lines().find(|line| line.starts_with("name:"))?;
    Some(line.trim_start_matches("name:").trim().trim_matches(['"', '\'']).to_owned())
}

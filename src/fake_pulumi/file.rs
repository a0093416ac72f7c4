//! The small files in which the fake Pulumi keeps what it holds.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

/// What a small file holds; of one that nobody wrote, what holds without it.
pub(super) fn read_or_default<T: Default + DeserializeOwned>(file: &Path) -> Result<T, String> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

//! AWS's own two files: where they are, what is in them, and when they were written anew.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::{Env, Inner};
use crate::adapters::aws::errors::NoKeys;
use crate::adapters::aws::profiles::{AwsFiles, Broken, sdk_name};

/// Larger than this is no file of profiles.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Tells one writing of a file from the next.
pub(super) type Stamp = (SystemTime, u64, u64);

pub(super) fn stamp(path: Option<&Path>) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path?).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

pub(super) fn files(profiles: &AwsFiles) -> EnvConfigFiles {
    EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, profiles.for_sdk()).build()
}

/// The profile that AWS's own environment names.
pub(in crate::adapters::aws) fn named_by_environment(env: &Env) -> Option<String> {
    env("AWS_PROFILE").or_else(|| env("AWS_DEFAULT_PROFILE"))
}

/// A file's text; one that is not there is empty.
fn read(path: Option<&PathBuf>) -> Result<String, NoKeys> {
    let Some(path) = path else { return Ok(String::new()) };
    let failed = |why: &dyn fmt::Display| {
        NoKeys::new(
            format!("AWS's file {} cannot be read: {why}", path.display()),
            "check its rights; every AWS tool reads the same file",
        )
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(failed(&error)),
        Ok(metadata) if metadata.len() > MAX_BYTES => return Err(failed(&"it is larger than any such file")),
        Ok(_) => {}
    }
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| failed(&error))
}

impl Inner {
    /// Where the two files are: configuration, credentials.
    pub(super) fn paths(&self) -> [Option<PathBuf>; 2] {
        let path = |variable: &str, name: &str| {
            let home = (self.env)("HOME").map(PathBuf::from);
            match (self.env)(variable) {
                Some(own) => match (own.strip_prefix("~/"), home) {
                    (Some(rest), Some(home)) => Some(home.join(rest)),
                    _ => Some(PathBuf::from(own)),
                },
                None => home.map(|home| home.join(".aws").join(name)),
            }
        };
        [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
    }

    /// What the SDK should take for AWS's own files, and the profile in it. Files that cannot be used have nothing to
    /// say but to whoever asks for keys.
    pub(super) fn for_sdk(&self) -> (EnvConfigFiles, String) {
        let named = self.profile.clone().or_else(|| named_by_environment(&self.env));
        let name = sdk_name(named.as_deref().unwrap_or("default"));
        (files(&self.profiles().unwrap_or_default()), name)
    }

    pub(super) fn profiles(&self) -> Result<AwsFiles, NoKeys> {
        let [config, credentials] = self.paths();
        let texts = (read(config.as_ref())?, read(credentials.as_ref())?);
        AwsFiles::parse(&texts.0, &texts.1).map_err(|(second, Broken { line, why })| {
            let file = if second { credentials } else { config }.unwrap_or_default();
            NoKeys::new(
                format!("AWS's file {} cannot be understood: line {line}: {why}", file.display()),
                "correct that line; every AWS tool reads the same file",
            )
        })
    }
}

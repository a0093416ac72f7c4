//! The program's own log: a file in the state folder, for its owner alone, bounded in size.
//!
//! Only what tapctl itself notes goes into it. The AWS clients' own notes stay out at every level, because they hold
//! signed requests.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::cli::LogLevel;

const NAME: &str = "tapctl.log";
/// A log that has grown beyond this is set aside as `tapctl.log.1`, in place of the one before.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Starts to log into `folder`.
///
/// # Errors
/// When the file cannot be opened, or something in this process logs already.
pub fn start(level: LogLevel, folder: &Path) -> io::Result<()> {
    if level == LogLevel::Off {
        return Ok(());
    }
    let file = open(folder)?;
    let filter = EnvFilter::new(format!("off,tapctl={}", level.word()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init()
        .map_err(io::Error::other)
}

fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(NAME);
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        std::fs::rename(&path, folder.join(format!("{NAME}.1")))?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_log_that_grew_too_long_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap().write_all(&vec![b'x'; MAX_BYTES as usize + 1]).unwrap();
        assert_eq!(open(folder.path()).unwrap().metadata().unwrap().len(), 0);
        assert!(folder.path().join("tapctl.log.1").exists());
    }
}

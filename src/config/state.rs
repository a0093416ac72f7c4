//! Where state goes: the journal, the log, Pulumi runs. A folder for each stack, for its owner alone.
//!
//! It makes the folder and checks its rights; what lies in it belongs to the adapters.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ConfigError, Env};

/// Rights of the state folder: its owner's.
pub const FOLDER_MODE: u32 = 0o700;

/// The state folder of a stack: `TAPCTL_STATE_DIR` itself, else `$XDG_STATE_HOME/tapctl/STACK`, else
/// `~/.local/state/tapctl/STACK`.
///
/// # Errors
/// [`ConfigError::NoStateFolder`] when none of the variables is set.
pub fn folder(stack: &str, env: Env<'_>) -> Result<PathBuf, ConfigError> {
    if let Some(own) = env("TAPCTL_STATE_DIR") {
        return Ok(PathBuf::from(own));
    }
    let base = env("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env("HOME").map(|home| Path::new(&home).join(".local").join("state")));
    Ok(base.ok_or(ConfigError::NoStateFolder)?.join("tapctl").join(folder_name(stack)))
}

/// A stack's name as the name of a folder: `org/project/prod` must not become three folders, `..` none.
fn folder_name(stack: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = stack.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    if name.chars().all(|c| c == '.') { "stack".to_owned() } else { name }
}

/// Makes the folder where it is missing, and takes the rights of others away where it is there.
///
/// # Errors
/// What the system says.
pub fn prepare(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let metadata = std::fs::metadata(folder)?;
    if metadata.permissions().mode() & 0o777 == FOLDER_MODE {
        return Ok(());
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(FOLDER_MODE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_is_the_folder_itself() {
        let env = |name: &str| match name {
            "TAPCTL_STATE_DIR" => Some("/own".to_owned()),
            "XDG_STATE_HOME" => Some("/xdg".to_owned()),
            _ => None,
        };
        assert_eq!(folder("prod", &env).unwrap(), Path::new("/own"));
        let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/xdg".to_owned());
        assert_eq!(folder("org/app/prod", &xdg).unwrap(), Path::new("/xdg/tapctl/org-app-prod"));
        assert_eq!(folder("..", &xdg).unwrap(), Path::new("/xdg/tapctl/stack"));
        let home = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        assert_eq!(folder("prod", &home).unwrap(), Path::new("/home/me/.local/state/tapctl/prod"));
        assert_eq!(folder("prod", &|_: &str| None), Err(ConfigError::NoStateFolder));
    }

    #[test]
    fn the_folder_is_its_owners_alone() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a").join("b");
        prepare(&folder).unwrap();
        let mode = || std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), FOLDER_MODE);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&folder).unwrap();
        assert_eq!(mode(), FOLDER_MODE);
    }
}

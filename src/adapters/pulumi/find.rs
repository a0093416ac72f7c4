//! Finds Pulumi, checks its version, and checks that the program's Python packages are installed.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::capture::{Patience, answer_without_secrets, ask};
use super::command::{Invocation, Pulumi};
use crate::domain::pulumi::problem::PulumiError;

/// Oldest CLI that is used: the first whose event stream and update plans this was read against. Newer ones are taken.
pub const MINIMUM: Version = Version { major: 3, minor: 200, patch: 0 };
/// How long the version may take: a cold start from a slow disk takes a few seconds.
const VERSION_PATIENCE: Duration = Duration::from_secs(20);
/// How long a look at the Python packages may take.
const PYTHON_PATIENCE: Duration = Duration::from_secs(60);
/// Largest `Pulumi.yaml` and `requirements.txt` that are read.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// A version of the CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
    /// Patch.
    pub patch: u32,
}

impl Version {
    /// Reads `v3.255.0`, with or without a suffix such as `-dev.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let plain = text.split(['-', '+', ' ', '\n']).next()?;
        let mut numbers = plain.split('.').map(str::parse::<u32>);
        Some(Self {
            major: numbers.next()?.ok()?,
            minor: numbers.next()?.ok()?,
            patch: numbers.next().and_then(Result::ok).unwrap_or(0),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Where `pulumi` is: the configured path, or the first one on `path`.
///
/// # Errors
/// [`PulumiError::Missing`] with where was looked.
pub fn locate(configured: Option<&Path>, path: Option<&OsStr>) -> Result<PathBuf, PulumiError> {
    if let Some(program) = configured {
        return if is_program(program) {
            Ok(program.to_owned())
        } else {
            Err(PulumiError::Missing(format!("{} is not a program", program.display())))
        };
    }
    // What lies where the operator happens to stand is nobody's choice: neither an empty entry nor a relative one counts.
    let folders = path.map(|path| std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect());
    let folders: Vec<PathBuf> = folders.unwrap_or_default();
    folders
        .iter()
        .map(|folder| folder.join("pulumi"))
        .find(|program| is_program(program))
        .ok_or_else(|| PulumiError::Missing(format!("none of the {} folders on PATH has it", folders.len())))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Asks Pulumi for its version.
///
/// # Errors
/// [`PulumiError::Unusable`] when it gives none, [`PulumiError::TooOld`] below [`MINIMUM`].
pub async fn check_version(pulumi: &Pulumi) -> Result<Version, PulumiError> {
    // A version needs no keys.
    let asked = answer_without_secrets(&pulumi.version(), Patience::Limited(VERSION_PATIENCE)).await;
    let text = asked.map_err(|error| match error {
        PulumiError::Refusing { message, .. } => PulumiError::Unusable { path: pulumi.program.clone(), message },
        other => other,
    })?;
    let version = Version::parse(&text).ok_or_else(|| PulumiError::Unusable {
        path: pulumi.program.clone(),
        message: format!("its version cannot be read: {}", text.chars().take(80).collect::<String>().trim()),
    })?;
    if version < MINIMUM {
        return Err(PulumiError::TooOld {
            path: pulumi.program.clone(),
            found: version.to_string(),
            minimum: MINIMUM.to_string(),
        });
    }
    Ok(version)
}

/// Checks that the folder holds a program, and that its Python packages can be found by the Python that runs it.
///
/// # Errors
/// [`PulumiError::Project`] without a readable `Pulumi.yaml`, [`PulumiError::Dependencies`] with the command that mends.
pub async fn check_program(project: &Path) -> Result<(), PulumiError> {
    let trouble = |message: String| PulumiError::Project { dir: project.to_owned(), message };
    let yaml = read_small(&project.join("Pulumi.yaml")).map_err(|error| trouble(format!("Pulumi.yaml: {error}")))?;
    if !yaml.lines().any(|line| line.starts_with("name:")) || !yaml.contains("runtime:") {
        return Err(trouble("Pulumi.yaml names no project and runtime".to_owned()));
    }
    let fix = format!("pulumi install --cwd {}", project.display());
    let missing = |missing: String| PulumiError::Dependencies { missing, fix: fix.clone() };
    let python = match virtualenv(&yaml) {
        Some(folder) => {
            let python = project.join(&folder).join("bin").join("python");
            if !is_program(&python) {
                return Err(missing(format!("there is no virtual environment in {folder}")));
            }
            python
        }
        None => PathBuf::from("python3"),
    };
    let wanted = requirements(&read_small(&project.join("requirements.txt")).unwrap_or_default());
    let invocation = Invocation {
        // A look at packages needs no keys: the interpreter belongs to the program's folder.
        argv: [
            "env".to_owned(),
            "-i".to_owned(),
            format!("PATH={}", std::env::var("PATH").unwrap_or_default()),
            python.to_string_lossy().into_owned(),
            "-c".to_owned(),
            LOOK.to_owned(),
        ]
        .into_iter()
        .chain(wanted)
        .collect(),
        cwd: project.to_owned(),
        env: Vec::new(),
        line: format!("{} -c …", python.display()),
        input: None,
    };
    let found = ask(&invocation, Patience::Limited(PYTHON_PATIENCE)).await.map_err(|error| match error {
        PulumiError::Unusable { path, message } => missing(format!("{}: {message}", path.display())),
        other => other,
    })?;
    match (found.code, found.stdout.trim()) {
        (Some(0), "") => Ok(()),
        (Some(0), names) => Err(missing(names.replace('\n', ", "))),
        _ => Err(missing(found.stderr.lines().last().unwrap_or("Python cannot be started").to_owned())),
    }
}

/// Prints the distributions that are not installed.
const LOOK: &str = "import sys\nfrom importlib import metadata\nfor name in sys.argv[1:]:\n    try:\n        \
                    metadata.version(name)\n    except metadata.PackageNotFoundError:\n        print(name)\n";

fn read_small(path: &Path) -> Result<String, String> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_FILE_BYTES => Err("it is far too large".to_owned()),
        _ => fs::read_to_string(path).map_err(|error| error.to_string()),
    }
}

/// The value of `runtime.options.virtualenv`. A line of its own in every `Pulumi.yaml` that names one.
fn virtualenv(yaml: &str) -> Option<String> {
    yaml.lines().find_map(|line| {
        let value = line.trim().strip_prefix("virtualenv:")?.split(" #").next()?.trim();
        let value = value.trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// Names of the distributions that a `requirements.txt` asks for.
fn requirements(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('-'))
        .map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).next().unwrap_or_default())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, script: &str) -> Pulumi {
        let path = folder.join("pulumi");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Pulumi { program: path, prefix: vec![], project: folder.to_owned(), stack: "prod".into() }
    }

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(Version::parse("v3.255.0\n").unwrap().to_string(), "3.255.0");
        assert!(Version::parse("v3.1000.0-dev.0").unwrap() > Version::parse("v3.255.9").unwrap());
        assert_eq!(Version::parse("pulumi"), None);
    }

    #[test]
    fn the_first_program_on_path_is_taken_and_a_plain_file_is_not() {
        let (empty, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(empty.path().join("pulumi"), "not executable").unwrap();
        program(full.path(), "");
        let path = std::env::join_paths([empty.path(), full.path()]).unwrap();
        assert_eq!(locate(None, Some(&path)).unwrap(), full.path().join("pulumi"));
        assert!(matches!(locate(None, Some(empty.path().as_os_str())), Err(PulumiError::Missing(_))));
        // The same folder, seen from where this test happens to stand.
        let up = "../".repeat(std::env::current_dir().unwrap().components().count());
        let here = format!("{up}{}", full.path().display());
        assert!(is_program(&Path::new(&here).join("pulumi")), "it is there");
        assert!(matches!(locate(None, Some(OsStr::new(&here))), Err(PulumiError::Missing(_))), "{here}");
        assert!(matches!(locate(Some(&empty.path().join("pulumi")), Some(&path)), Err(PulumiError::Missing(_))));
    }

    #[tokio::test]
    async fn an_old_or_broken_pulumi_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let good = check_version(&program(folder.path(), "echo v3.255.0")).await;
        assert_eq!(good.unwrap().minor, 255);
        let old = check_version(&program(folder.path(), "echo v3.46.1")).await.unwrap_err();
        assert!(old.to_string().contains("version 3.46.1; tapctl needs 3.200.0 or newer"), "{old}");
        for broken in ["echo nonsense", "echo 'cannot execute' >&2; exit 126"] {
            let error = check_version(&program(folder.path(), broken)).await.unwrap_err();
            assert!(matches!(error, PulumiError::Unusable { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn missing_packages_come_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(check_program(folder.path()).await, Err(PulumiError::Project { .. })));
        fs::write(folder.path().join("Pulumi.yaml"), "name: tap\nruntime:\n  name: python\n").unwrap();
        assert_eq!(check_program(folder.path()).await, Ok(()));
        fs::write(folder.path().join("requirements.txt"), "# pinned\nno-such-package-here>=1,<2\n-r other.txt\n")
            .unwrap();
        let error = check_program(folder.path()).await.unwrap_err();
        assert!(error.to_string().contains("no-such-package-here"), "{error}");
        assert!(error.hint().contains("pulumi install --cwd"), "{}", error.hint());
        let yaml = "name: tap\nruntime:\n  name: python\n  options:\n    virtualenv: venv\n";
        fs::write(folder.path().join("Pulumi.yaml"), yaml).unwrap();
        assert!(check_program(folder.path()).await.unwrap_err().to_string().contains("venv"));
    }
}

//! What was typed and found, turned into what it means: defaults < file < environment < flags.
//!
//! It reads the configuration file and the environment that is handed to it, and names everything that is wrong at
//! once. What is wrong with stack outputs is in [`find`], where state goes in [`state`]. It asks nobody, and starts
//! nothing.

mod accounts;
pub mod defaults;
pub mod file;
pub mod find;
mod ownership;
pub mod passing;
pub mod policy;
pub mod state;
pub mod trust;
pub mod typed;

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::gate::Policy;

use file::FileConfig;

pub use typed::{ColorWhen, Global, LogLevel, MouseOf, NotifyWhen, ThemeFor};

/// Looks up an environment variable; empty ones count as not set.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
#[must_use]
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is wrong with the configuration, all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file was named and cannot be read.
    #[error("the configuration file {file} cannot be read: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// The system's words.
        why: String,
    },
    /// The file is there and holds something else than a configuration.
    #[error("the configuration file {file} cannot be used: {}", problems.join("; "))]
    File {
        /// Which file.
        file: String,
        /// Every wrong key.
        problems: Vec<String>,
    },
    /// Environment variables hold something else than they should.
    #[error("the environment cannot be used: {}", .0.join("; "))]
    Environment(Vec<String>),
    /// There is no folder for state.
    #[error("there is no folder for state: neither TAPCTL_STATE_DIR nor XDG_STATE_HOME nor HOME is set")]
    NoStateFolder,
}

impl ConfigError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check the path after --config (or TAPCTL_CONFIG) and its rights".to_owned(),
            Self::File { .. } => format!("known keys: {}", file::known_keys().join(", ")),
            Self::Environment(_) => "correct or unset these variables".to_owned(),
            Self::NoStateFolder => "set TAPCTL_STATE_DIR to a folder that survives a restart".to_owned(),
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// File with the stack outputs.
    pub outputs: Option<PathBuf>,
    /// Pulumi stack.
    pub stack: Option<String>,
    /// Region of the new stack, over the outputs' one.
    pub region: Option<String>,
    /// Region of the legacy stack, over the outputs' one.
    pub legacy_region: Option<String>,
    /// Profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Address that every AWS call goes to, over whatever AWS's own environment and profiles say.
    pub endpoint_url: Option<String>,
    /// Identifier of the legacy RDS instance, the dimension of its metrics; without it they are not asked for.
    pub legacy_db_instance: Option<String>,
    /// The Pulumi CLI, where it is not the first one on PATH.
    pub pulumi: Option<PathBuf>,
    /// Folder of the bundled Pulumi program.
    pub pulumi_dir: PathBuf,
    /// Whether somebody has named that folder, instead of standing beside it.
    pub pulumi_dir_named: bool,
    /// No write is ever sent.
    pub read_only: bool,
    /// ASCII only.
    pub ascii: bool,
    /// When to use colour.
    pub color: ColorWhen,
    /// Whose the mouse is at the start.
    pub mouse: MouseOf,
    /// When the terminal is to show a notification.
    pub notify: NotifyWhen,
    /// Which ground the colours are made for.
    pub theme: ThemeFor,
    /// How much is logged.
    pub log_level: LogLevel,
    /// The gates' limits.
    pub policy: Policy,
}

impl Settings {
    /// Puts defaults, file, environment and flags together. Flags and the variables that stand for them come in
    /// `global`; the limits and the rest are read from `env` here.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong in the first place that has something wrong.
    pub fn load(global: &Global, env: Env<'_>) -> Result<Self, ConfigError> {
        let (path, file) = match (set_path(global.config.as_ref()), default_file(env)) {
            (Some(named), _) => (Some(named.clone()), FileConfig::read(&named)?),
            // Whatever else keeps it from being read is an error: it may say read_only.
            (None, Some(found)) if !is_absent(&found) => (Some(found.clone()), FileConfig::read(&found)?),
            _ => (None, FileConfig::default()),
        };
        let mut policy = file.policy;
        let problems = policy::from_environment(&mut policy, env);
        if !problems.is_empty() {
            return Err(ConfigError::Environment(problems));
        }
        let text = |flag: Option<&String>, file: Option<String>| flag.filter(|t| !t.is_empty()).cloned().or(file);
        // AWS's own variables and profiles are left to AWS's clients, which know more of them than one.
        let endpoint_url = text(global.endpoint_url.as_ref(), file.endpoint_url);
        let named_dir = env("TAPCTL_PULUMI_DIR").map(PathBuf::from).or(file.pulumi_dir);
        let color = global.color.or(file.color).unwrap_or_default();
        Ok(Self {
            file: path,
            outputs: set_path(global.outputs.as_ref()).or(file.outputs),
            stack: text(global.stack.as_ref(), file.stack),
            region: text(global.region.as_ref(), file.region),
            legacy_region: text(global.legacy_region.as_ref(), file.legacy_region),
            profile: text(global.profile.as_ref(), file.profile),
            endpoint_url,
            legacy_db_instance: env("TAPCTL_LEGACY_DB_INSTANCE").or(file.legacy_db_instance),
            // Pulumi runs in the program's folder, so a path that is relative to ours would be another one there.
            pulumi: env("TAPCTL_PULUMI")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .or(file.pulumi)
                .map(|path| std::path::absolute(&path).unwrap_or(path)),
            pulumi_dir_named: named_dir.is_some(),
            pulumi_dir: named_dir.unwrap_or_else(|| program_folder(Path::new("."))),
            read_only: global.read_only || file.read_only,
            ascii: global.ascii || file.ascii,
            color: if color == ColorWhen::Auto && env("NO_COLOR").is_some() { ColorWhen::Never } else { color },
            mouse: if global.mouse || file.mouse { MouseOf::Cockpit } else { MouseOf::Terminal },
            notify: global.notify.or(file.notify).unwrap_or_default(),
            theme: global.theme.or(file.theme).unwrap_or_default(),
            log_level: global.log_level.or(file.log_level).unwrap_or_default(),
            policy,
        })
    }
}

/// Whether there is no such file, as opposed to one that cannot be looked at, or a link that leads nowhere just now.
fn is_absent(path: &Path) -> bool {
    match std::fs::symlink_metadata(path) {
        Ok(_) => false,
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

impl Settings {
    /// Why the program is not run with the engineer's keys, where it is not.
    #[must_use]
    pub fn distrust(&self) -> Option<String> {
        if self.pulumi_dir_named { None } else { trust::why_not(&self.pulumi_dir) }
    }
}

/// An option that was given as an empty text counts as not given.
fn set_path(path: Option<&PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty()).cloned()
}

/// The program beside the operator: in `pulumi/` as it comes, or in the very folder for those who went there.
fn program_folder(here: &Path) -> PathBuf {
    let bundled = here.join(defaults::PULUMI_DIR);
    let is_program = |folder: &Path| folder.join("Pulumi.yaml").is_file();
    if !is_program(&bundled) && is_program(here) { here.to_owned() } else { bundled }
}

fn default_file(env: Env<'_>) -> Option<PathBuf> {
    let base = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("tapctl").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_program_is_found_beside_the_operator_and_where_the_operator_is() {
        let folder = tempfile::tempdir().unwrap();
        let (here, bundled) = (folder.path(), folder.path().join("pulumi"));
        assert_eq!(program_folder(here), bundled, "this is where it is missed");
        std::fs::write(here.join("Pulumi.yaml"), "name: tap\n").unwrap();
        assert_eq!(program_folder(here), here);
        std::fs::create_dir(&bundled).unwrap();
        std::fs::write(bundled.join("Pulumi.yaml"), "name: tap\n").unwrap();
        assert_eq!(program_folder(here), bundled);
    }

    #[test]
    fn a_relative_path_to_pulumi_is_meant_from_where_the_operator_is() {
        let env = |name: &str| (name == "TAPCTL_PULUMI").then(|| "bin/pulumi".to_owned());
        let settings = Settings::load(&Global::default(), &env).unwrap();
        assert_eq!(settings.pulumi, Some(std::env::current_dir().unwrap().join("bin/pulumi")));
    }

    #[test]
    fn later_sources_win() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(
            &path,
            "stack = \"file\"\nregion = \"eu-west-1\"\noutputs = \"o.json\"\n[policy]\nlag_limit_s = 30\nbake_s = 60\n",
        )
        .unwrap();
        let global = Global { config: Some(path), stack: Some("flag".to_owned()), ..Global::default() };
        let env = |name: &str| (name == "TAPCTL_BAKE_S").then(|| "90".to_owned());
        let settings = Settings::load(&global, &env).unwrap();
        assert_eq!(settings.stack.as_deref(), Some("flag"));
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(settings.outputs, Some(folder.path().join("o.json")), "paths start at the file's folder");
        assert_eq!(settings.policy.lag_limit, Duration::from_secs(30));
        assert_eq!(settings.policy.bake, Duration::from_secs(90));
        assert_eq!(settings.policy.window, Policy::default().window);
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there_and_the_default_one_has_not() {
        let global = Global { config: Some("/nonexistent/config.toml".into()), ..Global::default() };
        assert!(matches!(Settings::load(&global, &none), Err(ConfigError::Unreadable { .. })));
        let env = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/nonexistent".to_owned());
        assert_eq!(Settings::load(&Global::default(), &env).unwrap().file, None);
    }

    #[test]
    fn a_default_file_that_is_there_and_cannot_be_read_is_no_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().display().to_string();
        let env = |name: &str| (name == "XDG_CONFIG_HOME").then(|| base.clone());
        let own = folder.path().join("tapctl");
        assert_eq!(Settings::load(&Global::default(), &env).unwrap().file, None);
        std::fs::create_dir(&own).unwrap();
        assert_eq!(Settings::load(&Global::default(), &env).unwrap().file, None);
        let file = own.join("config.toml");
        for link in ["/nowhere/at/all/config.toml", "config.toml"] {
            std::os::unix::fs::symlink(link, &file).unwrap();
            assert!(matches!(Settings::load(&Global::default(), &env), Err(ConfigError::Unreadable { .. })), "{link}");
            std::fs::remove_file(&file).unwrap();
        }
        std::fs::create_dir(&file).unwrap();
        assert!(matches!(Settings::load(&Global::default(), &env), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn no_color_speaks_only_where_nobody_else_does() {
        let env = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        assert_eq!(Settings::load(&Global::default(), &env).unwrap().color, ColorWhen::Never);
        let global = Global { color: Some(ColorWhen::Always), ..Global::default() };
        assert_eq!(Settings::load(&global, &env).unwrap().color, ColorWhen::Always);
    }

    #[test]
    fn wrong_limits_in_the_environment_are_all_named() {
        let env = |name: &str| match name {
            "TAPCTL_BAKE_S" => Some("soon".to_owned()),
            "TAPCTL_LAG_LIMIT_S" => Some("-1".to_owned()),
            _ => None,
        };
        let text = Settings::load(&Global::default(), &env).unwrap_err().to_string();
        assert!(text.contains("TAPCTL_BAKE_S") && text.contains("TAPCTL_LAG_LIMIT_S"), "{text}");
    }
}

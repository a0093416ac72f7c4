//! The exact commands: program, arguments, and the few variables that are added to the environment.
//!
//! What a child needs of the environment of `tapctl` is passed through (backend, passphrase file, profile) and never
//! shown: a command line is printed without any value of it.

use std::path::{Path, PathBuf};

use crate::domain::pulumi::config::SetConfig;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::text::shell_quoted;

pub use crate::domain::pulumi::program::Pulumi;

/// Variables of the environment whose names are worth showing when they are set; never their values.
const WORTH_NAMING: &[&str] = &[
    "PULUMI_BACKEND_URL",
    "PULUMI_HOME",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_ACCESS_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "HTTPS_PROXY",
];

/// Variables whose values must never reach a screen, whatever writes them.
const SECRET: &[&str] =
    &["PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A redactor for the secrets that stand in this process's environment.
#[must_use]
pub fn redactor() -> crate::domain::pulumi::text::Redactor {
    crate::domain::pulumi::text::Redactor::new(SECRET.iter().filter_map(|name| std::env::var(name).ok()))
}

/// Names of the variables that are passed through and matter, for the line below the command.
#[must_use]
pub fn passed_through() -> Vec<&'static str> {
    WORTH_NAMING.iter().copied().filter(|name| std::env::var_os(name).is_some()).collect()
}

/// One command, ready to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Variables added to the environment; never a secret.
    pub env: Vec<(String, String)>,
    /// The command as a person would type it.
    pub line: String,
    /// Text for its standard input; a secret value goes this way, so that no process list shows it.
    pub input: Option<String>,
}

impl Pulumi {
    fn invoke(&self, args: &[&str], env: &[(&str, &str)]) -> Invocation {
        self.invoke_on(args, &[], env)
    }

    /// `operands` stand behind a `--`, where nothing is taken for an option; all options have to stand before it.
    fn invoke_on(&self, args: &[&str], operands: &[&str], env: &[(&str, &str)]) -> Invocation {
        let project = self.project.to_string_lossy();
        let mut words: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        words.extend(["--cwd".to_owned(), project.into_owned(), "--color".to_owned(), "never".to_owned()]);
        words.push("--non-interactive".to_owned());
        if !operands.is_empty() {
            words.push("--".to_owned());
            words.extend(operands.iter().map(|operand| (*operand).to_owned()));
        }
        let line = std::iter::once("pulumi")
            .chain(words.iter().map(String::as_str))
            .map(shell_quoted)
            .collect::<Vec<_>>()
            .join(" ");
        let command = std::iter::once(self.program.to_string_lossy().into_owned())
            .chain(self.prefix.iter().cloned())
            .chain(words);
        let mut variables = vec![("PULUMI_SKIP_UPDATE_CHECK".to_owned(), "true".to_owned())];
        variables.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Invocation { argv: command.collect(), cwd: self.project.clone(), env: variables, line, input: None }
    }

    /// A run. A preview writes its plan to `plan`, an `up` does what the plan there says.
    ///
    /// Every run reads how things stand first: Pulumi replays the weight that is in its state, not the one that
    /// Route 53 has (pulumi-aws issue 2524).
    #[must_use]
    pub fn run(&self, kind: RunKind, plan: &Path) -> Invocation {
        let (stack, plan) = (self.stack.as_str(), plan.to_string_lossy());
        let stream = [("PULUMI_ENABLE_STREAMING_JSON_PREVIEW", "true")];
        match kind {
            RunKind::Preview => {
                self.invoke(&["preview", "--stack", stack, "--refresh", "--save-plan", &plan, "--json"], &stream)
            }
            RunKind::Up => self.invoke(
                &["up", "--stack", stack, "--plan", &plan, "--refresh", "--yes", "--skip-preview", "--json"],
                &[],
            ),
            RunKind::Refresh => self.invoke(&["refresh", "--stack", stack, "--yes", "--skip-preview", "--json"], &[]),
            RunKind::PreviewDestroy => {
                self.invoke(&["destroy", "--stack", stack, "--refresh", "--preview-only", "--json"], &stream)
            }
            RunKind::Destroy => {
                self.invoke(&["destroy", "--stack", stack, "--refresh", "--yes", "--skip-preview", "--json"], &[])
            }
        }
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Invocation {
        let argv = std::iter::once(self.program.to_string_lossy().into_owned())
            .chain(self.prefix.iter().cloned())
            .chain(["version".to_owned()]);
        Invocation {
            argv: argv.collect(),
            cwd: PathBuf::from("/"),
            env: vec![("PULUMI_SKIP_UPDATE_CHECK".to_owned(), "true".to_owned())],
            line: "pulumi version".to_owned(),
            input: None,
        }
    }

    /// All stacks of the program, as JSON.
    #[must_use]
    pub fn stacks(&self) -> Invocation {
        self.invoke(&["stack", "ls", "--json"], &[])
    }

    /// Makes the stack.
    #[must_use]
    pub fn create_stack(&self) -> Invocation {
        self.invoke(&["stack", "init", &self.stack, "--no-select"], &[])
    }

    /// The stack's outputs, as JSON, secrets masked.
    #[must_use]
    pub fn outputs(&self) -> Invocation {
        self.invoke(&["stack", "output", "--json", "--stack", &self.stack], &[])
    }

    /// The stack's state, secrets encrypted.
    #[must_use]
    pub fn export(&self) -> Invocation {
        self.invoke(&["stack", "export", "--stack", &self.stack], &[])
    }

    /// The stack's configuration, as JSON, secrets masked.
    #[must_use]
    pub fn config(&self) -> Invocation {
        self.invoke(&["config", "--json", "--stack", &self.stack], &[])
    }

    /// Sets one key. A secret goes through standard input, and so does a text of several lines.
    #[must_use]
    pub fn set_config(&self, set: &SetConfig) -> Invocation {
        let (key, value) = (set.key(), set.value());
        let args = [&["config", "set"], set.kept(), &["--stack", &self.stack]].concat();
        if set.is_secret() || value.contains('\n') {
            let invocation = self.invoke(&[args.as_slice(), &[key]].concat(), &[]);
            return Invocation { input: Some(value.to_owned()), ..invocation };
        }
        self.invoke_on(&args, &[key, value], &[])
    }

    /// Deletes every lock of the stack; stops nobody.
    #[must_use]
    pub fn clear_locks(&self) -> Invocation {
        self.invoke(&["cancel", "--yes", "--stack", &self.stack], &[])
    }

    /// Who the backend is, as JSON with its address.
    #[must_use]
    pub fn whoami(&self) -> Invocation {
        self.invoke(&["whoami", "--json"], &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::config::ConfigKey;

    fn pulumi() -> Pulumi {
        Pulumi {
            program: "/usr/bin/pulumi".into(),
            prefix: vec![],
            project: "/srv/my app".into(),
            stack: "prod".into(),
        }
    }

    #[test]
    fn what_runs_is_what_is_shown() {
        let up = pulumi().run(RunKind::Up, Path::new("/state/runs/1/plan"));
        assert_eq!(
            up.line,
            "pulumi up --stack prod --plan /state/runs/1/plan --refresh --yes --skip-preview --json --cwd '/srv/my app' \
             --color never --non-interactive"
        );
        assert_eq!(up.argv[0], "/usr/bin/pulumi");
        assert_eq!(up.argv.len(), up.line.replace("my app", "my_app").split(' ').count());
    }

    #[test]
    fn every_run_names_its_stack_and_never_asks() {
        for kind in [RunKind::Preview, RunKind::Up, RunKind::Refresh, RunKind::PreviewDestroy, RunKind::Destroy] {
            let line = pulumi().run(kind, Path::new("plan")).line;
            assert!(line.contains("--stack prod") && line.contains("--json") && line.contains("--non-interactive"));
            assert_eq!(line.contains("--yes"), !kind.is_preview(), "{line}");
        }
    }

    #[test]
    fn a_secret_stands_in_no_argument() {
        let set = pulumi().set_config(&SetConfig::new("prod", false, "tap:dbPassword", "swordfish", true).unwrap());
        assert!(!set.argv.join(" ").contains("swordfish") && !set.line.contains("swordfish"));
        assert_eq!(set.input.as_deref(), Some("swordfish"));
    }

    #[test]
    fn a_value_is_never_taken_for_an_option_nor_an_option_for_a_value() {
        let set = pulumi().set_config(&SetConfig::new("prod", true, "aws:region", "-us-west-2", false).unwrap());
        assert!(set.line.ends_with("--non-interactive -- aws:region -us-west-2"), "{}", set.line);
        assert!(!set.line.contains("--plaintext"), "Pulumi itself looks for secrets there: {}", set.line);
        assert_eq!(set.input, None);
        let key = ConfigKey::named("sourceDbCaCertificate").unwrap();
        let pem = pulumi().set_config(&SetConfig::new("prod", true, key.name, key.example, false).unwrap());
        assert_eq!(pem.input.as_deref(), Some(key.example));
        assert!(!pem.line.contains("BEGIN") && pem.line.contains("--plaintext"), "{}", pem.line);
    }
}

//! Finds the stack outputs: a file that was named, or the Pulumi program's own `pulumi stack output --json`.
//!
//! It may read that file and start that one command. It never starts anything that changes a stack.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::{Settings, defaults};
use crate::domain::pulumi::explain::next_step;
use crate::domain::pulumi::text::json_part;
use crate::domain::stack::{OutputsError, StackOutputs};

/// Why there are no stack outputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Nothing says where they are.
    #[error(
        "there are no stack outputs: no --outputs FILE, no `outputs` in a configuration file, and no Pulumi program in {dir}"
    )]
    Nowhere {
        /// Where the program was looked for.
        dir: String,
    },
    /// The file cannot be read.
    #[error("the outputs file {file} cannot be read: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// The system's words.
        why: String,
    },
    /// Pulumi was asked, and the stack has none: before the first `up`, or after a `destroy`.
    #[error("the stack has no outputs: it was not provisioned yet, or is gone again")]
    NotProvisioned,
    /// They are there and wrong.
    #[error("{from}: {error}")]
    Broken {
        /// Where they came from.
        from: String,
        /// Every wrong key.
        error: OutputsError,
    },
    /// The program lies where somebody else could have changed it, and nobody has named it.
    #[error("the Pulumi program in {dir} is not run: {why}, and it would get your keys")]
    Untrusted {
        /// Which folder.
        dir: String,
        /// What is wrong with it.
        why: String,
    },
    /// Pulumi is not installed.
    #[error("Pulumi cannot be started to read the stack outputs: {why}")]
    NoPulumi {
        /// The system's words.
        why: String,
    },
    /// Pulumi was asked and failed.
    #[error("`pulumi stack output` failed: {why}")]
    PulumiFailed {
        /// The last line of what it said.
        why: String,
    },
}

impl FindError {
    /// The next thing to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Nowhere { .. } => {
                "write the outputs where the stack was made (`pulumi stack output --json > outputs.json`) \
                and give them with --outputs outputs.json; `tapctl demo` needs none of this"
                    .to_owned()
            }
            Self::NotProvisioned => "`tapctl up` provisions it".to_owned(),
            Self::Unreadable { .. } => "check the path after --outputs (or TAPCTL_OUTPUTS) and its rights".to_owned(),
            Self::Broken { .. } => {
                "write the file again with `pulumi stack output --json`; the keys are those that the \
                bundled Pulumi program exports"
                    .to_owned()
            }
            Self::Untrusted { dir, .. } => format!(
                "look at what it is, and name it if it is yours: TAPCTL_PULUMI_DIR={dir}, or pulumi_dir in the \
                 configuration; or give the outputs with --outputs FILE"
            ),
            Self::NoPulumi { .. } => {
                "install Pulumi (https://www.pulumi.com/docs/install/), or give the outputs with --outputs FILE"
                    .to_owned()
            }
            Self::PulumiFailed { why } if next_step(why).is_some() => next_step(why).unwrap_or_default().to_owned(),
            Self::PulumiFailed { .. } => {
                "select a stack with --stack NAME (`pulumi stack ls` shows them), log in with `pulumi login`, or give \
                 the outputs with --outputs FILE"
                    .to_owned()
            }
        }
    }
}

/// Reads the outputs from where the settings say.
///
/// # Errors
/// [`FindError`] says what was looked for and why it cannot be used.
pub async fn outputs(settings: &Settings) -> Result<StackOutputs, FindError> {
    let (from, text) = if let Some(file) = &settings.outputs {
        (file.display().to_string(), read(file)?)
    } else {
        let answer = ask_pulumi(settings, &["stack", "output", "--json"]).await?;
        let text = json_part(&answer).to_owned();
        if is_empty(&text) {
            return Err(FindError::NotProvisioned);
        }
        ("`pulumi stack output`".to_owned(), text)
    };
    StackOutputs::parse(&text).map_err(|error| FindError::Broken { from, error })
}

/// Whether the answer is an object that holds nothing.
fn is_empty(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok_and(|map| map.is_empty())
}

/// The stack that is selected in the program's folder.
///
/// # Errors
/// [`FindError`] when none is.
pub async fn selected_stack(settings: &Settings) -> Result<String, FindError> {
    match ask_pulumi(settings, &["stack", "ls", "--json"]).await {
        Ok(listed) => {
            if let Some(name) = current(&listed) {
                return Ok(name);
            }
        }
        // A backend that lists nothing may still say which stack is selected here.
        Err(FindError::PulumiFailed { .. }) => {}
        Err(error) => return Err(error),
    }
    let text = ask_pulumi(settings, &["stack", "--show-name"]).await?;
    let name = text.trim().to_owned();
    if name.is_empty() { Err(FindError::PulumiFailed { why: "no stack is selected".to_owned() }) } else { Ok(name) }
}

/// The stack that is marked as current in `pulumi stack ls --json`, as it is written there: without its organisation the
/// same name would be another stack, that of whoever is logged in.
fn current(listed: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Listed {
        name: String,
        #[serde(default)]
        current: bool,
    }
    let stacks: Vec<Listed> = serde_json::from_str(json_part(listed)).ok()?;
    stacks.into_iter().find(|stack| stack.current && !stack.name.is_empty()).map(|stack| stack.name)
}

fn read(file: &Path) -> Result<String, FindError> {
    let unreadable = |why: String| FindError::Unreadable { file: file.display().to_string(), why };
    let bytes = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    decoded(bytes).map_err(|why| unreadable(why.to_owned()))
}

/// Text as an editor or a shell of another system leaves it: with a byte order mark, or in UTF-16 with one.
fn decoded(bytes: Vec<u8>) -> Result<String, &'static str> {
    const NO_TEXT: &str = "it is neither UTF-8 nor UTF-16 text; write it again as UTF-8";
    let utf16 = |rest: &[u8], word: fn([u8; 2]) -> u16| {
        let words: Vec<u16> = rest.chunks_exact(2).map(|pair| word([pair[0], pair[1]])).collect();
        if rest.len().is_multiple_of(2) { String::from_utf16(&words).map_err(|_| NO_TEXT) } else { Err(NO_TEXT) }
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| NO_TEXT),
        _ => String::from_utf8(bytes).map_err(|_| NO_TEXT),
    }
}

/// Words of the CLI about a state that is just being written: a `file://` backend writes it in place.
const HALF_WRITTEN: &str = "failed to load checkpoint";
/// Reads of such a state before its failure counts.
const READS: u32 = 10;
/// Pause between two of them.
const READ_AGAIN: Duration = Duration::from_millis(100);

async fn ask_pulumi(settings: &Settings, question: &[&str]) -> Result<String, FindError> {
    let mut reads = 1;
    loop {
        match ask_once(settings, question).await {
            Err(FindError::PulumiFailed { why }) if why.contains(HALF_WRITTEN) && reads < READS => {
                reads += 1;
                tokio::time::sleep(READ_AGAIN).await;
            }
            answered => return answered,
        }
    }
}

async fn ask_once(settings: &Settings, question: &[&str]) -> Result<String, FindError> {
    let dir = &settings.pulumi_dir;
    if !dir.join("Pulumi.yaml").is_file() {
        return Err(FindError::Nowhere { dir: dir.display().to_string() });
    }
    if let Some(why) = settings.distrust() {
        return Err(FindError::Untrusted { dir: dir.display().to_string(), why });
    }
    let mut command = Command::new(settings.pulumi.as_deref().unwrap_or(Path::new("pulumi")));
    command.args(question).args(["--non-interactive", "--color", "never"]).arg("--cwd").arg(dir);
    if let Some(stack) = &settings.stack {
        command.arg("--stack").arg(stack);
    }
    command.env("PULUMI_SKIP_UPDATE_CHECK", "true").stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(defaults::PULUMI_DEADLINE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            let why = settings.pulumi.as_deref().map_or_else(
                || "there is no `pulumi` on PATH".to_owned(),
                |program| format!("{} is not there", program.display()),
            );
            return Err(FindError::NoPulumi { why });
        }
        Ok(Err(error)) => return Err(FindError::NoPulumi { why: error.to_string() }),
        Err(_) => {
            let why = format!("no answer within {} s", defaults::PULUMI_DEADLINE.as_secs());
            return Err(FindError::PulumiFailed { why });
        }
    };
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(FindError::PulumiFailed { why: last_words(&output) })
    }
}

fn last_words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map_or_else(|| format!("it ended with {} and said nothing", output.status), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_other_systems_is_read_and_what_is_no_text_is_told() {
        let wanted = r#"{"a":"ä"}"#;
        let words = |to: fn(u16) -> [u8; 2]| wanted.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for bytes in [
            wanted.as_bytes().to_vec(),
            [&[0xef, 0xbb, 0xbf], wanted.as_bytes()].concat(),
            [&[0xff, 0xfe][..], &words(u16::to_le_bytes)].concat(),
            [&[0xfe, 0xff][..], &words(u16::to_be_bytes)].concat(),
        ] {
            assert_eq!(decoded(bytes).as_deref(), Ok(wanted));
        }
        for bytes in [vec![0xff, 0xfe, 0x7b], vec![0xc3, 0x28], vec![0xff, 0xfe, 0x00, 0xd8]] {
            assert!(decoded(bytes).is_err());
        }
    }

    #[test]
    fn the_current_stack_keeps_its_organisation() {
        let listed = r#"[{"name":"prod"},{"name":"acme/prod","current":true}]"#;
        assert_eq!(current(listed).as_deref(), Some("acme/prod"));
        assert_eq!(current(r#"[{"name":"prod","current":false}]"#), None);
        assert_eq!(current("nothing"), None);
    }

    #[test]
    fn what_pulumi_lacks_is_told_as_everywhere_else() {
        for (why, hint) in [
            ("error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "PASSPHRASE_FILE"),
            (
                "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
                "PULUMI_ACCESS_TOKEN",
            ),
            ("error: could not create workspace: unable to mkdir '/opt/ro/.pulumi/workspaces'", "PULUMI_HOME"),
            ("error: something new", "--stack NAME"),
        ] {
            let error = FindError::PulumiFailed { why: why.to_owned() };
            assert!(error.hint().contains(hint), "{why}: {}", error.hint());
        }
    }
}

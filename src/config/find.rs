//! Why there are no stack outputs, and the file that may hold them.
//!
//! It may read that file. Who asks Pulumi for them is `compose::outputs`.

use std::path::Path;

use crate::domain::pulumi::explain::next_step;
use crate::domain::stack::OutputsError;

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
            Self::Broken { error, .. } if error.has_masked() => {
                "write it again where the stack was made, with the secrets that tapctl has to read: `pulumi stack output \
                 --json --show-secrets`; keep that file readable by you alone"
                    .to_owned()
            }
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

/// The text of an outputs file, in whichever encoding it was written.
///
/// # Errors
/// [`FindError::Unreadable`] when it cannot be read, or is no text.
pub fn read(file: &Path) -> Result<String, FindError> {
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
        // Without a mark, as some tools leave it out: JSON begins with a character of one byte.
        [b'{' | b'[' | b'\r' | b'\n' | b' ', 0, ..] => utf16(&bytes, u16::from_le_bytes),
        [0, b'{' | b'[' | b'\r' | b'\n' | b' ', ..] => utf16(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| NO_TEXT),
        _ => String::from_utf8(bytes).map_err(|_| NO_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stack::StackOutputs;

    #[test]
    fn text_of_other_systems_is_read_and_what_is_no_text_is_told() {
        let wanted = r#"{"a":"ä"}"#;
        let words = |to: fn(u16) -> [u8; 2]| wanted.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for bytes in [
            wanted.as_bytes().to_vec(),
            [&[0xef, 0xbb, 0xbf], wanted.as_bytes()].concat(),
            [&[0xff, 0xfe][..], &words(u16::to_le_bytes)].concat(),
            [&[0xfe, 0xff][..], &words(u16::to_be_bytes)].concat(),
            words(u16::to_le_bytes),
            words(u16::to_be_bytes),
        ] {
            assert_eq!(decoded(bytes).as_deref(), Ok(wanted));
        }
        for bytes in [vec![0xff, 0xfe, 0x7b], vec![0xc3, 0x28], vec![0xff, 0xfe, 0x00, 0xd8]] {
            assert!(decoded(bytes).is_err());
        }
    }

    #[test]
    fn a_secret_that_was_left_out_is_asked_for_in_the_next_step() {
        let broken = |text: &str| {
            let error = StackOutputs::parse(text).unwrap_err();
            FindError::Broken { from: "outputs.json".to_owned(), error }.hint()
        };
        assert!(broken(r#"{"dbSecretArn":"[secret]"}"#).contains("--show-secrets"));
        assert!(!broken("{}").contains("--show-secrets"));
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
            (
                "error: getting stack: performing HTTP request: Get \"https://api.pulumi.com/\": dial tcp: no such host",
                "PULUMI_BACKEND_URL",
            ),
            (
                "error: read \".pulumi/meta.yaml\": blob (key \".pulumi/meta.yaml\") (code=Unknown)",
                "PULUMI_BACKEND_URL",
            ),
            ("error: [401] Unauthorized: No credentials provided or are invalid.", "PULUMI_ACCESS_TOKEN"),
            ("error: something new", "--stack NAME"),
        ] {
            let error = FindError::PulumiFailed { why: why.to_owned() };
            assert!(error.hint().contains(hint), "{why}: {}", error.hint());
        }
    }
}

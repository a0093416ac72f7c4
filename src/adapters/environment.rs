//! Which values of this process's environment are secret: told to [`crate::domain::text`] before anything is printed.
//!
//! Reads the environment, and the files that hold a passphrase or a token there. Prints nothing.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::domain::text::keep_secret;

/// A passphrase or a token in a file is far shorter.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Parts of a variable's name that make its value a secret.
const SECRET_PARTS: [&str; 9] =
    ["PASSPHRASE", "PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE_KEY", "ACCESS_KEY", "API_KEY"];
/// Ends of names whose values say where a secret is, and are none.
const PLACES: [&str; 9] = ["_FILE", "_PATH", "_DIR", "_URI", "_URL", "_ARN", "_ID", "_ENDPOINT", "_NAME"];
/// Ends of names whose values are files that hold nothing but a secret.
const SECRET_FILES: [&str; 3] = ["PASSPHRASE_FILE", "TOKEN_FILE", "PASSWORD_FILE"];
/// Key ids of AWS have twenty characters; what a test or a simulator calls one is an ordinary word.
const KEY_ID_LENGTH: usize = 16;

/// What a child needs of this process's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// None of them.
    Nothing,
    /// Those of Pulumi itself, its backends and secrets providers, the provider, and where it gets its plug-ins.
    Pulumi,
}

/// Beginnings of the names that Pulumi, its backends (S3, Google Cloud Storage, Azure Blob), its secrets providers and
/// its sources of plug-ins read ("Pulumi CLI environment variables", "DIY backends").
const OF_PULUMI: [&str; 9] =
    ["PULUMI_", "AWS_", "AZURE_", "ARM_", "GOOGLE_", "CLOUDSDK_", "VAULT_", "GITHUB_TOKEN", "GITLAB_TOKEN"];

/// Keeps from a child what it does not need: secrets of others, and what is said to tapctl alone.
pub fn withhold(command: &mut Command, needs: Needs) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_withheld(&name.to_string_lossy(), needs)) {
        command.env_remove(name);
    }
}

fn is_withheld(name: &str, needs: Needs) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_place = PLACES.iter().any(|end| upper.ends_with(end)) && !upper.ends_with("ACCESS_KEY_ID");
    let is_secret = SECRET_PARTS.iter().any(|part| upper.contains(part)) && !is_place;
    is_secret && (needs == Needs::Nothing || !OF_PULUMI.iter().any(|begin| upper.starts_with(begin)))
}

/// Looks through the environment once, at the start.
pub fn keep_secrets() {
    for (name, value) in std::env::vars_os() {
        keep_secret(secrets(&name.to_string_lossy(), &value.to_string_lossy(), &first_bytes));
    }
}

/// What of one variable must never be shown.
fn secrets(name: &str, value: &str, read: &dyn Fn(&Path) -> Option<String>) -> Vec<String> {
    let name = name.to_ascii_uppercase();
    let mut found = users(value);
    if SECRET_FILES.iter().any(|end| name.ends_with(end)) {
        found.extend(read(Path::new(value)));
    }
    let is_place = PLACES.iter().any(|end| name.ends_with(end));
    if SECRET_PARTS.iter().any(|part| name.contains(part)) && !is_place {
        found.push(value.to_owned());
    }
    if name == "AWS_ACCESS_KEY_ID" && value.len() >= KEY_ID_LENGTH {
        found.push(value.to_owned());
    }
    found
}

/// Name with password, and the password alone, of every address in a value; as written, and with `%` taken back.
fn users(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in value.split("://").skip(1) {
        let authority = rest.split(['/', '?', '#', ' ', ',']).next().unwrap_or_default();
        let Some((user, _)) = authority.rsplit_once('@') else { continue };
        let password = user.split_once(':').map(|(_, password)| password);
        for secret in [Some(user), password].into_iter().flatten() {
            found.push(plain(secret));
            found.push(secret.to_owned());
        }
    }
    found
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.filter(|_| byte == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn first_bytes(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str) -> Vec<String> {
        secrets(name, value, &|path| (path == Path::new("/run/pass")).then(|| "from-file\n".to_owned()))
    }

    #[test]
    fn a_child_gets_no_secret_that_is_not_for_it() {
        for name in ["DATABASE_PASSWORD", "SLACK_TOKEN", "npm_config_token", "STRIPE_API_KEY", "MY_SECRET"] {
            assert!(is_withheld(name, Needs::Pulumi) && is_withheld(name, Needs::Nothing), "{name}");
        }
        for name in [
            "PULUMI_CONFIG_PASSPHRASE",
            "PULUMI_ACCESS_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "GITHUB_TOKEN",
        ] {
            assert!(!is_withheld(name, Needs::Pulumi) && is_withheld(name, Needs::Nothing), "{name}");
        }
        for name in ["PATH", "HOME", "AWS_PROFILE", "PULUMI_BACKEND_URL", "https_proxy", "LANG", "AWS_ROLE_ARN"] {
            assert!(!is_withheld(name, Needs::Pulumi) && !is_withheld(name, Needs::Nothing), "{name}");
        }
        let mut command = Command::new("true");
        withhold(&mut command, Needs::Nothing);
        assert!(
            command
                .get_envs()
                .all(|(name, value)| value.is_none() && is_withheld(&name.to_string_lossy(), Needs::Nothing))
        );
    }

    #[test]
    fn secret_variables_are_known_by_their_names_and_addresses_by_their_users() {
        for name in [
            "PULUMI_CONFIG_PASSPHRASE",
            "PULUMI_ACCESS_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "aws_session_token",
            "X_API_KEY",
        ] {
            assert_eq!(found(name, "value"), ["value"], "{name}");
        }
        assert_eq!(found("PULUMI_CONFIG_PASSPHRASE_FILE", "/run/pass"), ["from-file\n"]);
        assert_eq!(found("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ["AKIAIOSFODNN7EXAMPLE"]);
        assert_eq!(found("AWS_ACCESS_KEY_ID", "test"), Vec::<String>::new());
        let proxy = found("https_proxy", "http://me:p%40ss@proxy:3128");
        assert_eq!(proxy, ["me:p@ss", "me:p%40ss", "p@ss", "p%40ss"]);
        assert!(found("PULUMI_BACKEND_URL", "postgres://u:pw1234@h/db").contains(&"pw1234".to_owned()));
        for (name, value) in
            [("PATH", "/bin"), ("AWS_PROFILE", "prod"), ("SSH_AUTH_SOCK", "/tmp/s"), ("TOKEN_URL", "http://h/x")]
        {
            assert_eq!(found(name, value), Vec::<String>::new(), "{name}");
        }
    }
}

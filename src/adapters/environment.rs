//! What of this process's environment is secret, which is told to [`crate::domain::text`] before anything is printed; and
//! what of it a child gets.
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
/// Beginnings of further names that a child may need: the language, folders of the user, authorities, the Python of the
/// program and its packages, gRPC between Pulumi and its plug-ins, the AWS provider's own (`TF_AWS_…`).
const ORDINARY: [&str; 8] = ["LC_", "XDG_", "SSL_CERT_", "PYTHON", "PIP_", "UV_", "GRPC_", "TF_"];
/// Whole names that a child may need: who and where the user is, the terminal, proxies and their authorities, what Go's
/// runtime reads, and what a `credential_process` finds its key store by (a keyring, GnuPG and `pass`, an agent, Kerberos).
const ORDINARY_NAMES: [&str; 35] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NIX_SSL_CERT_FILE",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "GODEBUG",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "GPG_TTY",
    "PASSWORD_STORE_DIR",
    "SSH_AUTH_SOCK",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "BROWSER",
    "PWD",
];
/// Names, with commas between them, that somebody wants a child to get as well.
const PASSED_BY_NAME: &str = "TAPCTL_PASS_ENV";

/// Gives a child what it needs of this environment, and nothing else.
pub fn confine(command: &mut Command, needs: Needs) {
    let named = std::env::var(PASSED_BY_NAME).unwrap_or_default();
    command.env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| is_passed(&name.to_string_lossy(), needs, &named)));
}

/// Whether a child gets this variable. Names of secrets that are Pulumi's own go to Pulumi alone; what was named goes
/// where Pulumi's secrets go.
fn is_passed(name: &str, needs: Needs, named: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let begins = |list: &[&str]| list.iter().any(|begin| upper.starts_with(begin));
    if needs == Needs::Pulumi && named.split(',').any(|passed| passed.trim() == name) {
        return true;
    }
    let is_place = PLACES.iter().any(|end| upper.ends_with(end)) && !upper.ends_with("ACCESS_KEY_ID");
    let is_secret = SECRET_PARTS.iter().any(|part| upper.contains(part)) && !is_place;
    if is_secret {
        return needs == Needs::Pulumi && begins(&OF_PULUMI);
    }
    begins(&OF_PULUMI) || begins(&ORDINARY) || ORDINARY_NAMES.contains(&upper.as_str())
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
    fn a_child_gets_what_it_needs_and_nothing_else() {
        let both = |name: &str| [Needs::Nothing, Needs::Pulumi].map(|needs| is_passed(name, needs, ""));
        for name in [
            "DATABASE_PASSWORD",
            "SLACK_TOKEN",
            "npm_config_token",
            "STRIPE_API_KEY",
            "MY_SECRET",
            "DATABASE_URL",
            "SENTRY_DSN",
            "MYSQL_PWD",
            "PIP_TOKEN",
            "TAPCTL_OUTPUTS",
            "TAPCTL_STATE_DIR",
            "LD_PRELOAD",
            "BASH_ENV",
            "EDITOR",
            "ANYTHING",
        ] {
            assert_eq!(both(name), [false, false], "{name}");
        }
        for name in [
            "PULUMI_CONFIG_PASSPHRASE",
            "PULUMI_ACCESS_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "GITHUB_TOKEN",
            "AWS_ACCESS_KEY_ID",
        ] {
            assert_eq!(both(name), [false, true], "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "TERM",
            "AWS_PROFILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "PULUMI_BACKEND_URL",
            "PULUMI_CONFIG_PASSPHRASE_FILE",
            "https_proxy",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "AWS_ROLE_ARN",
            "XDG_RUNTIME_DIR",
            "SSH_AUTH_SOCK",
            "DBUS_SESSION_BUS_ADDRESS",
            "GNUPGHOME",
            "VIRTUAL_ENV",
            "TMPDIR",
        ] {
            assert_eq!(both(name), [true, true], "{name}");
        }
        let named = "DATABASE_URL, MY_SECRET";
        assert!(is_passed("DATABASE_URL", Needs::Pulumi, named) && is_passed("MY_SECRET", Needs::Pulumi, named));
        assert!(!is_passed("MY_SECRET", Needs::Nothing, named) && !is_passed("MY_SECRET2", Needs::Pulumi, named));
    }

    #[test]
    fn a_child_begins_with_an_empty_environment() {
        let mut command = Command::new("env");
        command.env("FROM_BEFORE", "x");
        confine(&mut command, Needs::Nothing);
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let names = said.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        let others: Vec<_> = names.filter(|name| !is_passed(name, Needs::Nothing, "")).collect();
        assert!(others.is_empty() && said.contains("PATH="), "{others:?}");
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

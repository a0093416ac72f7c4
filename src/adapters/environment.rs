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
const SECRET_PARTS: [&str; 11] = [
    "PASSPHRASE",
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "API_KEY",
    // What a managed identity of Azure proves itself by, and the session of 1Password's command line.
    "IDENTITY_HEADER",
    "OP_SESSION_",
];
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

/// Beginnings of the names that Pulumi, its backends (S3, Google Cloud Storage, Azure Blob, PostgreSQL), its secrets
/// providers and its sources of plug-ins read ("Pulumi CLI environment variables", "DIY backends"), with managed
/// identities and metadata servers; those of tools that a `credential_process` starts; and those of what runs the program,
/// which may fetch its packages first.
const OF_PULUMI: [&str; 36] = [
    "PULUMI_",
    "AWS_",
    "AZURE_",
    "ARM_",
    "GOOGLE_",
    "CLOUDSDK_",
    "VAULT_",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "PGHOST",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASS",
    "PGSERVICE",
    "PGSSL",
    "PGAPPNAME",
    "PGCONNECT_TIMEOUT",
    "PGOPTIONS",
    "PGKRB",
    "PGREQUIRE",
    "PGTARGETSESSIONATTRS",
    "IDENTITY_",
    "IMDS_",
    "MSI_",
    "GCE_METADATA_",
    "SAML2AWS_",
    "GRANTED_",
    "OKTA_",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "OP_CONNECT_",
    "OP_SESSION_",
    "OP_ACCOUNT",
    "OP_BIOMETRIC_UNLOCK_ENABLED",
    "POETRY_",
    "UV_",
];
/// Beginnings of further names that a child may need: the language, folders of the user, authorities, the Python of the
/// program and its packages, what chooses and finds programs (version managers, Nix), gRPC between Pulumi and its
/// plug-ins, the AWS provider's own (`TF_AWS_…`).
const ORDINARY: [&str; 20] = [
    "LC_",
    "XDG_",
    "SSL_CERT_",
    "GIT_SSL_",
    "PYTHON",
    "PIP_",
    "CONDA_",
    "GRPC_",
    "TF_",
    "NIX_LD",
    "WSL",
    "ASDF_",
    "MISE_",
    "PYENV_",
    "RBENV_",
    "NODENV_",
    "GOENV_",
    "NVM_",
    "FNM_",
    "VOLTA_",
];
/// Whole names that a child may need: who and where the user is, the terminal, proxies and their authorities, what Go's
/// runtime reads, and what a `credential_process` finds its key store by (a keyring, GnuPG and `pass`, an agent, Kerberos).
const ORDINARY_NAMES: [&str; 37] = [
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
    "NO_GRPC_PROXY",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "BROWSER",
    "PWD",
];
/// Names, with commas between them, that somebody wants a child to get as well.
const PASSED_BY_NAME: &str = "TAPCTL_PASS_ENV";

/// Beginnings of names that every shell, terminal and desktop sets, and whose absence nobody notices.
const OF_THE_SHELL: [&str; 19] = [
    "_",
    "TAPCTL_",
    "SHLVL",
    "OLDPWD",
    "LS_COLORS",
    "LESS",
    "PS1",
    "HIST",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "TERM_",
    "TMUX",
    "SSH_",
    "COLUMNS",
    "LINES",
    "HOSTNAME",
    "MAIL",
    "WINDOWID",
];
/// So many names are told.
const MAX_TOLD: usize = 20;

/// What of this environment Pulumi does not get, in a sentence of names alone; nothing where that is nothing to speak of.
#[must_use]
pub fn withheld_text() -> Option<String> {
    let named = std::env::var(PASSED_BY_NAME).unwrap_or_default();
    told(std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()), &named)
}

fn told(all: impl Iterator<Item = String>, passed: &str) -> Option<String> {
    let is_known = |name: &str| OF_THE_SHELL.iter().any(|begin| name.starts_with(begin));
    let mut names: Vec<String> =
        all.filter(|name| !is_passed(name, Needs::Pulumi, passed) && !is_known(name)).collect();
    if names.is_empty() {
        return None;
    }
    names.sort_unstable();
    let more = match names.len().saturating_sub(MAX_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(MAX_TOLD);
    let names = names.join(", ");
    Some(format!(
        "of your environment Pulumi does not get {names}{more}; {PASSED_BY_NAME}=NAME,NAME passes what it needs"
    ))
}

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
            "PGPASSWORD",
            "IDENTITY_HEADER",
            "MSI_SECRET",
            "SAML2AWS_PASSWORD",
            "OP_SERVICE_ACCOUNT_TOKEN",
            "OP_SESSION_my",
            "POETRY_HTTP_BASIC_INNER_PASSWORD",
            "UV_INDEX_INNER_PASSWORD",
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
            "PGHOST",
            "PGSSLMODE",
            "PGPASSFILE",
            "IDENTITY_ENDPOINT",
            "IMDS_ENDPOINT",
            "MSI_ENDPOINT",
            "GCE_METADATA_HOST",
            "SAML2AWS_IDP_ACCOUNT",
            "GRANTED_ALIAS_CONFIGURED",
            "XAUTHORITY",
            "WSL_INTEROP",
            "NIX_LD",
            "NIX_LD_LIBRARY_PATH",
            "ASDF_DATA_DIR",
            "MISE_DATA_DIR",
            "PYENV_ROOT",
            "RBENV_ROOT",
            "POETRY_VIRTUALENVS_IN_PROJECT",
            "UV_CACHE_DIR",
            "NO_GRPC_PROXY",
            "GIT_SSL_CAINFO",
        ] {
            assert_eq!(both(name), [true, true], "{name}");
        }
        let named = "DATABASE_URL, MY_SECRET";
        assert!(is_passed("DATABASE_URL", Needs::Pulumi, named) && is_passed("MY_SECRET", Needs::Pulumi, named));
        assert!(!is_passed("MY_SECRET", Needs::Nothing, named) && !is_passed("MY_SECRET2", Needs::Pulumi, named));
    }

    #[test]
    fn what_pulumi_does_not_get_is_told_by_its_names_alone() {
        let told = |all: &[&str], passed: &str| told(all.iter().map(|&name| name.to_owned()), passed);
        assert_eq!(told(&["PATH", "AWS_PROFILE", "SHLVL", "TAPCTL_STACK", "OLDPWD", "_"], ""), None);
        let some = told(&["SLACK_TOKEN", "HOME", "DATABASE_URL", "PASSED"], "PASSED").unwrap();
        assert!(some.contains("does not get DATABASE_URL, SLACK_TOKEN; TAPCTL_PASS_ENV=NAME,NAME"), "{some}");
        let many: Vec<String> = (10..40).map(|number| format!("V{number}")).collect();
        let many = told(&many.iter().map(String::as_str).collect::<Vec<_>>(), "").unwrap();
        assert!(many.contains("V29 and 10 more;") && !many.contains("V30"), "{many}");
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
            "IDENTITY_HEADER",
            "OP_SESSION_my",
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

//! What was typed for every command, and the words that mean the same in a configuration file.
//!
//! Pure. Whoever reads a command line fills it in.

use std::path::PathBuf;

use clap::ValueEnum;

/// Options of every command, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Global {
    /// Configuration file [default: $XDG_CONFIG_HOME/tapctl/config.toml, when there is one]
    pub config: Option<PathBuf>,
    /// JSON of `pulumi stack output --json`, instead of asking Pulumi
    pub outputs: Option<PathBuf>,
    /// Pulumi stack; also names the state folder
    pub stack: Option<String>,
    /// Region of the new stack [default: from the stack outputs]
    pub region: Option<String>,
    /// Region of the legacy stack [default: from the stack outputs]
    pub legacy_region: Option<String>,
    /// Profile of the AWS configuration files [default: AWS_PROFILE]
    pub profile: Option<String>,
    /// Send every AWS call to this address, for example a simulator's [default: AWS_ENDPOINT_URL]
    pub endpoint_url: Option<String>,
    /// Never send a write to AWS; with iam-policy: leave the write permission out
    pub read_only: bool,
    /// Draw with ASCII characters only
    pub ascii: bool,
    /// When to use colour; `NO_COLOR` turns it off where nothing else was said
    pub color: Option<ColorWhen>,
    /// Take the mouse from the start: the wheel scrolls, a click on a tab shows its view
    pub mouse: bool,
    /// When to tell through the terminal that a gate passes again, or that something is asked
    pub notify: Option<NotifyWhen>,
    /// The terminal's ground: dark, light, or as COLORFGBG says
    pub theme: Option<ThemeFor>,
    /// How much goes into the log in the state folder
    pub log_level: Option<LogLevel>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which ground the colours are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThemeFor {
    /// As the terminal's own COLORFGBG says, dark where it says nothing. It is never asked: one that does not answer would
    /// hold up the start, and its answer would come among the keys.
    #[default]
    Auto,
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// When the terminal is to show a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum NotifyWhen {
    /// Never.
    #[default]
    Never,
    /// While it has no focus, where it says so.
    Away,
}

/// Whose the mouse is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MouseOf {
    /// The terminal's: text is selected as everywhere.
    #[default]
    Terminal,
    /// The cockpit's.
    Cockpit,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What looks wrong, too.
    #[default]
    Warn,
    /// What was done, too.
    Info,
    /// How it was done, too.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Reads the address of an endpoint.
///
/// # Errors
/// Says what is wrong with it.
pub fn endpoint_url(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no address; an endpoint looks like http://127.0.0.1:4599 or https://host");
    let uri: http::Uri = text.parse().map_err(|_| wrong())?;
    let scheme_fits = matches!(uri.scheme_str(), Some("http" | "https"));
    if scheme_fits && uri.host().is_some_and(|host| !host.is_empty()) { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address() {
        assert!(endpoint_url("http://127.0.0.1:4599").is_ok());
        for wrong in ["", "127.0.0.1:4599", "ftp://host", "http://", "nonsense"] {
            assert!(endpoint_url(wrong).is_err(), "{wrong}");
        }
    }
}

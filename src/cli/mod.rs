//! The command line: what can be typed, and how it is explained.
//!
//! It may use clap and the domain's values. It reads nothing but its arguments and the `TAPCTL_*` variables that stand
//! for options, decides nothing, and never touches a file: what the words mean is settled in [`crate::config`].

mod args;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::typed::{ColorWhen, Global, LogLevel, NotifyWhen, ThemeFor, endpoint_url};
use crate::domain::text::Foreign;
use values::name;

pub use args::{
    AdoptArgs, AttachArgs, ConfigArgs, ConfigCommand, DemoArgs, DestroyArgs, EvacuateArgs, GoArgs, InterruptArgs,
    JournalArgs, JsonArgs, ReleaseArgs, ReportArgs, RollbackArgs, RunArgs, RunbookArgs, ScenarioArgs, SetConfigArgs,
    ShiftArgs, SimArgs, StatusArgs,
};
pub use values::Since;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  error
  2  usage
  3  a gate blocked it
  4  conflict: records changed since they were read
  5  declined or cancelled
  6  AWS could not be reached, refused the credentials or throttled to the end of the retries
  7  Pulumi failed

Data goes to stdout, messages go to stderr.";

/// A terminal cockpit for moving a live system between AWS regions.
///
/// Without a command it opens the cockpit on the stack that the configuration names. `tapctl demo` needs no AWS account.
#[derive(Debug, Clone, Parser)]
#[command(name = "tapctl", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do; nothing opens the cockpit.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Configuration file [default: $XDG_CONFIG_HOME/tapctl/config.toml, when there is one]
    #[arg(long, global = true, value_name = "FILE", env = "TAPCTL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// JSON of `pulumi stack output --json`, instead of asking Pulumi
    #[arg(long, global = true, value_name = "FILE", env = "TAPCTL_OUTPUTS", hide_env_values = true)]
    pub outputs: Option<PathBuf>,
    /// Pulumi stack; also names the state folder
    #[arg(long, global = true, value_name = "NAME", env = "TAPCTL_STACK", hide_env_values = true, value_parser = name)]
    pub stack: Option<String>,
    /// Region of the new stack [default: from the stack outputs]
    #[arg(long, global = true, value_name = "R", env = "TAPCTL_REGION", hide_env_values = true, value_parser = name)]
    pub region: Option<String>,
    /// Region of the legacy stack [default: from the stack outputs]
    #[arg(long, global = true, value_name = "R", env = "TAPCTL_LEGACY_REGION", hide_env_values = true, value_parser = name)]
    pub legacy_region: Option<String>,
    /// Profile of the AWS configuration files [default: AWS_PROFILE]
    #[arg(long, global = true, value_name = "P", env = "TAPCTL_PROFILE", hide_env_values = true, value_parser = name)]
    pub profile: Option<String>,
    /// Send every AWS call to this address, for example a simulator's [default: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL", env = "TAPCTL_ENDPOINT_URL", hide_env_values = true, value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
    /// Never send a write to AWS; with iam-policy: leave the write permission out
    #[arg(long, global = true, env = "TAPCTL_READ_ONLY", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub read_only: bool,
    /// Draw with ASCII characters only
    #[arg(long, global = true, env = "TAPCTL_ASCII", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub ascii: bool,
    /// When to use colour; `NO_COLOR` turns it off where nothing else was said
    #[arg(long, global = true, value_name = "WHEN", env = "TAPCTL_COLOR", hide_env_values = true)]
    pub color: Option<ColorWhen>,
    /// Let the wheel scroll and a click on a tab show its view; text is then selected with Shift held, as the terminal has it
    #[arg(long, global = true, env = "TAPCTL_MOUSE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub mouse: bool,
    /// When to tell, by the terminal's own notifications (OSC 9), that a gate which failed passes again or something is asked
    #[arg(long, global = true, value_name = "WHEN", env = "TAPCTL_NOTIFY", hide_env_values = true)]
    pub notify: Option<NotifyWhen>,
    /// The terminal's ground; auto goes by COLORFGBG, and is dark where that is not set
    #[arg(long, global = true, value_name = "GROUND", env = "TAPCTL_THEME", hide_env_values = true)]
    pub theme: Option<ThemeFor>,
    /// How much goes into the log in the state folder
    #[arg(long, global = true, value_name = "L", env = "TAPCTL_LOG_LEVEL", hide_env_values = true)]
    pub log_level: Option<LogLevel>,
}

impl GlobalArgs {
    /// What was typed.
    #[must_use]
    pub fn typed(self) -> Global {
        Global {
            config: self.config,
            outputs: self.outputs,
            stack: self.stack,
            region: self.region,
            legacy_region: self.legacy_region,
            profile: self.profile,
            endpoint_url: self.endpoint_url,
            read_only: self.read_only,
            ascii: self.ascii,
            color: self.color,
            mouse: self.mouse,
            notify: self.notify,
            theme: self.theme,
            log_level: self.log_level,
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Open the cockpit on the built-in simulator: no AWS account, no Pulumi, no Python
    Demo(DemoArgs),
    /// Serve the simulator as AWS endpoints on loopback until SIGINT or SIGTERM
    Sim(SimArgs),
    /// One snapshot: traffic, replication, service, alarms, gates
    Status(StatusArgs),
    /// The gates alone
    Gates(JsonArgs),
    /// Ask the zone's name servers what they answer now
    Dns(JsonArgs),
    /// Move weight between the stacks
    Shift(ShiftArgs),
    /// Send all traffic back to the legacy stack; no gate blocks this
    Rollback(RollbackArgs),
    /// Send all traffic to the new stack because the legacy region fails, whatever most gates say
    Evacuate(EvacuateArgs),
    /// Turn the simple record into the weighted pair, all traffic on the legacy stack; before the first `up`
    Adopt(AdoptArgs),
    /// Turn the weighted pair back into one simple record; before `destroy`
    Release(ReleaseArgs),
    /// Show what `up` would change
    Preview(RunArgs),
    /// Create or update the target stack with Pulumi
    Up(RunArgs),
    /// Bring Pulumi's state in line with what is there
    Refresh(RunArgs),
    /// Remove the target stack with Pulumi
    Destroy(DestroyArgs),
    /// List the stack's configuration and what is missing of it (exit code 1 then), or set one key
    Config(ConfigArgs),
    /// Follow a Pulumi run that is still going on, or show how a finished one ended
    Attach(AttachArgs),
    /// Ask the Pulumi run that goes on to stop, or end it by force once it was asked
    Interrupt(InterruptArgs),
    /// Clear the Pulumi stack's locks when every process that holds one is known to be dead
    Unlock(RunArgs),
    /// The record of what was done
    Journal(JournalArgs),
    /// The incident report, as Markdown
    Report(ReportArgs),
    /// The night as Markdown, from live facts: every step and the way back as commands, also for when tapctl is not there
    Runbook(RunbookArgs),
    /// Check credentials, permissions, regions, clock, Pulumi, Python and terminal
    Doctor(JsonArgs),
    /// Print the least-privilege IAM policy for what tapctl calls
    IamPolicy,
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

impl Command {
    /// Whether the answer, and any failure, goes to stdout as one JSON object.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Status(args) => args.json,
            Self::Gates(args) | Self::Dns(args) | Self::Doctor(args) => args.json,
            Self::Shift(args) => args.go.json,
            Self::Rollback(args) => args.go.json,
            Self::Evacuate(args) => args.go.json,
            Self::Adopt(args) => args.go.json,
            Self::Release(args) => args.go.json,
            Self::Preview(args) | Self::Up(args) | Self::Refresh(args) | Self::Unlock(args) => args.json,
            Self::Destroy(args) => args.run.json,
            Self::Interrupt(args) => args.json,
            Self::Attach(args) => args.json,
            Self::Config(args) => args.json,
            Self::Journal(args) => args.json,
            Self::Demo(_)
            | Self::Sim(_)
            | Self::Report(_)
            | Self::Runbook(_)
            | Self::IamPolicy
            | Self::Completions { .. }
            | Self::Man => false,
        }
    }
}

/// Reads the arguments; the first one is the program's name.
///
/// # Errors
/// clap's own error, which also carries the texts of `--help` and `--version`.
pub fn parse<I>(args: I) -> Result<Cli, clap::Error>
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    Cli::try_parse_from(args)
}

/// What is wrong with arguments that were not understood, without what in them would steer a terminal.
#[must_use]
pub fn explained(args: &[OsString]) -> Option<String> {
    let seen = args.iter().map(|arg| Foreign::take(&arg.to_string_lossy()).into_string());
    parse(seen).err().map(|error| error.to_string())
}

/// clap's picture of the whole command line, for completions and the man page.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;

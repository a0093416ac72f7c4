//! The command line: what can be typed, and how it is explained.
//!
//! It may use clap and the domain's values. It reads nothing but its arguments and the `TAPCTL_*` variables that stand
//! for options, decides nothing, and never touches a file: what the words mean is settled in [`crate::config`].

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand};

use crate::config::typed::{ColorWhen, Global, LogLevel, endpoint_url};
use crate::domain::gate::GateId;
use crate::domain::shift::Override;
use crate::domain::text::{Foreign, is_unfit};
use crate::domain::traffic::Side;
use crate::domain::units::{Percent, Timestamp};

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
    /// Move weight between the stacks
    Shift(ShiftArgs),
    /// Send all traffic back to the legacy stack; no gate blocks this
    Rollback(RollbackArgs),
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
    Destroy(RunArgs),
    /// List the stack's configuration and what is missing of it (exit code 1 then), or set one key
    Config(ConfigArgs),
    /// Follow a Pulumi run that is still going on, or show how a finished one ended
    Attach(AttachArgs),
    /// The record of what was done
    Journal(JournalArgs),
    /// The incident report, as Markdown
    Report(ReportArgs),
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
            Self::Gates(args) | Self::Doctor(args) => args.json,
            Self::Shift(args) => args.go.json,
            Self::Rollback(args) => args.go.json,
            Self::Adopt(args) => args.go.json,
            Self::Release(args) => args.go.json,
            Self::Preview(args) | Self::Up(args) | Self::Refresh(args) | Self::Destroy(args) => args.json,
            Self::Attach(args) => args.json,
            Self::Config(args) => args.json,
            Self::Journal(args) => args.json,
            Self::Demo(_) | Self::Sim(_) | Self::Report(_) | Self::IamPolicy | Self::Completions { .. } | Self::Man => {
                false
            }
        }
    }
}

/// The world that the simulator plays.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ScenarioArgs {
    /// Which scenario to play; a wrong name lists all of them
    #[arg(long, value_name = "NAME", default_value = crate::config::defaults::SCENARIO)]
    pub scenario: String,
    /// Seed of all chance: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = crate::config::defaults::SEED)]
    pub seed: u64,
}

/// `demo`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct DemoArgs {
    /// The world.
    #[command(flatten)]
    pub played: ScenarioArgs,
    /// Virtual seconds that pass in one second
    #[arg(long, value_name = "X", default_value_t = crate::config::defaults::DEMO_SPEED, value_parser = speed)]
    pub speed: f64,
    /// Play this golden script on virtual time instead, and say whether all holds that it expects; needs no terminal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "seed", "speed"])]
    pub script: Option<PathBuf>,
}

/// `sim`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SimArgs {
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = crate::config::defaults::SIM_LISTEN)]
    pub listen: SocketAddr,
    /// The world.
    #[command(flatten)]
    pub played: ScenarioArgs,
    /// Virtual seconds that pass in one second
    #[arg(long, value_name = "X", default_value_t = crate::config::defaults::SIM_SPEED, value_parser = speed)]
    pub speed: f64,
    /// Where to write outputs.json [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `--json` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct JsonArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct StatusArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Go on and print the next snapshot when something new can be known; with --json one object per line
    #[arg(long)]
    pub watch: bool,
}

/// How a change of records is carried out.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct GoArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Follow the change from PENDING to INSYNC, read the records back and compare them
    #[arg(long)]
    pub wait: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `shift`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["to", "step"])))]
pub struct ShiftArgs {
    /// Share of the traffic that the new stack gets, 0 to 100
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub to: Option<Percent>,
    /// Percentage points more (+10) or less (-10) for the new stack
    #[arg(long, value_name = "±PERCENT", value_parser = step, allow_hyphen_values = true)]
    pub step: Option<i16>,
    /// Step over this gate; each --override needs its own --reason
    #[arg(long = "override", value_name = "GATE", value_parser = gate_parser(), requires = "reasons")]
    pub overrides: Vec<GateId>,
    /// Why the gate is stepped over; kept in the journal
    #[arg(long = "reason", value_name = "TEXT", value_parser = NonEmptyStringValueParser::new().map(|text| Foreign::take(&text).into_string()), requires = "overrides")]
    pub reasons: Vec<String>,
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

impl ShiftArgs {
    /// The gates that are stepped over, each with its reason: the first reason belongs to the first gate, and so on.
    ///
    /// # Errors
    /// Says what is missing when there is a gate without a reason, a reason without a gate, or a gate named twice.
    pub fn stepped_over(&self) -> Result<Vec<Override>, String> {
        if self.overrides.len() != self.reasons.len() {
            return Err(format!(
                "{} gates are stepped over and {} reasons are given; every --override GATE needs its own --reason TEXT",
                self.overrides.len(),
                self.reasons.len()
            ));
        }
        if let Some(gate) = self.overrides.iter().enumerate().find(|(i, gate)| self.overrides[..*i].contains(gate)) {
            return Err(format!("the gate {} is stepped over twice", gate.1));
        }
        if self.reasons.iter().any(|reason| reason.trim().is_empty()) {
            return Err("a --reason says nothing; the journal keeps it for whoever asks later".to_owned());
        }
        let pairs = self.overrides.iter().zip(&self.reasons);
        Ok(pairs.map(|(gate, reason)| Override { gate: gate.to_string(), reason: reason.clone() }).collect())
    }
}

/// `rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct RollbackArgs {
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

/// `adopt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct AdoptArgs {
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

/// `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct ReleaseArgs {
    /// The stack that keeps the name, `legacy` or `new`; it has to have all the weight
    #[arg(long, value_name = "STACK", value_parser = side_parser())]
    pub to: Side,
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

/// `preview`, `up`, `refresh`, `destroy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct RunArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `config`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// What to do; nothing lists every key.
    #[command(subcommand)]
    pub command: Option<ConfigCommand>,
}

/// What to do with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Set one key; makes the stack when there is none
    Set(SetConfigArgs),
}

/// `config set`.
#[derive(Clone, PartialEq, Eq, Args)]
pub struct SetConfigArgs {
    /// Which key, such as recordName
    pub key: String,
    /// Its value; left out or - reads it from standard input
    pub value: Option<String>,
    /// Keep it encrypted; its value then comes from standard input
    #[arg(long)]
    pub secret: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl std::fmt::Debug for SetConfigArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A value may be a secret that was given in the wrong place.
        write!(f, "SetConfigArgs({})", self.key)
    }
}

/// `attach`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct AttachArgs {
    /// Id of the run [default: the newest one]
    pub run: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `journal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct JournalArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Entries from then on: 2026-11-22T12:00:00Z, or how long ago, as 2h or 1d12h
    #[arg(long, value_name = "T", value_parser = since)]
    pub since: Option<Since>,
}

/// `report`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ReportArgs {
    /// Write it to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What happened from then on: 2026-11-22T12:00:00Z, or how long ago, as 2h or 1d12h
    #[arg(long, value_name = "T", value_parser = since)]
    pub since: Option<Since>,
}

/// A point in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// An instant.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl Since {
    /// The instant, when it is `now`.
    #[must_use]
    pub fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.minus(ago),
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

/// A name is written in characters that can be seen.
fn name(text: &str) -> Result<String, String> {
    if text.chars().any(is_unfit) {
        return Err("this holds characters that cannot be seen".to_owned());
    }
    Ok(text.to_owned())
}

fn percent(text: &str) -> Result<Percent, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    number.parse::<u8>().ok().and_then(Percent::new).ok_or_else(|| "a share is a whole number from 0 to 100".to_owned())
}

fn step(text: &str) -> Result<i16, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    match number.strip_prefix('+').unwrap_or(number).parse::<i16>() {
        Ok(0) => Err("a step of 0 moves nothing".to_owned()),
        Ok(points) if (-100..=100).contains(&points) => Ok(points),
        _ => Err("a step is a whole number of percentage points from -100 to +100".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.01 to 10000".to_owned()),
    }
}

fn gate_parser() -> impl TypedValueParser<Value = GateId> {
    PossibleValuesParser::new(GateId::ALL.map(GateId::name))
        .try_map(|name| GateId::parse(&name).ok_or("no gate is called that"))
}

fn side_parser() -> impl TypedValueParser<Value = Side> {
    PossibleValuesParser::new([Side::Legacy.name(), Side::New.name()])
        .map(|name| if name == Side::New.name() { Side::New } else { Side::Legacy })
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = Timestamp::parse(text) {
        return Ok(Since::At(at));
    }
    ago(text).map(Since::Ago).ok_or_else(|| {
        "give an instant such as 2026-11-22T12:00:00Z, or a time ago such as 45m, 2h or 1d12h".to_owned()
    })
}

/// Reads `1d12h`, `2h`, `45m`, `30s`: whole numbers, each with its unit.
fn ago(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let (number, tail) = rest.split_at(digits);
        let mut chars = tail.chars();
        let unit = match chars.next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(unit)?))?;
        rest = chars.as_str();
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        parse(std::iter::once("tapctl").chain(line.split_whitespace()))
    }

    fn shift(line: &str) -> ShiftArgs {
        match read(line).unwrap().command {
            Some(Command::Shift(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        definition().debug_assert();
    }

    #[test]
    fn every_command_and_global_option_of_the_contract_is_there() {
        let definition = definition();
        let commands: Vec<_> = definition.get_subcommands().map(clap::Command::get_name).collect();
        let wanted = "demo sim status gates shift rollback adopt release preview up refresh destroy attach journal report doctor \
                      iam-policy completions man";
        for name in wanted.split_whitespace() {
            assert!(commands.contains(&name), "{name}");
        }
        let options: Vec<_> = definition.get_arguments().filter_map(clap::Arg::get_long).collect();
        for name in "config outputs stack region legacy-region profile endpoint-url read-only ascii color log-level"
            .split_whitespace()
        {
            assert!(options.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_command_of_the_programs_readme_is_taken() {
        let readme = include_str!("../pulumi/README.md");
        let shell = readme.split("```sh\n").skip(1).filter_map(|part| part.split("```").next());
        let lines: Vec<&str> =
            shell.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tapctl ")).collect();
        assert!(lines.len() > 10, "{lines:?}");
        for line in lines {
            let arguments = line.split(['<', '#']).next().unwrap_or(line);
            assert!(read(arguments).is_ok(), "{line}");
        }
    }

    #[test]
    fn nothing_opens_the_cockpit_and_global_options_stand_anywhere() {
        assert!(read("").unwrap().command.is_none());
        assert_eq!(read("--stack a status").unwrap().global.stack.as_deref(), Some("a"));
        assert_eq!(read("status --stack b").unwrap().global.stack.as_deref(), Some("b"));
        assert!(read("iam-policy --read-only").unwrap().global.read_only);
    }

    #[test]
    fn a_shift_has_exactly_one_target() {
        assert_eq!(shift("shift --to 30").to, Percent::new(30));
        assert_eq!(shift("shift --to 30%").to, Percent::new(30));
        assert_eq!(shift("shift --step +10").step, Some(10));
        assert_eq!(shift("shift --step -10").step, Some(-10));
        for wrong in [
            "shift",
            "shift --to 30 --step 10",
            "shift --to 101",
            "shift --to -1",
            "shift --step 0",
            "shift --step 101",
        ] {
            assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_gate_is_stepped_over_by_name_and_with_a_reason() {
        let args = shift("shift --to 30 --override bake --reason poll_now --override errors --reason known");
        let pairs = args.stepped_over().unwrap();
        assert_eq!(
            pairs.iter().map(|o| (o.gate.as_str(), o.reason.as_str())).collect::<Vec<_>>(),
            [("bake", "poll_now"), ("errors", "known")]
        );
        assert_eq!(read("shift --to 30 --override bake").unwrap_err().exit_code(), 2);
        assert_eq!(read("shift --to 30 --reason why").unwrap_err().exit_code(), 2);
        assert_eq!(read("shift --to 30 --override nonsense --reason x").unwrap_err().exit_code(), 2);
        assert!(shift("shift --to 30 --override bake --override errors --reason x").stepped_over().is_err());
        assert!(shift("shift --to 30 --override bake --reason x --override bake --reason y").stepped_over().is_err());
    }

    #[test]
    fn a_release_names_the_stack_that_keeps_the_name() {
        let Some(Command::Release(args)) = read("release --to legacy --dry-run").unwrap().command else { panic!() };
        assert_eq!((args.to, args.go.dry_run), (Side::Legacy, true));
        for wrong in ["release", "release --to both", "adopt --to new"] {
            assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn times_ago_and_instants_are_told_apart() {
        assert_eq!(since("2h"), Ok(Since::Ago(Duration::from_secs(7200))));
        assert_eq!(since("1d12h"), Ok(Since::Ago(Duration::from_secs(129_600))));
        assert_eq!(since("2026-11-22T12:00:00Z"), Ok(Since::At(Timestamp::parse("2026-11-22T12:00:00Z").unwrap())));
        for wrong in ["", "h", "2", "2x", "-2h", "yesterday", "99999999999999999999h"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_demo_runs_twenty_times_as_fast_as_life() {
        let Some(Command::Demo(args)) = read("demo").unwrap().command else { panic!() };
        assert_eq!((args.speed, args.played.scenario.as_str()), (20.0, "steady"));
        assert_eq!(read("demo --speed 0").unwrap_err().exit_code(), 2);
    }
}

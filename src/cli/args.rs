//! What each command takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand};

use super::values::{Since, gate_parser, percent, side_parser, since, speed, step};
use crate::domain::gate::GateId;
use crate::domain::shift::Override;
use crate::domain::text::Foreign;
use crate::domain::traffic::Side;
use crate::domain::units::Percent;

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
    /// Override this gate; each --override needs its own --reason
    #[arg(long = "override", value_name = "GATE", value_parser = gate_parser(), requires = "reasons")]
    pub overrides: Vec<GateId>,
    /// Why the gate is overridden; kept in the journal
    #[arg(long = "reason", value_name = "TEXT", value_parser = NonEmptyStringValueParser::new().map(|text| Foreign::take(&text).into_string()), requires = "overrides")]
    pub reasons: Vec<String>,
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

/// `evacuate`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct EvacuateArgs {
    /// Why; kept in the journal with every gate that is stepped over
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new().map(|text| Foreign::take(text.trim()).into_string()))]
    pub reason: String,
    /// The stack's name, in place of typing it; needed with --yes
    #[arg(long, value_name = "STACK", required_if_eq("yes", "true"))]
    pub confirm: Option<String>,
    /// How.
    #[command(flatten)]
    pub go: GoArgs,
}

/// `rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct RollbackArgs {
    /// Print the exact batch and the command that sends it, and send nothing; works read-only, and for every group
    #[arg(long, conflicts_with_all = ["yes", "wait", "dry_run"])]
    pub print: bool,
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

/// `destroy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct DestroyArgs {
    /// So many requests a minute on the new load balancer are nobody's: scanners, checks of your own [default: 0]
    #[arg(long, value_name = "N")]
    pub unused_per_min: Option<u32>,
    /// How.
    #[command(flatten)]
    pub run: RunArgs,
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

/// `attach`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct AttachArgs {
    /// Id of the run [default: the newest one]
    pub run: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `interrupt`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct InterruptArgs {
    /// End it at once: Pulumi does not write its state; only after it was asked to stop
    #[arg(long)]
    pub force: bool,
    /// The word that the question of --force asks for, in place of typing it; needed with --force --yes
    #[arg(long, value_name = "WORD", requires = "force", required_if_eq_all([("force", "true"), ("yes", "true")]))]
    pub confirm: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
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

/// `runbook`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RunbookArgs {
    /// Write it to this file instead of stdout; a file that is there is written anew only when it is a runbook
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What to do with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Set one key; makes the stack when there is none
    Set(SetConfigArgs),
}

impl ShiftArgs {
    /// The gates that are overridden, each with its reason: the first reason belongs to the first gate, and so on.
    ///
    /// # Errors
    /// Says what is missing when there is a gate without a reason, a reason without a gate, or a gate named twice.
    pub fn overrides(&self) -> Result<Vec<Override>, String> {
        if self.overrides.len() != self.reasons.len() {
            return Err(format!(
                "{} gates are overridden and {} reasons are given; every --override GATE needs its own --reason TEXT",
                self.overrides.len(),
                self.reasons.len()
            ));
        }
        if let Some(gate) = self.overrides.iter().enumerate().find(|(i, gate)| self.overrides[..*i].contains(gate)) {
            return Err(format!("the gate {} is overridden twice", gate.1));
        }
        if self.reasons.iter().any(|reason| reason.trim().is_empty()) {
            return Err("a --reason says nothing; the journal keeps it for whoever asks later".to_owned());
        }
        let pairs = self.overrides.iter().zip(&self.reasons);
        Ok(pairs.map(|(gate, reason)| Override { gate: gate.to_string(), reason: reason.clone() }).collect())
    }
}

impl std::fmt::Debug for SetConfigArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A value may be a secret that was given in the wrong place.
        write!(f, "SetConfigArgs({})", self.key)
    }
}

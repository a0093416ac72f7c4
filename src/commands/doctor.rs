//! `doctor`: what is missing, and the command that mends it.
//!
//! Every check is a row. A failed row makes the exit code; a warning (no Pulumi on a bastion, a small terminal) does not.

mod access;
mod folder;

use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use tokio::process::Command;

use crate::cli::JsonArgs;
use crate::compose::known;
use crate::compose::naming::{settled, short_name};
use crate::compose::pulumi::{backend_url, check_program, check_version, program, withheld_text};
use crate::compose::session::{Session, assemble};
use crate::config::{Global, Settings, defaults, process_env};
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::MAX_CLOCK_SKEW;
use crate::domain::pulumi::PulumiError;
use crate::domain::targets::{Member, members};
use crate::domain::text::Printable;
use crate::domain::traffic::{Record, RecordGroup, beside, beside_text};
use crate::domain::units::age_text;
use crate::ports::PortError;
use crate::runtime::collect::collect;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::tty;
use access::access;
use folder::{journal, state};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Check {
    name: String,
    health: Health,
    found: String,
    /// What to do, a command where there is one.
    #[serde(rename = "mend")]
    fix: Option<String>,
    #[serde(skip)]
    exit: Option<Exit>,
}

impl Check {
    fn ok(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), health: Health::Ok, found: found.into(), fix: None, exit: None }
    }

    fn warn(name: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { health: Health::Warn, fix: Some(fix.into()), ..Self::ok(name, found) }
    }

    fn fail(name: &str, failure: &Failure) -> Self {
        let (found, fix) = (failure.message.clone(), Some(failure.hint.clone()));
        Self { health: Health::Fail, found, fix, exit: Some(failure.exit), name: name.to_owned() }
    }

    fn port(name: &str, error: &PortError) -> Self {
        Self::fail(name, &Failure::from(error.clone()))
    }
}

/// Checks everything and prints a row for each.
///
/// # Errors
/// When stdout cannot be written. What is found wrong is data here; the exit code tells the worst of it.
pub async fn run(args: JsonArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let mut checks = Vec::new();
    match Settings::load(global, &process_env) {
        Ok(settings) => {
            let (aws, tools) = tokio::join!(stack_checks(&settings), tool_checks(Some(&settings)));
            checks.extend(aws);
            checks.extend(tools);
        }
        Err(error) => {
            checks.push(Check::fail("configuration", &error.into()));
            checks.extend(tool_checks(None).await);
        }
    }
    checks.extend(terminal_checks());
    let exit = worst(&checks);
    if args.json {
        out.json(&json!({"schema": 1, "ok": exit == Exit::Done, "checks": checks}))?;
    } else {
        out.data(&text(&checks))?;
    }
    Ok(exit)
}

/// AWS that cannot be reached says more than whatever follows from it.
fn worst(checks: &[Check]) -> Exit {
    let exits: Vec<Exit> = checks.iter().filter_map(|check| check.exit).collect();
    let first = exits.first().copied().unwrap_or(Exit::Done);
    if exits.contains(&Exit::Access) { Exit::Access } else { first }
}

fn text(checks: &[Check]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let word = match check.health {
            Health::Ok => "ok",
            Health::Warn => "warn",
            Health::Fail => "FAIL",
        };
        let _ = writeln!(text, "{word:<5} {:<width$}  {}", check.name, Printable::line(&check.found).as_str());
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "{:<6}{:<width$}  Next step: {}", "", "", Printable::line(fix).as_str());
        }
    }
    text
}

async fn stack_checks(settings: &Settings) -> Vec<Check> {
    let file = settings.file.as_ref().map_or_else(|| "no file, defaults".to_owned(), |f| f.display().to_string());
    let mut checks = vec![Check::ok("configuration", file)];
    let settings = match settled(settings.clone()).await {
        Ok(settings) => settings,
        Err(failure) => {
            checks.push(Check::fail("outputs", &failure.into()));
            return checks;
        }
    };
    let known = match known::find(&settings).await {
        Ok(known) => known,
        Err(failure) => {
            checks.push(Check::fail("outputs", &failure.into()));
            return checks;
        }
    };
    checks.push(if known.outputs().is_some() {
        let file = settings.outputs.as_ref().map(|file| file.display().to_string());
        Check::ok("outputs", file.unwrap_or_else(|| "pulumi stack output".to_owned()))
    } else {
        Check::warn("outputs", "none: the new stack does not exist yet", "tapctl adopt, then tapctl up")
    });
    checks.extend(known.unset().iter().map(|line| unset(line)));
    let name = short_name(&settings, &known);
    let folder = match crate::config::state::folder(&name, &process_env) {
        Ok(folder) => folder,
        Err(error) => {
            checks.push(Check::fail("state", &error.into()));
            return checks;
        }
    };
    match assemble(settings.clone(), known, name, folder, None).await {
        Ok(session) => checks.extend(session_checks(&session).await),
        Err(failure) => checks.push(Check::fail("state", &failure.into())),
    }
    checks
}

/// A key that the program wants before the first `up`.
fn unset(line: &str) -> Check {
    let (found, fix) = line.split_once(": pulumi ").map_or((line, ""), |(found, command)| (found, command));
    if fix.is_empty() {
        return Check { health: Health::Warn, ..Check::ok("config", found) };
    }
    Check::warn("config", found, format!("pulumi {fix}"))
}

async fn session_checks(session: &Session) -> Vec<Check> {
    let mut checks = vec![regions(session), state(session)];
    let collected = collect(&session.ports, &Source::ALL, Facts::default(), defaults::COLLECT_DEADLINE).await;
    checks.push(journal(&collected));
    checks.push(clock(collected.facts.clock_skew_ms));
    checks.extend(access(session, &collected.facts).await);
    if let Some(Err(shape)) = collected.facts.group.as_ref().map(|fact| &fact.value) {
        let hint = "bring the records into the shape of one weighted pair, or fix the stack outputs";
        let absent = !session.stack.is_provisioned();
        checks.push(if absent {
            Check::warn("records", shape.to_string(), "tapctl adopt, then tapctl up")
        } else {
            Check::fail("records", &Failure::new(Exit::Error, "record_group", shape.to_string(), hint))
        });
    }
    if let Some(group) = collected.facts.shiftable() {
        checks.push(record_targets(group, &collected.facts.records, session));
    }
    checks
}

/// Whether every member leads to the load balancer that the stack outputs name.
fn record_targets(group: &RecordGroup, records: &[Record], session: &Session) -> Check {
    let mut wrong: Vec<String> = members(group, &session.stack.endpoints).iter().filter_map(Member::problem).collect();
    wrong.extend(beside(&session.ports.key.name, records).map(beside_text));
    if wrong.is_empty() {
        return Check::ok("record-targets", "every member leads to its own stack's load balancer");
    }
    let hint = "put the records right, or fix legacyLbDnsName, albDnsName and albZoneId in the stack outputs";
    Check::fail("record-targets", &Failure::new(Exit::Gate, "record_targets", wrong.join("; "), hint))
}

fn regions(session: &Session) -> Check {
    let (legacy, new) = (&session.stack.legacy_region, &session.stack.region);
    if legacy == new {
        let found = format!("both stacks in {new}");
        return Check::warn("regions", found, "check --region and --legacy-region against the stack outputs");
    }
    Check::ok("regions", format!("{legacy} → {new}"))
}

fn clock(skew_ms: Option<i64>) -> Check {
    let Some(skew) = skew_ms else {
        return Check::warn("clock", "AWS has told no time", "make sure AWS can be reached, then run it again");
    };
    let off = Duration::from_millis(skew.unsigned_abs());
    if off <= MAX_CLOCK_SKEW {
        return Check::ok("clock", format!("{} off AWS's", age_text(off)));
    }
    let side = if skew > 0 { "ahead of" } else { "behind" };
    let failure = Failure::new(
        Exit::Error,
        "clock",
        format!("this host's clock is {} {side} AWS's; ages cannot be trusted", age_text(off)),
        "sudo chronyc makestep",
    );
    Check::fail("clock", &failure)
}

async fn tool_checks(settings: Option<&Settings>) -> Vec<Check> {
    let pulumi = async {
        match settings {
            Some(settings) => pulumi_checks(settings).await,
            None => Vec::new(),
        }
    };
    let (mut checks, python) = tokio::join!(pulumi, version("python3", "--version"));
    let install = "install Python 3.10 or newer (only the Pulumi program needs it)";
    checks.push(match python {
        Some(found) if number(&found).is_some_and(|version| version >= (3, 10)) => Check::ok("python", found),
        Some(found) => Check::warn("python", format!("{found}, and 3.10 is needed"), install),
        None => Check::warn("python", "not found on PATH", install),
    });
    checks
}

/// The CLI, its backend, and the packages of the program, as a run would find them. Only runs need them: what is missing
/// fails nothing here.
async fn pulumi_checks(settings: &Settings) -> Vec<Check> {
    let missing = |name: &str, error: &PulumiError| Check::warn(name, error.to_string(), error.hint());
    let pulumi = match program(settings, settings.stack.as_deref().unwrap_or_default()) {
        Ok(pulumi) => pulumi,
        Err(error) => return vec![missing("pulumi", &error)],
    };
    let version = match check_version(&pulumi).await {
        Ok(version) => version,
        Err(error) => return vec![missing("pulumi", &error)],
    };
    let mut checks = vec![Check::ok("pulumi", format!("{version}, {}", pulumi.program.display()))];
    checks.extend(withheld_text().map(|withheld| Check::ok("environment", withheld)));
    let folder = pulumi.project.display();
    if !pulumi.project.join("Pulumi.yaml").is_file() {
        let set = "start tapctl beside the program, or name its folder with TAPCTL_PULUMI_DIR (only runs need it)";
        checks.push(Check::warn("program", format!("none in {folder}"), set));
        return checks;
    }
    let (packages, backend) = tokio::join!(check_program(&pulumi.project), backend_url(&pulumi));
    checks.push(match packages {
        Ok(()) => Check::ok("program", format!("{folder}, with its packages")),
        Err(error) => missing("program", &error),
    });
    checks.push(match backend {
        Ok(url) => Check::ok("backend", url),
        Err(error) => missing("backend", &error),
    });
    checks
}

/// The first line that a program says about its version.
async fn version(program: &str, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    // A version needs neither keys nor anything else of this environment.
    command.arg(argument).env_clear().envs(["PATH", "HOME", "LANG"].map(|n| (n, process_env(n).unwrap_or_default())));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(defaults::VERSION_DEADLINE, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned()).filter(|t| !t.is_empty())
}

/// Major and minor in `v3.255.0` or `Python 3.12.4`.
fn number(text: &str) -> Option<(u32, u32)> {
    let word = text.split_whitespace().last()?.trim_start_matches('v');
    let mut parts = word.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn terminal_checks() -> Vec<Check> {
    let size = match tty::terminal_size() {
        Some((columns, rows)) if columns >= 80 && rows >= 24 => Check::ok("terminal", format!("{columns}×{rows}")),
        Some((columns, rows)) => {
            Check::warn("terminal", format!("{columns}×{rows}"), "enlarge it to 80×24 or more for the cockpit")
        }
        None => Check::warn("terminal", "stdout is none", "run the cockpit in a terminal (ssh -t)"),
    };
    let term = process_env("TERM").unwrap_or_default();
    let depth = process_env("COLORTERM").unwrap_or_default();
    let colour = if process_env("NO_COLOR").is_some() {
        Check::ok("colour", "off by NO_COLOR")
    } else if matches!(depth.as_str(), "truecolor" | "24bit") {
        Check::ok("colour", "24 bit")
    } else if term.contains("256color") {
        Check::ok("colour", "256")
    } else if term.is_empty() || term == "dumb" {
        Check::warn("colour", "the terminal promises none", "export TERM=xterm-256color, if it can")
    } else {
        Check::ok("colour", "16")
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| process_env(name)).unwrap_or_default();
    let lower = locale.to_ascii_lowercase();
    let characters = if lower.contains("utf-8") || lower.contains("utf8") {
        Check::ok("characters", locale)
    } else {
        Check::warn("characters", "the locale is not UTF-8", "export LC_ALL=C.UTF-8, or use --ascii")
    };
    vec![size, colour, characters]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_print_them() {
        assert_eq!(number("v3.255.0"), Some((3, 255)));
        assert_eq!(number("Python 3.12.4"), Some((3, 12)));
        assert_eq!(number("nonsense"), None);
    }

    #[test]
    fn a_clock_that_is_minutes_off_fails_with_the_command_that_mends_it() {
        assert_eq!(clock(Some(800)).health, Health::Ok);
        let check = clock(Some(-240_000));
        assert_eq!(check.health, Health::Fail);
        assert!(check.found.contains("behind") && check.fix.unwrap().contains("chronyc"));
    }

    #[test]
    fn warnings_do_not_fail_and_access_wins() {
        let warn = Check::warn("pulumi", "", "");
        let error = Check::fail("a", &Failure::new(Exit::Error, "x", "", ""));
        let access = Check::fail("b", &Failure::new(Exit::Access, "x", "", ""));
        assert_eq!(worst(std::slice::from_ref(&warn)), Exit::Done);
        assert_eq!(worst(&[warn, error.clone()]), Exit::Error);
        assert_eq!(worst(&[error, access]), Exit::Access);
    }
}

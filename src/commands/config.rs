//! `config`: the stack's configuration, what is missing of it, and the setting of one key.
//!
//! The same table and checks as in the cockpit. A secret's value comes through standard input, never from the command
//! line, which every process of the host can read.

use std::fmt::Write;
use std::io::{IsTerminal, Read, stdin};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::{ConfigArgs, ConfigCommand, SetConfigArgs};
use crate::compose::endpoints;
use crate::compose::host;
use crate::compose::naming::pulumi_stack;
use crate::compose::pulumi::{program, pulumi_ports, pulumi_runs};
use crate::compose::session::{Session, connect};
use crate::config::{Global, Settings, process_env, state};
use crate::domain::change::Change;
use crate::domain::change::preconditions::check_unseen;
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::provision::Carried;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::config::{
    ConfigRow, KeyStatus, MAX_VALUE_BYTES, SetConfig, SetConfigError, Setup, missing_text,
};
use crate::domain::pulumi::text::clean;
use crate::ports::PulumiRuns;
use crate::runtime::ports_set::Ports;
use crate::runtime::pulumi::look;

use super::console::Console;
use super::failure::{Exit, Failure};
use super::prompt::ask;
use super::wait::{carried_out, is_pulumi_open, settle_pulumi};

/// Lists the configuration, or sets one key of it.
///
/// # Errors
/// [`Failure`] when Pulumi cannot be asked, or the key cannot be set. A list of which something is missing ends with
/// exit code 1, so that a script can tell.
pub async fn run(args: &ConfigArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let name = pulumi_stack(&settings).await?;
    let pulumi = program(&settings, &name)?;
    let folder = state::folder(&name, &process_env)?;
    let runs = pulumi_runs(&pulumi, &folder)?;
    if folder.is_dir() {
        settle(pulumi_ports(&settings, &pulumi, &folder, None)?, global, out).await;
    }
    match &args.command {
        None => list(runs.as_ref(), args.json, out).await,
        Some(ConfigCommand::Set(set_args)) => {
            let session = connect(global).await.ok();
            let refusal = session
                .as_ref()
                .map_or_else(|| endpoints::refusal(&settings, &[]).map_or(Ok(()), Err), Session::may_change);
            refusal?;
            let clock = session.as_ref().map(|session| Arc::clone(&session.ports.clock));
            let ports = pulumi_ports(&settings, &pulumi, &folder, clock)?;
            let operator = match session {
                Some(session) => session.who().await,
                None => host::local_user(&process_env),
            };
            set(runs.as_ref(), &ports, set_args, &operator, out).await
        }
    }
}

/// Settles what an earlier process left open around Pulumi: what is listed then says the same as the journal.
async fn settle(ports: Ports, global: &Global, out: &mut Console) {
    if is_pulumi_open(&ports).await {
        // By the clock that the change was dated with.
        let ports = connect(global).await.map_or(ports, |session| session.ports);
        let operator = host::local_user(&process_env);
        let look = look(ports.provision.as_ref(), &operator).await;
        settle_pulumi(&ports, look.as_ref(), &operator, out).await;
    }
}

async fn list(runs: &dyn PulumiRuns, json: bool, out: &mut Console) -> Result<Exit, Failure> {
    let setup = runs.setup().await?;
    if json {
        out.json(&as_json(&setup, runs.stack()))?;
    } else {
        out.data(&as_text(&setup))?;
    }
    let missing = setup.missing();
    if !setup.exists {
        out.say(&format!(
            "the stack {} does not exist yet; `tapctl config set` and `tapctl preview` create it when you say yes",
            runs.stack()
        ));
    }
    if missing.is_empty() {
        return Ok(Exit::Done);
    }
    out.say(&format!("missing: {}", missing_text(&missing)));
    Ok(Exit::Error)
}

fn word(status: &KeyStatus) -> &'static str {
    match status {
        KeyStatus::Missing => "MISSING",
        KeyStatus::Wrong(_) => "WRONG",
        KeyStatus::Set => "set",
        KeyStatus::Unset => "-",
        KeyStatus::Unknown => "?",
    }
}

fn value_text(row: &ConfigRow<'_>) -> String {
    match (row.value, &row.status) {
        (Some(value), _) if value.secret => "[secret]".to_owned(),
        (Some(value), status) => {
            let text = clean(value.value.as_deref().unwrap_or_default()).replace('\n', " ");
            if let KeyStatus::Wrong(why) = status { format!("{text}: {why}") } else { text }
        }
        (None, KeyStatus::Missing) => format!("{} (such as {})", row.key.meaning, row.key.example),
        (None, _) => format!("default: {}", row.key.default_text()),
    }
}

fn as_text(setup: &Setup) -> String {
    let mut text = String::new();
    for row in setup.rows() {
        let _ = writeln!(text, "{:<8} {:<24} {}", word(&row.status), row.key.name, value_text(&row));
    }
    for (key, value) in setup.values.iter().flatten().filter(|_| !setup.bundled) {
        let shown = if value.secret { "[secret]" } else { value.value.as_deref().unwrap_or_default() };
        let _ = writeln!(text, "{:<8} {:<24} {}", "set", clean(key), clean(shown).replace('\n', " "));
    }
    text
}

fn as_json(setup: &Setup, stack: &str) -> Value {
    let missing = setup.missing();
    let mut keys: Vec<Value> = setup
        .rows()
        .iter()
        .map(|row| {
            let wrong = if let KeyStatus::Wrong(why) = &row.status { Some(why) } else { None };
            json!({
                "key": row.key.name,
                "value": row.value.and_then(|value| value.value.clone()),
                "secret": row.value.is_some_and(|value| value.secret),
                "set": row.value.is_some(),
                "required": row.key.is_required(),
                "missing": missing.contains(&row.key),
                "wrong": wrong,
                "default": row.key.default_text(),
                "meaning": row.key.meaning,
            })
        })
        .collect();
    let others = setup.values.iter().flatten().filter(|_| !setup.bundled);
    keys.extend(
        others.map(|(key, value)| json!({"key": key, "value": value.value, "secret": value.secret, "set": true})),
    );
    let names: Vec<&str> = missing.iter().map(|key| key.name).collect();
    json!({"schema": 1, "stack": stack, "exists": setup.exists, "missing": names, "keys": keys})
}

async fn set(
    runs: &dyn PulumiRuns,
    ports: &Ports,
    args: &SetConfigArgs,
    operator: &str,
    out: &mut Console,
) -> Result<Exit, Failure> {
    let setup = runs.setup().await?;
    let value = value(args)?;
    let was_secret = setup.values.iter().flatten().any(|(key, kept)| {
        kept.secret && (*key == args.key || key.split_once(':').is_some_and(|(_, name)| name == args.key))
    });
    if was_secret && !args.secret {
        return Err(Failure::usage(format!(
            "{} is kept encrypted; give --secret and its value through standard input to keep it so",
            args.key
        )));
    }
    let set_config = SetConfig::new(runs.stack(), setup.bundled, &args.key, &value, args.secret).map_err(refused)?;
    let change = Change::Pulumi(PulumiChange::Config(set_config));
    check_unseen(&change, runs.going_on()?, Some(&setup))?;
    let yes = if let Some(yes) = YesFlag::from_cli(args.yes) {
        yes
    } else {
        out.say(&change.call_text());
        let yes = ask(out, &change.challenge()).await?;
        check_unseen(&change, runs.going_on()?, Some(&setup))?;
        yes
    };
    let change = Confirmed::by_flag(change, yes);
    let done = carried_out(ports, change, (operator, &host::host_name()), out).await;
    if let Some(error) = &done.unwritten {
        out.say(&format!("the journal is behind: {error}"));
    }
    if let Carried::Done(text) = done.into_carried()? {
        out.say(&text);
    }
    Ok(Exit::Done)
}

/// The value as it was given: on the command line, or through standard input.
fn value(args: &SetConfigArgs) -> Result<String, Failure> {
    let through_pipe = match args.value.as_deref() {
        None | Some("-") => true,
        Some(_) if args.secret => {
            return Err(Failure::usage(
                "a secret's value is not given on the command line, which every process of this host can read: pipe it \
                 in, `tapctl config set KEY - --secret --yes < FILE`",
            ));
        }
        Some(_) => false,
    };
    if !through_pipe {
        return Ok(args.value.clone().unwrap_or_default());
    }
    if stdin().is_terminal() {
        return Err(Failure::usage("give a value, or pipe it in: `tapctl config set KEY - --yes < FILE`"));
    }
    let mut text = String::new();
    let broken = |error: std::io::Error| {
        Failure::new(Exit::Error, "stdin", format!("the value cannot be read: {error}"), "give it as UTF-8 text")
    };
    stdin().take(MAX_VALUE_BYTES as u64 + 2).read_to_string(&mut text).map_err(broken)?;
    Ok(text.replace("\r\n", "\n").trim_end_matches('\n').to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refused(error: SetConfigError) -> Failure {
    let hint = match &error {
        SetConfigError::UnknownKey(_) | SetConfigError::BadKey(_) => "`tapctl config` lists every key with its meaning",
        SetConfigError::Unfit => "give the value in one line of printable text; certificates alone have several",
        _ => "nothing was set; `tapctl config` says what each key is for",
    };
    Failure::new(Exit::Usage, "usage", error.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::config::tests::{complete, setup};

    #[test]
    fn the_list_tells_what_is_missing_first_and_shows_no_secret() {
        let mut seen = setup(&["owner", "sourceDbPort"]);
        let values = seen.values.as_mut().unwrap();
        values.get_mut("tap:owner").unwrap().value = None;
        values.get_mut("tap:owner").unwrap().secret = true;
        let text = as_text(&seen);
        assert!(text.starts_with("MISSING  sourceDbEndpoint"), "{text}");
        assert!(text.contains("set      owner                    [secret]"), "{text}");
        assert!(text.contains("-        natGateways              default: per-zone"), "{text}");
        let json = as_json(&seen, "prod");
        assert_eq!((&json["stack"], &json["exists"]), (&json!("prod"), &json!(true)));
        assert_eq!(json["missing"].as_array().unwrap().len(), 6);
        let of = |name: &str| json["keys"].as_array().unwrap().iter().find(|key| key["key"] == name).unwrap().clone();
        assert_eq!((&of("owner")["value"], &of("owner")["secret"]), (&Value::Null, &json!(true)));
        assert_eq!(of("sourceDbPort")["value"], "3306");
        assert_eq!(as_json(&complete(), "prod")["missing"], json!([]));
    }

    #[test]
    fn a_secret_is_not_taken_from_the_command_line() {
        let args = SetConfigArgs { key: "token".into(), value: Some("trout".into()), secret: true, yes: true };
        let failure = value(&args).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(!failure.message.contains("trout"));
    }
}

//! The demo's fake Pulumi CLI: plays the recorded stream of a real run, through real processes and files.
//!
//! It is our own binary, started as `tapctl __pulumi --settings FILE …`, so that a demo goes through the same finding,
//! starting, following and interrupting as a real run. It knows the few commands that the cockpit uses, keeps its stack
//! and its configuration in files beside the settings, can fail, and answers SIGINT as Pulumi does: the first ends the
//! run in good order, the second at once. What a run makes is told to the simulator, step by step.
//!
//! Never talks to AWS or to a network: only to a simulator on loopback.

mod args;
pub mod config;
mod file;
pub mod play;
mod report;
pub mod script;
pub mod settings;
pub mod setup;
pub mod state;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use args::Args;
pub use config::Config;
use play::Signals;
use report::Simulator;
use script::{Recording, Script};
pub use settings::{FakeStack, Settings};
pub use setup::{InitialState, set_up};
use state::FakeState;

/// What the fake Pulumi says when it is asked for its version: that of the CLI whose runs were recorded.
pub const VERSION: &str = "v3.255.0";
/// The longest value that is read from standard input.
const MAX_VALUE: u64 = 64 << 10;

/// Exit code of Pulumi where it knows no stack of that name.
const NO_STACK: u8 = 6;

/// Why a command ends without doing what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failed {
    code: u8,
    message: String,
}

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self { code: 1, message }
    }
}

/// Runs one command; answers with the exit code. `args` are those after the hidden subcommand.
#[must_use]
pub fn main(args: &[String]) -> u8 {
    match command(args, &mut std::io::stdin(), &mut std::io::stdout(), Signals::Heard) {
        Ok(code) => code,
        Err(refusal) => {
            let _full = writeln!(std::io::stderr(), "error: {}", refusal.message);
            refusal.code
        }
    }
}

/// Runs one command inside the caller's process, with an input of its own: the exit code, what it printed, and what it
/// would have written to stderr. A run is not interrupted by signals, which are the caller's. Not for a thread that has a
/// runtime.
#[must_use]
pub fn call(args: &[String], input: &str) -> (u8, String, String) {
    let mut out = Vec::new();
    let ended = command(args, &mut input.as_bytes(), &mut out, Signals::Ignored);
    let (code, said) = ended.map_or_else(|refusal| (refusal.code, refusal.message), |code| (code, String::new()));
    (code, String::from_utf8_lossy(&out).into_owned(), said)
}

fn command(args: &[String], input: &mut impl Read, out: &mut impl Write, signals: Signals) -> Result<u8, Failed> {
    let [flag, file, rest @ ..] = args else { return Err("settings are missing".to_owned().into()) };
    if flag != "--settings" {
        return Err(format!("unknown flag: {flag}").into());
    }
    let file = PathBuf::from(file);
    let settings = Settings::read(&file)?;
    let args = Args::parse(rest);
    let stack = FakeStack::read(&file)?;
    match args.words().as_slice() {
        ["version"] => return say(out, VERSION),
        ["whoami"] => return say(out, r#"{"user":"demo","url":"file://demo"}"#),
        ["stack", "ls"] => {
            let one = json!({"name": settings.stack, "current": true, "resourceCount": stack.resources.len()});
            let list: Vec<Value> = stack.exists.then_some(one).into_iter().collect();
            return say(out, &Value::from(list).to_string());
        }
        ["stack", "init", rest @ ..] => {
            let name = rest.first().copied().or(args.option("--stack")).unwrap_or(&settings.stack);
            if stack.exists {
                return Err(format!("stack 'organization/tap/{name}' already exists").into());
            }
            if name != settings.stack {
                return Err(format!("the demo has one stack, called {}", settings.stack).into());
            }
            FakeStack { exists: true, ..stack }.write(&file)?;
            return say(out, &format!("Created stack '{name}'"));
        }
        _ => {}
    }
    let name = args.option("--stack").unwrap_or(&settings.stack);
    if !stack.exists || name != settings.stack {
        return Err(Failed { code: NO_STACK, message: format!("no stack named '{name}' found") });
    }
    let operation = match args.words().as_slice() {
        ["stack"] if args.has("--show-name") => return say(out, name),
        ["stack", "output"] => return say(out, &settings.outputs(&stack)?),
        ["stack", "export"] => return say(out, r#"{"version":3,"deployment":{"resources":[]}}"#),
        ["config", rest @ ..] => return configure(rest, &args, &file, name, input, out),
        ["cancel"] => return say(out, &format!("The currently running update for '{name}' has been canceled!")),
        ["preview"] => Recording::Preview,
        ["up"] => Recording::Up,
        ["refresh"] => Recording::Refresh,
        ["destroy"] if args.has("--preview-only") => Recording::PreviewDestroy,
        ["destroy"] => Recording::Destroy,
        words => return Err(format!("unknown command {words:?} for the fake \"pulumi\"").into()),
    };
    run(operation, &args, &file, &settings, stack, out, signals)
}

/// `config`, and what stands after it.
fn configure(
    words: &[&str],
    args: &Args,
    file: &Path,
    stack: &str,
    input: &mut impl Read,
    out: &mut impl Write,
) -> Result<u8, Failed> {
    let mut config = Config::read(file)?;
    match words {
        [] => return say(out, &config.shown().to_string()),
        ["get", key] => {
            let missing = || format!("configuration key '{key}' not found for stack '{stack}'");
            let shown = config.shown();
            let entry = shown.get(config::full(key)).ok_or_else(missing)?;
            return say(out, entry["value"].as_str().unwrap_or("[secret]"));
        }
        ["set", key] => {
            let mut value = String::new();
            input.take(MAX_VALUE).read_to_string(&mut value).map_err(|error| error.to_string())?;
            config.set(key, value.trim_end_matches(['\r', '\n']), args.has("--secret"));
        }
        ["set", key, value] => config.set(key, value, args.has("--secret")),
        ["set", rest @ ..] => return Err(format!("accepts at most 2 arg(s), received {}", rest.len()).into()),
        ["rm", key] => config = config.without(key),
        _ => return Err(format!("unknown command {words:?} for the fake \"pulumi config\"").into()),
    }
    config.write(file)?;
    Ok(0)
}

/// Plays a run to its end.
fn run(
    operation: Recording,
    args: &Args,
    file: &Path,
    settings: &Settings,
    stack: FakeStack,
    out: &mut impl Write,
    signals: Signals,
) -> Result<u8, Failed> {
    let config = Config::read(file)?;
    let outputs = serde_json::from_str(&settings.outputs_of_whole()?).map_err(|error| error.to_string())?;
    let known = refreshed(operation, &stack.resources, settings);
    let script = Script::of(operation, &known, settings.stretch)?.with_config(&config).with_outputs(&outputs);
    let script = match refusal(operation, &config, settings)? {
        Some((asked, problems)) => script.refused(asked, &problems),
        None => script,
    };
    if let Some(plan) = args.option("--save-plan").filter(|_| !script.refused) {
        let text = json!({"resources": stack.resources}).to_string();
        std::fs::write(plan, text).map_err(|error| format!("{plan}: {error}"))?;
    }
    if let Some(plan) = args.option("--plan") {
        let text = std::fs::read_to_string(plan).map_err(|error| format!("{plan}: {error}"))?;
        let planned: Value = serde_json::from_str(&text).map_err(|error| format!("{plan}: {error}"))?;
        if planned.get("resources") != Some(&json!(stack.resources)) {
            let said = "create is not allowed by the plan: no steps were expected for this resource";
            return Err(said.to_owned().into());
        }
    }
    Ok(play::play(&script, settings, &mut FakeState::of(stack, file, settings), out, signals)?)
}

/// What a refresh before the run leaves in the state: weighted records that the zone has no more, since the name was
/// released, drop out of it.
fn refreshed(operation: Recording, resources: &[String], settings: &Settings) -> Vec<String> {
    let Some(endpoint) = &settings.simulator else { return resources.to_vec() };
    let reads = matches!(operation, Recording::Destroy | Recording::PreviewDestroy | Recording::Refresh);
    // A simulator that does not answer fails the run at its first step, where it is told.
    let gone = reads && Simulator::at(endpoint).record().is_ok_and(|record| record != "weighted");
    let is_record = |urn: &String| urn.contains("aws:route53/record:Record::");
    resources.iter().filter(|urn| !(gone && is_record(urn))).cloned().collect()
}

/// What the program would raise before its first resource, and whether it has asked AWS by then.
fn refusal(operation: Recording, config: &Config, settings: &Settings) -> Result<Option<(bool, Vec<String>)>, String> {
    if !matches!(operation, Recording::Preview | Recording::Up) {
        return Ok(None);
    }
    let problems = config.problems();
    if !problems.is_empty() {
        return Ok(Some((false, problems)));
    }
    let Some(endpoint) = &settings.simulator else { return Ok(None) };
    if Simulator::at(endpoint).record()? != "simple" {
        return Ok(None);
    }
    let name = config.get("recordName").unwrap_or_default();
    let suffix = config.get("environmentSuffix").unwrap_or(&settings.stack);
    Ok(Some((
        true,
        vec![format!(
            "tap:recordName is '{name}', which has a plain A record, and that cannot stand beside a weighted pair. \
             Wanted: a weighted A record with the set identifier 'migration-legacy-{suffix}' in its place, by one batch: \
             see 'The record that is already there' in pulumi/README.md\n    do: tapctl adopt --stack {suffix}"
        )],
    )))
}

fn say(out: &mut impl Write, text: &str) -> Result<u8, Failed> {
    writeln!(out, "{text}").map(|()| 0).map_err(|error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::{Plan, RunOutcome, RunState};

    struct Demo {
        folder: tempfile::TempDir,
    }

    impl Demo {
        fn new(fail: Option<&str>) -> Self {
            let demo = Self { folder: tempfile::tempdir().unwrap() };
            let settings = Settings { fail: fail.map(str::to_owned), speed: f64::INFINITY, ..Settings::default() };
            settings.write(&demo.file()).unwrap();
            FakeStack { exists: true, ..FakeStack::default() }.write(&demo.file()).unwrap();
            demo
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("settings.json")
        }

        fn run(&self, line: &str) -> (Result<u8, Failed>, String) {
            self.run_with(line, "")
        }

        fn run_with(&self, line: &str, input: &str) -> (Result<u8, Failed>, String) {
            let args: Vec<String> = ["--settings", self.file().to_str().unwrap()]
                .into_iter()
                .chain(line.split(' '))
                .map(str::to_owned)
                .collect();
            let mut out = Vec::new();
            (command(&args, &mut input.as_bytes(), &mut out, Signals::Heard), String::from_utf8(out).unwrap())
        }

        fn fold(&self, line: &str) -> (u8, RunState) {
            let (code, text) = self.run(line);
            let mut run_state = RunState::new();
            text.lines().for_each(|line| run_state.fold_line(line.as_bytes()));
            run_state.process_ended();
            assert_eq!((run_state.lines().garbage, run_state.lines().unknown), (0, 0), "{line}");
            (code.unwrap(), run_state)
        }
    }

    #[test]
    fn a_stack_is_previewed_made_found_unchanged_and_destroyed() {
        let demo = Demo::new(None);
        let (code, preview) = demo.fold("preview --stack demo --json");
        let plan = Plan::of(&preview);
        assert!(code == 0 && plan.is_whole() && plan.total() > 90, "{}", plan.text());
        let (code, up) = demo.fold("up --stack demo --yes --json");
        assert_eq!((code, up.ending()), (0, Some(RunOutcome::Succeeded)));
        assert_eq!(up.progress().done, plan.total());
        assert!(!up.outputs().is_empty());
        let (_, again) = demo.fold("preview --stack demo --json");
        assert!(Plan::of(&again).is_empty(), "{}", Plan::of(&again).text());
        let (_, refresh) = demo.fold("refresh --stack demo --json");
        assert_eq!(refresh.ending(), Some(RunOutcome::Succeeded));
        let (_, gone) = demo.fold("destroy --stack demo --preview-only --json");
        assert!(Plan::of(&gone).text().starts_with("delete"), "{}", Plan::of(&gone).text());
        let (code, destroy) = demo.fold("destroy --stack demo --yes --json");
        assert_eq!((code, destroy.ending()), (0, Some(RunOutcome::Succeeded)));
        assert_eq!(demo.run("stack output --json").1.trim(), "{}");
    }

    #[test]
    fn it_fails_where_it_is_told_to_and_goes_on_from_there() {
        let demo = Demo::new(Some("migration-alb-prod"));
        let (code, failed) = demo.fold("up --stack demo --json");
        assert_eq!((code, failed.ending()), (1, Some(RunOutcome::Failed)));
        let failure = failed.failures()[0];
        assert!(failure.resource.is_some_and(|r| r.name() == "migration-alb-prod"), "{failure:?}");
        let done = failed.progress().done;
        let settings = Settings { fail: None, ..Settings::read(&demo.file()).unwrap() };
        settings.write(&demo.file()).unwrap();
        let (code, up) = demo.fold("up --stack demo --json");
        assert_eq!(code, 0);
        assert!(up.progress().done > 0 && up.progress().unchanged >= done, "{:?}", up.progress());
    }

    #[test]
    fn a_failure_can_be_told_to_happen_once_and_in_a_providers_words() {
        let demo = Demo::new(Some("migration-alb-prod"));
        let said = Some("TooManyLoadBalancers: no more".to_owned());
        let settings = Settings::read(&demo.file()).unwrap();
        Settings { fail_runs: Some(1), fail_says: said, ..settings }.write(&demo.file()).unwrap();
        let (code, failed) = demo.fold("up --stack demo --json");
        assert_eq!((code, failed.ending()), (1, Some(RunOutcome::Failed)));
        assert!(failed.failures()[0].text.contains("TooManyLoadBalancers: no more"), "{:?}", failed.failures());
        assert_eq!(demo.run("stack output --json").1.trim(), "{}");
        let (code, up) = demo.fold("up --stack demo --json");
        assert_eq!((code, up.ending()), (0, Some(RunOutcome::Succeeded)));
        assert!(FakeStack::read(&demo.file()).unwrap().outputs);
    }

    #[test]
    fn without_a_stack_everything_but_making_one_is_refused() {
        let demo = Demo::new(None);
        FakeStack::default().write(&demo.file()).unwrap();
        assert_eq!(demo.run("stack ls --json").1.trim(), "[]");
        for line in ["config --json --stack demo", "preview --stack demo --json", "stack output --json"] {
            let refused = demo.run(line).0.unwrap_err();
            assert_eq!((refused.code, refused.message.as_str()), (6, "no stack named 'demo' found"), "{line}");
        }
        assert_eq!(demo.run("stack init demo"), (Ok(0), "Created stack 'demo'\n".to_owned()));
        assert!(demo.run("stack ls --json").1.contains("\"name\":\"demo\""));
        assert!(demo.run("stack init demo").0.unwrap_err().message.contains("already exists"));
        assert_eq!(demo.run("config --json --stack other").0.unwrap_err().code, 6);
    }

    #[test]
    fn configuration_is_set_shown_and_removed_as_by_the_cli() {
        let demo = Demo::new(None);
        let shown = |key: &str| {
            let text = demo.run("config --json --stack demo").1;
            serde_json::from_str::<Value>(&text).unwrap()[key].clone()
        };
        assert_eq!(shown("tap:recordName")["value"], "app.example.com");
        demo.run("config set --stack demo --cwd /x --non-interactive -- vpcCidr -1").0.unwrap();
        assert_eq!(shown("tap:vpcCidr"), json!({"value": "-1", "secret": false}));
        demo.run_with("config set --secret --stack demo tap:token", "swordfish\n").0.unwrap();
        assert_eq!(shown("tap:token"), json!({"secret": true}));
        assert_eq!(demo.run("config get token --stack demo").1.trim(), "[secret]");
        let refused = demo.run("config set --stack demo -- owner me --cwd /x").0.unwrap_err();
        assert_eq!(refused.message, "accepts at most 2 arg(s), received 4");
        demo.run("config rm owner --stack demo").0.unwrap();
        demo.run("config rm owner --stack demo").0.unwrap();
        assert_eq!(shown("tap:owner"), Value::Null);
    }

    #[test]
    fn a_missing_key_ends_a_preview_in_the_programs_words_and_leaves_no_plan() {
        let demo = Demo::new(None);
        demo.run("config rm owner").0.unwrap();
        let plan = demo.folder.path().join("plan");
        let (code, preview) = demo.fold(&format!("preview --stack demo --save-plan {} --json", plan.display()));
        assert_eq!((code, preview.ending()), (1, Some(RunOutcome::Failed)));
        let failures = preview.failures();
        assert_eq!(failures.len(), 1);
        assert!(failures[0].resource.is_none());
        assert!(failures[0].text.contains("tap:owner is not set\n    set it with: pulumi config set owner"));
        assert!(!Plan::of(&preview).is_whole() && !plan.exists());
        demo.run("config set owner night-shift").0.unwrap();
        assert_eq!(demo.fold("preview --stack demo --json").0, 0);
    }

    #[test]
    fn a_simulator_that_does_not_answer_fails_the_run() {
        let demo = Demo::new(None);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let settings = Settings::read(&demo.file()).unwrap();
        Settings { simulator: Some(endpoint.clone()), ..settings }.write(&demo.file()).unwrap();
        for line in ["preview --json", "up --json"] {
            let refused = demo.run(line).0.unwrap_err();
            assert!(refused.message.starts_with(&format!("the simulator at {endpoint} does not answer")));
        }
        let stack = FakeStack { exists: true, resources: script::Script::resources().unwrap(), ..FakeStack::default() };
        stack.write(&demo.file()).unwrap();
        let (ended, text) = demo.run("destroy --yes --json");
        assert!(ended.unwrap_err().message.contains("does not answer"));
        assert!(text.contains("resOpFailedEvent") && text.contains("\"result\":\"failed\""));
        assert_eq!(FakeStack::read(&demo.file()).unwrap(), stack, "what nobody took note of did not happen");
    }

    #[test]
    fn a_plan_for_another_world_is_refused() {
        let demo = Demo::new(None);
        let plan = demo.folder.path().join("plan");
        demo.run(&format!("preview --save-plan {}", plan.display())).0.unwrap();
        demo.run("up --json").0.unwrap();
        let refused = demo.run(&format!("up --plan {}", plan.display())).0.unwrap_err();
        assert!(refused.message.contains("is not allowed by the plan"));
        assert!(demo.run("console").0.is_err());
    }
}

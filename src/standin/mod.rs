//! The demo's stand-in for the Pulumi CLI: plays the recorded stream of a real run, through real processes and files.
//!
//! It is our own binary, started as `tapctl __pulumi --settings FILE …`, so that a demo goes through the same finding,
//! starting, following and interrupting as a real run. It knows the few commands that the cockpit uses, keeps its stack
//! in a file beside the settings, can fail, and answers SIGINT as Pulumi does: the first ends the run in good order,
//! the second at once.
//!
//! Never talks to AWS or to a network.

pub mod play;
pub mod script;
pub mod settings;

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::domain::deploy::config;
use script::{Operation, Script};
pub use settings::{Settings, Stack};

/// What the stand-in says when it is asked for its version: that of the CLI whose runs were recorded.
pub const VERSION: &str = "v3.255.0";

/// Runs one command; answers with the exit code. `args` are those after the hidden subcommand.
#[must_use]
pub fn main(args: &[String]) -> u8 {
    let mut out = std::io::stdout();
    match command(args, &mut out) {
        Ok(code) => code,
        Err(message) => {
            let _full = writeln!(std::io::stderr(), "error: {message}");
            1
        }
    }
}

fn command(args: &[String], out: &mut impl Write) -> Result<u8, String> {
    let [flag, file, rest @ ..] = args else { return Err("settings are missing".to_owned()) };
    if flag != "--settings" {
        return Err(format!("unknown flag: {flag}"));
    }
    let file = PathBuf::from(file);
    let settings = Settings::read(&file)?;
    let words: Vec<&str> = rest.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    let option =
        |name: &str| rest.iter().position(|word| word == name).and_then(|at| rest.get(at + 1)).map(PathBuf::from);
    let mut stack = Stack::read(&file)?;
    let operation = match words.as_slice() {
        ["version"] => return say(out, VERSION),
        ["stack", "ls"] => {
            let list: Vec<Value> = stack.exists.then(|| json!({"name": settings.stack})).into_iter().collect();
            return say(out, &Value::from(list).to_string());
        }
        ["stack", "init", ..] => {
            stack.exists = true;
            stack.write(&file)?;
            return say(out, &format!("Created stack '{}'", settings.stack));
        }
        ["stack", "output"] => return say(out, &settings.outputs(!stack.resources.is_empty())?),
        ["stack", "export"] => return say(out, r#"{"version":3,"deployment":{"resources":[]}}"#),
        ["config"] => return say(out, &configured().to_string()),
        ["config", "set", ..] | ["cancel"] => return Ok(0),
        ["whoami"] => return say(out, r#"{"user":"demo","url":"file://demo"}"#),
        ["preview"] => Operation::Preview,
        ["up"] => Operation::Up,
        ["refresh"] => Operation::Refresh,
        ["destroy"] if rest.iter().any(|word| word == "--preview-only") => Operation::PreviewDestroy,
        ["destroy"] => Operation::Destroy,
        _ => return Err(format!("unknown command {words:?} for the stand-in of \"pulumi\"")),
    };
    let script = Script::of(operation, &stack.resources, settings.stretch)?;
    if let Some(plan) = option("--save-plan") {
        let text = json!({"resources": stack.resources}).to_string();
        std::fs::write(&plan, text).map_err(|error| format!("{}: {error}", plan.display()))?;
    }
    if let Some(plan) = option("--plan") {
        let text = std::fs::read_to_string(&plan).map_err(|error| format!("{}: {error}", plan.display()))?;
        let planned: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", plan.display()))?;
        if planned.get("resources") != Some(&json!(stack.resources)) {
            return Err("create is not allowed by the plan: no steps were expected for this resource".to_owned());
        }
    }
    let played = play::play(&script, &settings, out)?;
    stack.apply(&played);
    stack.write(&file)?;
    Ok(played.code)
}

/// What the program needs, set to its own examples.
fn configured() -> Value {
    let needed = |key: &&config::Key| key.is_required() || key.name == config::keys::ZONE[0];
    config::KEYS
        .iter()
        .filter(needed)
        .map(|key| (key.full_name(), json!({"value": key.example, "secret": false})))
        .collect()
}

fn say(out: &mut impl Write, text: &str) -> Result<u8, String> {
    writeln!(out, "{text}").map(|()| 0).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deploy::{Deploy, Ending, Plan};

    struct Demo {
        folder: tempfile::TempDir,
    }

    impl Demo {
        fn new(fail: Option<&str>) -> Self {
            let demo = Self { folder: tempfile::tempdir().unwrap() };
            let settings = Settings { fail: fail.map(str::to_owned), speed: f64::INFINITY, ..Settings::default() };
            settings.write(&demo.file()).unwrap();
            demo
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("settings.json")
        }

        fn run(&self, line: &str) -> (Result<u8, String>, String) {
            let args: Vec<String> = ["--settings", self.file().to_str().unwrap()]
                .into_iter()
                .chain(line.split(' '))
                .map(str::to_owned)
                .collect();
            let mut out = Vec::new();
            (command(&args, &mut out), String::from_utf8(out).unwrap())
        }

        fn fold(&self, line: &str) -> (u8, Deploy) {
            let (code, text) = self.run(line);
            let mut deploy = Deploy::new();
            text.lines().for_each(|line| deploy.fold_line(line.as_bytes()));
            deploy.process_ended();
            assert_eq!((deploy.lines().garbage, deploy.lines().unknown), (0, 0), "{line}");
            (code.unwrap(), deploy)
        }
    }

    #[test]
    fn a_stack_is_previewed_made_found_unchanged_and_destroyed() {
        let demo = Demo::new(None);
        let (code, preview) = demo.fold("preview --stack prod --json");
        let plan = Plan::of(&preview);
        assert!(code == 0 && plan.complete && plan.total() > 90, "{}", plan.text());
        let (code, up) = demo.fold("up --stack prod --yes --json");
        assert_eq!((code, up.ending()), (0, Some(Ending::Succeeded)));
        assert_eq!(up.progress().done, plan.total());
        assert!(!up.outputs().is_empty());
        let (_, again) = demo.fold("preview --stack prod --json");
        assert!(Plan::of(&again).is_empty(), "{}", Plan::of(&again).text());
        let (_, refresh) = demo.fold("refresh --stack prod --json");
        assert_eq!(refresh.ending(), Some(Ending::Succeeded));
        let (_, gone) = demo.fold("destroy --stack prod --preview-only --json");
        assert!(Plan::of(&gone).text().starts_with("delete"), "{}", Plan::of(&gone).text());
        let (code, destroy) = demo.fold("destroy --stack prod --yes --json");
        assert_eq!((code, destroy.ending()), (0, Some(Ending::Succeeded)));
        assert_eq!(demo.run("stack output --json").1.trim(), "{}");
    }

    #[test]
    fn it_fails_where_it_is_told_to_and_goes_on_from_there() {
        let demo = Demo::new(Some("migration-alb-prod"));
        let (code, failed) = demo.fold("up --stack prod --json");
        assert_eq!((code, failed.ending()), (1, Some(Ending::Failed)));
        let failure = failed.failures()[0];
        assert!(failure.resource.is_some_and(|r| r.name() == "migration-alb-prod"), "{failure:?}");
        let done = failed.progress().done;
        let settings = Settings { fail: None, ..Settings::read(&demo.file()).unwrap() };
        settings.write(&demo.file()).unwrap();
        let (code, up) = demo.fold("up --stack prod --json");
        assert_eq!(code, 0);
        assert!(up.progress().done > 0 && up.progress().unchanged >= done, "{:?}", up.progress());
    }

    #[test]
    fn a_plan_for_another_world_is_refused() {
        let demo = Demo::new(None);
        let plan = demo.folder.path().join("plan");
        demo.run(&format!("preview --save-plan {}", plan.display())).0.unwrap();
        demo.run("up --json").0.unwrap();
        let refused = demo.run(&format!("up --plan {}", plan.display())).0.unwrap_err();
        assert!(refused.contains("is not allowed by the plan"));
        assert!(demo.run("console").0.is_err());
    }
}

//! Finds the stack outputs: a file that was named, or the Pulumi program's own `pulumi stack output --json`.
//!
//! Starts that command and those that say which stack is selected; never one that changes a stack.

use crate::adapters::pulumi::ask::{Asked, NoAnswer};
use crate::config::find::{FindError, read};
use crate::config::{Settings, defaults};
use crate::domain::pulumi::text::json_part;
use crate::domain::stack::StackOutputs;

/// Reads the outputs from where the settings say.
///
/// # Errors
/// [`FindError`] says what was looked for and why it cannot be used.
pub(super) async fn outputs(settings: &Settings) -> Result<StackOutputs, FindError> {
    let (from, text) = if let Some(file) = &settings.outputs {
        // Whatever a plug-in said on stdout is in the file, too.
        (file.display().to_string(), json_part(&read(file)?).to_owned())
    } else {
        let answer = ask_pulumi(settings, &["stack", "output", "--json"]).await?;
        let text = json_part(&answer).to_owned();
        if is_empty(&text) {
            return Err(FindError::NotProvisioned);
        }
        ("`pulumi stack output`".to_owned(), text)
    };
    StackOutputs::parse(&text).map_err(|error| FindError::Broken { from, error })
}

/// Whether the answer is an object that holds nothing.
fn is_empty(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok_and(|map| map.is_empty())
}

/// The stack that is selected in the program's folder.
///
/// # Errors
/// [`FindError`] when none is, or when it cannot be told of which organisation it is.
pub(super) async fn selected_stack(settings: &Settings) -> Result<String, FindError> {
    let listed = match ask_pulumi(settings, &["stack", "ls", "--json"]).await {
        Ok(listed) => stacks(&listed),
        // A backend that lists nothing may still say which stack is selected here.
        Err(FindError::PulumiFailed { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    if let Some(current) = listed.iter().find(|stack| stack.current && !stack.name.is_empty()) {
        return Ok(current.name.clone());
    }
    let text = ask_pulumi(settings, &["stack", "--show-name"]).await?;
    whole(text.trim(), &listed).map_err(|why| FindError::PulumiFailed { why })
}

/// A stack in `pulumi stack ls --json`, by its name as it is written there: without its organisation the same name would
/// be another stack, that of whoever is logged in.
#[derive(serde::Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    current: bool,
}

fn stacks(listed: &str) -> Vec<Listed> {
    serde_json::from_str(json_part(listed)).unwrap_or_default()
}

/// The whole name of a selected stack that is not marked in the list: `--show-name` leaves its organisation out.
fn whole(name: &str, listed: &[Listed]) -> Result<String, String> {
    if name.is_empty() {
        return Err("no stack is selected".to_owned());
    }
    let short = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let mut alike: Vec<&str> =
        listed.iter().map(|stack| stack.name.as_str()).filter(|stack| *stack == name || short(stack) == name).collect();
    alike.sort_unstable();
    alike.dedup();
    match alike.as_slice() {
        [] => Ok(name.to_owned()),
        [one] => Ok((*one).to_owned()),
        several => Err(format!("the selected stack is called {name}, and so are several: {}", several.join(", "))),
    }
}

async fn ask_pulumi(settings: &Settings, question: &[&str]) -> Result<String, FindError> {
    let dir = &settings.pulumi_dir;
    if !dir.join("Pulumi.yaml").is_file() {
        return Err(FindError::Nowhere { dir: dir.display().to_string() });
    }
    if let Some(why) = settings.distrust() {
        return Err(FindError::Untrusted { dir: dir.display().to_string(), why });
    }
    let asked = Asked {
        program: settings.pulumi.as_deref(),
        dir,
        stack: settings.stack.as_deref(),
        deadline: defaults::PULUMI_DEADLINE,
    };
    asked.answer(question).await.map_err(|silence| match silence {
        NoAnswer::NotStarted(why) => FindError::NoPulumi { why },
        NoAnswer::Failed(why) => FindError::PulumiFailed { why },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selected_stack_keeps_its_organisation() {
        let listed = stacks(r#"[{"name":"prod"},{"name":"acme/prod","current":true}]"#);
        assert_eq!(listed.iter().find(|stack| stack.current).map(|stack| stack.name.as_str()), Some("acme/prod"));
        assert!(stacks("nothing").is_empty());
        let unmarked = stacks("warning: a plug-in\n[{\"name\":\"acme/shop/prod\"},{\"name\":\"acme/shop/test\"}]");
        assert_eq!(whole("prod", &unmarked).as_deref(), Ok("acme/shop/prod"));
        assert_eq!(whole("other", &unmarked).as_deref(), Ok("other"), "a backend without organisations");
        let two = stacks(r#"[{"name":"prod"},{"name":"acme/prod"}]"#);
        let why = whole("prod", &two).unwrap_err();
        assert!(why.contains("acme/prod, prod"), "{why}");
        assert_eq!(whole("", &two).unwrap_err(), "no stack is selected");
    }
}

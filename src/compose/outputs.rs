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
        (file.display().to_string(), read(file)?)
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
/// [`FindError`] when none is.
pub(super) async fn selected_stack(settings: &Settings) -> Result<String, FindError> {
    match ask_pulumi(settings, &["stack", "ls", "--json"]).await {
        Ok(listed) => {
            if let Some(name) = current(&listed) {
                return Ok(name);
            }
        }
        // A backend that lists nothing may still say which stack is selected here.
        Err(FindError::PulumiFailed { .. }) => {}
        Err(error) => return Err(error),
    }
    let text = ask_pulumi(settings, &["stack", "--show-name"]).await?;
    let name = text.trim().to_owned();
    if name.is_empty() { Err(FindError::PulumiFailed { why: "no stack is selected".to_owned() }) } else { Ok(name) }
}

/// The stack that is marked as current in `pulumi stack ls --json`, as it is written there: without its organisation the
/// same name would be another stack, that of whoever is logged in.
fn current(listed: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Listed {
        name: String,
        #[serde(default)]
        current: bool,
    }
    let stacks: Vec<Listed> = serde_json::from_str(json_part(listed)).ok()?;
    stacks.into_iter().find(|stack| stack.current && !stack.name.is_empty()).map(|stack| stack.name)
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
    fn the_current_stack_keeps_its_organisation() {
        let listed = r#"[{"name":"prod"},{"name":"acme/prod","current":true}]"#;
        assert_eq!(current(listed).as_deref(), Some("acme/prod"));
        assert_eq!(current(r#"[{"name":"prod","current":false}]"#), None);
        assert_eq!(current("nothing"), None);
    }
}

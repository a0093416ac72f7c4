//! Short questions about a stack: does it exist, what is it configured with, what does it hand out, what was left open.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::capture::{Patience, answer};
use super::command::{Invocation, Pulumi};
use super::project::project_name;
use crate::domain::confirm::Confirmed;
use crate::domain::pulumi::NewStack;
use crate::domain::pulumi::config::{ConfigValue, PROJECT, SetConfig, Setup, may_run};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::outputs::mask;
use crate::domain::pulumi::pending::{Pending, from_export};
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::text::json_part;

/// How long a question may take: the state can lie behind a slow link.
const PATIENCE: Duration = Duration::from_secs(60);

/// Words of the CLI about a state that cannot be read. A `file://` backend writes its state in place, so that whoever
/// reads beside a run meets half of it now and then; the whole is there a moment later.
const HALF_WRITTEN: &str = "failed to load checkpoint";
/// Reads of such a state before its failure counts.
const READS: u32 = 10;
/// Pause between two of them.
const READ_AGAIN: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct StackName {
    name: String,
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
struct Whoami {
    #[serde(default)]
    url: String,
}

fn garbled(line: &str, error: &serde_json::Error) -> PulumiError {
    PulumiError::Refusing { line: line.to_owned(), message: format!("its answer cannot be read: {error}") }
}

/// Asks something that is answered from the state.
async fn from_state(invocation: &Invocation) -> Result<String, PulumiError> {
    let mut reads = 1;
    loop {
        match answer(invocation, Patience::Limited(PATIENCE)).await {
            Err(PulumiError::Refusing { message, .. }) if message.contains(HALF_WRITTEN) && reads < READS => {
                reads += 1;
                tokio::time::sleep(READ_AGAIN).await;
            }
            answered => return answered,
        }
    }
}

/// Whether the stack exists.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn exists(pulumi: &Pulumi) -> Result<bool, PulumiError> {
    let invocation = pulumi.stacks();
    let text = from_state(&invocation).await?;
    let stacks: Vec<StackName> =
        serde_json::from_str(json_part(&text)).map_err(|error| garbled(&invocation.line, &error))?;
    let short = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    Ok(stacks.iter().any(|stack| stack.name == pulumi.stack || short(&stack.name) == short(&pulumi.stack)))
}

/// Makes the stack when it does not exist; says whether it did.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says, such as a missing passphrase.
async fn ensure(pulumi: &Pulumi) -> Result<bool, PulumiError> {
    if exists(pulumi).await? {
        return Ok(false);
    }
    answer(&pulumi.create_stack(), Patience::Unlimited).await.map(|_| true)
}

/// Refuses when there is no such stack: nothing that only takes away makes one.
///
/// # Errors
/// [`PulumiError::NoSuchStack`], and what Pulumi says.
pub async fn check_exists(pulumi: &Pulumi) -> Result<(), PulumiError> {
    if exists(pulumi).await? { Ok(()) } else { Err(PulumiError::NoSuchStack(pulumi.stack.clone())) }
}

/// The stack's configuration; secrets have no value here.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn config(pulumi: &Pulumi) -> Result<BTreeMap<String, ConfigValue>, PulumiError> {
    let invocation = pulumi.config();
    let text = from_state(&invocation).await?;
    let raw: BTreeMap<String, RawConfig> =
        serde_json::from_str(json_part(&text)).map_err(|error| garbled(&invocation.line, &error))?;
    Ok(raw
        .into_iter()
        .map(|(key, raw)| (key, ConfigValue { value: raw.value.filter(|_| !raw.secret), secret: raw.secret }))
        .collect())
}

/// How the stack is set up. Pulumi does not say how a stack is configured that does not exist yet; where it has no
/// settings file either, nothing is set.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn setup(pulumi: &Pulumi) -> Result<Setup, PulumiError> {
    let exists = exists(pulumi).await?;
    let values = match config(pulumi).await {
        Ok(values) => Some(values),
        Err(error) if exists => return Err(error),
        Err(_) => (!has_settings(pulumi)).then(BTreeMap::new),
    };
    let bundled = project_name(&pulumi.project).as_deref() == Some(PROJECT);
    Ok(Setup { exists, bundled, values })
}

/// Whether a file with settings of the stack lies in the program's folder (`Pulumi.STACK.yaml`).
fn has_settings(pulumi: &Pulumi) -> bool {
    let stack = pulumi.stack.rsplit('/').next().unwrap_or(&pulumi.stack);
    ["yaml", "yml", "json"].iter().any(|end| pulumi.project.join(format!("Pulumi.{stack}.{end}")).is_file())
}

/// Whether the program has what it needs to be run on a stack that exists.
///
/// # Errors
/// [`PulumiError::Refused`] with the keys that are missing, and what Pulumi says.
pub async fn check_configured(pulumi: &Pulumi, kind: RunKind) -> Result<(), PulumiError> {
    Ok(may_run(kind, Some(&setup(pulumi).await?))?)
}

/// Makes the stack that was confirmed, when it does not exist; says whether it did.
///
/// # Errors
/// What Pulumi says, such as a missing passphrase.
pub async fn create(pulumi: &Pulumi, new: &Confirmed<NewStack>) -> Result<bool, PulumiError> {
    check_named(pulumi, new.get().stack(), &new.get().call_text())?;
    ensure(pulumi).await
}

/// Refuses what was confirmed for another stack.
fn check_named(pulumi: &Pulumi, confirmed: &str, line: &str) -> Result<(), PulumiError> {
    if confirmed == pulumi.stack {
        return Ok(());
    }
    let message = format!("it was confirmed for {confirmed}, and Pulumi is set to {}", pulumi.stack);
    Err(PulumiError::Refusing { line: line.to_owned(), message })
}

/// Sets what was confirmed; makes the stack when there is none.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn set_config(pulumi: &Pulumi, set: &Confirmed<SetConfig>) -> Result<(), PulumiError> {
    let set = set.get();
    check_named(pulumi, set.stack(), &set.call_text())?;
    ensure(pulumi).await?;
    answer(&pulumi.set_config(set), Patience::Unlimited).await.map(drop)
}

/// The stack's outputs as JSON, secrets masked.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn outputs(pulumi: &Pulumi) -> Result<Value, PulumiError> {
    let invocation = pulumi.outputs();
    let text = from_state(&invocation).await?;
    serde_json::from_str(json_part(&text)).map(|value| mask(&value)).map_err(|error| garbled(&invocation.line, &error))
}

/// Checks that the stack hands out these values: what is known of a stack from elsewhere may be of another one, or old.
///
/// # Errors
/// [`PulumiError::OtherStack`] with the first output that differs, and what Pulumi says.
pub async fn check_same(pulumi: &Pulumi, landmarks: &[(&'static str, String)]) -> Result<(), PulumiError> {
    let found = outputs(pulumi).await?;
    for (key, expected) in landmarks {
        if found[*key].as_str() != Some(expected.as_str()) {
            let told = found[*key].as_str().map_or_else(|| "none".to_owned(), str::to_owned);
            return Err(PulumiError::OtherStack {
                stack: pulumi.stack.clone(),
                output: (*key).to_owned(),
                expected: expected.clone(),
                found: told,
            });
        }
    }
    Ok(())
}

/// Operations that an earlier run left open.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says.
pub async fn pending(pulumi: &Pulumi) -> Result<Vec<Pending>, PulumiError> {
    let invocation = pulumi.export();
    let text = from_state(&invocation).await?;
    from_export(json_part(&text)).map_err(|message| PulumiError::Refusing { line: invocation.line, message })
}

/// Where the state lies.
///
/// # Errors
/// [`PulumiError`] with what Pulumi says, such as a backend that cannot be reached.
pub async fn backend_url(pulumi: &Pulumi) -> Result<String, PulumiError> {
    let invocation = pulumi.whoami();
    let text = answer(&invocation, Patience::Limited(PATIENCE)).await?;
    let whoami: Whoami = serde_json::from_str(json_part(&text)).map_err(|error| garbled(&invocation.line, &error))?;
    Ok(whoami.url)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A Pulumi that meets half a state as often as told, then a whole one.
    fn pulumi(folder: &std::path::Path, halves: u32) -> Pulumi {
        let path = folder.join("pulumi");
        let count = folder.join("count").display().to_string();
        let script = format!(
            "#!/bin/sh\necho x >> {count}\nif [ $(wc -l < {count}) -le {halves} ]; then\n  echo 'error: failed to load \
             checkpoint: EOF' >&2\n  exit 255\nfi\necho '{{\"a\":\"b\"}}'\n"
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Pulumi { program: path, prefix: vec![], project: folder.to_owned(), stack: "prod".into() }
    }

    #[tokio::test]
    async fn a_state_that_is_just_being_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(outputs(&pulumi(folder.path(), 2)).await.unwrap()["a"], "b");
        let folder = tempfile::tempdir().unwrap();
        let error = outputs(&pulumi(folder.path(), 1000)).await.unwrap_err();
        assert!(error.to_string().contains("failed to load checkpoint"), "{error}");
        let reads = fs::read_to_string(folder.path().join("count")).unwrap().lines().count();
        assert_eq!(reads, READS as usize);
    }
}

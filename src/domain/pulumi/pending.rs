//! Operations that a dead run left open in Pulumi's state, with what to look for at the provider.
//!
//! Pure. Reads the JSON of `pulumi stack export`; of all that it holds, only the open operations are kept.

use serde::{Deserialize, Serialize};

use super::MAX_RESOURCES;
use super::op::Operation;
use super::resource::{Resource, urn_name};
use super::text::clean;

/// One operation that has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// The resource.
    pub urn: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// `creating`, `updating`, `deleting`, `reading`, `importing`.
    pub operation: String,
    /// The provider's identifier, where it was known.
    pub id: Option<String>,
}

#[derive(Deserialize)]
struct Export {
    deployment: Option<Deployment>,
}

#[derive(Deserialize)]
struct Deployment {
    pending_operations: Option<Vec<OpenOperation>>,
}

#[derive(Deserialize)]
struct OpenOperation {
    resource: Subject,
    #[serde(rename = "type")]
    operation: String,
}

#[derive(Deserialize)]
struct Subject {
    urn: String,
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    rtype: String,
}

/// The open operations in a state that was exported.
///
/// # Errors
/// Says where the text stops being an export.
pub fn from_export(text: &str) -> Result<Vec<Pending>, String> {
    let export: Export = serde_json::from_str(text).map_err(|error| format!("not a stack export: {error}"))?;
    let operations = export.deployment.and_then(|deployment| deployment.pending_operations).unwrap_or_default();
    Ok(operations
        .into_iter()
        .take(MAX_RESOURCES)
        .map(|operation| Pending {
            urn: clean(&operation.resource.urn).into_owned(),
            rtype: clean(&operation.resource.rtype).into_owned(),
            operation: clean(&operation.operation).into_owned(),
            id: Some(clean(&operation.resource.id).into_owned()).filter(|id| !id.is_empty()),
        })
        .collect())
}

impl Pending {
    /// What a run had under way when it ended, in the words of an open operation: its state may not know of it.
    #[must_use]
    pub fn of(resource: &Resource) -> Self {
        let operation = match resource.step {
            Operation::Create | Operation::CreateReplacement | Operation::Replace => "creating",
            Operation::Delete | Operation::DeleteReplaced => "deleting",
            Operation::Update => "updating",
            Operation::Import | Operation::ImportReplacement => "importing",
            _ => "reading",
        };
        Self {
            urn: resource.urn.to_string(),
            rtype: resource.rtype.to_string(),
            operation: operation.to_owned(),
            id: None,
        }
    }

    /// What was left open and what to look for, in a line.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {} ({}): {}", self.operation, self.name(), self.rtype, self.look_for())
    }

    /// The resource's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        urn_name(&self.urn)
    }

    /// What the operator looks for before the state is trusted again.
    #[must_use]
    pub fn look_for(&self) -> String {
        let what = self.id.clone().unwrap_or_else(|| self.name().to_owned());
        let service = self.rtype.strip_prefix("aws:").and_then(|rest| rest.split(['/', ':']).next()).unwrap_or("AWS");
        match self.operation.as_str() {
            "creating" | "importing" => format!(
                "it may exist without Pulumi knowing: look in {service} for {what}; if it is there, delete it (or \
                 import it with `pulumi refresh --import-pending-creates`), then `pulumi refresh --clear-pending-creates` \
                 forgets it"
            ),
            "deleting" => format!("it may be gone or half gone: look in {service} for {what}, then run a refresh"),
            "updating" => {
                format!("it may hold the old or the new values: look in {service} at {what}, then run a refresh")
            }
            _ => format!("run a refresh; look in {service} at {what} if it stays open"),
        }
    }

    /// Whether a plain refresh settles it; a creation has to be looked for first.
    #[must_use]
    pub fn refresh_settles(&self) -> bool {
        self.operation != "creating"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_operations_are_found_and_say_what_to_look_for() {
        let export = r#"{"version":3,"deployment":{"manifest":{},"resources":[{"urn":"x"}],"pending_operations":[
            {"resource":{"urn":"urn:pulumi:prod::tap::aws:rds/cluster:Cluster::aurora-prod","custom":true,
             "type":"aws:rds/cluster:Cluster","inputs":{"masterPassword":{"ciphertext":"x"}}},"type":"creating"},
            {"resource":{"urn":"urn:pulumi:prod::tap::aws:ecs/service:Service::web","id":"arn:web","type":"aws:ecs/service:Service"},"type":"updating"}]}}"#;
        let pending = from_export(export).unwrap();
        assert_eq!(pending.len(), 2);
        assert_eq!(pending[0].name(), "aurora-prod");
        assert!(pending[0].look_for().contains("look in rds for aurora-prod"), "{}", pending[0].look_for());
        assert!(!pending[0].refresh_settles() && pending[1].refresh_settles());
        assert!(pending[1].look_for().contains("arn:web"));
    }

    #[test]
    fn an_empty_stack_has_none_and_garbage_is_an_error() {
        assert_eq!(from_export(r#"{"version":3,"deployment":{}}"#), Ok(vec![]));
        assert_eq!(from_export(r#"{"version":3,"deployment":null}"#), Ok(vec![]));
        assert!(from_export("error: no stack").is_err());
    }
}

//! `iam-policy`: the least-privilege policy for what tapctl itself calls.
//!
//! Made from the table of operations that the adapters report under, narrowed to the stack's own ARNs where outputs are
//! at hand. What Pulumi needs to build the stack is another matter and not in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::adapters::aws::{Scope, iam_actions};
use crate::cli::Global;
use crate::config::{Settings, find, process_env};
use crate::domain::stack::StackOutputs;

use super::failure::{Exit, Failure};
use super::out::Out;

/// Prints the policy.
///
/// # Errors
/// When the settings cannot be used, or the outputs that they name.
pub async fn run(global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let outputs = match find::outputs(&settings).await {
        Ok(outputs) => Some(outputs),
        Err(error) if settings.outputs.is_some() => return Err(error.into()),
        Err(error) => {
            out.say(&format!("not narrowed to the stack's own resources: {error}"));
            None
        }
    };
    let text = serde_json::to_string_pretty(&policy(outputs.as_ref(), settings.read_only)).unwrap_or_default();
    out.data(&text)?;
    Ok(Exit::Done)
}

/// The policy document.
#[must_use]
pub fn policy(outputs: Option<&StackOutputs>, read_only: bool) -> Value {
    let mut reads: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut statements = Vec::new();
    for row in iam_actions() {
        let resource = resource(row.scope, outputs);
        if !row.write {
            reads.entry(resource).or_default().push(row.action);
        } else if !read_only {
            let mut statement = json!({
                "Sid": "ChangeWeights", "Effect": "Allow", "Action": [row.action], "Resource": [resource],
            });
            if let Some(outputs) = outputs {
                statement["Condition"] = only_the_record(outputs);
            }
            statements.push(statement);
        }
    }
    let reads = reads.into_iter().enumerate().map(|(n, (resource, actions))| {
        json!({"Sid": format!("Read{}", n + 1), "Effect": "Allow", "Action": actions, "Resource": [resource]})
    });
    let mut all: Vec<Value> = reads.collect();
    all.append(&mut statements);
    json!({"Version": "2012-10-17", "Statement": all})
}

fn resource(scope: Scope, outputs: Option<&StackOutputs>) -> String {
    match (scope, outputs) {
        (_, Some(outputs)) => scope.arn(outputs),
        (Scope::Everything, None) => "*".to_owned(),
        (Scope::HostedZone, None) => "arn:aws:route53:::hostedzone/*".to_owned(),
        (Scope::Changes, None) => "arn:aws:route53:::change/*".to_owned(),
        (Scope::ReplicationTask, None) => "arn:aws:dms:*:*:task:*".to_owned(),
        (Scope::Service, None) => "arn:aws:ecs:*:*:service/*".to_owned(),
        (Scope::ClusterTasks, None) => "arn:aws:ecs:*:*:task/*".to_owned(),
    }
}

/// Only this name, only address records, only the two verbs of the swap (Route 53 developer guide, "Using IAM policy
/// conditions for fine-grained access control"). Names there are lower case and without the trailing dot.
fn only_the_record(outputs: &StackOutputs) -> Value {
    let name = outputs.traffic.record_name.trim_end_matches('.').to_ascii_lowercase();
    let types = if outputs.traffic.record_type == "CNAME" { json!(["CNAME"]) } else { json!(["A", "AAAA"]) };
    json!({"ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name],
        "route53:ChangeResourceRecordSetsRecordTypes": types,
        "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs() -> StackOutputs {
        let sim = crate::sim::Sim::new(crate::sim::SimConfig::default());
        StackOutputs::parse(&sim.outputs().to_string()).unwrap()
    }

    fn actions(policy: &Value) -> Vec<String> {
        let statements = policy["Statement"].as_array().unwrap();
        statements
            .iter()
            .flat_map(|s| s["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_operation_is_allowed_once_and_reading_needs_no_write() {
        let (full, read_only) = (policy(Some(&outputs()), false), policy(Some(&outputs()), true));
        assert_eq!(actions(&full).len(), iam_actions().count());
        assert!(!actions(&read_only).iter().any(|action| action.contains("Change") && action != "route53:GetChange"));
        assert_eq!(actions(&read_only).len() + 1, actions(&full).len());
    }

    #[test]
    fn the_write_is_narrowed_to_the_record_and_its_zone() {
        let policy = policy(Some(&outputs()), false);
        let write = policy["Statement"].as_array().unwrap().last().unwrap();
        assert_eq!(write["Resource"], json!(["arn:aws:route53:::hostedzone/Z0482716TECHVAULT9XQ"]));
        let names =
            &write["Condition"]["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"];
        assert_eq!(*names, json!(["app.example.com"]));
    }

    #[test]
    fn without_outputs_it_is_wider_and_still_no_wildcard_for_the_write() {
        let policy = policy(None, false);
        let write = policy["Statement"].as_array().unwrap().last().unwrap();
        assert_eq!(write["Resource"], json!(["arn:aws:route53:::hostedzone/*"]));
    }
}

//! `iam-policy`: the least-privilege policy for what tapctl itself calls.
//!
//! Made from the table of operations that the adapters report under, narrowed to the stack's own ARNs where outputs are
//! at hand. What Pulumi needs to build the stack is another matter and not in it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::compose::{iam_actions, known};
use crate::config::{Global, Settings, process_env};
use crate::domain::stack::StackInfo;

use super::console::Console;
use super::failure::{Exit, Failure};

/// Prints the policy.
///
/// # Errors
/// When the settings cannot be used, or the outputs that they name.
pub async fn run(global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let known = match known::find(&settings).await {
        Ok(known) => Some(known),
        Err(error) if settings.outputs.is_some() => return Err(error.into()),
        Err(error) => {
            out.say(&format!("not narrowed to the stack's own resources: {error}"));
            None
        }
    };
    if known.as_ref().is_some_and(|known| known.zone_id().is_none() || known.record().is_none()) {
        out.say("not narrowed to one name: hostedZoneId and recordName are not both configured yet (tapctl config)");
    }
    let text = serde_json::to_string_pretty(&policy(known.as_ref(), settings.read_only)).unwrap_or_default();
    out.data(&text)?;
    Ok(Exit::Done)
}

/// The policy document.
#[must_use]
pub fn policy(known: Option<&StackInfo>, read_only: bool) -> Value {
    let mut reads: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut statements = Vec::new();
    for row in iam_actions() {
        let resource = row.scope.arn(known);
        if !row.write {
            reads.entry(resource).or_default().push(row.action);
        } else if !read_only {
            statements.push(json!({
                "Sid": "ChangeWeights", "Effect": "Allow", "Action": [row.action], "Resource": [resource],
                "Condition": only_the_record(known.and_then(StackInfo::record)),
            }));
        }
    }
    let reads = reads.into_iter().enumerate().map(|(n, (resource, actions))| {
        json!({"Sid": format!("Read{}", n + 1), "Effect": "Allow", "Action": actions, "Resource": [resource]})
    });
    let mut all: Vec<Value> = reads.collect();
    all.append(&mut statements);
    json!({"Version": "2012-10-17", "Statement": all})
}

/// Only this name, only address records, only the two verbs of the swap (Route 53 developer guide, "Using IAM policy
/// conditions for fine-grained access control"). `ForAllValues` is also true of a request without the key, so that each
/// key has to be there (IAM user guide, "Multivalued context keys").
fn only_the_record(record: Option<(&str, &str)>) -> Value {
    let mut allowed = vec![("route53:ChangeResourceRecordSetsActions", json!(["CREATE", "DELETE"]))];
    let types = match record {
        Some((_, "CNAME")) => json!(["CNAME"]),
        Some(_) => json!(["A", "AAAA"]),
        None => json!(["A", "AAAA", "CNAME"]),
    };
    allowed.push(("route53:ChangeResourceRecordSetsRecordTypes", types));
    if let Some((name, _)) = record {
        allowed.push(("route53:ChangeResourceRecordSetsNormalizedRecordNames", json!([normalised(name)])));
    }
    let there: Map<String, Value> = allowed.iter().map(|(key, _)| ((*key).to_owned(), json!("false"))).collect();
    let equal: Map<String, Value> = allowed.into_iter().map(|(key, values)| (key.to_owned(), values)).collect();
    json!({"ForAllValues:StringEquals": equal, "Null": there})
}

/// A name as Route 53 compares it in a condition: lower case, no dot at the end, and everything but letters, digits,
/// `-`, `_` and `.` as its octal escape (`*` is `\\052`).
fn normalised(name: &str) -> String {
    let mut text = String::new();
    let mut bytes = name.trim_end_matches('.').bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(char::from(byte)),
            b'A'..=b'Z' => text.push(char::from(byte.to_ascii_lowercase())),
            // An escape that is there already.
            b'\\' if bytes.peek().is_some_and(u8::is_ascii_digit) => text.push('\\'),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stack::info::PROJECT;
    use crate::domain::stack::{ConfiguredStack, StackOutputs};

    fn outputs() -> StackInfo {
        let sim = crate::sim::Sim::new(crate::sim::SimConfig::default());
        StackOutputs::parse(&sim.outputs().to_string()).unwrap().into()
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
        assert_eq!(write["Resource"], json!(["arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"]));
        let names =
            &write["Condition"]["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"];
        assert_eq!(*names, json!(["app.example.com"]));
    }

    #[test]
    fn a_planned_stack_has_the_write_narrowed_as_soon_as_zone_and_name_are_known() {
        let values = [("tap:hostedZoneId", "Z1"), ("tap:recordName", "*.Example.com.")];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let planned = StackInfo::from(ConfiguredStack::read("prod", PROJECT, "us-gov-west-1", &values));
        let policy = policy(Some(&planned), false);
        let write = policy["Statement"].as_array().unwrap().last().unwrap();
        assert_eq!(write["Resource"], json!(["arn:aws-us-gov:route53:::hostedzone/Z1"]));
        let names = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
        assert_eq!(write["Condition"]["ForAllValues:StringEquals"][names], json!(["\\052.example.com"]));
        let [equal, there] =
            ["ForAllValues:StringEquals", "Null"].map(|op| write["Condition"][op].as_object().unwrap());
        assert!(equal.keys().eq(there.keys()) && there.values().all(|value| value == "false"), "{write}");
        assert_eq!(normalised("\\052.a_b-c.example.com."), "\\052.a_b-c.example.com");
    }

    #[test]
    fn without_outputs_it_is_wider_and_still_no_wildcard_for_the_write() {
        let policy = policy(None, false);
        let write = policy["Statement"].as_array().unwrap().last().unwrap();
        assert_eq!(write["Resource"], json!(["arn:aws:route53:::hostedzone/*"]));
        assert_eq!(write["Condition"]["Null"]["route53:ChangeResourceRecordSetsActions"], "false");
    }
}

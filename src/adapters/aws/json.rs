//! Whether an answer in JSON is a whole one: the SDK reads an empty body as an empty object, a list that is missing as an
//! empty one, and a number that is missing as 0.
//!
//! Looked at once, where every answer comes in. Pure.

use serde_json::Value;

use super::xml::NotWhole;

/// What has to stand in an answer by its operation, and in every element of a list by the list's name (the services' API
/// references). A member that is `null` is not there.
const REQUIRED: [(&str, &[&str]); 11] = [
    ("DescribeServices", &["services"]),
    (
        "services",
        &[
            "serviceArn",
            "serviceName",
            "clusterArn",
            "status",
            "desiredCount",
            "runningCount",
            "pendingCount",
            "deployments",
        ],
    ),
    ("deployments", &["status", "desiredCount", "runningCount", "pendingCount"]),
    ("ListTasks", &["taskArns"]),
    ("DescribeTasks", &["tasks"]),
    ("tasks", &["taskArn", "clusterArn", "lastStatus"]),
    ("DescribeReplicationTasks", &["ReplicationTasks"]),
    ("ReplicationTasks", &["ReplicationTaskArn", "Status"]),
    ("DescribeReplicationInstances", &["ReplicationInstances"]),
    ("DescribeTableStatistics", &["TableStatistics"]),
    ("TableStatistics", &["SchemaName", "TableName", "TableState"]),
];

/// Checks the body of a success of the operation. What is not JSON at all is for the SDK to refuse.
///
/// # Errors
/// [`NotWhole`] says what is missing.
pub(super) fn check(operation: &str, body: &[u8]) -> Result<(), NotWhole> {
    let required = required(operation);
    if required.is_empty() {
        return Ok(());
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(NotWhole::new("it is empty"));
    }
    match serde_json::from_slice(body) {
        Ok(answer) => complete(operation, &answer),
        Err(_) => Ok(()),
    }
}

fn required(name: &str) -> &'static [&'static str] {
    REQUIRED.iter().find(|(of, _)| *of == name).map_or(&[], |(_, required)| *required)
}

fn complete(name: &str, found: &Value) -> Result<(), NotWhole> {
    for member in required(name) {
        match found.get(*member) {
            None | Some(Value::Null) => return Err(NotWhole::new(&format!("{name} without {member}"))),
            Some(Value::Array(elements)) if !required(member).is_empty() => {
                elements.iter().try_for_each(|element| complete(member, element))?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_always_sends_has_to_be_there_and_no_null_stands_for_it() {
        let whole = r#"{"services": [{"serviceArn": "a", "serviceName": "s", "clusterArn": "c", "status": "ACTIVE",
            "desiredCount": 4, "runningCount": 4, "pendingCount": 0,
            "deployments": [{"status": "PRIMARY", "desiredCount": 4, "runningCount": 4, "pendingCount": 0}]}]}"#;
        assert_eq!(check("DescribeServices", whole.as_bytes()), Ok(()));
        for gone in
            ["\"desiredCount\": 4,", "\"runningCount\": 4,", "\"status\": \"PRIMARY\",", "\"serviceName\": \"s\","]
        {
            let error = check("DescribeServices", whole.replacen(gone, "", 1).as_bytes()).unwrap_err();
            assert!(error.to_string().contains("without"), "{gone}: {error}");
        }
        let null = whole.replace("\"pendingCount\": 0", "\"pendingCount\": null");
        assert!(check("DescribeServices", null.as_bytes()).is_err());
        for (operation, body) in [("DescribeServices", ""), ("ListTasks", "{}"), ("DescribeTasks", " \n")] {
            assert!(check(operation, body.as_bytes()).is_err(), "{operation} {body:?}");
        }
        assert_eq!(check("DescribeServices", b"{\"services\": [], \"failures\": []}"), Ok(()));
        assert_eq!(check("DescribeServices", b"nonsense"), Ok(()), "for the SDK to refuse");
        assert_eq!(check("GetSecretValue", b""), Ok(()), "not known here");
    }
}

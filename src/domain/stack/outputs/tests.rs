//! Outputs as programs export them, whole, broken and masked.

use super::*;
use serde_json::Map;

#[test]
fn every_wrong_key_is_named_at_once() {
    let error = StackOutputs::parse(r#"{"region": 7, "albArn": "nope", "alarmNames": "x"}"#).unwrap_err();
    assert!(error.missing.contains(&"recordName".to_owned()) && error.missing.len() > 25, "{error}");
    assert_eq!(
        error.mistyped,
        ["region (wants a string)", "albArn (wants an ARN)", "alarmNames (wants a list of strings)"]
    );
}

const FIXTURE: &str = include_str!("../../../../tests/fixtures/outputs.json");
/// Keys of the program that are absent where they are not configured.
const OPTIONAL: [&str; 13] = [
    "natAddresses",
    "dbWriterHosts",
    "dbReaderHost",
    "appSecretArn",
    "appReadOnlySecretArn",
    "dmsSecretArn",
    "tapctlSecretArn",
    "legacyAppSecretArn",
    "legacyTapctlSecretArn",
    "dmsForwardLagAlarmName",
    "dmsReverseLagAlarmName",
    "sqlTaskDefinitionArn",
    "sqlSecurityGroupId",
];

fn fixture() -> Map<String, Value> {
    serde_json::from_str(FIXTURE).unwrap()
}

#[test]
fn the_example_of_the_program_parses_and_nothing_of_it_is_passed_over() {
    let error = OutputsError { syntax: None, missing: Vec::new(), mistyped: Vec::new() };
    let mut reader = OutputsReader { map: fixture(), error };
    StackOutputs::read(&mut reader).unwrap();
    assert_eq!(reader.map.keys().collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn what_is_not_configured_may_be_absent_but_not_wrong() {
    let mut map = fixture();
    assert!(OPTIONAL.iter().all(|key| map.contains_key(*key)), "the fixture shows every key once");
    map.retain(|key, _| !OPTIONAL.contains(&key.as_str()));
    let bare = StackOutputs::parse(&Value::Object(map.clone()).to_string()).unwrap();
    assert_eq!((bare.identities, bare.network.nat_addresses), (IdentityOutputs::default(), Vec::new()));
    map.insert("dmsSecretArn".to_owned(), Value::from("no-arn"));
    map.insert("natAddresses".to_owned(), Value::from("54.200.0.1"));
    let error = StackOutputs::parse(&Value::Object(map).to_string()).unwrap_err();
    assert_eq!(error.mistyped, ["natAddresses (wants a list of strings)", "dmsSecretArn (wants an ARN)"]);
}

#[test]
fn a_masked_value_is_told_with_the_way_to_read_it_and_taken_for_nothing_else() {
    let text = r#"{"dbSecretArn":"[secret]","alarmNames":"[secret]","region":"[secret]"}"#;
    let error = StackOutputs::parse(text).unwrap_err();
    let masked: Vec<&String> = error.mistyped.iter().filter(|line| line.contains("--show-secrets")).collect();
    assert_eq!(masked.len(), 3, "{:?}", error.mistyped);
    assert!(!error.mistyped.iter().any(|line| line.contains("wants an ARN")), "{:?}", error.mistyped);
}

#[test]
fn text_that_is_no_object_is_told_apart() {
    assert!(StackOutputs::parse("[]").unwrap_err().syntax.is_some());
    assert!(StackOutputs::parse("{").unwrap_err().syntax.is_some());
}

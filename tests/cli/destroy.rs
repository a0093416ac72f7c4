//! What keeps a run from starting where its guards cannot know what stands.

use serde_json::json;

use crate::drill::Ran;
use crate::support::stack::Stack;

const RUNS: [&str; 3] = ["destroy --yes --json", "up --yes --json", "refresh --yes --json"];

/// No run was begun, and Pulumi was called for nothing that changes something.
#[track_caller]
fn nothing_started(stack: &Stack) {
    assert!(!stack.has_begun_a_run(), "{:?}", stack.kinds());
    assert_eq!(stack.changes(), Vec::<String>::new());
}

#[test]
fn outputs_that_cannot_be_used_let_nothing_start() {
    let stack = Stack::whole();
    let mut broken = stack.outputs();
    broken.as_object_mut().unwrap().remove("dmsReverseTaskArn");
    stack.hands_out(&broken);
    for line in RUNS {
        let error = stack.run(line).ended(1).json();
        assert!(error["error"]["message"].as_str().unwrap().contains("dmsReverseTaskArn"), "{line}: {error}");
    }
    nothing_started(&stack);
}

#[test]
fn read_only_in_the_configuration_file_starts_nothing() {
    let stack = Stack::whole();
    let file = stack.path("config.toml");
    std::fs::write(&file, "read_only = true\n").unwrap();
    for line in RUNS {
        let ran = Ran::of(stack.command(line).arg("--config").arg(&file).output().unwrap());
        assert_eq!(ran.ended(5).json()["error"]["code"], "read_only", "{line}");
    }
    nothing_started(&stack);
}

#[test]
fn the_outputs_of_another_stack_guard_nothing() {
    let stack = Stack::whole();
    stack.run("release --to legacy --yes").ended(0);
    stack.drill.advance(7200);
    let mut other = stack.outputs();
    other["albDnsName"] = json!("migration-alb-staging-1.us-west-2.elb.amazonaws.com");
    let file = stack.path("staging.json");
    std::fs::write(&file, other.to_string()).unwrap();
    for line in RUNS {
        let error = Ran::of(stack.command(line).env("TAPCTL_OUTPUTS", &file).output().unwrap()).ended(3).json();
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("albDnsName") && message.contains("staging"), "{line}: {message}");
    }
    nothing_started(&stack);
}

#[test]
fn requests_that_still_come_are_nobodys_only_when_somebody_names_their_number() {
    let stack = Stack::whole();
    stack.run("shift --step +10 --yes").ended(0);
    stack.drill.advance(600);
    stack.run("rollback --yes --wait").ended(0);
    stack.run("release --to legacy --yes").ended(0);
    for line in ["destroy --yes --json", "destroy --yes --json --unused-per-min 1"] {
        let error = stack.run(line).ended(3).json();
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("in the busiest of the 15 minutes until"), "{line}: {message}");
        assert!(message.contains("or with --unused-per-min "), "{line}: {message}");
    }
    nothing_started(&stack);
    stack.run("destroy --yes --json --unused-per-min 1000000").ended(0);
    assert!(stack.has_begun_a_run(), "{:?}", stack.kinds());
}

#[test]
fn a_misspelt_stack_is_not_made() {
    let stack = Stack::whole();
    for line in ["destroy --yes --json", "refresh --yes --json"] {
        let error = stack.run(&format!("{line} --stack prdo")).ended(1).json();
        assert!(error["error"]["message"].as_str().unwrap().contains("there is no stack prdo"), "{line}: {error}");
    }
    nothing_started(&stack);
}

//! What keeps a run from starting where its guards cannot know what stands.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
use crate::zone::{in_prod, name_state, on_it};

/// Names of the runs that were begun on host `a`.
fn runs(drill: &Drill) -> Vec<String> {
    let folder = drill.state_of("a").join("runs");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

fn outputs(drill: &Drill) -> Value {
    serde_json::from_str(&std::fs::read_to_string(&drill.outputs).unwrap()).unwrap()
}

/// Pulumi's stack hands out these, and answers everything else as before.
fn hands_out(drill: &Drill, outputs: &Value) {
    let folder = drill.folder.path();
    let (program, real) = (folder.join("bin/pulumi"), folder.join("bin/real-pulumi"));
    std::fs::rename(&program, &real).unwrap();
    let told = folder.join("told.json");
    std::fs::write(&told, outputs.to_string()).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$1 $2\" in\n'stack output') cat '{}' ;;\n*) exec '{}' \"$@\" ;;\nesac\n",
        told.display(),
        real.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn outputs_that_cannot_be_used_let_nothing_start() {
    let drill = Drill::steady();
    name_state(&drill);
    let mut broken = outputs(&drill);
    broken.as_object_mut().unwrap().remove("dmsReverseTaskArn");
    hands_out(&drill, &broken);
    for line in ["destroy --yes --json", "up --yes --json", "refresh --yes --json"] {
        let error = in_prod(&drill, line, "1").ended(1).json();
        assert!(error["error"]["message"].as_str().unwrap().contains("dmsReverseTaskArn"), "{line}: {error}");
    }
    assert_eq!(runs(&drill), Vec::<String>::new());
}

#[test]
fn read_only_in_the_configuration_file_starts_nothing() {
    let drill = Drill::steady();
    name_state(&drill);
    let file = drill.folder.path().join("config.toml");
    std::fs::write(&file, "read_only = true\n").unwrap();
    for line in ["destroy --yes --json", "up --yes --json", "refresh --yes --json"] {
        let mut command = on_it(&drill, line);
        let ran = Ran::of(command.env("TAPCTL_STACK", "prod").arg("--config").arg(&file).output().unwrap());
        assert_eq!(ran.ended(5).json()["error"]["code"], "read_only", "{line}");
    }
    assert_eq!(runs(&drill), Vec::<String>::new());
}

#[test]
fn the_outputs_of_another_stack_guard_nothing() {
    let drill = Drill::steady();
    name_state(&drill);
    drill.run("release --to legacy --yes").ended(0);
    drill.advance(7200);
    let mut other = outputs(&drill);
    other["albDnsName"] = json!("migration-alb-staging-1.us-west-2.elb.amazonaws.com");
    let file = drill.folder.path().join("staging.json");
    std::fs::write(&file, other.to_string()).unwrap();
    for line in ["destroy --yes --json", "up --yes --json", "refresh --yes --json"] {
        let mut command = on_it(&drill, line);
        let ran = Ran::of(command.env("TAPCTL_STACK", "prod").env("TAPCTL_OUTPUTS", &file).output().unwrap());
        let error = ran.ended(3).json();
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("albDnsName") && message.contains("staging"), "{line}: {message}");
    }
    assert_eq!(runs(&drill), Vec::<String>::new());
}

#[test]
fn a_misspelt_stack_is_not_made() {
    let drill = Drill::steady();
    name_state(&drill);
    for line in ["destroy --yes --json", "refresh --yes --json"] {
        let mut command = on_it(&drill, line);
        let error = Ran::of(command.args(["--stack", "prdo"]).output().unwrap()).ended(1).json();
        assert!(error["error"]["message"].as_str().unwrap().contains("there is no stack prdo"), "{line}: {error}");
    }
    assert_eq!(runs(&drill), Vec::<String>::new());
}

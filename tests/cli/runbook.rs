//! `runbook`: where it goes, what it never takes the place of, and how it ends when there is nothing to say.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::drill::{Drill, Ran};

fn written_to(drill: &Drill, file: &std::path::Path) -> Ran {
    Ran::of(drill.command("a", &["runbook", "--output"]).arg(file).output().unwrap())
}

#[test]
fn it_is_written_privately_and_anew_over_itself_alone() {
    let drill = Drill::steady();
    let file = drill.folder.path().join("runbook.md");
    let ran = written_to(&drill, &file).ended(0);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("written to "), "{}", ran.stderr);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read_to_string(&file).unwrap();
    drill.run("shift --to 10 --yes").ended(0);
    drill.advance(60);
    written_to(&drill, &file).ended(0);
    let second = fs::read_to_string(&file).unwrap();
    assert!(first.contains("Step 1: 100/0 to 90/10") && second.contains("Step 1: 90/10 to 80/20"), "{second}");
    let notes = drill.folder.path().join("notes.md");
    fs::write(&notes, "# What we agreed on\n").unwrap();
    let refused = written_to(&drill, &notes).ended(1);
    assert!(refused.stderr.contains("is no runbook of tapctl; it stays as it is"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&notes).unwrap(), "# What we agreed on\n");
}

#[test]
fn an_account_that_does_not_answer_leaves_the_last_runbook_where_it_is() {
    let drill = Drill::steady();
    let file = drill.folder.path().join("runbook.md");
    written_to(&drill, &file).ended(0);
    let before = fs::read_to_string(&file).unwrap();
    drill.fault(&json!({"service": "*", "code": "ExpiredToken"}));
    let refused = written_to(&drill, &file).ended(6);
    assert!(!refused.stderr.is_empty());
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn it_only_looks_and_needs_no_state_folder() {
    let drill = Drill::steady();
    let nowhere = drill.folder.path().join("file");
    fs::write(&nowhere, "no folder").unwrap();
    let mut command = drill.command("a", &["runbook", "--read-only"]);
    let ran = Ran::of(command.env("TAPCTL_STATE_DIR", nowhere.join("state")).output().unwrap()).ended(0);
    assert!(ran.stdout.starts_with("<!-- tapctl runbook -->\n# Runbook: `app.example.com.`"), "{}", ran.stdout);
    assert_eq!(drill.calls("route53:ChangeResourceRecordSets"), 0);
}

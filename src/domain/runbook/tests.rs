//! What stands in a runbook, and what no text from outside makes of it.

use super::*;
use crate::domain::change::aws_cli::change_batch;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Source};
use crate::domain::gate::{Inputs, evaluate};
use crate::domain::model::fixtures::stack;
use crate::domain::shift::ShiftPlan;
use crate::domain::shift::fixtures::record;
use crate::domain::units::Percent;

const AT: Timestamp = Timestamp::from_millis(1_795_435_200_000);

fn facts_with(answer: Result<Observation, PortError>, stack: &Stack) -> Facts {
    let mut facts = Facts::default();
    facts.absorb(&stack.group, Source::Records, answer, AT);
    facts
}

fn written(stack: &Stack, facts: &Facts, by: &str, cli: &Cli) -> String {
    let policy = Policy::default();
    let inputs = Inputs { facts, history: None, policy: &policy, endpoints: &stack.endpoints, now: AT };
    let gates = evaluate(inputs);
    let outputs = include_str!("../../../tests/fixtures/outputs.json");
    let outputs = StackOutputs::parse(outputs).unwrap();
    runbook(&Night {
        stack,
        outputs: Some(&outputs),
        facts,
        gates: &gates,
        policy: &policy,
        remembered: &[],
        cli,
        options: &[("--config", "/home/maria/my night.toml".to_owned()), ("--stack", "staging".to_owned())],
        by,
        at: AT,
    })
}

fn pair(stack: &Stack, weights: (u8, u8)) -> Facts {
    let members = [record("A", &stack.group.legacy_id, weights.0), record("A", &stack.group.new_id, weights.1)];
    facts_with(Ok(Observation::Records(members.to_vec())), stack)
}

/// Every line of every block of commands.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_suffix("sh").filter(|fence| fence.starts_with("```")) else { continue };
        commands.extend(lines.by_ref().take_while(|line| *line != fence).map(str::to_owned));
    }
    commands
}

/// The words that a shell makes of a command.
fn words(command: &str) -> Vec<String> {
    let echo = format!("aws() {{ for word; do printf '%s\\0' \"$word\"; done; }}; {command}");
    let said = std::process::Command::new("sh").arg("-c").arg(echo).output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{command}: {said:?}");
    let said = String::from_utf8(said.stdout).unwrap();
    said.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn every_step_has_its_batch_and_the_batch_that_takes_it_back() {
    let stack = stack();
    let facts = pair(&stack, (70, 30));
    let text = written(&stack, &facts, "op@host", &Cli::default());
    let sent: Vec<String> =
        commands(&text).into_iter().filter(|line| line.contains(" change-resource-record-sets ")).collect();
    let mut expected = Vec::new();
    let mut group = facts.shiftable().unwrap().clone();
    for share in [40, 50, 60, 70, 80, 90, 100] {
        let plan = ShiftPlan::new(&group, Percent::new(share).unwrap()).unwrap();
        group = group.with_weights(plan.to);
        expected.push(change_batch(&plan.batch()));
        expected.push(change_batch(&ShiftPlan::back_in_doubt(&group).batch()));
    }
    let batches: Vec<serde_json::Value> =
        sent.iter().map(|line| serde_json::from_str(words(line).last().unwrap()).unwrap()).collect();
    assert_eq!(batches[..14], expected);
    assert_eq!(batches.len(), 15, "and the way back from what is there now");
    assert_eq!(text.matches("### Step ").count(), 7);
}

#[test]
fn the_hash_is_of_all_that_follows_its_line() {
    let stack = stack();
    let text = written(&stack, &pair(&stack, (100, 0)), "op@host", &Cli::default());
    assert!(text.starts_with(&format!("{MARK}\n# Runbook: ")));
    let (head, content) = text.split_once(&format!("\n{CONTENT}\n")).unwrap();
    let hash = hash(content);
    assert!(head.contains(&format!("`{hash}`")), "{head}");
    assert!(head.contains(&format!("Made {AT} by `op@host`")), "{head}");
}

#[test]
fn what_is_not_known_says_so_with_the_command_that_finds_it_out() {
    let stack = stack();
    let refused = PortError::new(ErrorKind::TimedOut, "ListResourceRecordSets", "no answer");
    let facts = facts_with(Err(refused), &stack);
    let text = written(&stack, &facts, "op@host", &Cli::default());
    assert!(text.contains("- Weights: not known: "), "{text}");
    assert!(!text.contains("### Step"), "no batch is made up: {text}");
    let listed = commands(&text).iter().filter(|line| line.contains("list-resource-record-sets")).count();
    assert!(listed >= 4, "where weights, steps, way back and health are not known: {listed}");
    assert!(!commands(&text).iter().any(|line| line.contains("change-resource-record-sets")));
    let unknown = text.lines().filter(|line| line.contains("**not known**"));
    assert!(unknown.clone().count() > 5 && unknown.clone().all(|line| line.contains("find out: `")), "{text}");
}

#[test]
fn forward_stops_where_the_new_member_leads_to_the_legacy_balancer() {
    let stack = stack();
    let mut members = [record("A", &stack.group.legacy_id, 100), record("A", &stack.group.new_id, 0)];
    let (first, second) = members.split_at_mut(1);
    std::mem::swap(&mut first[0].target, &mut second[0].target);
    let facts = facts_with(Ok(Observation::Records(members.to_vec())), &stack);
    let text = written(&stack, &facts, "op@host", &Cli::default());
    assert!(text.contains("**None: stop here.** The new member leads astray"), "{text}");
    assert!(text.contains("**The way back leads astray**"), "{text}");
    assert!(!text.contains("### Step"), "{text}");
}

#[test]
fn no_text_from_outside_is_markup_or_a_command() {
    let evil = "x`\n```\n# Step 0\n<script>|$(touch /tmp/owned) 'y' <!-- content -->";
    let mut stack = stack();
    stack.name = evil.into();
    stack.legacy_lb = "lb ``` $(touch /tmp/owned) 'y'".into();
    stack.group.legacy_id = "it's `$(id)` ```".into();
    stack.group.zone_id = "Z1; rm -rf $HOME".into();
    let cli = Cli { profile: Some("a b'`c`".into()), endpoint_url: Some("http://h/$(id)".into()) };
    let text = written(&stack, &pair(&stack, (90, 10)), evil, &cli);
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings.iter().filter(|line| line.starts_with("## ")).count(), 7, "{headings:?}");
    assert!(!text.contains("\n# Step 0"), "{text}");
    assert_eq!(text.lines().filter(|line| *line == CONTENT).count(), 1);
    let commands = commands(&text);
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands.iter().filter(|command| command.starts_with("aws ")) {
        let words = words(command);
        assert_eq!((words[0].as_str(), words[1].as_str()), ("--profile", "a b'`c`"), "{command}");
        assert_eq!(words[5], "http://h/$(id)", "{command}");
    }
    assert!(commands.iter().all(|line| line.starts_with("aws ") || line.starts_with("tapctl ")), "{commands:?}");
}

#[test]
fn every_command_of_tapctl_speaks_of_this_stack_wherever_it_is_pasted() {
    let stack = stack();
    let text = written(&stack, &pair(&stack, (100, 0)), "op@host", &Cli::default());
    let commands: Vec<String> = commands(&text).into_iter().filter(|line| line.starts_with("tapctl ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        assert!(command.ends_with(" --config '/home/maria/my night.toml' --stack staging"), "{command}");
    }
}

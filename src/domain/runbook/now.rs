//! How it is, and what to look at before each step.

use crate::domain::facts::Source;
use crate::domain::gate::{Gate, GateId, Verdict};
use crate::domain::targets::{Leads, astray, members};
use crate::domain::traffic::Side;

use super::markdown::{code, fenced, plain};
use super::{Night, add, aws, line};

/// What every gate says, and where the members lead.
pub(super) fn write(text: &mut String, night: &Night<'_>) {
    let Night { facts, stack, gates, .. } = *night;
    text.push_str("## 2. How it is\n\n");
    match (&facts.group, facts.error(Source::Records)) {
        (Some(group), error) => {
            let at = group.at;
            match &group.value {
                Ok(pair) => {
                    line(text, "Weights, legacy/new", &format!("{} (read {at})", pair.weights()));
                    for member in members(pair, &stack.endpoints) {
                        let way = match member.leads {
                            Leads::Home => "to its own load balancer".to_owned(),
                            _ => plain(&member.problem().unwrap_or_else(|| "to where nobody knows".to_owned())),
                        };
                        let id = code(member.record.set_identifier.as_deref().unwrap_or_default());
                        line(text, &format!("Member {id} {} leads", code(&member.record.rtype)), &way);
                    }
                }
                Err(why) => line(text, "Weights", &format!("none: {} (read {at})", plain(&why.to_string()))),
            }
            if let Some(error) = error {
                line(text, "That is old", &plain(&error.to_string()));
            }
        }
        (None, error) => {
            let why = error.map_or_else(|| "nobody asked".to_owned(), ToString::to_string);
            line(text, "Weights", &format!("not known: {}", plain(&why)));
            add(text, &format!("\n{}", fenced(&aws::records(night))));
        }
    }
    let side = |side| facts.shiftable().and_then(|group| astray(group, &stack.endpoints, side));
    if let Some(why) = side(Side::New) {
        line(text, "**Stop**", &format!("forward leads astray: {}", plain(&why)));
    }
    if let Some(why) = side(Side::Legacy) {
        line(text, "**The way back leads astray**", &plain(&why));
    }
    text.push_str("\nWhat `tapctl gates` said; forward needs every one of them:\n\n");
    for gate in gates {
        let says = match gate.verdict {
            Verdict::Pass => format!("pass, {}", value(gate)),
            Verdict::Fail => format!("**fail**, {}: {}", value(gate), plain(&gate.reason)),
            Verdict::Unknown => format!("**not known**: {}; {}", plain(&gate.reason), find_out(night, gate.id)),
        };
        line(text, &code(gate.id.name()), &says);
    }
    text.push('\n');
}

fn value(gate: &Gate) -> String {
    plain(gate.value.as_deref().unwrap_or("no value"))
}

/// The command that finds out what a gate does not know.
fn find_out(night: &Night<'_>, gate: GateId) -> String {
    let of = |find: fn(&Night<'_>, &crate::domain::stack::StackOutputs) -> String| {
        night.outputs.map(|outputs| find(night, outputs))
    };
    let found = match gate {
        GateId::ReplicationTask => of(aws::replication),
        GateId::Tables | GateId::Validation => of(aws::tables),
        GateId::Service => of(aws::service),
        GateId::Targets => of(aws::target_health),
        GateId::Alarms => night.outputs.and_then(|outputs| aws::alarms(night, outputs)),
        GateId::RecordTargets | GateId::Drift => Some(aws::records(night)),
        _ => None,
    };
    let command = found.unwrap_or_else(|| night.tapctl("status"));
    let commands: Vec<String> = command.lines().map(code).collect();
    format!("find out: {}", commands.join(" and "))
}

/// What to look at before each step, with tapctl and without.
pub(super) fn checks(text: &mut String, night: &Night<'_>) {
    text.push_str("## 3. Look, before every step\n\nWith tapctl, everything at once; go on only when it says `go: every gate passes`:\n\n");
    text.push_str(&fenced(&[night.tapctl("status"), night.tapctl("gates")].join("\n")));
    text.push_str("Without tapctl, one after the other; stop at the first that is not so.\n\n");
    let mut check = |good: &str, command: &str| {
        add(text, &format!("{good}\n\n{}", fenced(command)));
    };
    check(
        "The two members, with the weights that the next step begins with, and nothing else of that name:",
        &aws::records(night),
    );
    let Some(outputs) = night.outputs else {
        text.push_str("The rest is not known: the new stack is not provisioned, or its outputs cannot be read.\n\n");
        return;
    };
    let lag = night.policy.lag_limit.as_secs();
    check(
        &format!(
            "The task runs (`running`), its full load is at 100, the instance is `available`; the lag is below {lag} s (the lag alarm below is `OK`):"
        ),
        &aws::replication(night, outputs),
    );
    check(
        "Every table is `Table completed`, and validated without failed or suspended records:",
        &aws::tables(night, outputs),
    );
    check(
        "As many tasks run as are wanted, none is pending, the rollout is `COMPLETED`:",
        &aws::service(night, outputs),
    );
    check("Every target is `healthy`:", &aws::target_health(night, outputs));
    check("The legacy hosts are `InService`: they are the way back:", &aws::legacy_health(night));
    match aws::alarms(night, outputs) {
        Some(command) => check("Every alarm is `OK` and its actions are enabled:", &command),
        None => text.push_str("The stack has no alarms: that alone is a reason to stop.\n\n"),
    }
}

//! The night as Markdown: what an engineer follows when they are tired, or when tapctl is not there.
//!
//! Pure. It is made from live facts alone. What is not known stands in it as not known, with the command that finds it
//! out; every command can be pasted as it stands, and every text from outside stays the text that it is.

mod aws;
mod markdown;
mod now;
mod steps;

use sha2::{Digest, Sha256};

use crate::domain::change::aws_cli::quoted;
use crate::domain::facts::Facts;
use crate::domain::gate::{Gate, Policy};
use crate::domain::service::Writer;
use crate::domain::stack::StackOutputs;
use crate::domain::stack::watched::Stack;
use crate::domain::traffic::{Record, Target};
use crate::domain::units::Timestamp;

pub use aws::Cli;
use markdown::{code, fenced};

/// The first line of every runbook: by it a file is known as one, and may be written anew.
pub const MARK: &str = "<!-- tapctl runbook -->";
/// The line after which the hash counts.
const CONTENT: &str = "<!-- content -->";

/// What the runbook is made from.
#[derive(Debug, Clone, Copy)]
pub struct Night<'a> {
    /// What the stack is.
    pub stack: &'a Stack,
    /// Its outputs; nothing before the first `up`.
    pub outputs: Option<&'a StackOutputs>,
    /// What was just read.
    pub facts: &'a Facts,
    /// What the gates say of it.
    pub gates: &'a [Gate],
    /// The limits.
    pub policy: &'a Policy,
    /// Records that the journal remembers, newest first.
    pub remembered: &'a [Record],
    /// How AWS's command line is called here.
    pub cli: &'a Cli,
    /// What tapctl has to be told in another shell to speak of this stack: options, each with its value.
    pub options: &'a [(&'static str, String)],
    /// Who made it, and on which host.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Night<'_> {
    /// A command of tapctl that speaks of this stack wherever it is pasted.
    fn tapctl(&self, words: &str) -> String {
        let options: Vec<String> =
            self.options.iter().flat_map(|(name, value)| [(*name).to_owned(), quoted(value)]).collect();
        [vec![format!("tapctl {words}")], options].concat().join(" ")
    }
}

/// The runbook, ready to be written.
#[must_use]
pub fn runbook(night: &Night<'_>) -> String {
    let mut content = String::new();
    about(&mut content, night);
    now::write(&mut content, night);
    now::checks(&mut content, night);
    steps::forward(&mut content, night);
    steps::back(&mut content, night);
    without_control_plane(&mut content, night);
    stop(&mut content, night);
    let hash = hash(&content);
    let name = code(&night.stack.group.name);
    format!(
        "{MARK}\n# Runbook: {name} from the legacy stack to the new one\n\n\
         Made {} by {} with tapctl {}, from what AWS said then.\n\
         SHA-256 of all that follows the line `{CONTENT}`: `{hash}`; `sed '1,/^{CONTENT}$/d' FILE | sha256sum` prints \
         it.\n\n{CONTENT}\n{content}",
        night.at,
        code(night.by),
        env!("CARGO_PKG_VERSION"),
    )
}

/// SHA-256 in hexadecimal digits.
fn hash(content: &str) -> String {
    let digits: Vec<String> = Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn add(text: &mut String, words: &str) {
    text.push_str(words);
}

fn line(text: &mut String, what: &str, value: &str) {
    add(text, &format!("- {what}: {value}\n"));
}

/// What the names are that every later section uses.
fn about(text: &mut String, night: &Night<'_>) {
    let Night { stack, outputs, at, .. } = *night;
    add(
        text,
        &format!(
            "Facts as of {at}. Made anew before the night, and whenever weights were moved by hand: `tapctl runbook --output \
         FILE`.\n\n\
         Order: section 3 before every step, one step of section 4, wait, section 3 again. If in doubt, go back: the \
         way back of that step, or section 5. Nothing that is printed here can do half a change: Route 53 takes a batch \
         whole, or refuses it whole where a record is not what the batch says.\n\n## 1. What this is about\n\n"
        ),
    );
    let group = &stack.group;
    line(text, "Stack", &code(&stack.name));
    line(
        text,
        "Name",
        &format!("{} {} in hosted zone {}", code(&group.name), code(&group.rtype), code(&group.zone_id)),
    );
    line(
        text,
        "Legacy stack",
        &format!(
            "member {}, load balancer {} ({}) in {}",
            code(&group.legacy_id),
            code(&stack.legacy_lb),
            code(&stack.endpoints.legacy_dns),
            code(&stack.legacy_region)
        ),
    );
    let Some(outputs) = outputs else {
        line(
            text,
            "New stack",
            &format!("member {}; not known: it is not provisioned, or its outputs cannot be read", code(&group.new_id)),
        );
        text.push_str(&fenced(&night.tapctl("status")));
        return;
    };
    new_stack(text, night, outputs);
}

fn new_stack(text: &mut String, night: &Night<'_>, outputs: &StackOutputs) {
    let group = &night.stack.group;
    let names = [
        ("New stack", format!("member {}, in {}", code(&group.new_id), code(&outputs.region))),
        ("New load balancer", format!("{} ({})", code(&outputs.balancer.arn), code(&outputs.balancer.dns_name))),
        ("Target group", code(&outputs.balancer.target_group_arn)),
        (
            "ECS service",
            format!("{} in cluster {}", code(&outputs.service.service_name), code(&outputs.service.cluster_arn)),
        ),
        ("Replication to Aurora", code(&outputs.replication.task_arn)),
        ("Replication back", code(&outputs.replication.reverse_task_arn)),
        ("Replication instance", code(&outputs.replication.instance_arn)),
        ("Aurora cluster", code(&outputs.database.cluster_arn)),
    ];
    for (what, value) in names {
        line(text, what, &value);
    }
    let alarms: Vec<String> = outputs.monitoring.alarm_names.iter().map(|name| code(name)).collect();
    let alarms = if alarms.is_empty() { "none".to_owned() } else { alarms.join(", ") };
    line(text, "Alarms", &alarms);
    let writer = match outputs.database.writer {
        Writer::Legacy => "the legacy database",
        Writer::Aurora => "Aurora",
    };
    line(text, "Database that takes the writes", &format!("{writer}, as the outputs say; the weights never move it"));
    text.push('\n');
}

/// What the data plane goes on doing when nothing can be changed.
fn without_control_plane(text: &mut String, night: &Night<'_>) {
    text.push_str(
        "\n## 6. The control plane of Route 53 is gone\n\n\
         It lives in one region (us-east-1 for the public regions of AWS). While it is gone, no weight can be changed by anybody: \
         not by tapctl, not by the commands above, not in the console. Answers go on: the name servers and the health of \
         targets do not need it, and the weights stay what they were.\n\n",
    );
    let members: Vec<&Record> = night.facts.shiftable().map(|group| group.records().collect()).unwrap_or_default();
    if members.is_empty() {
        text.push_str("Whether the members evaluate the health of their targets is not known; this shows it:\n\n");
        text.push_str(&fenced(&aws::records(night)));
    }
    for record in members {
        let id = code(record.set_identifier.as_deref().unwrap_or_default());
        let says = match record.target {
            Target::Alias { evaluate_health: true, .. } => {
                "`EvaluateTargetHealth` is on: while its load balancer has no healthy target, it is not answered"
            }
            Target::Alias { .. } => {
                "`EvaluateTargetHealth` is off: it is answered whatever its targets do, and nothing helps by itself"
            }
            Target::Values { .. } => "it is no alias, so that no health is evaluated",
        };
        line(text, &format!("Member {id} {}", code(&record.rtype)), says);
    }
    text.push_str(
        "\nWhat that does, for a member that evaluates it:\n\n\
         - Members with weight and healthy targets are answered first, by their weights.\n\
         - When no member with weight is healthy, a healthy member of weight 0 gets everything. At 100/0 a dead legacy \
         stack therefore sends everybody to the new one, which must be able to carry it: look at its tasks now.\n\
         - When no member is healthy at all, Route 53 answers as if all were.\n\
         - A load balancer counts as healthy while each target group that has targets has a healthy one. The way back \
         without Route 53 is thus that the new stack has no healthy target: whoever stops all its tasks, autoscaling \
         held, sends everybody to the legacy stack, at the price of errors until resolvers ask again. Only if the legacy \
         stack is well, and only if waiting is worse.\n\n\
         Look at both sides; these do not need Route 53:\n\n",
    );
    text.push_str(&fenced(&aws::legacy_health(night)));
    match night.outputs {
        Some(outputs) => text.push_str(&fenced(&aws::target_health(night, outputs))),
        None => text.push_str("The new stack's targets are not known (section 1).\n\n"),
    }
    text.push_str("When it is back, begin at section 2: what was sent meanwhile may land late.\n");
}

/// What ends the night, and what the night does not do.
fn stop(text: &mut String, night: &Night<'_>) {
    add(
        text,
        &format!(
            "\n## 7. When to stop\n\n\
         - Go back at once (section 5): the new stack answers 5xx, an alarm rings that did not before, no target is \
         healthy, replication stopped with an error.\n\
         - Hold, change nothing: something is not known, lag is at or above {} s, a rollout goes on, somebody else moves \
         the weights, a change is not INSYNC.\n\
         - Never send a batch of this file twice in doubt: list the records first. A batch that is refused as \
         `InvalidChangeBatch` changed nothing; the records are others than the batch says. Make the runbook anew.\n\
         - The writer does not move with the weights. Replication to Aurora runs until the cutover; do not stop it to go \
         back.\n",
            night.policy.lag_limit.as_secs()
        ),
    );
}

#[cfg(test)]
mod tests;

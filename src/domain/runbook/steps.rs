//! Every step forward with its way back, and the way back from what is there now.

use crate::domain::change::way_back::{Known, way_back};
use crate::domain::shift::ShiftPlan;
use crate::domain::targets::astray;
use crate::domain::traffic::{RecordGroup, Side};
use crate::domain::units::{Percent, age_text};

use super::markdown::{code, fenced, plain};
use super::{Night, add, aws};

/// The steps from the weights that are there to all on the new stack.
pub(super) fn forward(text: &mut String, night: &Night<'_>) {
    text.push_str("## 4. The steps\n\n");
    let Some(group) = night.facts.shiftable() else {
        text.push_str(
            "Not known: the records of the name are not a pair that can be moved, or could not be read, so that no batch \
             can be written down. This shows them; then `tapctl runbook` again:\n\n",
        );
        text.push_str(&fenced(&aws::records(night)));
        return;
    };
    if let Some(why) = astray(group, &night.stack.endpoints, Side::New) {
        add(text, &format!("**None: stop here.** The new member leads astray: {}.\n\n", plain(&why)));
        return;
    }
    let step = i16::from(night.policy.max_step);
    let bake = age_text(night.policy.bake);
    let mut from = group.clone();
    let mut number = 0;
    while from.new_share() < Percent::FULL {
        let share = from.new_share().step(step);
        let Ok(plan) = ShiftPlan::new(&from, share) else { break };
        number += 1;
        let to = from.with_weights(plan.to);
        one(text, night, number, &plan, &to);
        add(
            text,
            &format!(
                "Then wait: INSYNC takes about a minute, resolvers another TTL, and only after {bake} of settled minutes \
             (section 3, all of it) comes the next step.\n\n"
            ),
        );
        from = to;
    }
    if number == 0 {
        text.push_str("None is left: the new stack has all the weight. Section 5 is the way back.\n\n");
    }
}

fn one(text: &mut String, night: &Night<'_>, number: usize, plan: &ShiftPlan, to: &RecordGroup) {
    let (before, after) = (plan.from(), plan.to);
    add(
        text,
        &format!(
            "### Step {number}: {before} to {after}\n\n\
         Only from {before}, and only after section 3. With tapctl, which looks by itself and refuses where a gate does:\n\n{}",
            fenced(&night.tapctl(&format!("shift --to {} --wait", after.new_share().get())))
        ),
    );
    text.push_str("Without tapctl:\n\n");
    text.push_str(&fenced(&aws::send(night, &plan.batch())));
    add(text, &format!("Back from {after}, with tapctl:\n\n{}", fenced(&night.tapctl("rollback --wait"))));
    add(text, &format!("Back from {after}, without tapctl:\n\n"));
    text.push_str(&fenced(&aws::send(night, &ShiftPlan::back_in_doubt(to).batch())));
}

/// The way back from what was read.
pub(super) fn back(text: &mut String, night: &Night<'_>) {
    add(
        text,
        &format!(
            "## 5. The way back, from anywhere\n\n\
         No gate stands before it. With tapctl; the second line only prints the batch, from fresh records:\n\n{}",
            fenced(&[night.tapctl("rollback --wait"), night.tapctl("rollback --print")].join("\n"))
        ),
    );
    text.push_str("Without tapctl, first what is there:\n\n");
    text.push_str(&fenced(&aws::records(night)));
    text.push_str(
        "If that is what a step of section 4 leads to, its \"Back from\" is the command. If it is what was there when \
         this was made, it is this one:\n\n",
    );
    if night.facts.group.is_none() {
        text.push_str("Not known: the records could not be read. What is listed above goes into the batch: a DELETE of each record exactly as it is listed, and a CREATE of the one that leads to the legacy load balancer with weight 100 and of the one that leads to the new one with weight 0, whatever they are called.\n");
        return;
    }
    let found = way_back(Known {
        key: &night.stack.group,
        endpoints: &night.stack.endpoints,
        legacy_region: &night.stack.legacy_region,
        records: &night.facts.records,
        remembered: night.remembered,
    });
    match found {
        Err(why) => add(text, &format!("Nobody can name one: {}.\n", plain(&why))),
        Ok(back) if back.is_done() => {
            add(text, &format!("None: all of {} was with the legacy stack already.\n", code(&night.stack.group.name)));
        }
        Ok(back) => {
            for note in &back.notes {
                add(text, &format!("- {}\n", plain(note)));
            }
            add(text, &format!("\n{}", fenced(&aws::send(night, &back.batch))));
        }
    }
    text.push_str(
        "\nIf it is refused as `InvalidChangeBatch`, nothing was changed: the records are others. List them again, and \
         put each into the batch exactly as it is listed: DELETE what is there, CREATE the one that leads to the legacy \
         load balancer with weight 100 and the one that leads to the new one with 0, whatever they are called, in one \
         batch.\n",
    );
}

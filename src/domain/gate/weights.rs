//! Gates on the weights themselves: settled, watched for long enough, as confirmed, and nobody else at work.

use crate::domain::error::ErrorKind;
use crate::domain::facts::Source;
use crate::domain::reading::cause;
use crate::domain::record::History;
use crate::domain::traffic::{ChangeStatus, beside, beside_text};
use crate::domain::units::{Timestamp, age_text, countdown_text};

use super::{Gate, GateId, Inputs, Verdict, fresh};
use crate::domain::targets::{Leads, Member, members};

const NO_JOURNAL: &str = "the journal of this host could not be read, so it is not known what was changed last";

pub(super) fn dns_settled(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::DnsSettled;
    const LIMIT: &str = "INSYNC";
    let Some(history) = inputs.history else { return Gate::unknown(ID, LIMIT, NO_JOURNAL) };
    if let Err(why) = fresh(inputs.facts.group.as_ref(), Source::Records, inputs) {
        return Gate::unknown(ID, LIMIT, why);
    }
    if history.unfinished().is_some() {
        return Gate::unknown(ID, LIMIT, not_known(history));
    }
    let Some((id, sent)) = &history.pending else {
        if let Some(settles) = history.settles_at.filter(|settles| inputs.now < *settles) {
            let reason = format!(
                "the weights moved by a change whose id is not known here; it counts as on all name servers at {} UTC",
                settles.hms()
            );
            return Gate::unknown(ID, LIMIT, reason).at(inputs.now);
        }
        return Gate::new(ID, Verdict::Pass, "INSYNC", LIMIT, "no change is on its way").at(inputs.now);
    };
    match inputs.facts.change.as_ref().filter(|c| c.value.id == *id) {
        Some(change) if change.value.status == ChangeStatus::Insync => Gate::new(
            ID,
            Verdict::Fail,
            "INSYNC, reading back",
            LIMIT,
            "the change is INSYNC; the records are being read back",
        )
        .at(change.at),
        Some(change) => Gate::new(
            ID,
            Verdict::Fail,
            format!("PENDING {}", age_text(inputs.now.since(*sent))),
            LIMIT,
            "a change is on its way to the name servers, as a rule for about 40 s; wait",
        )
        .at(change.at),
        None => {
            let why = cause(inputs.facts, Source::Change);
            Gate::unknown(ID, LIMIT, format!("it is not known how far the change {id} is{why}"))
        }
    }
}

/// That a change was sent whose outcome is not known.
fn not_known(history: &History) -> String {
    let until = history.unfinished().map(|open| format!(": {}", open.text())).unwrap_or_default();
    format!("a change was sent and its outcome is not known yet; the records are being read back{until}")
}

pub(super) fn bake(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Bake;
    let limit = countdown_text(inputs.policy.bake);
    let Some(history) = inputs.history else { return Gate::unknown(ID, &limit, NO_JOURNAL) };
    if history.unfinished().is_some() || history.pending.is_some() {
        return Gate::new(
            ID,
            Verdict::Fail,
            "not begun",
            &limit,
            "the newest change is not in effect yet; the bake begins at INSYNC",
        );
    }
    if history.moved_at_aws.is_some() && inputs.aws_now().is_none() {
        return Gate::unknown(ID, &limit, "AWS has not told its time yet, and this host's clock may have been set");
    }
    let Some(since) = history.since_moved(inputs.now, inputs.aws_now()) else {
        let Ok((Ok(group), at)) = fresh(inputs.facts.group.as_ref(), Source::Records, inputs) else {
            return Gate::unknown(ID, &limit, "the weights are not known, so it is not known whether they moved");
        };
        return if group.weights().new_weight() == 0 {
            Gate::new(ID, Verdict::Pass, "no change yet", &limit, "no weight was moved yet").at(at)
        } else {
            Gate::unknown(
                ID,
                &limit,
                "the new stack has weight and nobody here knows since when; watch it until it has baked",
            )
            .at(at)
        };
    };
    if since >= inputs.policy.bake {
        Gate::new(ID, Verdict::Pass, age_text(since), &limit, "the newest change was watched for long enough")
            .at(inputs.now)
    } else {
        let reason = format!(
            "the newest change has been in effect for {}; wait {} more",
            countdown_text(since),
            countdown_text(inputs.policy.bake.saturating_sub(since))
        );
        Gate::new(ID, Verdict::Fail, format!("{} of {limit}", countdown_text(since)), &limit, reason).at(inputs.now)
    }
}

/// Before the first `up` there is no pair, and nothing is wrong with that.
fn awaits_up(inputs: Inputs<'_>) -> bool {
    inputs.facts.error(Source::Service).is_some_and(|error| error.kind == ErrorKind::NotProvisioned)
}

pub(super) fn drift(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Drift;
    const LIMIT: &str = "as confirmed";
    let (group, at) = match fresh(inputs.facts.group.as_ref(), Source::Records, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let group = match group {
        Ok(group) => group,
        Err(shape) if awaits_up(inputs) => return Gate::unknown(ID, LIMIT, format!("no pair yet: {shape}")).at(at),
        Err(shape) => return Gate::new(ID, Verdict::Fail, "not a weighted pair", LIMIT, shape.to_string()).at(at),
    };
    let Some(history) = inputs.history else { return Gate::unknown(ID, LIMIT, NO_JOURNAL) };
    if history.unfinished().is_some() {
        return Gate::unknown(ID, LIMIT, not_known(history)).at(at);
    }
    let found = group.weights();
    let gate = match history.confirmed {
        Some(confirmed) if confirmed == found => Gate::new(
            ID,
            Verdict::Pass,
            format!("{found} as confirmed"),
            LIMIT,
            "the weights are the ones last confirmed here",
        ),
        Some(confirmed) => Gate::new(
            ID,
            Verdict::Fail,
            format!("{found}, confirmed {confirmed}"),
            LIMIT,
            format!(
                "somebody else moved the weights from {confirmed} to {found}; find out who, then accept them as the baseline or roll back"
            ),
        ),
        None if found.new_weight() == 0 => {
            Gate::new(ID, Verdict::Pass, format!("{found} as found"), LIMIT, "no weight was moved yet")
        }
        None => Gate::new(
            ID,
            Verdict::Fail,
            format!("{found}, not from here"),
            LIMIT,
            format!(
                "the weights {found} were not set from this host; find out who did, then accept them as the baseline"
            ),
        ),
    };
    gate.at(at)
}

pub(super) fn record_targets(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::RecordTargets;
    const LIMIT: &str = "own balancers";
    let (group, at) = match fresh(inputs.facts.group.as_ref(), Source::Records, inputs) {
        Ok((Ok(group), at)) => (group, at),
        Ok((Err(shape), at)) if awaits_up(inputs) => {
            return Gate::unknown(ID, LIMIT, format!("no pair yet: {shape}")).at(at);
        }
        Ok((Err(shape), at)) => return Gate::unknown(ID, LIMIT, format!("no pair to look at: {shape}")).at(at),
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let members = members(group, inputs.endpoints);
    let wrong: Vec<&Member<'_>> =
        members.iter().filter(|m| matches!(m.leads, Leads::Across | Leads::Elsewhere)).collect();
    if !wrong.is_empty() {
        let problems: Vec<String> = wrong.iter().filter_map(|member| member.problem()).collect();
        let value = format!("{} of {} astray", wrong.len(), members.len());
        let reason = format!(
            "{}; put the records right, or fix legacyLbDnsName, albDnsName and albZoneId in the stack outputs: this \
             cannot be overridden",
            problems.join("; ")
        );
        return Gate::new(ID, Verdict::Fail, value, LIMIT, reason).at(at);
    }
    let name = group.records().next().map_or("", |record| record.name.as_str());
    if let Some(past) = beside(name, &inputs.facts.records).next() {
        let value = format!("{} leads past the pair", past.rtype);
        let reason = format!(
            "{}; delete it, or take addresses and other hosts out of it: this cannot be overridden",
            beside_text(past)
        );
        return Gate::new(ID, Verdict::Fail, value, LIMIT, reason).at(at);
    }
    if let Some(why) = members.iter().find(|member| member.leads == Leads::Unknown).and_then(Member::problem) {
        return Gate::unknown(ID, LIMIT, format!("{why}: the stack outputs do not name it")).at(at);
    }
    let value = format!("{0} of {0}", members.len());
    Gate::new(ID, Verdict::Pass, value, LIMIT, "every member leads to its own stack's load balancer").at(at)
}

pub(super) fn stack_idle(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::StackIdle;
    const LIMIT: &str = "no Pulumi run";
    match fresh(inputs.facts.stack_run.as_ref(), Source::StackRun, inputs) {
        Ok((None, at)) => {
            Gate::new(ID, Verdict::Pass, "no Pulumi run", LIMIT, "nobody changes the stack from this host").at(at)
        }
        Ok((Some(run), at)) => stack_busy(run, at),
        Err(why) => Gate::unknown(ID, LIMIT, why),
    }
}

/// The same gate while `run` goes on.
pub(super) fn stack_busy(run: &str, at: Timestamp) -> Gate {
    let reason = format!("{run}; wait until it has ended (`tapctl attach` follows it)");
    Gate::new(GateId::StackIdle, Verdict::Fail, run, "no Pulumi run", reason).at(at)
}

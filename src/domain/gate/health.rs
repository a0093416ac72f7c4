//! The gate on the alarms of both regions.

use crate::domain::facts::Source;
use crate::domain::service::AlarmState;

use super::{Gate, GateId, Inputs, Verdict, fresh};

pub(super) fn alarms(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Alarms;
    const LIMIT: &str = "all OK";
    let mut at = inputs.now;
    for (fact, source) in
        [(&inputs.facts.alarms_new, Source::AlarmsNew), (&inputs.facts.alarms_legacy, Source::AlarmsLegacy)]
    {
        match fresh(fact.as_ref(), source, inputs) {
            Ok((_, seen)) => at = at.min(seen),
            Err(why) => return Gate::unknown(ID, LIMIT, why),
        }
    }
    let all: Vec<_> = inputs.facts.alarms().collect();
    let on: Vec<_> = all.iter().filter(|a| a.state == AlarmState::Alarm).collect();
    let gate = if let Some(first) = on.first() {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{} in ALARM", on.len()),
            LIMIT,
            format!("{}: {}", first.name, first.reason),
        )
    } else if let Some(missing) =
        inputs.policy.expected_alarms.iter().find(|name| !all.iter().any(|a| a.name == **name))
    {
        Gate::unknown(
            ID,
            LIMIT,
            format!("the alarm {missing} does not exist in either region; run tapctl up, or check the outputs"),
        )
    } else if all.is_empty() {
        Gate::unknown(ID, LIMIT, "no alarm is known: the outputs name none, so nobody watches the stack")
    } else if let Some(blind) = all.iter().find(|a| a.state == AlarmState::InsufficientData) {
        let mut gate = Gate::unknown(ID, LIMIT, format!("{} has INSUFFICIENT_DATA: {}", blind.name, blind.reason));
        gate.value = Some("INSUFFICIENT_DATA".to_owned());
        gate
    } else if let Some((alarm, why)) = all.iter().find_map(|a| Some((a, a.silenced.as_ref()?))) {
        let silent = all.iter().filter(|a| a.silenced.is_some()).count();
        let reason = format!("{}: {why}, so nobody hears of it; enable the actions in CloudWatch", alarm.name);
        Gate::new(ID, Verdict::Fail, format!("{silent} silenced"), LIMIT, reason)
    } else if let Some((alarm, word)) = all.iter().find_map(|a| Some((a, a.evaluation.as_ref()?))) {
        let reason = format!("{} is {}, but CloudWatch says {word} of its evaluation", alarm.name, alarm.state.word());
        let mut gate = Gate::unknown(ID, LIMIT, reason);
        gate.value = Some(word.clone());
        gate
    } else {
        Gate::new(ID, Verdict::Pass, format!("{} OK", all.len()), LIMIT, "every alarm of the stack is OK")
    };
    gate.at(at)
}

//! Models for tests: one migration at 20 %, and what can befall it.

mod observed;

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::{Palette, Theme, draw};
use crate::domain::confirm::{ARMS_AFTER, Challenge, Confirmation};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Observation, Source};
use crate::domain::gate::{Policy, evaluate};
use crate::domain::metrics::MetricReadings;
use crate::domain::model::{Dialog, Model, Simulation};
use crate::domain::record::{Entry, History};
use crate::domain::schedule::interval;
use crate::domain::service::{AlarmState, Identity};
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::{Change, ChangeStatus, Side};
use crate::domain::units::{Percent, WeightPair};
use crate::keymap::View;

use observed::{
    ago, alarms, journal, legacy_hosts, metrics, pair, replication, service, stack, step, targets, watcher, wave,
};
pub(super) use observed::{group, now, records, tables};

/// What stands on a screen of this size, a line for each row.
pub(super) fn shown(model: &Model, size: (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let theme = Theme::new(Palette::Mono, false);
    terminal
        .draw(|frame| {
            draw(frame, model, &theme);
        })
        .unwrap();
    let buffer = terminal.backend().buffer();
    let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    cells.chunks(usize::from(size.0)).map(|row| row.concat().trim_end().to_owned() + "\n").collect()
}

/// Everything is known and fine, at `share`; the newest change is in effect for so long.
pub(super) fn steady(share: u8, secs_since_insync: u64) -> Model {
    let mut model = Model::new(stack(), watcher(), Policy::default(), now());
    model.uptime = Duration::from_secs(4000);
    let readings = metrics(f64::from(share), |n| 3.1 + 1.4 * wave(n, 0.0));
    let split = |side: Side| MetricReadings {
        series: readings.iter().filter(|(m, _)| m.side() == side).cloned().collect(),
        incomplete: vec![],
        past: None,
    };
    let key = model.stack.group.clone();
    let facts = &mut model.live.facts;
    let mut take = |source, secs, observation| facts.absorb(&key, source, Ok(observation), ago(secs));
    take(Source::Records, 4, Observation::Records(records(share)));
    take(Source::Replication, 8, Observation::Replication(replication()));
    take(Source::Tables, 11, Observation::Tables(tables()));
    take(Source::Service, 3, Observation::Service(service()));
    take(Source::Targets, 3, Observation::Hosts(Side::New, targets()));
    take(Source::LegacyHosts, 17, Observation::Hosts(Side::Legacy, legacy_hosts()));
    take(Source::AlarmsNew, 12, Observation::Alarms(Side::New, alarms(Side::New)));
    take(Source::AlarmsLegacy, 12, Observation::Alarms(Side::Legacy, alarms(Side::Legacy)));
    take(Source::MetricsNew, 31, Observation::Metrics(Side::New, split(Side::New)));
    take(Source::MetricsLegacy, 31, Observation::Metrics(Side::Legacy, split(Side::Legacy)));
    take(
        Source::Identity,
        400,
        Observation::Identity(Identity {
            account: "123456789012".into(),
            arn: "arn:aws:sts::123456789012:assumed-role/oncall-role/maria".into(),
        }),
    );
    take(Source::StackRun, 1, Observation::StackRun(None));
    tell(&mut model, journal(share, secs_since_insync));
    model
}

/// Gives the model this journal and answers the gates again.
pub(super) fn tell(model: &mut Model, entries: Vec<Entry>) {
    model.live.history = Some(History::of(&entries));
    model.live.journal = entries.into();
    judge(model);
}

/// Answers the gates for what the model knows.
pub(super) fn judge(model: &mut Model) {
    model.live.gates = evaluate(model.gate_inputs());
}

/// All gates pass at 20 %.
pub(super) fn ready() -> Model {
    steady(20, 760)
}

/// The same with another share on the new stack.
pub(super) fn at(share: u8) -> Model {
    steady(share, 760)
}

/// The newest step has been in effect for 3:12.
pub(super) fn baking() -> Model {
    steady(20, 192)
}

/// Started a moment ago: nothing has answered.
pub(super) fn fresh_start() -> Model {
    let mut model = Model::new(stack(), watcher(), Policy::default(), now());
    model.live.journal.clear();
    judge(&mut model);
    model
}

/// A step to 30 % was sent 23 s ago.
pub(super) fn pending() -> Model {
    let mut model = steady(20, 760);
    let mut entries: Vec<Entry> = model.live.journal.iter().cloned().collect();
    entries.extend(step("4713", 20, 30, 23, None));
    let key = model.stack.group.clone();
    let change = Change { id: "/change/C04713TECHVAULT".into(), status: ChangeStatus::Pending, at: ago(23) };
    model.live.facts.absorb(&key, Source::Records, Ok(Observation::Records(records(30))), ago(4));
    model.live.facts.absorb(&key, Source::Change, Ok(Observation::Change(change)), ago(2));
    tell(&mut model, entries);
    model
}

/// The lag rose to over a minute.
pub(super) fn lag_spike() -> Model {
    let mut model = ready();
    let readings = metrics(20.0, |n| if n < 44.0 { 3.1 + wave(n, 0.0) } else { 3.0 + (n - 43.0) * 5.4 });
    let facts = &mut model.live.facts;
    facts.metrics.absorb(&MetricReadings { series: readings, incomplete: vec![], past: None }, ago(31));
    let alarm = facts.alarms_new.as_mut().and_then(|f| f.value.first_mut()).unwrap();
    alarm.state = AlarmState::Alarm;
    alarm.since = Some(ago(150));
    alarm.reason = "Threshold Crossed: 3 datapoints [68.4, 73.8, 79.2] were greater than the threshold (60.0).".into();
    judge(&mut model);
    model
}

/// Seven minutes ago all metrics stopped.
pub(super) fn stale_metrics() -> Model {
    let mut model = ready();
    model.live.now = now().plus(Duration::from_secs(420));
    let (facts, at) = (&mut model.live.facts, model.live.now.minus(Duration::from_secs(4)));
    for fact in [&mut facts.alarms_new, &mut facts.alarms_legacy] {
        fact.as_mut().unwrap().at = at;
    }
    facts.group.as_mut().unwrap().at = at;
    facts.replication.as_mut().unwrap().at = at;
    facts.tables.as_mut().unwrap().at = at;
    facts.service.as_mut().unwrap().at = at;
    facts.targets.as_mut().unwrap().at = at;
    facts.stack_run.as_mut().unwrap().at = at;
    facts.legacy_hosts.as_mut().unwrap().at = at;
    for health in facts.sources.values_mut() {
        health.last_ok = Some(at);
    }
    judge(&mut model);
    model
}

/// DMS throttles, the legacy alarms are denied.
pub(super) fn throttled() -> Model {
    let mut model = ready();
    let key = model.stack.group.clone();
    let mut fail = |source, kind, operation: &str, message: &str, times| {
        for _ in 0..times {
            model.live.facts.absorb(&key, source, Err(PortError::new(kind, operation, message)), ago(2));
        }
    };
    let throttled = ErrorKind::Throttled;
    fail(Source::Replication, throttled, "dms:DescribeReplicationTasks", "Rate exceeded", 4);
    fail(Source::Tables, throttled, "dms:DescribeTableStatistics", "Rate exceeded", 4);
    fail(
        Source::AlarmsLegacy,
        ErrorKind::Denied,
        "cloudwatch:DescribeAlarms",
        "User: arn:aws:sts::123456789012:assumed-role/oncall-role/maria is not authorized",
        1,
    );
    model.live.facts.alarms_legacy = None;
    model.live.facts.sources.get_mut(&Source::AlarmsLegacy).unwrap().last_ok = None;
    model.live.facts.replication.as_mut().unwrap().at = ago(200);
    model.live.facts.tables.as_mut().unwrap().at = ago(200);
    for source in [Source::Replication, Source::Tables] {
        model.live.facts.sources.get_mut(&source).unwrap().last_ok = Some(ago(200));
    }
    judge(&mut model);
    model
}

/// Watched by the simulator, frozen 42 s ago, without the right to write.
pub(super) fn all_badges() -> Model {
    let mut model = ready();
    model.watcher.read_only = true;
    model.watcher.read_only_why = "this is --read-only".into();
    model.watcher.simulation = Some(Simulation { speed: 20.0, scenario: "steady".into() });
    model.frozen = Some(Box::new(model.live.clone()));
    model.live.now = now().plus(Duration::from_secs(42));
    model
}

/// The question whether to move to `share`, seen for so long.
pub(super) fn asking(mut model: Model, share: u8, seen: Duration) -> Model {
    let group = model.live.facts.shiftable().unwrap().clone();
    let plan = ShiftPlan::new(&group, Percent::new(share).unwrap()).unwrap();
    let challenge = if plan.is_complete() { Challenge::Typed(plan.record_name().to_owned()) } else { Challenge::Yes };
    let mut question = Confirmation::new(plan, challenge, model.uptime);
    question.drawn(model.uptime);
    model.uptime += seen;
    model.dialog = Some(Dialog::Shift(question));
    model
}

/// The question at 20 %, taking answers.
pub(super) fn asking_armed() -> Model {
    asking(ready(), 30, ARMS_AFTER + Duration::from_secs(3))
}

/// Somebody else moved the records meanwhile.
pub(super) fn conflict() -> Model {
    let mut model = ready();
    model.dialog = Some(Dialog::Conflict {
        expected: group(20),
        found: Ok(group(50)),
        wanted: pair(30),
        message:
            "Tried to delete resource record set [name='app.example.com.', type='A', set identifier='legacy'] but \
                  the values provided do not match the current values"
                .into(),
    });
    model
}

/// The same model on another view.
pub(super) fn on(view: View, mut model: Model) -> Model {
    model.screen.view = view;
    model
}

/// `model` as it is `secs` later, every source having been asked at its own pace meanwhile.
pub(super) fn later(mut model: Model, secs: u64) -> Model {
    let start = model.live.now;
    model.live.now = start.plus(Duration::from_secs(secs));
    model.uptime += Duration::from_secs(secs);
    let newest = |source: Source| {
        let every = interval(source, false).as_secs();
        start.plus(Duration::from_secs(secs / every * every))
    };
    let facts = &mut model.live.facts;
    facts.group.as_mut().unwrap().at = newest(Source::Records);
    facts.replication.as_mut().unwrap().at = newest(Source::Replication);
    facts.tables.as_mut().unwrap().at = newest(Source::Tables);
    facts.service.as_mut().unwrap().at = newest(Source::Service);
    facts.targets.as_mut().unwrap().at = newest(Source::Targets);
    facts.legacy_hosts.as_mut().unwrap().at = newest(Source::LegacyHosts);
    facts.alarms_new.as_mut().unwrap().at = newest(Source::AlarmsNew);
    facts.alarms_legacy.as_mut().unwrap().at = newest(Source::AlarmsLegacy);
    facts.stack_run.as_mut().unwrap().at = newest(Source::StackRun);
    for (source, health) in &mut facts.sources {
        health.last_ok = Some(newest(*source));
    }
    judge(&mut model);
    model
}

/// The model with this dialog over it.
pub(super) fn under(dialog: Dialog, mut model: Model) -> Model {
    model.dialog = Some(dialog);
    model
}

/// Somebody else's 50/50 waits to be taken as the new base.
pub(super) fn accepting() -> Model {
    let mut model = ready();
    let mut question = Confirmation::new(WeightPair::new(50, 50).unwrap(), Challenge::Yes, model.uptime);
    question.drawn(model.uptime);
    model.uptime += Duration::from_secs(2);
    under(Dialog::Accept(question), model)
}

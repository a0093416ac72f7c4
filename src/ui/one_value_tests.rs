//! One quantity, one value: gate, cell, header and JSON beside each other, over many states.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::fixtures::{judge, now, shown, steady};
use crate::commands::snapshot::Snapshot;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::Source;
use crate::domain::gate::{GateId, Verdict};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::Model;
use crate::domain::reading;
use crate::domain::series::{PERIOD, Point, Series};
use crate::domain::time::Jump;
use crate::domain::units::{Timestamp, short_number};
use crate::runtime::collect::Collected;
use crate::runtime::ports_set::JournalRead;

/// The overview, every row joined.
fn frame(model: &Model) -> Vec<String> {
    shown(model, (240, 50)).lines().map(str::to_owned).collect()
}

fn json(model: &Model) -> Value {
    let live = &model.live;
    let history = live.history.clone().unwrap_or_default();
    let journal = Ok(JournalRead { entries: live.journal.iter().cloned().collect(), broken: 0, history });
    let collected = Collected { facts: live.facts.clone(), journal, now: live.now };
    serde_json::to_value(Snapshot::of((&model.stack, &model.watcher), &model.policy, &collected, &live.gates)).unwrap()
}

/// What may befall the sources.
#[derive(Debug, Clone)]
struct State {
    source: f64,
    target: f64,
    newest: f64,
    rows: f64,
    later_s: u64,
    jump_ms: i64,
    skew_ms: Option<i64>,
    denied: Option<Source>,
    legacy_silent: bool,
}

fn states() -> impl Strategy<Value = State> {
    let lag = || prop_oneof![Just(0.0), Just(-1.0), Just(f64::NAN), Just(1e300), 0.0..120.0f64, Just(900.0)];
    let jump = prop_oneof![4 => Just(0), 1 => Just(-600_000i64), 1 => Just(600_000i64)];
    let skew = prop_oneof![4 => Just(None), 1 => Just(Some(90_000i64)), 1 => Just(Some(900i64))];
    let source = prop_oneof![4 => Just(None), 2 => proptest::sample::select(Source::ALL.to_vec()).prop_map(Some)];
    (lag(), lag(), 0.0..200.0f64, prop_oneof![Just(0.0), 0.1..900.0f64], 0u64..1500, jump, skew, source, any::<bool>())
        .prop_map(|(source, target, newest, rows, later_s, jump_ms, skew_ms, denied, legacy_silent)| State {
            source,
            target,
            newest,
            rows,
            later_s,
            jump_ms,
            skew_ms,
            denied,
            legacy_silent,
        })
}

fn told(model: &mut Model, metric: Metric, points: Vec<Point>, read_at: Timestamp) {
    let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![], past: None };
    model.live.facts.metrics.absorb(&readings, read_at);
}

fn model(state: &State) -> Model {
    let mut model = steady(20, 760);
    let start = now().floor_to(PERIOD);
    let minutes =
        |value: f64| (3..30).map(move |ago| Point { at: start.minus(PERIOD * ago), value }).collect::<Vec<_>>();
    told(&mut model, Metric::LagSource, minutes(state.source), now());
    let mut target = minutes(state.target);
    target.push(Point { at: start.minus(PERIOD * 2), value: state.newest });
    told(&mut model, Metric::LagTarget, target, now());
    for metric in [Metric::RowsSource, Metric::RowsTarget, Metric::Backlog] {
        told(&mut model, metric, minutes(state.rows), now());
    }
    if state.legacy_silent {
        let old = vec![Point { at: start.minus(PERIOD * 40), value: 9.0 }];
        model.live.facts.metrics = {
            let mut metrics = model.live.facts.metrics.clone();
            metrics.forget(Metric::LegacyRequests);
            metrics
        };
        told(&mut model, Metric::LegacyRequests, old, now());
    }
    if let Some(source) = state.denied {
        let key = model.stack.group.clone();
        let error = PortError::new(ErrorKind::Denied, "aws:Call", "no");
        model.live.facts.absorb(&key, source, Err(error), now());
    }
    model.live.facts.clock_skew_ms = state.skew_ms;
    model.live.now = now().plus(Duration::from_secs(state.later_s)).shifted(state.jump_ms);
    if state.jump_ms != 0 {
        model.live.facts.forget(Jump { by_ms: state.jump_ms, at: model.live.now });
    }
    judge(&mut model);
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn gate_cell_header_and_json_say_the_same_value(state in states()) {
        let model = model(&state);
        let (facts, at) = (&model.live.facts, model.live.now);
        let (json, frame) = (json(&model), frame(&model));
        let screen = frame.join("\n");
        let gate = model.live.gates.iter().find(|g| g.id == GateId::ReplicationLag).unwrap();
        let lag = reading::lag(facts, at);
        let lag_row = frame.iter().find(|row| row.contains("Lag ")).and_then(|row| row.split('│').next()).unwrap();
        if let Some(lag) = lag.fresh() {
            let text = format!("{} s", short_number(*lag));
            prop_assert_eq!(gate.value.as_deref(), Some(text.as_str()));
            prop_assert_eq!(gate.verdict == Verdict::Pass, *lag < 60.0);
            prop_assert!((json["replication"]["lag_s"].as_f64().unwrap() - lag).abs() <= 0.05);
            let told = format!(" {text} of 60 s");
            prop_assert!(lag_row.contains(&told), "{}", lag_row);
        } else {
            prop_assert_eq!(gate.verdict, Verdict::Unknown);
            prop_assert_eq!(&json["replication"]["lag_s"], &Value::Null);
            prop_assert!(!lag_row.contains('✓'), "{}", lag_row);
            prop_assert!(!screen.contains("✓ replication-lag"));
            prop_assert!(!screen.contains("Aurora lag 0 s"));
        }
        let share = reading::share(facts, at);
        prop_assert_eq!(share.fresh().is_some(), !json["traffic"]["observed_new_percent"].is_null());
        if facts.shiftable().is_some() {
            let seen = share.fresh().map_or_else(|| "seen ? %".to_owned(), |s| format!("seen {} %", short_number(*s)));
            prop_assert!(frame[1].contains(&seen), "{}", frame[1]);
        }
        let tasks = reading::tasks(facts, at);
        prop_assert_eq!(tasks.fresh().map(|t| u64::from(t.running)), json["service"]["running"].as_u64());
        let ready = &json["readiness"];
        let sentence: String = ready["sentence"].as_str().unwrap().chars().take(120).collect();
        prop_assert!(frame[2].contains(&sentence), "{} / {}", frame[2], sentence);
        let go = json["gates"].as_array().unwrap().iter().all(|g| g["verdict"] == "pass");
        prop_assert_eq!(ready["verdict"] == "go", go);
    }

    #[test]
    fn what_is_stale_is_never_green(state in states()) {
        let mut model = model(&State { jump_ms: 0, later_s: state.later_s + 361, ..state });
        for view in crate::keymap::View::ALL {
            if matches!(view, crate::keymap::View::Provision | crate::keymap::View::Journal) {
                continue;
            }
            model.screen.view = view;
            for row in frame(&model).iter().skip(1) {
                // What the journal says is no reading: the timeline may tick off what was sent. Who is asking grows old
                // with the hours, and the size of a step never.
                let told = ["sent ", "bake", "step-size", "identity"].into_iter().any(|word| row.contains(word));
                prop_assert!(!row.contains('✓') || told, "{}: {}", view.title(), row);
            }
        }
    }
}

#[test]
fn no_alarm_at_all_is_not_zero_ok() {
    let mut model = steady(20, 760);
    for fact in [&mut model.live.facts.alarms_new, &mut model.live.facts.alarms_legacy] {
        fact.as_mut().unwrap().value.clear();
    }
    judge(&mut model);
    let screen = frame(&model).join("\n");
    assert!(screen.contains("Alarms ? none exist") && !screen.contains("0 OK"), "{screen}");
}

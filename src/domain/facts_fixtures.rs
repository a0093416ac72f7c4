//! Facts of a migration at 20 % in which every gate that looks at facts passes.

use std::time::Duration;

use super::{Facts, Observation, Source};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::replication::fixtures::{replication, table};
use crate::domain::series::{PERIOD, Point, Series};
use crate::domain::service::fixtures::{alarm, hosts, service};
use crate::domain::service::{AlarmState, Identity};
use crate::domain::shift::fixtures::{group, key};
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, WeightPair};

/// Half an hour of minutes of this value, the newest of which started three minutes before `now`.
pub(crate) fn minutes(now: Timestamp, value: f64) -> Series {
    let newest = now.floor_to(PERIOD).minus(PERIOD * 3);
    Series::new((0..30).map(|n| Point { at: newest.minus(PERIOD * n), value }).collect())
}

/// What a metric says while all is well.
pub(crate) fn usual(metric: Metric) -> f64 {
    match metric {
        Metric::LagSource => 2.0,
        Metric::LagTarget => 3.0,
        Metric::NewTarget5xx | Metric::NewElb5xx | Metric::LegacyBackend5xx | Metric::LegacyElb5xx => 1.0,
        Metric::NewUnhealthy | Metric::LegacyUnhealthy => 0.0,
        Metric::NewLatency | Metric::LegacyLatency => 0.2,
        Metric::LegacyRequests => 4000.0,
        Metric::NewRequests => 1000.0,
        Metric::NewHealthy | Metric::LegacyHealthy => 4.0,
        _ => 40.0,
    }
}

/// All is known since a second, and all is well.
pub(crate) fn healthy(now: Timestamp) -> Facts {
    let at = now.minus(Duration::from_secs(1));
    let mut facts = Facts::default();
    let mut take = |source, observation| facts.absorb(&key(), source, Ok(observation), at);
    let weights = WeightPair::for_new_share(crate::domain::units::Percent::new(20).unwrap());
    take(Source::Records, Observation::Records(group(weights).records().cloned().collect()));
    take(Source::Replication, Observation::Replication(replication()));
    take(Source::Tables, Observation::Tables(vec![table("orders"), table("payments")]));
    take(Source::Service, Observation::Service(service(4)));
    take(Source::Targets, Observation::Hosts(Side::New, hosts(&["healthy"; 4])));
    take(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(&["InService"; 6])));
    for (side, alarms, metrics) in [
        (Side::New, Source::AlarmsNew, Source::MetricsNew),
        (Side::Legacy, Source::AlarmsLegacy, Source::MetricsLegacy),
    ] {
        take(alarms, Observation::Alarms(side, vec![alarm(side, AlarmState::Ok)]));
        let series = Metric::of(side).map(|metric| (metric, minutes(now, usual(metric)))).collect();
        take(metrics, Observation::Metrics(side, MetricReadings { series, incomplete: vec![], past: None }));
    }
    let identity =
        Identity { account: "123456789012".into(), arn: "arn:aws:sts::123456789012:assumed-role/oncall/maria".into() };
    take(Source::Identity, Observation::Identity(identity));
    take(Source::StackRun, Observation::StackRun(None));
    facts
}

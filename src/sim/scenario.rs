//! Scenarios: named scenarios, written down as data.
//!
//! A [`Script`] is a list of [`Event`]s, each a virtual second and a [`ScriptedEvent`]; the world plays them.
//! This module only describes: it changes nothing and knows nothing of the world's insides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// The named scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scenario {
    /// Everything works.
    #[default]
    Steady,
    /// A bulk job on the source makes the replication fall behind.
    LagSpike,
    /// Tasks of the new stack die and are replaced.
    TaskCrash,
    /// A new release of the new stack answers 5xx.
    BadRelease,
    /// CloudWatch gets no new data.
    StaleMetrics,
    /// One table stops being replicated.
    TableError,
    /// Validation finds rows that differ.
    ValidationMismatch,
    /// Somebody else moves the weights.
    SecondOperator,
    /// Route 53, DMS and CloudWatch throttle every call.
    Throttled,
    /// Route 53's control plane cannot be reached.
    ControlPlaneDown,
    /// The session's credentials run out.
    ExpiredCredentials,
    /// The clock of this host is set, ahead and back.
    ClockJump,
    /// Route 53 carries out a batch long after it was sent.
    LateWrite,
    /// A service with few requests.
    SmallService,
    /// The pair's members lead to each other's load balancer.
    SwappedTargets,
    /// Nothing of the new stack exists yet.
    Fresh,
    /// The first run that provisions it fails.
    UpFails,
    /// A run that provisions it goes on already.
    Reattach,
}

/// A name that is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no scenario is called `{name}`; known: {}", Scenario::ALL.map(Scenario::name).join(", "))]
pub struct UnknownScenario {
    /// What was asked for.
    pub name: String,
}

impl Scenario {
    /// Every scenario, in the order in which they are listed to people.
    pub const ALL: [Self; 18] = [
        Self::Steady,
        Self::LagSpike,
        Self::TaskCrash,
        Self::BadRelease,
        Self::StaleMetrics,
        Self::TableError,
        Self::ValidationMismatch,
        Self::SecondOperator,
        Self::Throttled,
        Self::ControlPlaneDown,
        Self::ExpiredCredentials,
        Self::ClockJump,
        Self::LateWrite,
        Self::SmallService,
        Self::SwappedTargets,
        Self::Fresh,
        Self::UpFails,
        Self::Reattach,
    ];

    /// The name by which it is chosen on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::LagSpike => "lag-spike",
            Self::TaskCrash => "task-crash",
            Self::BadRelease => "bad-release",
            Self::StaleMetrics => "stale-metrics",
            Self::TableError => "table-error",
            Self::ValidationMismatch => "validation-mismatch",
            Self::SecondOperator => "second-operator",
            Self::Throttled => "throttled",
            Self::ControlPlaneDown => "control-plane-down",
            Self::ExpiredCredentials => "expired-credentials",
            Self::ClockJump => "clock-jump",
            Self::LateWrite => "late-write",
            Self::SmallService => "small-service",
            Self::SwappedTargets => "swapped-targets",
            Self::Fresh => "fresh",
            Self::UpFails => "up-fails",
            Self::Reattach => "reattach",
        }
    }

    /// One line on what happens and when, in virtual time.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Steady => "everything works; a step of 10 % is possible at once",
            Self::LagSpike => {
                "after 60 s a bulk job on the source drives the replication lag over 60 s; it drains later"
            }
            Self::TaskCrash => {
                "after 60 s, and twice more, tasks of the new stack turn unhealthy, die and are replaced"
            }
            Self::BadRelease => {
                "after 30 s a release is rolled out that answers 5xx; its rollout fails four minutes later"
            }
            Self::StaleMetrics => "after 30 s CloudWatch gets no new data for 20 minutes",
            Self::TableError => "after 60 s the table shop.orders fails and is suspended",
            Self::ValidationMismatch => "after 60 s validation finds 17 rows of shop.payments that differ",
            Self::SecondOperator => "after 45 s somebody else moves the weights to 70/30",
            Self::Throttled => "after 30 s Route 53, DMS and CloudWatch throttle every call for 10 minutes",
            Self::ControlPlaneDown => {
                "after 30 s Route 53 drops every connection for 20 minutes; DNS goes on answering"
            }
            Self::ExpiredCredentials => "after 30 s every service refuses the session's token",
            Self::ClockJump => {
                "after 60 s this host's clock is set 10 minutes ahead, after 240 s 20 minutes back, after 420 s right again"
            }
            Self::LateWrite => {
                "the first batch for Route 53 gets no answer, and is carried out two minutes after it was sent"
            }
            Self::SmallService => "30 requests a minute in all: a step of 10 % is 3 requests, and one error is a third",
            Self::SwappedTargets => {
                "after 45 s somebody swaps the targets: each member of the pair leads to the other's load balancer"
            }
            Self::Fresh => {
                "nothing of the new stack exists yet, and the name is a simple record to the legacy load balancer: \
                 configure, adopt the name, provision, migrate"
            }
            Self::UpFails => {
                "nothing of the new stack exists yet, and the first `up` fails in the middle; a second one goes through"
            }
            Self::Reattach => "an `up` that was started in another terminal goes on when the cockpit opens",
        }
    }

    /// What happens in it.
    #[must_use]
    pub fn script(self) -> Script {
        let events = match self {
            Self::LagSpike => vec![Event::at(60, ScriptedEvent::BulkWrites { rows_per_s: 2_200.0, for_s: 150 })],
            Self::TaskCrash => vec![
                Event::at(60, ScriptedEvent::TasksFail { tasks: 2, ill_for_s: 150 }),
                Event::at(360, ScriptedEvent::TasksFail { tasks: 1, ill_for_s: 150 }),
                Event::at(660, ScriptedEvent::TasksFail { tasks: 2, ill_for_s: 150 }),
            ],
            Self::BadRelease => {
                vec![Event::at(30, ScriptedEvent::Release { error_rate: 0.25, fails_after_s: Some(240) })]
            }
            Self::StaleMetrics => vec![Event::at(30, ScriptedEvent::MetricsStop { for_s: 1_200 })],
            Self::TableError => vec![Event::at(60, ScriptedEvent::TableFails { table: "orders".to_owned() })],
            Self::ValidationMismatch => {
                vec![Event::at(60, ScriptedEvent::RowsDiffer { table: "payments".to_owned(), rows: 17 })]
            }
            Self::SecondOperator => vec![Event::at(
                45,
                ScriptedEvent::WeightsMoved {
                    legacy: 70,
                    new: 30,
                    comment: "moved by hand from the console".to_owned(),
                },
            )],
            Self::ClockJump => [(60, 600), (240, -1_200), (420, 600)]
                .map(|(at_s, by_s)| Event::at(at_s, ScriptedEvent::ClockSet { by_s }))
                .to_vec(),
            Self::SwappedTargets => {
                let comment = "moved to the new names".to_owned();
                vec![Event::at(45, ScriptedEvent::TargetsSwapped { comment })]
            }
            _ => self.faults(),
        };
        let start = match self {
            Self::Fresh => Start::Fresh,
            Self::UpFails | Self::Reattach => Start::Adopted,
            _ => Start::Provisioned,
        };
        let requests_per_s = (self == Self::SmallService).then_some(0.5);
        Script { start, full_load_s: 0.0, requests_per_s, events }
    }

    /// What happens on the way to AWS.
    fn faults(self) -> Vec<Event> {
        match self {
            Self::Throttled => ["route53", "dms", "cloudwatch"]
                .map(|service| {
                    let fault = Fault { code: Some("Throttling".to_owned()), ..Fault::on(service) };
                    Event::at(30, ScriptedEvent::Fault(fault.lasting(600.0)))
                })
                .to_vec(),
            Self::ControlPlaneDown => {
                let fault = Fault { drop: true, ..Fault::on("route53") };
                vec![Event::at(30, ScriptedEvent::Fault(fault.lasting(1_200.0)))]
            }
            Self::ExpiredCredentials => {
                let fault = Fault { code: Some("ExpiredToken".to_owned()), ..Fault::on("*") };
                vec![Event::at(30, ScriptedEvent::Fault(fault))]
            }
            Self::LateWrite => {
                let operation = Some("ChangeResourceRecordSets".to_owned());
                let fault = Fault { operation, drop: true, late_s: Some(120.0), ..Fault::on("route53") };
                vec![Event::at(1, ScriptedEvent::Fault(fault.times(1)))]
            }
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == name)
            .ok_or_else(|| UnknownScenario { name: name.to_owned() })
    }
}

impl clap::ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()).help(self.description()))
    }
}

/// What happens in a run of the simulator, and when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What there is at the start.
    pub start: Start,
    /// Seconds of full load that are left at the start; 0 when the migration already replicates changes only. Where the
    /// replication is made later, the seconds that its full load takes; 0 for seven minutes.
    pub full_load_s: f64,
    /// Requests a second that clients make on average; as many as of a large shop when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
    /// What happens, in any order.
    pub events: Vec<Event>,
}

/// What there is of the new stack at the start, and how the name is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Everything, and the weighted pair at 100/0.
    #[default]
    Provisioned,
    /// Nothing, and the name is the weighted legacy record alone.
    Adopted,
    /// Nothing, and the name is a simple record that leads to the legacy load balancer.
    Fresh,
}

/// One happening and the virtual second at which it happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Virtual seconds after the start.
    pub at_s: u64,
    /// What happens then.
    #[serde(flatten)]
    pub happening: ScriptedEvent,
}

impl Event {
    /// A happening at a virtual second.
    #[must_use]
    pub const fn at(at_s: u64, happening: ScriptedEvent) -> Self {
        Self { at_s, happening }
    }
}

/// Something that happens to the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case", tag = "happening")]
pub enum ScriptedEvent {
    /// A bulk job writes to the source database on top of the usual changes.
    BulkWrites {
        /// Rows changed each second.
        rows_per_s: f64,
        /// How long, in seconds.
        for_s: u64,
    },
    /// Tasks of the new stack fail their health checks, then stop, and are replaced.
    TasksFail {
        /// How many of them.
        tasks: usize,
        /// How long they stay registered and unhealthy, in seconds.
        ill_for_s: u64,
    },
    /// A new release is rolled out on the new stack.
    Release {
        /// The part of its requests that it answers with 5xx, from 0 to 1.
        error_rate: f64,
        /// After how many seconds the rollout is called failed; `None` for a rollout that completes.
        fails_after_s: Option<u64>,
    },
    /// CloudWatch shows nothing newer than this instant.
    MetricsStop {
        /// How long, in seconds; what was held back arrives then.
        for_s: u64,
    },
    /// A table goes into error and is suspended.
    TableFails {
        /// The table's name.
        table: String,
    },
    /// Validation finds rows that differ between source and target.
    RowsDiffer {
        /// The table's name.
        table: String,
        /// How many rows.
        rows: u64,
    },
    /// Somebody else changes the weights of the record group.
    WeightsMoved {
        /// New weight of the legacy record, 0 to 255.
        legacy: u8,
        /// New weight of the new stack's record, 0 to 255.
        new: u8,
        /// The comment on the change.
        comment: String,
    },
    /// The clock of the host on which tapctl runs is set; AWS's own goes on.
    ClockSet {
        /// By how many seconds, below 0 for back.
        by_s: i64,
    },
    /// Somebody lets each member of the pair lead to where the other did.
    TargetsSwapped {
        /// The comment on the change.
        comment: String,
    },
    /// A fault starts on the way to a service.
    Fault(Fault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_is_listed_once() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
            assert_eq!(Scenario::ALL.iter().filter(|other| other.name() == scenario.name()).count(), 1);
            assert!(!scenario.description().is_empty());
        }
        let error = "stedy".parse::<Scenario>().unwrap_err();
        assert!(error.to_string().contains("`stedy`") && error.to_string().contains("lag-spike"));
    }

    #[test]
    fn scripts_survive_json_since_they_are_data() {
        for scenario in Scenario::ALL {
            let script = scenario.script();
            let text = serde_json::to_string(&script).unwrap();
            assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script, "{text}");
        }
    }

    #[test]
    fn in_every_provisioned_scenario_but_the_quiet_ones_something_happens() {
        for scenario in Scenario::ALL {
            let script = scenario.script();
            let quiet = [Scenario::Steady, Scenario::SmallService].contains(&scenario);
            let calm = quiet || script.start != Start::Provisioned;
            assert_eq!(script.events.is_empty(), calm, "{scenario}");
        }
    }

    #[test]
    fn faults_in_scripts_are_valid() {
        for scenario in Scenario::ALL {
            for event in scenario.script().events {
                if let ScriptedEvent::Fault(fault) = event.happening {
                    assert_eq!(fault.check(), Ok(()), "{scenario}");
                }
            }
        }
    }
}

//! Frames of the first night: nothing is provisioned, the name is one simple record, or not configured at all; and the
//! words for it, which are no alarm.

use std::time::Duration;

use super::fixtures::{judge, now, on, records, shown, steady, tell};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Facts, Observation, Source};
use crate::domain::model::Model;
use crate::domain::traffic::{GroupKey, Record, Routing};
use crate::keymap::View;

/// Nothing is provisioned, and these records answer the name.
fn with(records: Option<&[Record]>) -> Model {
    let mut model = steady(20, 760);
    model.stack.endpoints.new = None;
    model.stack.endpoints.legacy_dns = "techvault-legacy-1234567890.us-east-1.elb.amazonaws.com".into();
    model.screen.view = View::Provision;
    model.live.journal.clear();
    model.provision.asked = true;
    let known = std::mem::take(&mut model.live.facts);
    let key = model.stack.group.clone();
    let mut facts = Facts { identity: known.identity, stack_run: known.stack_run, ..Facts::default() };
    let absent = |text: &str| PortError::new(ErrorKind::NotProvisioned, "pulumi stack output", text);
    for source in Source::ALL {
        let answer = match (source, records) {
            (Source::Records, Some(records)) => Ok(Observation::Records(records.to_vec())),
            (Source::LegacyHosts | Source::Identity | Source::StackRun | Source::Change | Source::MetricsLegacy, _) => {
                continue;
            }
            _ => Err(absent("the new stack does not exist yet")),
        };
        facts.absorb(&key, source, answer, now().minus(Duration::from_secs(2)));
    }
    model.live.facts = facts;
    tell(&mut model, vec![]);
    judge(&mut model);
    model
}

fn simple() -> Vec<Record> {
    let legacy = records(0).swap_remove(0);
    vec![Record { set_identifier: None, routing: Routing::Simple, ..legacy }]
}

fn unconfigured() -> Model {
    let mut model = with(None);
    model.stack.group = GroupKey::unset();
    model.stack.unset = ["recordName app.example.com", "hostedZoneId Z0123456789ABCDEFGHIJ"]
        .map(|set| {
            let key = set.split(' ').next().unwrap();
            format!("tap:{key} is not set: pulumi config set {set} --stack prod")
        })
        .to_vec();
    judge(&mut model);
    model
}

#[test]
fn the_first_night_says_what_is_next() {
    let model = with(Some(&simple()));
    for (size, name) in [((80, 24), "80x24"), ((120, 36), "120x36")] {
        insta::assert_snapshot!(format!("first_night_{name}"), shown(&model, size));
        insta::assert_snapshot!(format!("not_configured_{name}"), shown(&unconfigured(), size));
    }
    insta::assert_snapshot!("first_night_overview_120x36", shown(&on(View::Overview, model), (120, 36)));
}

#[test]
fn what_does_not_exist_yet_is_no_failure() {
    for model in [with(Some(&simple())), with(Some(&[])), unconfigured()] {
        for view in View::ALL {
            for size in [(80, 24), (120, 36)] {
                let shown = shown(&on(view, model.clone()), size);
                assert!(shown.contains("NOT PROVISIONED"), "{shown}");
                assert!(!shown.contains("ecs: not provisioned"), "{shown}");
            }
        }
    }
    let shown = shown(&on(View::Traffic, with(Some(&simple()))), (120, 36));
    assert!(shown.contains("app.example.com is one simple record to the legacy stack"), "{shown}");
}

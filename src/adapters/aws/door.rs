//! Where AWS's words come in: every text of every answer is made [`Foreign`] here, once, before anybody sees it.
//!
//! Each type is taken apart in full, so that a new field does not compile before it is thought of here. What goes back
//! to Route 53 letter by letter is remembered as it was ([`Exact`]).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::facts::Observation;
use crate::domain::replication::{Replication, ReplicationInstance, ReplicationTask, TableStat, TaskStatus};
use crate::domain::service::{Alarm, Deployment, Host, Hosts, Identity, Service, Task};
use crate::domain::text::Foreign;
use crate::domain::traffic::{Change, OtherRouting, Record, Routing, Target};

/// Texts that were changed on their way in, as AWS wrote them: a batch has to name records exactly.
#[derive(Debug, Default)]
pub(super) struct Exact(Mutex<HashMap<String, String>>);

impl Exact {
    /// The text as AWS wrote it.
    pub(super) fn of(&self, text: &str) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned().unwrap_or_else(|| text.to_owned())
    }

    fn keep(&self, text: &mut String) {
        let raw = text.clone();
        take(text);
        if raw != *text {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone(), raw);
        }
    }
}

fn take(text: &mut String) {
    *text = Foreign::take(text).into_string();
}

fn take_some(text: &mut Option<String>) {
    if let Some(text) = text {
        take(text);
    }
}

/// Takes an answer in.
pub(super) fn take_in(mut answer: Observation, exact: &Exact) -> Observation {
    match &mut answer {
        Observation::Records(records) | Observation::Zone(records) => {
            for record in records {
                take_record(record, exact);
            }
        }
        Observation::Change(change) => take_change(change),
        Observation::Replication(replication) => take_replication(replication),
        Observation::Tables(tables) => tables.iter_mut().for_each(take_table),
        Observation::Service(service) => take_service(service),
        Observation::Hosts(_, Hosts { hosts }) => hosts.iter_mut().for_each(take_host),
        Observation::Alarms(_, alarms) => alarms.iter_mut().for_each(take_alarm),
        Observation::Metrics(..) | Observation::MayChange => {}
        Observation::Identity(Identity { account, arn }) => {
            take(account);
            take(arn);
        }
        Observation::StackRun(run) => take_some(run),
    }
    answer
}

pub(super) fn take_change(change: &mut Change) {
    let Change { id, status: _, at: _ } = change;
    take(id);
}

fn take_record(record: &mut Record, exact: &Exact) {
    let Record { name, rtype, set_identifier, routing, target, health_check_id } = record;
    exact.keep(name);
    exact.keep(rtype);
    for text in [set_identifier, health_check_id].into_iter().flatten() {
        exact.keep(text);
    }
    match routing {
        Routing::Simple | Routing::Weighted(_) => {}
        Routing::Other(OtherRouting { policy, fields }) => {
            take(policy);
            for value in fields.values_mut() {
                *value = Foreign::take_value(value.take());
            }
        }
    }
    match target {
        Target::Alias { dns_name, zone_id, evaluate_health: _ } => {
            exact.keep(dns_name);
            exact.keep(zone_id);
        }
        Target::Values { ttl_s: _, values } => values.iter_mut().for_each(|value| exact.keep(value)),
    }
}

fn take_replication(replication: &mut Replication) {
    let Replication { task, instance, reverse } = replication;
    let ReplicationTask {
        name,
        status,
        migration_type,
        stop_reason,
        failure,
        full_load_percent: _,
        tables_loaded: _,
        tables_loading: _,
        tables_queued: _,
        tables_errored: _,
        started: _,
        stopped: _,
    } = task;
    for status in [Some(status), reverse.as_mut()].into_iter().flatten() {
        match status {
            TaskStatus::Other(word) => take(word),
            TaskStatus::Running | TaskStatus::Ready | TaskStatus::Stopped | TaskStatus::Failed => {}
        }
    }
    take(name);
    take(migration_type);
    take_some(stop_reason);
    take_some(failure);
    if let Some(ReplicationInstance { id, status, class }) = instance {
        take(id);
        take(status);
        take(class);
    }
}

fn take_table(table: &mut TableStat) {
    let TableStat {
        schema,
        table,
        state,
        full_load_rows: _,
        captured: _,
        applied: _,
        validation,
        validation_pending: _,
        validation_failed: _,
        validation_suspended: _,
        updated: _,
        load_errors: _,
        validation_details,
    } = table;
    for text in [schema, table, state, validation] {
        take(text);
    }
    take_some(validation_details);
}

fn take_service(service: &mut Service) {
    let Service { name, status, desired: _, running: _, pending: _, deployments, events, tasks } = service;
    take(name);
    take(status);
    for deployment in deployments {
        let Deployment {
            status,
            rollout,
            reason,
            desired: _,
            running: _,
            pending: _,
            failed: _,
            task_definition,
            created: _,
        } = deployment;
        for text in [status, rollout, reason, task_definition] {
            take(text);
        }
    }
    for (_, sentence) in events {
        take(sentence);
    }
    for Task { id, address, zone, status, health, started: _ } in tasks {
        for text in [id, zone, status, health] {
            take(text);
        }
        take_some(address);
    }
}

fn take_host(host: &mut Host) {
    let Host { id, zone, state, reason } = host;
    take(id);
    take(state);
    take_some(zone);
    take_some(reason);
}

fn take_alarm(alarm: &mut Alarm) {
    let Alarm { name, side: _, state: _, since: _, reason, silenced, evaluation } = alarm;
    take(name);
    take(reason);
    take_some(silenced);
    take_some(evaluation);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_goes_back_letter_by_letter_however_it_is_shown() {
        let exact = Exact::default();
        let mut record = Record {
            name: "app.example.com.".into(),
            rtype: "A".into(),
            set_identifier: Some("new\u{1b}[2J".into()),
            routing: Routing::Weighted(1),
            target: Target::Values { ttl_s: 60, values: vec!["192.0.2.1".into()] },
            health_check_id: None,
        };
        let raw = record.clone();
        take_record(&mut record, &exact);
        assert_eq!(record.set_identifier.as_deref(), Some("new\\x1b[2J"));
        assert_eq!((record.name.as_str(), exact.of(&record.name)), ("app.example.com.", raw.name));
        assert_eq!(Some(exact.of("new\\x1b[2J")), raw.set_identifier);
    }
}

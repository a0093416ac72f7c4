//! Gates on the machines that answer: the ECS service, the targets of its balancer, and the fleet that the way back
//! leads to.
//!
//! AWS's own reason stands in the sentence wherever it gives one.

use crate::domain::facts::Source;
use crate::domain::metrics::Metric;
use crate::domain::reading;
use crate::domain::service::{Hosts, Service};
use crate::domain::units::short_number;

use super::{Gate, GateId, Inputs, Verdict, fresh};

/// What keeps a gate from passing.
struct Finding {
    verdict: Verdict,
    value: String,
    reason: String,
}

impl Finding {
    fn fail(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, value: value.into(), reason: reason.into() }
    }

    fn unknown(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, value: value.into(), reason: reason.into() }
    }
}

pub(super) fn service(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Service;
    const LIMIT: &str = "running = desired, COMPLETED";
    let (service, at) = match fresh(inputs.facts.service.as_ref(), Source::Service, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    // The first that finds something says it: what is behind the others comes first.
    let checks: [fn(&Service) -> Option<Finding>; 6] = [state, taken_back, counts, rollout, deployments, tasks];
    let gate = match checks.into_iter().find_map(|check| check(service)) {
        Some(found) => Gate::new(ID, found.verdict, found.value, LIMIT, found.reason),
        None => Gate::new(
            ID,
            Verdict::Pass,
            format!("{} running, rollout completed", count(service)),
            LIMIT,
            "the service runs what it wants",
        ),
    };
    gate.at(at)
}

fn count(service: &Service) -> String {
    format!("{}/{}", service.running, service.desired)
}

fn state(service: &Service) -> Option<Finding> {
    if service.status != "ACTIVE" {
        let reason = format!("the service is {}, not ACTIVE", service.status);
        return Some(Finding::fail(service.status.clone(), reason));
    }
    (service.desired == 0).then(|| {
        Finding::fail(
            count(service),
            "ECS desired count is 0: the new stack would serve no requests; set the desired count",
        )
    })
}

/// A rollout that failed, or that ECS's circuit breaker is taking back (ECS developer guide, "How the Amazon ECS
/// deployment circuit breaker detects failures").
fn taken_back(service: &Service) -> Option<Finding> {
    if let Some(failed) = service.deployments.iter().find(|d| d.rollout == "FAILED") {
        let reason = format!("the rollout of {} failed: {}", failed.task_definition, failed.reason);
        return Some(Finding::fail(format!("{}, FAILED", count(service)), reason));
    }
    let primary = service.primary().filter(|d| d.rollout != "COMPLETED")?;
    let words = primary.reason.to_ascii_lowercase();
    ["rolling back", "rollback", "circuit breaker"].iter().any(|word| words.contains(word)).then(|| {
        let reason = format!("ECS takes the release back: {}; look at why its tasks stopped", primary.reason);
        Finding::fail(format!("{}, rolling back", count(service)), reason)
    })
}

fn counts(service: &Service) -> Option<Finding> {
    let (running, wanted, pending) = (service.running, service.desired, service.pending);
    let told = match (service.primary(), service.events.first()) {
        (Some(primary), _) if primary.rollout != "COMPLETED" && !primary.reason.is_empty() => {
            format!("; ECS: {}", primary.reason)
        }
        (_, Some((_, event))) => format!("; newest event: {event}"),
        _ => String::new(),
    };
    let reason = if running > wanted {
        format!("{running} run, {wanted} wanted: old tasks are being stopped{told}")
    } else if running < wanted {
        format!("{running} of {wanted} run: tasks are missing{told}")
    } else if pending > 0 {
        format!("{pending} more are being started beside the {running} that run{told}")
    } else {
        return None;
    };
    Some(Finding::fail(format!("{} running, {pending} pending", count(service)), reason))
}

fn rollout(service: &Service) -> Option<Finding> {
    let Some(primary) = service.primary() else {
        return Some(Finding::unknown(count(service), "ECS names no primary deployment"));
    };
    match primary.rollout.as_str() {
        "COMPLETED" => None,
        "" => Some(Finding::unknown(
            format!("{}, no rollout state", count(service)),
            "ECS gives no rollout state and will give none: the service is not deployed by ECS's own rolling update; \
             look at its deployment, then override this gate by name",
        )),
        word => {
            let told = if primary.reason.is_empty() { String::new() } else { format!("; ECS: {}", primary.reason) };
            Some(Finding::fail(
                format!("{}, {word}", count(service)),
                format!("a deployment is being rolled out; wait until it is COMPLETED{told}"),
            ))
        }
    }
}

/// Deployments that speak against the word COMPLETED.
fn deployments(service: &Service) -> Option<Finding> {
    let primary = service.primary()?;
    let against = if primary.failed > 0 {
        format!("{} of its tasks failed one after the other", primary.failed)
    } else if primary.desired != service.desired {
        format!("it wants {} tasks and the service {}", primary.desired, service.desired)
    } else if primary.running != primary.desired || primary.pending > 0 {
        format!("{} of {} of its tasks run, {} are being started", primary.running, primary.desired, primary.pending)
    } else if let Some(old) = service.deployments.iter().find(|d| d.status != "PRIMARY" && d.running + d.pending > 0) {
        format!("{} tasks of {} still run", old.running + old.pending, old.task_definition)
    } else {
        return None;
    };
    let reason = format!("ECS calls the rollout of {} COMPLETED, but {against}; wait", primary.task_definition);
    Some(Finding::fail(format!("{}, not complete", count(service)), reason))
}

/// Tasks that speak against the counts. Of more than the one page that is read, the rest is not known.
fn tasks(service: &Service) -> Option<Finding> {
    const PAGE: usize = 100;
    let sick: Vec<_> = service.tasks.iter().filter(|t| t.health == "UNHEALTHY").collect();
    if let Some(first) = sick.first() {
        let reason = format!("the task {} is UNHEALTHY: its own health check fails; look at its log", first.id);
        return Some(Finding::fail(format!("{}, {} UNHEALTHY", count(service), sick.len()), reason));
    }
    let running = service.tasks.iter().filter(|t| t.status == "RUNNING").count();
    (service.tasks.len() < PAGE && running != service.running as usize).then(|| {
        let reason = format!("ECS counts {} running tasks and lists {running}; it is asked again", service.running);
        Finding::unknown(count(service), reason)
    })
}

pub(super) fn targets(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Targets;
    const LIMIT: &str = "all healthy";
    let (hosts, at) = match fresh(inputs.facts.targets.as_ref(), Source::Targets, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let healthy = hosts.healthy();
    let found = match fresh(inputs.facts.service.as_ref(), Source::Service, inputs) {
        Ok((service, _)) => new_targets(hosts, service.desired.max(1) as usize),
        // Whatever the number that is wanted, these would be in the way.
        Err(_) if hosts.unhealthy() > 0 || healthy == 0 => new_targets(hosts, 1),
        Err(why) => {
            let reason = format!("how many targets are wanted is not known: ECS: {why}");
            Some(Finding::unknown(format!("{healthy} healthy"), reason))
        }
    };
    let gate = match found.or_else(|| minute_before(inputs)).or_else(|| way_back(inputs)) {
        Some(found) => Gate::new(ID, found.verdict, found.value, LIMIT, found.reason),
        None => {
            Gate::new(ID, Verdict::Pass, format!("{healthy} healthy"), LIMIT, "every target answers its health check")
        }
    };
    gate.at(at)
}

fn new_targets(hosts: &Hosts, desired: usize) -> Option<Finding> {
    let (healthy, unhealthy) = (hosts.healthy(), hosts.unhealthy());
    let in_state = |state: &str| hosts.hosts.iter().filter(|h| h.state == state).count();
    let why = |state: &str| {
        let reason = hosts.hosts.iter().filter(|h| h.state == state).find_map(|h| h.reason.as_deref());
        reason.map(|reason| format!(" ({reason})")).unwrap_or_default()
    };
    if in_state("unused") > 0 {
        return Some(Finding::fail(
            format!("{healthy} healthy, {} unused", in_state("unused")),
            format!(
                "the target group is not in use{}: let a listener of the ALB forward to it, in the targets' zones",
                why("unused")
            ),
        ));
    }
    if let Some(sick) = hosts.hosts.iter().find(|h| h.is_unhealthy()) {
        let value = format!("{healthy} healthy, {unhealthy} {}", sick.state);
        let reason = match sick.state.as_str() {
            "unavailable" => format!("the ALB does not check these targets{}", why("unavailable")),
            _ => format!(
                "the ALB finds unhealthy targets ({}); look at the tasks' logs",
                sick.reason.as_deref().unwrap_or("it gives no reason")
            ),
        };
        return Some(Finding::fail(value, reason));
    }
    if healthy >= desired {
        return None;
    }
    let (new, old) = (in_state("initial"), in_state("draining"));
    let then = if new > 0 {
        format!("wait until {new} more have passed their health check{}", why("initial"))
    } else if old > 0 {
        format!("{old} are being taken out of service{}", why("draining"))
    } else {
        "the others are not registered with the target group".to_owned()
    };
    let reason = format!("fewer healthy targets than wanted tasks: {then}");
    Some(Finding::fail(format!("{healthy} of {desired} healthy"), reason))
}

/// What CloudWatch counted in the newest settled minute: a target that was sick then and answers now may be flapping.
fn minute_before(inputs: Inputs<'_>) -> Option<Finding> {
    let newest = |metric| {
        let reading = reading::metric(inputs.facts, metric, inputs.now);
        Some((*reading.fresh()?, reading.at?.hm()))
    };
    if let Some((sick, at)) = newest(Metric::NewUnhealthy).filter(|(sick, _)| *sick > 0.0) {
        let sick = short_number(sick);
        let reason = format!("{sick} targets did not answer their health check at {at} UTC; wait for a minute without");
        return Some(Finding::fail(format!("{sick} unhealthy at {at}"), reason));
    }
    let (_, at) = newest(Metric::NewHealthy).filter(|(healthy, _)| *healthy < 1.0)?;
    let reason = format!("no target was healthy at {at} UTC; wait for a minute with healthy targets");
    Some(Finding::fail(format!("none healthy at {at}"), reason))
}

/// Whether the way back leads to anybody. Once the legacy stack has no weight, its fleet may be taken down.
fn way_back(inputs: Inputs<'_>) -> Option<Finding> {
    if inputs.facts.shiftable().is_some_and(|group| group.weights().legacy() == 0) {
        return None;
    }
    match fresh(inputs.facts.legacy_hosts.as_ref(), Source::LegacyHosts, inputs) {
        Ok((legacy, _)) if legacy.healthy() == 0 => {
            let why = legacy.hosts.iter().find_map(|h| h.reason.as_deref()).unwrap_or("it gives no reason");
            let reason =
                format!("the legacy balancer has no instance in service ({why}): the way back leads to nobody");
            Some(Finding::fail(format!("legacy 0 of {} in service", legacy.hosts.len()), reason))
        }
        Ok(_) => None,
        Err(why) => {
            let reason = format!("whether the way back leads to anybody is not known: legacy hosts: {why}");
            Some(Finding::unknown("legacy not known", reason))
        }
    }
}

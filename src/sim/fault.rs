//! Faults on the way between a client and a simulated service.
//!
//! A [`Fault`] says which calls it meets and what it does to them; [`Faults`] holds those that are active and counts them down.
//! Faults never touch the world: a dropped or refused call changes nothing, unless the fault says that it comes `after`: then the
//! call has done its work, and only its answer is lost.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire::Service;

/// AWS takes no request that is older than a quarter of an hour; one that is carried out an hour late helps nobody.
const MAX_LATE_S: f64 = 3_600.0;

/// The zone's name servers, as a fault calls them.
const DNS: &str = "dns";

/// So many faults can be active at once; the oldest gives way, so that a script cannot fill the memory.
const MAX_FAULTS: usize = 256;

/// A fault: which calls it meets, what it does, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `route53`, `cloudwatch`, `dms`, `ecs`, `elbv2`, `elb`, `sts`, `secretsmanager`, or `*` for all of them; `dns` for the
    /// zone's name servers, whose operation is a server's name and whose codes are `SERVFAIL`, `REFUSED`, `NXDOMAIN`,
    /// `TRUNCATED` and `BEHIND`.
    pub service: String,
    /// Only this operation, for example `GetChange`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only calls signed for this region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Answer with this error. General codes (`Throttling`, `ExpiredToken`, `AccessDenied`, `ServiceUnavailable`,
    /// `InternalFailure`) are spelt as the service's protocol spells them; any other is sent as it is.
    #[serde(default, alias = "error", skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// HTTP status of the error; a fitting one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Message of the error; AWS's usual words when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Real milliseconds that the answer is held back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub latency_ms: u64,
    /// Close the connection instead of answering.
    #[serde(default, skip_serializing_if = "is_false")]
    pub drop: bool,
    /// Let the call do its work first: only the answer is lost or replaced.
    #[serde(default, skip_serializing_if = "is_false")]
    pub after: bool,
    /// Let the call do its work so many virtual seconds later: only the answer is lost or replaced, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_s: Option<f64>,
    /// Answer 200 with bytes that no client can parse.
    #[serde(default, skip_serializing_if = "is_false")]
    pub garbage: bool,
    /// Ends after so many calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Ends after so many virtual seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Fault {
    /// A fault that meets every call to a service and does nothing yet.
    #[must_use]
    pub fn on(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            operation: None,
            region: None,
            code: None,
            status: None,
            message: None,
            latency_ms: 0,
            drop: false,
            after: false,
            late_s: None,
            garbage: false,
            count: None,
            duration_s: None,
        }
    }

    /// The same fault, ending after so many virtual seconds.
    #[must_use]
    pub fn lasting(self, seconds: f64) -> Self {
        Self { duration_s: Some(seconds), ..self }
    }

    /// The same fault, ending after so many calls.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Says what is wrong with it, for whoever typed it.
    ///
    /// # Errors
    /// An unknown service, an impossible status or duration, or a fault without any effect.
    pub fn check(&self) -> Result<(), String> {
        if self.service == DNS {
            return self.check_dns();
        }
        if self.service != "*" && Service::from_name(&self.service).is_none() {
            let known = Service::ALL.map(Service::name).join(", ");
            return Err(format!("no service is called `{}`; known: {known}, or * for all", self.service));
        }
        if self.status.is_some_and(|status| !(400..600).contains(&status)) {
            return Err("status must be an error status, 400 to 599".to_owned());
        }
        if self.status.is_some() && self.code.is_none() {
            return Err("status needs a code, for example \"code\":\"InternalFailure\"".to_owned());
        }
        if self.duration_s.is_some_and(|seconds| !seconds.is_finite() || seconds < 0.0) {
            return Err("duration_s must be a number of seconds, 0 or more".to_owned());
        }
        if self.code.is_none() && !self.drop && !self.garbage && self.latency_ms == 0 {
            return Err("the fault does nothing: give code, latency_ms, drop or garbage".to_owned());
        }
        if self.after && self.code.is_none() && !self.drop && !self.garbage {
            return Err("after needs an answer that is lost: give drop, garbage or code".to_owned());
        }
        if self.late_s.is_some() && (self.after || !(self.code.is_some() || self.drop || self.garbage)) {
            return Err("late_s needs an answer that is lost, drop, garbage or code, and no after".to_owned());
        }
        if self.late_s.is_some_and(|seconds| !(0.0..=MAX_LATE_S).contains(&seconds)) {
            return Err(format!("late_s must be a number of seconds, 0 to {MAX_LATE_S}"));
        }
        Ok(())
    }

    fn check_dns(&self) -> Result<(), String> {
        let codes = ["SERVFAIL", "REFUSED", "NXDOMAIN", "TRUNCATED", "BEHIND"];
        if let Some(code) = self.code.as_deref().filter(|code| !codes.contains(code)) {
            return Err(format!("no name server answers `{code}`; known: {}", codes.join(", ")));
        }
        if self.region.is_some()
            || self.status.is_some()
            || self.message.is_some()
            || self.after
            || self.late_s.is_some()
        {
            return Err(
                "a fault of dns has operation, code, latency_ms, drop, garbage, count and duration_s".to_owned()
            );
        }
        if self.duration_s.is_some_and(|seconds| !seconds.is_finite() || seconds < 0.0) {
            return Err("duration_s must be a number of seconds, 0 or more".to_owned());
        }
        if self.code.is_none() && !self.drop && !self.garbage && self.latency_ms == 0 {
            return Err("the fault does nothing: give code, latency_ms, drop or garbage".to_owned());
        }
        Ok(())
    }

    fn meets(&self, call: &Target<'_>) -> bool {
        let service = match call.service {
            Some(service) => self.service == "*" || Service::from_name(&self.service) == Some(service),
            // What answers for the zone is apart from what AWS is asked and told by.
            None => self.service == DNS,
        };
        let operation = self.operation.as_deref().is_none_or(|operation| operation == call.operation);
        let region = self.region.as_deref().is_none_or(|region| region == call.region);
        service && operation && region
    }
}

/// What a fault is matched against.
pub(crate) struct Target<'a> {
    /// Nothing for the name servers.
    pub(crate) service: Option<Service>,
    pub(crate) operation: &'a str,
    pub(crate) region: &'a str,
}

/// What becomes of one call.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) effect: Option<Effect>,
    /// The call does its work all the same.
    pub(crate) after: bool,
    /// The call does its work so many virtual seconds later.
    pub(crate) late_s: Option<f64>,
}

/// How a call ends instead of being answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Drop,
    Garbage,
    Error { code: String, status: Option<u16>, message: Option<String> },
}

/// The active faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    until: Option<Timestamp>,
    left: Option<u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault, now: Timestamp) {
        if self.active.len() >= MAX_FAULTS {
            self.active.remove(0);
        }
        let until = fault.duration_s.and_then(|seconds| {
            let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
            Some(now.saturating_add(span).unwrap_or(Timestamp::MAX))
        });
        self.active.push(Active { left: fault.count, until, fault });
    }

    /// Decides about one call: delays add up, and the first fault with an effect ends it.
    pub(crate) fn judge(&mut self, call: &Target<'_>, now: Timestamp) -> Verdict {
        self.expire(now);
        let mut verdict = Verdict::default();
        for active in &mut self.active {
            if !active.fault.meets(call) {
                continue;
            }
            if let Some(left) = &mut active.left {
                *left = left.saturating_sub(1);
            }
            verdict.delay = verdict.delay.saturating_add(Duration::from_millis(active.fault.latency_ms));
            verdict.effect = effect(&active.fault);
            verdict.after = active.fault.after;
            verdict.late_s = active.fault.late_s;
            if verdict.effect.is_some() {
                break;
            }
        }
        self.expire(now);
        verdict
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.active.retain(|active| active.left != Some(0) && active.until.is_none_or(|until| now < until));
    }

    /// The active faults, with what is left of them, for `/_sim/state`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let list = self.active.iter().map(|active| {
            let mut value = serde_json::to_value(&active.fault).unwrap_or_default();
            value["calls_left"] = active.left.into();
            value["until"] = active.until.map(|until| until.to_string()).into();
            value
        });
        list.collect()
    }
}

fn effect(fault: &Fault) -> Option<Effect> {
    if fault.drop {
        Some(Effect::Drop)
    } else if fault.garbage {
        Some(Effect::Garbage)
    } else {
        let error =
            |code: &String| Effect::Error { code: code.clone(), status: fault.status, message: fault.message.clone() };
        fault.code.as_ref().map(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> Target<'_> {
        Target { service: Some(Service::Route53), operation, region: "us-east-1" }
    }

    fn throttling() -> Fault {
        Fault { code: Some("Throttling".to_owned()), ..Fault::on("route53") }
    }

    #[test]
    fn a_count_runs_out() {
        let mut faults = Faults::default();
        faults.add(throttling().times(2), Timestamp::UNIX_EPOCH);
        let hits = (0..4).map(|_| faults.judge(&call("GetChange"), Timestamp::UNIX_EPOCH).effect.is_some());
        assert_eq!(hits.collect::<Vec<_>>(), [true, true, false, false]);
    }

    #[test]
    fn a_duration_runs_out_on_virtual_time() {
        let mut faults = Faults::default();
        faults.add(throttling().lasting(10.0), Timestamp::UNIX_EPOCH);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(faults.judge(&call("GetChange"), at(9)).effect.is_some());
        assert!(faults.judge(&call("GetChange"), at(10)).effect.is_none());
    }

    #[test]
    fn operation_region_and_service_narrow_it() {
        let narrow = Fault { operation: Some("GetChange".to_owned()), ..throttling() };
        assert!(narrow.meets(&call("GetChange")));
        assert!(!narrow.meets(&call("ListHostedZones")));
        assert!(!Fault { region: Some("us-west-2".to_owned()), ..throttling() }.meets(&call("GetChange")));
        assert!(!Fault { code: Some("X".to_owned()), ..Fault::on("dms") }.meets(&call("GetChange")));
        assert!(Fault { drop: true, ..Fault::on("*") }.meets(&call("GetChange")));
    }

    #[test]
    fn latency_adds_to_what_follows() {
        let mut faults = Faults::default();
        faults.add(Fault { latency_ms: 100, ..Fault::on("*") }, Timestamp::UNIX_EPOCH);
        faults.add(Fault { drop: true, latency_ms: 50, ..Fault::on("route53") }, Timestamp::UNIX_EPOCH);
        let verdict = faults.judge(&call("GetChange"), Timestamp::UNIX_EPOCH);
        let expected =
            Verdict { delay: Duration::from_millis(150), effect: Some(Effect::Drop), after: false, late_s: None };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        let cases = [
            (Fault { drop: true, ..Fault::on("rout53") }, "no service"),
            (Fault::on("dms"), "does nothing"),
            (Fault { status: Some(200), ..throttling() }, "status"),
            (Fault { status: Some(500), drop: true, ..Fault::on("dms") }, "needs a code"),
            (throttling().lasting(f64::NAN), "duration_s"),
            (Fault { after: true, latency_ms: 5, ..Fault::on("dms") }, "after needs"),
            (Fault { late_s: Some(5.0), latency_ms: 5, ..Fault::on("dms") }, "late_s needs"),
            (Fault { late_s: Some(f64::NAN), ..throttling() }, "late_s must"),
            (Fault { late_s: Some(1e9), ..throttling() }, "late_s must"),
        ];
        for (fault, word) in cases {
            let message = fault.check().unwrap_err();
            assert!(message.contains(word), "{message}");
        }
        assert!(serde_json::from_str::<Fault>(r#"{"service":"dms","latency":5}"#).is_err());
    }
}

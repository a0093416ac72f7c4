//! Whose keys sign and until when, what can be read with them, and whether the first step would be let through.
//!
//! A cause is told once, however many sources it keeps from answering.

use super::Check;
use crate::commands::failure::Failure;
use crate::compose::session::Session;
use crate::config::process_env;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Facts, Query, Source};

/// A change id that Route 53 never gives: whoever may ask is told that there is none.
const NO_CHANGE: &str = "C00000000000TAPCTL";

pub(super) async fn access(session: &Session, facts: &Facts) -> Vec<Check> {
    let mut checks = vec![credentials(session, facts)];
    checks.extend(sources(facts));
    let refused = facts.error(Source::Identity).is_some_and(|error| error.kind == ErrorKind::Credentials);
    if !refused {
        checks.push(right_to_follow(session).await);
        checks.extend(right_to_write(session).await);
    }
    checks
}

fn credentials(session: &Session, facts: &Facts) -> Check {
    let given = (session.keys)();
    match (&facts.identity, facts.error(Source::Identity)) {
        (Some(identity), _) => {
            let given = given.map(|given| format!("; {}", given.text)).unwrap_or_default();
            Check::ok("credentials", format!("{} in {}{given}", identity.value.arn, identity.value.account))
        }
        (None, Some(error)) => {
            let mut check = Check::port("credentials", error);
            if error.kind == ErrorKind::Credentials && error.next.is_none() {
                let profile = session.settings.profile.clone().or_else(|| process_env("AWS_PROFILE"));
                let usual = profile.map(|profile| format!("aws sso login --profile {profile}"));
                check.fix = given.map(|given| given.renew).or(usual).or(check.fix);
            }
            check
        }
        (None, None) => Check::warn("credentials", "not asked", "run it again"),
    }
}

/// A row for each source that answers, and one for each cause.
fn sources(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut told: Vec<(&PortError, Vec<&'static str>)> = Vec::new();
    // What keeps STS from answering is in the row of the credentials.
    if let Some(error) = facts.error(Source::Identity) {
        told.push((error, vec![]));
    }
    for (source, health) in facts.sources.iter().filter(|(source, _)| **source != Source::Identity) {
        match &health.error {
            // Said once, in the row of the outputs.
            Some(error) if error.kind == ErrorKind::NotProvisioned => {}
            Some(error) => match told.iter_mut().find(|(cause, _)| cause.is_same_cause(error)) {
                Some((_, names)) => names.push(source.name()),
                None => told.push((error, vec![source.name()])),
            },
            None => checks.push(Check::ok(source.name(), "answers")),
        }
    }
    let of_identity = facts.error(Source::Identity);
    for (error, names) in told {
        match names.as_slice() {
            [] => {}
            names if of_identity == Some(error) => {
                let found = format!("not known for the same reason as the credentials: {}", names.join(", "));
                checks.push(Check::fail("sources", &Failure { message: found, ..Failure::from(error.clone()) }));
            }
            [name] => checks.push(Check::port(name, error)),
            [name, others @ ..] => {
                let failure = Failure::from(error.clone());
                let message = format!("{}; the same for {}", failure.message, others.join(", "));
                checks.push(Check::fail(name, &Failure { message, ..failure }));
            }
        }
    }
    checks
}

/// Whether a change that was sent could be followed to INSYNC.
async fn right_to_follow(session: &Session) -> Check {
    const NAME: &str = "right-to-follow";
    match session.ports.observe.observe(Query::Change(NO_CHANGE.to_owned())).await {
        Ok(_) => Check::ok(NAME, "route53:GetChange is allowed"),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Check::ok(NAME, "route53:GetChange is allowed (it said that there is no such change)")
        }
        Err(error) => unproved(NAME, "whether a change is in effect could not be followed", &error),
    }
}

/// Whether a step, or the way back, would be let through.
async fn right_to_write(session: &Session) -> Option<Check> {
    const NAME: &str = "right-to-write";
    if let Err(why) = session.may_change() {
        return Some(Check::ok(NAME, format!("not asked: {}", why.message)));
    }
    match session.ports.observe.observe(Query::MayChange).await {
        Ok(_) => Some(Check::ok(
            NAME,
            "route53:ChangeResourceRecordSets is allowed for this name (proved by a batch that cannot change anything)",
        )),
        Err(error) if error.kind == ErrorKind::NotProvisioned => None,
        Err(error) => Some(unproved(NAME, "neither a step nor the way back could be made from here", &error)),
    }
}

/// A right that is missing fails; one that could not be looked at is not known.
fn unproved(name: &str, meaning: &str, error: &PortError) -> Check {
    let failure = Failure::from(error.clone());
    match error.kind {
        ErrorKind::Denied => {
            Check::fail(name, &Failure { message: format!("{}; {meaning}", failure.message), ..failure })
        }
        _ => Check::warn(name, format!("not known: {}", failure.message), failure.hint),
    }
}

//! The ports of a process that must not use them: whoever holds these has nothing that could.
//!
//! The composition root hands them out in place of the real ones, so that no check elsewhere can be forgotten.

use crate::domain::change::Batch;
use crate::domain::change::outcome::SendError;
use crate::domain::confirm::Confirmed;
use crate::domain::evidence::answers::{Answer, NoAnswer};
use crate::domain::facts::{Observation, Query};
use crate::domain::traffic::RecordGroup;
use crate::ports::{Asked, NameServers, Observe, PortError, PortFuture, SendFuture, Traffic};

/// Refuses every question and every change, and says why.
#[derive(Debug, Clone)]
pub struct Refusing(pub PortError);

impl Traffic for Refusing {
    fn send(&self, _: &Confirmed<Batch>) -> SendFuture<'_> {
        Box::pin(std::future::ready(Err(SendError { error: self.0.clone(), sent_before: false })))
    }
}

impl Observe for Refusing {
    fn observe(&self, _: Query) -> PortFuture<'_, Observation> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

impl NameServers for Refusing {
    fn look_up<'a>(&'a self, _: &'a RecordGroup) -> PortFuture<'a, Vec<String>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn ask<'a>(&'a self, _: &'a str) -> Asked<'a> {
        Box::pin(std::future::ready(Answer::Not(NoAnswer::Unreachable)))
    }
}

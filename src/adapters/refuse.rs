//! The writing ports of a process that must not write: whoever holds them has nothing that could.
//!
//! The composition root hands them out in place of the real ones, so that no check elsewhere can be forgotten.

use crate::domain::confirm::Confirmed;
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::Change;
use crate::domain::zone::ZonePlan;
use crate::ports::{PortError, PortFuture, Traffic};

/// Refuses every change, and says why.
#[derive(Debug, Clone)]
pub struct Refusing(pub PortError);

impl Traffic for Refusing {
    fn apply(&self, _: &Confirmed<ShiftPlan>) -> PortFuture<'_, Change> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn turn(&self, _: &Confirmed<ZonePlan>) -> PortFuture<'_, Change> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

//! The writing ports of a process that must not write: whoever holds them has nothing that could.
//!
//! The composition root hands them out in place of the real ones, so that no check elsewhere can be forgotten.

use crate::domain::change::Batch;
use crate::domain::change::outcome::SendError;
use crate::domain::confirm::Confirmed;
use crate::ports::{PortError, SendFuture, Traffic};

/// Refuses every change, and says why.
#[derive(Debug, Clone)]
pub struct Refusing(pub PortError);

impl Traffic for Refusing {
    fn send(&self, _: &Confirmed<Batch>) -> SendFuture<'_> {
        Box::pin(std::future::ready(Err(SendError { error: self.0.clone(), sent_before: false })))
    }
}

//! How a cockpit that is open gets to know the stack anew: the caller reads it, and gives new ports with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::domain::provision::PulumiProblem;
use crate::domain::stack_reload::StackReloaded;

use super::Ports;

/// What a reading gives: what the model gets to know, and the ports that ask about it.
pub type Reading = Result<(StackReloaded, Ports), PulumiProblem>;

/// Reads what the stack is now.
pub type ReloadStack = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Reading> + Send>> + Send + Sync>;

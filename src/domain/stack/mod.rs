//! What the stack is: what Pulumi built, by its outputs, or what the configuration says that it is to be.
//!
//! Pure. Files and Pulumi are read elsewhere; here is what their text means.

pub mod info;
pub mod outputs;
pub mod watched;
pub mod watcher;

pub use info::{ConfiguredStack, StackInfo};
pub use outputs::{OutputsError, StackOutputs};

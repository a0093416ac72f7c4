//! Headless commands: the same domain functions and adapters as the cockpit, printed instead of drawn.
pub mod run;

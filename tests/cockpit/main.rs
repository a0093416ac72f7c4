//! What the crate promises, seen from outside: layers, documents, and the cockpit through its real loop.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod borders;
mod documents;
mod drill;
mod fuzz;
mod golden;
mod name_servers;
mod scenarios;
mod stack_reload;

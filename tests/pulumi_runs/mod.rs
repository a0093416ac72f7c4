//! Runs of Pulumi: recorded streams, real processes with made-up programs, and the demo's stand-in.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test that uses them")]

mod binary;
mod demo;
mod engine;
mod fold;
mod runs;
mod workspace;

//! Runs of Pulumi: recorded streams, real processes with made-up programs, and the demo's stand-in.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test that uses them")]

mod deploy_binary;
mod deploy_demo;
mod deploy_engine;
mod deploy_fold;
mod deploy_runs;
mod engine;

//! The pure core: what is known, what may be done, and what follows from a key press.
//!
//! No I/O, no clock, no async, no SDK type; a test reads these files and enforces it.

pub mod change;
pub mod checklist;
pub mod configure;
pub mod confirm;

pub mod endpoint;
pub mod error;
pub mod evidence;
pub mod facts;
pub mod filter;
pub mod gate;
pub mod judged;
pub mod metrics;
pub mod model;
pub mod msg;
pub mod problems;
pub mod provision;
pub mod pulumi;
pub mod readiness;
pub mod reading;
pub mod reconcile;
pub mod record;
pub mod replication;
pub mod request;
pub mod run_preconditions;
pub mod runbook;
pub mod schedule;
pub mod screen;
pub mod series;
pub mod service;
pub mod shift;
pub mod stack;
pub mod stack_reload;
pub mod table_rates;
pub mod targets;
pub mod text;
pub mod time;
pub mod traffic;
pub mod trends;
pub mod units;
pub mod update;
pub mod zone;
pub mod zoom;

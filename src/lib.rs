//! `tapctl`: a terminal cockpit for moving a live system between AWS regions, and the same from scripts.
pub mod adapters;
pub mod cli;
pub mod config;
pub mod domain;
pub mod keymap;
pub mod ports;
pub mod runtime;
pub mod sim;

//! Library.
pub mod adapters;
pub mod commands;
pub mod config;
pub mod domain;
pub mod ports;
pub mod standin;

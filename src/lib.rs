//! Library.
pub mod adapters;
pub mod config;
pub mod domain;
pub mod ports;
pub mod sim;

//! Library.
pub mod cli;
pub mod config;
pub mod domain;
pub mod keymap;
pub mod ports;
pub mod runtime;

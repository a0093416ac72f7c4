//! A kill at every step of every change, and what the next start knows of it.
//!
//! The process dies where the test says and not where time leads: its call of AWS or of Pulumi is held, or a file that
//! it needs next is locked.

mod pulumi;
mod records;
mod stopping;

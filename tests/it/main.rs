//! What the crate promises, seen from outside: layers, documents, and the cockpit through its real loop.

mod documents;
mod drill;
mod layers;
mod scenarios;

//! The composition root: the room that names adapters, so that no other has to.

pub mod endpoints;

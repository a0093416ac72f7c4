//! The world.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::Fault;
use super::scenario::Script;

pub(crate) struct World {
    second: i64,
}

impl World {
    pub(crate) fn new(_seed: u64, start: Timestamp, _script: Script) -> Self {
        Self { second: start.as_second() }
    }

    pub(crate) fn step_to(&mut self, second: i64) -> Vec<(Timestamp, Fault)> {
        self.second = self.second.max(second);
        Vec::new()
    }

    pub(crate) fn state(&self) -> Value {
        json!({})
    }
}

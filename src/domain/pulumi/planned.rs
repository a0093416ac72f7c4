//! One change of a plan: what a preview says will be done to a resource.
//!
//! Pure.

use serde::Serialize;

use super::event::{Diff, EngineStep, WeightedRecord};
use super::op::Operation;
use super::resource::{Resource, urn_name};

/// One planned change.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as the engine tells it")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The resource.
    pub urn: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The resource above it.
    pub parent: Option<String>,
    /// What is done to it.
    pub op: Operation,
    /// Properties that change.
    pub diffs: Vec<Diff>,
    /// Properties that change beyond those kept.
    pub more_diffs: usize,
    /// For a weighted record.
    pub weighted: Option<WeightedRecord>,
    /// Whether its new declaration switches it off.
    #[serde(skip)]
    pub halts: bool,
    /// Whether a provider holds it.
    pub custom: bool,
    /// Whether Pulumi refuses to delete it.
    pub protect: bool,
    /// Whether a delete leaves it at the provider.
    pub retain: bool,
}

impl Planned {
    pub(super) fn of(resource: &Resource) -> Self {
        Self {
            urn: resource.urn.to_string(),
            rtype: resource.rtype.to_string(),
            parent: resource.parent.as_deref().map(str::to_owned),
            op: resource.planned_op(),
            diffs: resource.diffs.clone(),
            more_diffs: resource.more_diffs,
            weighted: resource.weighted.clone(),
            halts: resource.halts,
            custom: resource.custom,
            protect: resource.protect,
            retain: resource.retain,
        }
    }

    /// The resource's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        urn_name(&self.urn)
    }

    /// The planned change as a step that has not begun.
    #[must_use]
    pub fn as_step(&self) -> EngineStep {
        EngineStep {
            urn: self.urn.clone(),
            rtype: self.rtype.clone(),
            op: self.op,
            parent: self.parent.clone(),
            id: None,
            custom: self.custom,
            protect: self.protect,
            retain: self.retain,
            diffs: self.diffs.clone(),
            more_diffs: self.more_diffs,
            init_errors: Vec::new(),
            weighted: self.weighted.clone(),
            halts: self.halts,
            outputs: None,
        }
    }
}

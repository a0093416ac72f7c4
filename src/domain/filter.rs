//! What the filter that an operator types lets through, list by list.
//!
//! Pure.

use std::collections::HashSet;

use super::model::Model;
use super::pulumi::Danger;
use super::pulumi::Filter;
use super::pulumi::Planned;
use super::record::Entry;
use super::replication::TableStat;

impl Model {
    /// The steps of the plan that waits, those that the filter lets through, each with whether it is dangerous: the
    /// dangerous ones first, then type by type, in the engine's order.
    #[must_use]
    pub fn planned(&self) -> Vec<(&Planned, bool)> {
        let Some(ready) = &self.provision.plan else { return Vec::new() };
        let dangers: HashSet<(&str, &str)> = ready.plan.dangers.iter().map(about).collect();
        let steps = ready.plan.steps.iter();
        let kept = steps.filter(|step| self.matches_filter(&[step.name(), &step.rtype, step.op.name()]));
        let is_dangerous = |step: &Planned| {
            dangers.contains(&(step.rtype.as_str(), step.name()))
                || (step.weighted.is_some() && dangers.contains(&("", step.name())))
        };
        let mut kept: Vec<_> = kept.map(|step| (step, is_dangerous(step))).collect();
        kept.sort_by(|(a, risk_a), (b, risk_b)| (!risk_a, &a.rtype).cmp(&(!risk_b, &b.rtype)));
        kept
    }

    /// Which resources of a run are listed.
    #[must_use]
    pub fn resource_filter(&self) -> Filter {
        Filter { text: self.screen.filter.clone(), show: self.provision.show }
    }

    /// The tables that the filter lets through, with their places in the facts: those that need a hand first, then those
    /// that wait, then the others; each by name.
    #[must_use]
    pub fn tables(&self) -> Vec<(usize, &TableStat)> {
        let tables = self.shown().facts.tables.as_ref().map_or(&[][..], |fact| fact.value.as_slice());
        let all = self.screen.filter.is_empty();
        let kept = tables
            .iter()
            .enumerate()
            .filter(|(_, table)| all || self.matches_filter(&[&table.full_name(), &table.state, &table.validation]));
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|(_, table)| table.need());
        kept
    }

    /// The journal entries that the filter lets through, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.shown().journal.iter().rev().filter(|e| self.matches_filter(&[&e.event.text(), &e.operator, &e.host]))
    }

    /// Whether the filter's text occurs in one of these, upper and lower case alike.
    #[must_use]
    pub fn matches_filter(&self, texts: &[&str]) -> bool {
        let wanted = self.screen.filter.to_lowercase();
        wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    }
}

/// The type and the name of what a danger is about; of a weighted record the name alone.
fn about(danger: &Danger) -> (&str, &str) {
    match danger {
        Danger::WeightedRecord { resource, .. } => ("", resource),
        Danger::Deletes { resource, rtype, .. }
        | Danger::Replaces { resource, rtype, .. }
        | Danger::StopsStream { resource, rtype, .. }
        | Danger::Stops { resource, rtype, .. }
        | Danger::UnknownOperation { resource, rtype } => (rtype, resource),
    }
}

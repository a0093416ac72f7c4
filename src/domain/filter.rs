//! What the filter that an operator types lets through, list by list.
//!
//! Pure.

use super::model::Model;
use super::pulumi::Filter;
use super::pulumi::Planned;
use super::record::Entry;
use super::replication::TableStat;

impl Model {
    /// The steps of the plan that waits, those that the filter lets through.
    pub fn planned(&self) -> impl Iterator<Item = &Planned> {
        let steps = self.provision.plan.as_ref().map_or(&[][..], |ready| ready.plan.steps.as_slice());
        steps.iter().filter(|step| self.matches_filter(&[step.name(), &step.rtype, step.op.name()]))
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

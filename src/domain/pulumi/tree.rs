//! The resources of a run: one value per URN, and the rows of the tree that they make.
//!
//! Pure. Rows are computed when they are asked for, since on the way down parents come first and on the way out last.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::EngineStep;
use super::resource::{Resource, State};

/// What the tree shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// Everything.
    #[default]
    All,
    /// What changes.
    Changes,
    /// What is under way.
    Running,
    /// What failed or was left unfinished.
    Failed,
}

/// Which rows are wanted. Ancestors of a match come along, so that a row never hangs in the air.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Text that the name or the type holds, in any case; empty for all.
    pub text: String,
    /// Which states.
    pub show: Show,
}

impl Filter {
    fn passes(&self, resource: &Resource, needle: &str) -> bool {
        let shown = match self.show {
            Show::All => true,
            Show::Changes => resource.op.is_change() || resource.drift.is_some(),
            Show::Running => resource.state == State::Running,
            Show::Failed => matches!(resource.state, State::Failed | State::Unfinished) || resource.errors > 0,
        };
        shown
            && (needle.is_empty()
                || resource.name().to_lowercase().contains(needle)
                || resource.rtype.to_lowercase().contains(needle))
    }
}

/// One row of the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeRow<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// How deep it lies.
    pub depth: usize,
    /// Whether it is the last one under its parent.
    pub last: bool,
    /// Whether it matches the filter itself, and is not only on the way to one that does.
    pub matches: bool,
}

/// All resources of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    resources: Vec<Resource>,
    by_urn: HashMap<Arc<str>, usize>,
}

impl Tree {
    /// All of them, in the order in which the engine came to them.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource with this URN.
    #[must_use]
    pub fn get(&self, urn: &str) -> Option<&Resource> {
        self.resources.get(*self.by_urn.get(urn)?)
    }

    pub(super) fn get_mut(&mut self, urn: &str) -> Option<&mut Resource> {
        self.resources.get_mut(*self.by_urn.get(urn)?)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Resource> {
        self.resources.iter_mut()
    }

    /// The resource of a step, made when it is new and there is room below `max`.
    pub(super) fn entry(&mut self, step: &EngineStep, max: usize) -> Option<&mut Resource> {
        let index = match self.by_urn.get(step.urn.as_str()) {
            Some(index) => *index,
            None if self.resources.len() >= max => return None,
            None => {
                let urn: Arc<str> = Arc::from(step.urn.as_str());
                self.by_urn.insert(Arc::clone(&urn), self.resources.len());
                self.resources.push(Resource::new(urn, step));
                self.resources.len() - 1
            }
        };
        self.resources.get_mut(index)
    }

    /// The rows that the filter wants, parents before children.
    #[must_use]
    pub fn rows(&self, filter: &Filter) -> Vec<TreeRow<'_>> {
        let needle = filter.text.to_lowercase();
        let parents: Vec<Option<usize>> = self
            .resources
            .iter()
            .enumerate()
            .map(|(index, r)| r.parent.as_deref().and_then(|p| self.by_urn.get(p).copied()).filter(|p| *p != index))
            .collect();
        let matches: Vec<bool> = self.resources.iter().map(|r| filter.passes(r, &needle)).collect();
        let mut wanted = matches.clone();
        for index in 0..wanted.len() {
            // A walk up is bounded by the number of resources: a stream that makes a ring of parents must not hang us.
            let mut above = if matches[index] { parents[index] } else { None };
            for _ in 0..wanted.len() {
                match above {
                    Some(parent) if !wanted[parent] => {
                        wanted[parent] = true;
                        above = parents[parent];
                    }
                    _ => break,
                }
            }
        }
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.resources.len()];
        let mut roots = Vec::new();
        for index in (0..self.resources.len()).filter(|index| wanted[*index]) {
            match parents[index] {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        // Providers have no parent either; the stack itself leads.
        roots.sort_by_key(|index| !self.resources[*index].is_stack());
        let mut rows = Vec::with_capacity(self.resources.len());
        let mut stack: Vec<(usize, usize, bool)> = Vec::new();
        push_all(&mut stack, &roots, 0);
        while let Some((index, depth, last)) = stack.pop() {
            rows.push(TreeRow { resource: &self.resources[index], depth, last, matches: matches[index] });
            push_all(&mut stack, &children[index], depth + 1);
        }
        rows
    }
}

fn push_all(stack: &mut Vec<(usize, usize, bool)>, indices: &[usize], depth: usize) {
    for (from_end, index) in indices.iter().rev().enumerate() {
        stack.push((*index, depth, from_end == 0));
    }
}

//! What a run has done so far: kept in the stack's file and told to the simulator, step by step.

use std::path::{Path, PathBuf};

use super::report::Simulator;
use super::script::Recording;
use super::settings::{FakeStack, Settings};

/// The stack while a run works on it.
#[derive(Debug)]
pub struct FakeState {
    stack: FakeStack,
    settings: PathBuf,
    world: Option<Simulator>,
}

impl FakeState {
    /// The stack of these settings.
    #[must_use]
    pub fn of(stack: FakeStack, file: &Path, settings: &Settings) -> Self {
        Self { stack, settings: file.to_owned(), world: settings.simulator.as_deref().map(Simulator::at) }
    }

    /// The stack as it is now.
    #[must_use]
    pub const fn stack(&self) -> &FakeStack {
        &self.stack
    }

    /// A resource was made.
    ///
    /// # Errors
    /// Why it does not count: the simulator refused it or did not answer, or the file cannot be written.
    pub fn made(&mut self, urn: &str) -> Result<(), String> {
        self.take(self.stack.with(urn))
    }

    /// A resource was deleted.
    ///
    /// # Errors
    /// As [`FakeState::made`].
    pub fn gone(&mut self, urn: &str) -> Result<(), String> {
        self.take(self.stack.without(urn))
    }

    /// A run failed because it was told to.
    ///
    /// # Errors
    /// Says which file cannot be written.
    pub fn failed(&mut self) -> Result<(), String> {
        self.stack.failures += 1;
        self.stack.write(&self.settings)
    }

    /// A run went through.
    ///
    /// # Errors
    /// As [`FakeState::made`].
    pub fn succeeded(&mut self, operation: Recording) -> Result<(), String> {
        match operation {
            Recording::Up => self.take(FakeStack { outputs: true, ..self.stack.clone() }),
            // The provider that was made by default leaves no line behind.
            Recording::Destroy => self.take(FakeStack { outputs: false, resources: Vec::new(), ..self.stack.clone() }),
            Recording::Preview | Recording::Refresh | Recording::PreviewDestroy => Ok(()),
        }
    }

    fn take(&mut self, next: FakeStack) -> Result<(), String> {
        if let Some(world) = self.world.as_ref().filter(|_| next.resources != self.stack.resources) {
            world.tell(&next.resources)?;
        }
        next.write(&self.settings)?;
        self.stack = next;
        Ok(())
    }
}

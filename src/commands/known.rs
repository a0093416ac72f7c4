//! Finds out what is known of the stack: its outputs, or, where there are none, what it is configured to be.
//!
//! It asks Pulumi and reads the program's folder. It never asks AWS, and never starts anything that changes a stack.

use std::collections::BTreeMap;

use crate::adapters::pulumi::cockpit::project_name;
use crate::adapters::pulumi::stack;
use crate::config::find::{self, FindError};
use crate::config::known::{KnownStack, PROJECT, PlannedStack, REGION};
use crate::config::{Settings, defaults};

use super::compose::program;
use super::failure::Failure;

/// The stack as it is known now.
///
/// # Errors
/// [`Failure`] when there is nothing to ask, or it cannot be asked. That a stack was not provisioned yet is none.
pub async fn find(settings: &Settings) -> Result<KnownStack, Failure> {
    let error = match find::outputs(settings).await {
        Ok(outputs) => return Ok(outputs.into()),
        Err(error) => error,
    };
    match (&error, &settings.stack) {
        (FindError::NotProvisioned, Some(stack)) => planned(settings, stack, true).await,
        (FindError::NotProvisioned, None) => {
            let stack = find::selected_stack(settings).await?;
            planned(settings, &stack, true).await
        }
        // Pulumi also fails on a stack that nobody has made yet, which is how every stack begins.
        (FindError::PulumiFailed { .. }, Some(name)) => {
            let pulumi = program(settings, name)?;
            match stack::exists(&pulumi).await {
                Ok(false) => planned(settings, name, false).await,
                _ => Err(error.into()),
            }
        }
        _ => Err(error.into()),
    }
}

async fn planned(settings: &Settings, stack: &str, exists: bool) -> Result<KnownStack, Failure> {
    let values: BTreeMap<String, String> = if exists {
        let values = stack::config(&program(settings, stack)?).await?;
        values.into_iter().filter_map(|(key, value)| Some((key, value.value?))).collect()
    } else {
        BTreeMap::new()
    };
    let project = project_name(&settings.pulumi_dir).unwrap_or_else(|| PROJECT.to_owned());
    let region = std::fs::read_to_string(settings.pulumi_dir.join(defaults::PULUMI_REGION_FILE)).unwrap_or_default();
    let region = Some(region.trim()).filter(|region| !region.is_empty()).unwrap_or(REGION);
    Ok(PlannedStack::read(stack, &project, region, &values).into())
}

//! Finds out what is known of the stack: its outputs, or, where there are none, what it is configured to be.
//!
//! It asks Pulumi and reads the program's folder. It never asks AWS, and never starts anything that changes a stack.

use std::collections::BTreeMap;

use crate::adapters::pulumi::project::project_name;
use crate::adapters::pulumi::{Pulumi, stack};
use crate::config::find::FindError;
use crate::config::{Settings, defaults};
use crate::domain::stack::StackOutputs;
use crate::domain::stack::info::{ConfiguredStack, PROJECT, REGION, StackInfo};

use super::error::ComposeError;
use super::outputs;
use super::pulumi::program;

/// The stack that the settings name, as it is known now.
///
/// # Errors
/// [`ComposeError`] when there is nothing to ask, or it cannot be asked. That a stack was not provisioned yet is none.
pub async fn find(settings: &Settings) -> Result<StackInfo, ComposeError> {
    // In a box, so that what asks Pulumi is not compiled into each of this one's callers.
    let error = match Box::pin(outputs::outputs(settings)).await {
        Ok(outputs) => return Ok(outputs.into()),
        Err(error) => error,
    };
    match (&error, &settings.stack) {
        (FindError::NotProvisioned, Some(stack)) => planned(&program(settings, stack)?, true).await,
        (FindError::NotProvisioned, None) => {
            let stack = outputs::selected_stack(settings).await?;
            planned(&program(settings, &stack)?, true).await
        }
        // Pulumi also fails on a stack that nobody has made yet, which is how every stack begins.
        (FindError::PulumiFailed { .. }, Some(name)) => {
            let pulumi = program(settings, name)?;
            match stack::exists(&pulumi).await {
                Ok(false) => planned(&pulumi, false).await,
                _ => Err(error.into()),
            }
        }
        _ => Err(error.into()),
    }
}

/// The stack that this Pulumi is on, which may be the scenarios' fake Pulumi.
///
/// # Errors
/// [`ComposeError`] when it cannot be asked, or its outputs cannot be used.
pub async fn of(pulumi: &Pulumi) -> Result<StackInfo, ComposeError> {
    let exists = stack::exists(pulumi).await?;
    if exists {
        let outputs = stack::outputs(pulumi).await?;
        if outputs.as_object().is_some_and(|outputs| !outputs.is_empty()) {
            let read = StackOutputs::parse(&outputs.to_string());
            let from = "`pulumi stack output`".to_owned();
            return Ok(read.map_err(|error| FindError::Broken { from, error })?.into());
        }
    }
    planned(pulumi, exists).await
}

async fn planned(pulumi: &Pulumi, exists: bool) -> Result<StackInfo, ComposeError> {
    let values: BTreeMap<String, String> = match stack::config(pulumi).await {
        Ok(values) => values.into_iter().filter_map(|(key, value)| Some((key, value.value?))).collect(),
        // A stack that nobody has made has no configuration that could be asked for.
        Err(_) if !exists => BTreeMap::new(),
        Err(error) => return Err(error.into()),
    };
    let project = project_name(&pulumi.project).unwrap_or_else(|| PROJECT.to_owned());
    let region = std::fs::read_to_string(pulumi.project.join(defaults::PULUMI_REGION_FILE)).unwrap_or_default();
    let region = Some(region.trim()).filter(|region| !region.is_empty()).unwrap_or(REGION);
    let mut planned = ConfiguredStack::read(&pulumi.stack, &project, region, &values);
    if !exists {
        let name = &pulumi.stack;
        planned.unset.insert(
            0,
            format!("the stack {name} does not exist yet: pulumi stack init {name} makes it, and so does a preview"),
        );
    }
    Ok(planned.into())
}

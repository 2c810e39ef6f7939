//! Kind `network`: a scenario becomes a [`Workflow`], and a workflow becomes trials.
//!
//! A workflow is a file that can be read, kept and run again; so trials are made from it alone, also where it was never
//! written. Every case is a comparison of the network without its tool, side a, and with it, side b.

mod build;
mod path;
mod readable;
mod trials;
mod validate;
mod workflow;

pub(crate) use build::RESULTS;
pub use validate::WorkflowError;
pub use workflow::{
    Cycle, CycleType, EbpfCase, GlobalConfig, Metadata, Origin, OwnCycle, TestCycle, Workflow,
};

use super::Trial;
use crate::scenario::Scenario;

/// The trials of a scenario of kind network.
pub(super) fn trials(scenario: &Scenario) -> Vec<Trial> {
    let config = scenario.network.as_ref();
    let unavailable = config.and_then(|config| config.unavailable.clone());
    Workflow::of(scenario).trials(unavailable.as_deref())
}

#[cfg(test)]
mod tests;

//! [`Rig`]: the target, the driver and the probes of one trial, made from its plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::sampler::Named;
use crate::drive::{self, Driver};
use crate::model::Member;
use crate::model::spec::ProbeSpec;
use crate::plan::Trial;
use crate::probe;
use crate::target::Target;

/// What a trial is walked with. The target is borrowed: it may stay up for the next trial.
pub struct Rig<'a> {
    /// What is brought up.
    pub target: &'a mut dyn Target,
    /// What loads it.
    pub driver: Option<Box<dyn Driver>>,
    /// Opens the probes once the target is up.
    pub probes: OpenProbes<'a>,
}

/// Opens the probes of a trial for the members of its target.
pub type OpenProbes<'a> =
    Box<dyn FnOnce(Vec<Member>) -> BoxFuture<'a, Result<Vec<Named>, String>> + Send + 'a>;

/// Where parts find what they need.
#[derive(Clone, Default)]
pub struct Parts {
    /// Where relative paths start.
    pub root: PathBuf,
    /// Drivers that the test binary registered.
    pub drivers: drive::Registered,
    /// Probes that the test binary registered.
    pub probes: probe::Registered,
}

/// Makes the driver of a trial, if it has one.
///
/// # Errors
/// A sentence that says what is missing.
pub fn driver(
    trial: &Trial,
    parts: &Parts,
    logs: &Path,
) -> Result<Option<Box<dyn Driver>>, String> {
    let params = trial.placeholders();
    let open = |spec| drive::open(spec, &parts.root, &params, logs, &parts.drivers);
    trial.driver.as_ref().map(open).transpose().map_err(|error| error.message)
}

/// Says how to open the probes of a trial.
#[must_use]
pub fn probes<'a>(trial: &'a Trial, parts: &'a Parts) -> OpenProbes<'a> {
    Box::new(move |members| {
        Box::pin(async move {
            let mut probes: Vec<Named> = Vec::new();
            // Without `oom` nobody notices that a member died, and a dead system would pass; without `host` nobody can
            // tell whether the readings are worth judging.
            let always = [ProbeSpec::Oom, ProbeSpec::Host];
            let unasked = always.iter().filter(|spec| !trial.probes.contains(spec));
            for spec in trial.probes.iter().chain(unasked) {
                let opened = probe::open(spec, &members, &parts.probes).await;
                let name: Arc<str> = spec.name().into();
                let probe = opened.map_err(|error| format!("probe {name}: {error}"))?;
                probes.push((name, probe));
            }
            Ok(probes)
        })
    })
}

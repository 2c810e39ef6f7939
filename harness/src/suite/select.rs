//! What the command line selects, and what of it cannot run here. Nothing here talks to
//! Docker or the network: of a daemon it is looked only whether somebody listens at its socket.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Arguments;

use super::{Failure, say};
use crate::model::Kind;
use crate::model::spec::TargetSpec;
use crate::plan::Trial;
use crate::target;

/// Trials with the reason why some cannot run here.
pub(super) struct Selection {
    pub(super) arguments: Arguments,
    pub(super) trials: Vec<Planned>,
}

/// A trial that the filter leaves.
pub(super) struct Planned {
    pub(super) trial: Trial,
    /// Why it cannot run here.
    pub(super) ignored: Option<String>,
}

impl Planned {
    /// True where libtest's rules leave it out or only list it as ignored.
    pub(super) fn is_left_out(&self, arguments: &Arguments) -> bool {
        let shape = self.shape();
        arguments.is_filtered_out(&shape) || arguments.is_ignored(&shape)
    }

    fn shape(&self) -> libtest_mimic::Trial {
        libtest_mimic::Trial::test(&self.trial.id, || Ok(()))
            .with_ignored_flag(self.ignored.is_some())
    }
}

/// Applies the rules that are ours: kind names as filters, one thread, what cannot run here.
pub(super) fn select(
    mut arguments: Arguments,
    mut trials: Vec<Trial>,
) -> Result<Selection, Failure> {
    if arguments.test_threads == Some(0) {
        return Err(Failure::usage("error: --test-threads must be at least 1"));
    }
    // Two trials at a time would disturb each other's readings.
    if arguments.test_threads.is_some_and(|threads| threads > 1) {
        say("note: trials run one at a time, --test-threads is not followed");
    }
    arguments.test_threads = Some(1);
    if let Some(kind) = arguments.filter.as_deref().and_then(Kind::parse) {
        trials.retain(|trial| trial.kind == kind);
        arguments.filter = None;
    }
    let required = required()?;
    let mut looked: BTreeMap<&'static str, Option<String>> = BTreeMap::new();
    let mut reasons: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let trials: Vec<Planned> = trials
        .into_iter()
        .map(|trial| {
            let needs = needs(&trial.target);
            let missing = looked.entry(needs).or_insert_with(|| missing(needs));
            let missing = trial.unavailable.clone().or_else(|| missing.clone());
            let ignored = missing.filter(|_| !required.iter().any(|name| name == needs));
            reasons.extend(ignored.clone().map(|reason| (needs, reason)));
            Planned { trial, ignored }
        })
        .collect();
    let selected =
        trials.iter().filter(|planned| !arguments.is_filtered_out(&planned.shape())).count();
    if selected == 0 && !arguments.list {
        let filter =
            arguments.filter.as_ref().map(|filter| format!(" {filter:?}")).unwrap_or_default();
        return Err(Failure::usage(format!(
            "error: the filter{filter} selects no trial; --list shows all of them"
        )));
    }
    for (needs, reason) in &reasons {
        let concerns = |planned: &&Planned| {
            let shape = planned.shape();
            self::needs(&planned.trial.target) == *needs
                && planned.ignored.as_ref() == Some(reason)
                && !arguments.is_filtered_out(&shape)
                && (arguments.list || arguments.is_ignored(&shape))
        };
        match trials.iter().filter(concerns).count() {
            0 => {}
            1 => say(&format!("note: 1 trial needs {needs} and is ignored: {reason}")),
            count => say(&format!("note: {count} trials need {needs} and are ignored: {reason}")),
        }
    }
    Ok(Selection { arguments, trials })
}

/// Prints the list as libtest does.
pub(super) fn list(selection: Selection) -> u8 {
    let trials = selection.trials.iter().map(Planned::shape).collect();
    let _ = libtest_mimic::run(&selection.arguments, trials);
    0
}

fn needs(target: &TargetSpec) -> &'static str {
    match target {
        TargetSpec::Process(_) => "processes",
        TargetSpec::Compose(_) => "docker",
        TargetSpec::Testbed(_) => "testbed",
    }
}

fn missing(needs: &str) -> Option<String> {
    match needs {
        "docker" => target::compose::locally_available().err(),
        _ => None,
    }
}

fn required() -> Result<Vec<String>, Failure> {
    let known = ["docker", "testbed"];
    let value = std::env::var("PROOFLOAD_REQUIRE").unwrap_or_default();
    let names: Vec<String> = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(names),
        Some(name) => Err(Failure::usage(format!(
            "error: PROOFLOAD_REQUIRE: unknown requirement {name:?} (expected docker or testbed)"
        ))),
    }
}

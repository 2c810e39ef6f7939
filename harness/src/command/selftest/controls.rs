//! Real runs of the demo workload: against itself, with a leak, and slowed down.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, Judge, Outcome};
use crate::analysis;
use crate::model::Verdict;
use crate::results;
use crate::suite::Suite;

/// A scenario and what has to come of it.
struct Control {
    name: &'static str,
    what: &'static str,
    text: &'static str,
    wanted: Verdict,
}

const CONTROLS: [Control; 3] = [
    Control {
        name: "same",
        what: "the workload against itself",
        text: include_str!("scenarios/same.toml"),
        wanted: Verdict::Pass,
    },
    Control {
        name: "leaking",
        what: "the workload with a leak of 240 MiB/min",
        text: include_str!("scenarios/leaking.toml"),
        wanted: Verdict::Fail,
    },
    Control {
        name: "slowed",
        what: "the workload against one that is slowed down",
        text: include_str!("scenarios/slowed.toml"),
        wanted: Verdict::Fail,
    },
];

/// What all controls have in common.
const SERVICE: &str = include_str!("scenarios/driver.toml");

/// Runs the controls as a suite of their own, and judges what the run left on disk.
pub(super) fn run(short: bool, judge: Judge) -> Result<Vec<Outcome>, Failure> {
    let root = workspace()?;
    let directory = super::scratch("controls").map_err(Failure::rig)?;
    let outcome = attempt(&root, &directory, short, judge);
    let _ = fs::remove_dir_all(&directory);
    outcome
}

fn attempt(
    root: &Path,
    directory: &Path,
    short: bool,
    judge: Judge,
) -> Result<Vec<Outcome>, Failure> {
    let scenarios = directory.join("scenarios");
    let broken = |error: std::io::Error| {
        Failure::rig(format!("cannot write below {}: {error}", directory.display()))
    };
    fs::create_dir_all(&scenarios).map_err(broken)?;
    for Control { name, text, .. } in &CONTROLS {
        let path = scenarios.join(name).with_extension("toml");
        fs::write(path, format!("{text}\n{SERVICE}")).map_err(broken)?;
    }
    let results = directory.join("results");
    let shown = |path: &Path| path.display().to_string();
    let mut variables = vec![
        ("PROOFLOAD_SCENARIOS".to_owned(), shown(&scenarios)),
        ("PROOFLOAD_RESULTS".to_owned(), shown(&results)),
        ("PROOFLOAD_PROFILE".to_owned(), "quick".to_owned()),
    ];
    if short {
        variables.push(("PROOFLOAD__SAMPLE__LENGTH".to_owned(), "\"2s\"".to_owned()));
    }
    // Two of three controls must fail, so that the code says only whether the run came to its end.
    let code = Suite::at(root).run_all(variables, &directory.join("libtest.log"))?;
    if code > 3 {
        return Err(Failure { code, message: "the controls could not be run".to_owned() });
    }
    let results = results::read(&results.join("latest")).map_err(Failure::rig)?;
    let judgement = judge(&results, &analysis::analyze(&results));
    let outcome = |control: &Control| {
        let own = |id: &str| id.split("::").nth(1) == Some(control.name);
        let checks: Vec<_> = judgement.checks.iter().filter(|check| own(&check.id)).collect();
        let verdict = Verdict::worst(checks.iter().map(|check| check.verdict));
        let verdict = verdict.unwrap_or(Verdict::NoData);
        let worst = checks.iter().find(|check| check.verdict == verdict);
        let reason = worst.map(|check| check.reason.as_str()).unwrap_or_default();
        Outcome {
            what: control.what.to_owned(),
            wanted: control.wanted.as_str().to_owned(),
            found: format!("{}: {reason}", verdict.as_str()),
            holds: control.wanted == verdict,
        }
    };
    Ok(CONTROLS.iter().map(outcome).collect())
}

/// The checkout that has the workload: this directory, or one above it.
fn workspace() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(Failure::rig)?;
    let found = here.ancestors().find(|path| path.join("fixtures/workload/build.sh").exists());
    found.map(Path::to_owned).ok_or_else(|| {
        Failure::usage(
            "error: the demo workload is not here: run this in a checkout of proofload, or add --simulated",
        )
    })
}

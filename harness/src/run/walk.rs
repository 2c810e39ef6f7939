//! [`trial`]: up, the phases, down.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::pin;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::clock::RunClock;
use super::rig::OpenProbes;
use super::sampler::{Cut, Decide, Sampler, Until};
use super::{Observer, Rig};
use crate::drive::{Driver, DriverError};
use crate::model::quantity::Length;
use crate::model::{Action, Metric, Outcome, Phase, metric};
use crate::results::{Line, SamplerCost};
use crate::target::{Fault, Target, TargetError};

/// How a walk ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Walked {
    /// By whose doing.
    pub outcome: Outcome,
    /// What reading cost; `None` when it never began.
    pub sampler: Option<SamplerCost>,
}

/// Brings the target up, walks the phases, and takes everything down again, whatever happens in between: a failure,
/// a panic, or `stop`.
///
/// `keep_up` leaves the target up after a completed walk, for the next trial. `decide` may end the trial early.
pub async fn trial(
    rig: Rig<'_>,
    phases: &[Phase],
    logs: &Path,
    keep_up: bool,
    observer: &mut dyn Observer,
    decide: Decide<'_>,
    stop: &CancellationToken,
) -> Walked {
    let Rig { target, mut driver, probes } = rig;
    let mut state = State::default();
    let attempt = attempt(target, &mut driver, probes, phases, logs, observer, decide, &mut state);
    let mut outcome = tokio::select! {
        biased;
        () = stop.cancelled() => Outcome::Interrupted("the run was interrupted".to_owned()),
        ended = guarded(attempt) => ended.unwrap_or_else(Outcome::Broken),
    };
    let State { is_up, sampler } = state;
    observer.progress("down", None);
    let mut unstopped = None;
    let stopped = guarded(async {
        // Where the target never came up, something else may answer at its address.
        if let (Some(driver), true) = (&mut driver, is_up) {
            let within = driver.stop_within();
            // The target goes next; a driver that cannot stop cannot hold it up.
            let stopped = timeout(within, driver.enter(&Action::Stop)).await;
            let late = || DriverError::rig(format!("it did not stop within {}", Length(within)));
            unstopped = stopped.unwrap_or_else(|_| Err(late())).err();
        }
        drop(driver);
        // Whether the trial passes is not known yet. Best effort: the target must go down in any case.
        let _ = target.save_logs(logs).await;
    });
    let stopped = stopped.await.and_then(|()| told(unstopped, &outcome));
    let stopped = stopped.map_err(|error| ("the load could not be stopped", error));
    if keep_up && outcome == Outcome::Completed && stopped.is_ok() {
        let reset = guarded(target.reset()).await;
        let reset = reset.and_then(|reset| reset.map_err(|error| error.to_string()));
        let Err(error) = reset else { return Walked { outcome, sampler } };
        outcome = worsened(outcome, ("what the trial left could not be removed", error));
    }
    let down =
        guarded(target.down()).await.and_then(|down| down.map_err(|error| error.to_string()));
    let down = down.map_err(|error| ("the target could not be taken down", error));
    let outcome = [stopped, down].into_iter().filter_map(Result::err).fold(outcome, worsened);
    Walked { outcome, sampler }
}

/// What a walk leaves behind when it is cut off.
#[derive(Default)]
struct State {
    is_up: bool,
    sampler: Option<SamplerCost>,
}

/// What failed while the load was stopped, where that says something new.
fn told(unstopped: Option<DriverError>, outcome: &Outcome) -> Result<(), String> {
    let known = match outcome {
        // Its phases ended as they should, and some drivers have nothing to stop with.
        Outcome::Completed => return Ok(()),
        Outcome::Aborted(reason)
        | Outcome::Skipped(reason)
        | Outcome::Broken(reason)
        | Outcome::Interrupted(reason) => reason,
    };
    match unstopped {
        // A system that died refuses to stop as well, which is no news.
        Some(error) if !error.system && !known.contains(&error.message) => Err(error.message),
        _ => Ok(()),
    }
}

/// Adds what failed in the end to how a trial ended.
fn worsened(outcome: Outcome, (what, error): (&str, String)) -> Outcome {
    let also = |reason: String| format!("{reason}; and {what}: {error}");
    match outcome {
        Outcome::Completed => Outcome::Broken(format!("{what}: {error}")),
        Outcome::Aborted(reason) => Outcome::Aborted(also(reason)),
        Outcome::Skipped(reason) => Outcome::Skipped(also(reason)),
        Outcome::Broken(reason) => Outcome::Broken(also(reason)),
        Outcome::Interrupted(reason) => Outcome::Interrupted(also(reason)),
    }
}

/// Turns a panic of a part into an error.
async fn guarded<T>(part: impl Future<Output = T>) -> Result<T, String> {
    let ended = AssertUnwindSafe(part).catch_unwind().await;
    ended.map_err(|panic| format!("a part of the rig panicked: {}", panic_message(&*panic)))
}

#[expect(
    clippy::too_many_arguments,
    reason = "the walk's own state, taken apart so that a cancelled walk leaves it usable"
)]
async fn attempt(
    target: &mut dyn Target,
    driver: &mut Option<Box<dyn Driver>>,
    probes: OpenProbes<'_>,
    phases: &[Phase],
    logs: &Path,
    observer: &mut dyn Observer,
    decide: Decide<'_>,
    state: &mut State,
) -> Outcome {
    let clock = RunClock::start();
    observer.progress("up", None);
    let members = match target.up(logs).await {
        Ok(members) => members,
        Err(error) => return outcome(error),
    };
    state.is_up = true;
    let mut probes = match probes(members).await {
        Ok(probes) => probes,
        Err(message) => return Outcome::Broken(message),
    };
    let metrics: Vec<Metric> = probes
        .iter()
        .flat_map(|(_, probe)| probe.metrics())
        .filter(|own| metric::find(&own.name).is_none())
        .collect();
    let mut sampler = Sampler::new(clock, &mut probes, observer, decide);
    let walked = async {
        sampler.record(Line::Metrics { metrics })?;
        for phase in phases {
            walk(phase, driver, &mut sampler).await?;
        }
        Ok(())
    };
    let ended = walked.await;
    state.sampler = Some(sampler.cost());
    match ended {
        Ok(()) | Err(Cut::Decided) => Outcome::Completed,
        Err(Cut::System(reason)) => Outcome::Aborted(reason),
        Err(Cut::Rig(reason)) => Outcome::Broken(reason),
    }
}

async fn walk(
    phase: &Phase,
    driver: &mut Option<Box<dyn Driver>>,
    sampler: &mut Sampler<'_>,
) -> Result<(), Cut> {
    if phase.enter != Action::Keep {
        let Some(driver) = driver.as_mut() else {
            return Err(Cut::Rig(format!(
                "phase {} needs a driver, and the scenario has none",
                phase.name
            )));
        };
        let doing = match phase.enter {
            Action::Level(1) => "1 agent".to_owned(),
            Action::Level(level) => format!("{level} agents"),
            Action::Stop => "stop".to_owned(),
            Action::Reset => "reset".to_owned(),
            Action::Start => "start".to_owned(),
            Action::Test(_) => format!("begin {}", phase.name),
            Action::Collect => format!("end {}", phase.name),
            Action::Keep => String::new(),
        };
        sampler.progress(&doing);
        let watched = Phase { name: doing, sampled: false, ..phase.clone() };
        let is_in_force = CancellationToken::new();
        let entered = {
            let mut entering = pin!(driver.enter(&phase.enter));
            let mut watching = pin!(sampler.watch(&watched, None, Until::Cancelled(&is_in_force)));
            let entered = tokio::select! {
                biased;
                entered = &mut entering => entered,
                watched = &mut watching => return watched,
            };
            // A tick that is under way may hold the reason why the action failed: it is not cut off.
            is_in_force.cancel();
            watching.await?;
            entered
        };
        if let Err(error) = entered {
            return Err(blame(error, sampler, &phase.name).await);
        }
    }
    sampler.watch(phase, driver.as_mut(), Until::Time(Instant::now() + phase.length)).await
}

/// A refused request may be the first sign that the system died; then that is the reason.
async fn blame(error: DriverError, sampler: &mut Sampler<'_>, phase: &str) -> Cut {
    if !error.system {
        return Cut::Rig(error.message);
    }
    Cut::System(sampler.last_words(phase).await.unwrap_or(error.message))
}

fn outcome(error: TargetError) -> Outcome {
    match error.fault {
        Fault::System => Outcome::Aborted(error.message),
        Fault::Rig => Outcome::Broken(error.message),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

//! A run: its directory, its signals, and its trials one after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libtest_mimic::{Completion, Failed};
use serde_json::Map;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::recorder::Recorder;
use super::select::{Planned, Selection};
use super::{Failure, finish, lock};
use crate::gate;
use crate::model::{Outcome, Sample, Verdict};
use crate::plan::{PlanFile, Trial};
use crate::results::document::Date;
use crate::results::{Journal, Line, RunDirectory, SCHEMA_VERSION, TrialHeader, TrialRecord};
use crate::run::{self, Parts};
use crate::scenario::Workspace;
use crate::target::{self, Target};

/// `results.json` is rebuilt after a trial only when it is at least this old.
const REBUILD_EVERY: Duration = Duration::from_secs(10);

/// What the trials of a run share.
struct Live {
    parts: Parts,
    directory: RunDirectory,
    journal: Arc<Mutex<Journal>>,
    stop: CancellationToken,
    runtime: Runtime,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Build commands that were run, with the reason for those that failed.
    built: BTreeMap<String, Result<(), String>>,
    /// Targets that stay up between trials, by scenario and target name.
    kept: BTreeMap<String, Box<dyn Target>>,
    verdicts: Vec<Verdict>,
    rebuilt: Option<Instant>,
}

/// Runs the selected trials and says with which code to exit.
pub(super) fn run(workspace: Workspace, parts: Parts, selection: Selection) -> Result<u8, Failure> {
    let Selection { arguments, trials } = selection;
    let runtime =
        Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::rig)?;
    let stop = CancellationToken::new();
    let signalled = Arc::new(AtomicU8::new(0));
    runtime.block_on(async { listen(&stop, &signalled) }).map_err(Failure::rig)?;
    let _lock = runtime.block_on(async {
        tokio::select! {
            lock = lock::take(&workspace.lock, workspace.lock_within.0) => lock,
            () = stop.cancelled() => Err(interrupted(&signalled)),
        }
    })?;
    for line in runtime.block_on(target::reap()) {
        eprintln!("note: {line}");
    }

    // Every process of a nextest run writes to one directory.
    let nextest = std::env::var("NEXTEST_RUN_ID").ok();
    let directory = match &nextest {
        Some(id) => RunDirectory::shared(&workspace.results, &format!("nextest-{id}")),
        None => RunDirectory::create(&workspace.results, Timestamp::now()),
    };
    let broken = |error: std::io::Error| {
        Failure::rig(format!("cannot write below {}: {error}", workspace.results.display()))
    };
    let directory = directory.map_err(broken)?;
    directory.make_latest().and_then(|()| directory.prune(workspace.keep)).map_err(broken)?;
    let planned: Vec<&Trial> =
        trials.iter().filter(|p| !p.is_left_out(&arguments)).map(|p| &p.trial).collect();
    let mut journal = Journal::open(&directory.journal()).map_err(broken)?;
    write_plan(&directory, &workspace, &planned, nextest.is_some()).map_err(broken)?;
    let opening = Line::Run {
        schema_version: SCHEMA_VERSION,
        test_id: directory.test_id(),
        at: now(),
        config: serde_json::json!({ "profile": workspace.profile, "filter": arguments.filter }),
        environment: run::environment(),
    };
    journal.write(&opening).map_err(broken)?;
    skipped(&mut journal, &trials, &arguments).map_err(broken)?;

    let live = Arc::new(Live {
        parts,
        directory,
        journal: Arc::new(Mutex::new(journal)),
        stop,
        runtime,
        shared: Mutex::default(),
    });
    let trials = trials
        .into_iter()
        .map(|planned| {
            let live = Arc::clone(&live);
            let (id, ignored) = (planned.trial.id.clone(), planned.ignored.is_some());
            libtest_mimic::Trial::ignorable_test(id, move || live.test(&planned.trial))
                .with_ignored_flag(ignored)
        })
        .collect();
    // Not `exit`, which would skip the destructors that take targets down.
    let _ = libtest_mimic::run(&arguments, trials);
    live.end(nextest.is_some(), signalled.load(Ordering::SeqCst))
}

fn now() -> Date {
    Date(Timestamp::now())
}

fn interrupted(signalled: &AtomicU8) -> Failure {
    Failure { code: signalled.load(Ordering::SeqCst), message: "interrupted".to_owned() }
}

/// Turns SIGINT and SIGTERM into an orderly end; the code is 130 or 143.
fn listen(stop: &CancellationToken, signalled: &Arc<AtomicU8>) -> std::io::Result<()> {
    for (kind, code) in [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)] {
        let mut signals = signal(kind)?;
        let (stop, signalled) = (stop.clone(), Arc::clone(signalled));
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                eprintln!("\ninterrupted: taking the target down");
                signalled.store(code, Ordering::SeqCst);
                stop.cancel();
            }
        });
    }
    Ok(())
}

fn write_plan(
    directory: &RunDirectory,
    workspace: &Workspace,
    trials: &[&Trial],
    shared: bool,
) -> std::io::Result<()> {
    let _lock = directory.lock()?;
    let file = PlanFile { profile: workspace.profile.clone(), trials: trials.to_vec() };
    let mut plan = serde_json::to_value(&file)?;
    let before = std::fs::read(directory.plan()).ok().filter(|_| shared);
    let before: Option<serde_json::Value> =
        before.and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(earlier) = before.as_ref().and_then(|plan| plan["trials"].as_array()) {
        // The processes of one run each know one trial.
        let own = plan["trials"].as_array().cloned().unwrap_or_default();
        let others = earlier.iter().filter(|trial| own.iter().all(|own| own["id"] != trial["id"]));
        plan["trials"] = others.chain(&own).cloned().collect();
    }
    directory.replace("plan.json", &serde_json::to_vec_pretty(&plan)?)
}

/// Trials that were asked for and cannot run here are results too.
fn skipped(
    journal: &mut Journal,
    trials: &[Planned],
    arguments: &libtest_mimic::Arguments,
) -> std::io::Result<()> {
    let unignored =
        libtest_mimic::Arguments { ignored: false, include_ignored: true, ..arguments.clone() };
    for planned in trials {
        let wanted = !planned.is_left_out(&unignored) && planned.is_left_out(arguments);
        if let (Some(reason), true) = (&planned.ignored, wanted) {
            journal.write(&Line::Begin { at: now(), trial: Box::new(header(&planned.trial)) })?;
            let outcome = Outcome::Skipped(reason.clone());
            let end = Line::End { at: now(), outcome, verdict: Verdict::Skipped, sampler: None };
            journal.write(&end)?;
        }
    }
    Ok(())
}

fn header(trial: &Trial) -> TrialHeader {
    let mut scenario_params: Map<String, serde_json::Value> = trial
        .params
        .0
        .iter()
        .map(|(key, value)| (key.clone(), serde_json::to_value(value).unwrap_or_default()))
        .collect();
    if let Some(agents) = trial.total_agents {
        scenario_params.insert("total_agents".to_owned(), agents.into());
    }
    if trial.repeat > 1 {
        scenario_params.insert("repeat".to_owned(), trial.repeat.into());
    }
    let mut metadata = Map::new();
    metadata.insert("description".to_owned(), trial.description.clone().into());
    metadata.insert("scenario".to_owned(), trial.scenario.clone().into());
    TrialHeader {
        id: trial.id.clone(),
        kind: trial.kind,
        scenario_name: trial.name.clone(),
        scenario_params,
        target: trial.target.name().to_owned(),
        repeat: trial.repeat,
        rules: trial.rules.clone(),
        metadata,
    }
}

impl Live {
    /// One trial, as libtest sees it.
    fn test(&self, trial: &Trial) -> Result<Completion, Failed> {
        if self.stop.is_cancelled() {
            return Err("interrupted: not run".into());
        }
        let (verdict, message) = self
            .runtime
            .block_on(self.trial(trial))
            .unwrap_or_else(|error| (Verdict::Error, format!("rig: cannot keep results: {error}")));
        self.shared().verdicts.push(verdict);
        if verdict.exit_code(allow_inconclusive()) == 0 {
            return Ok(Completion::Completed);
        }
        if std::env::var_os("NEXTEST").is_some() {
            // nextest takes its failure text from this line.
            eprintln!("Error: {}", message.replace('\n', " "));
        }
        Err(message.into())
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: &Line) -> std::io::Result<()> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    async fn trial(&self, trial: &Trial) -> std::io::Result<(Verdict, String)> {
        let (at, header) = (now(), header(trial));
        self.write(&Line::Begin { at, trial: Box::new(header.clone()) })?;
        let logs = self.directory.logs(&trial.id)?;
        let record = TrialRecord::begun(at, header);
        let mut recorder =
            Recorder::new(Arc::clone(&self.journal), Progress::new(&trial.id), record);
        let walked = self.walk(trial, &logs, &mut recorder).await;
        let Recorder { mut record, .. } = recorder;
        record.outcome = Some(walked.outcome.clone());
        let (verdict, checks) = finish::judge(&record);
        let end =
            Line::End { at: now(), outcome: walked.outcome, verdict, sampler: walked.sampler };
        self.write(&end)?;
        if verdict == Verdict::Pass {
            // Output is kept of what did not pass.
            let _ = std::fs::remove_dir_all(&logs);
        }
        self.rebuild(false)?;
        Ok((verdict, gate::failure(&checks).unwrap_or_default()))
    }

    async fn walk(&self, trial: &Trial, logs: &Path, recorder: &mut Recorder) -> run::Walked {
        let broken =
            |reason: String| run::Walked { outcome: Outcome::Broken(reason), sampler: None };
        if let Err(reason) = self.build(trial, recorder).await {
            return if self.stop.is_cancelled() {
                run::Walked { outcome: Outcome::Interrupted(reason), sampler: None }
            } else {
                broken(reason)
            };
        }
        let key = format!("{}::{}", trial.scenario, trial.target.name());
        let kept = self.shared().kept.remove(&key);
        let mut target = kept.unwrap_or_else(|| target::open(&trial.target, &self.parts.root));
        let keep_up = target.keeps_up();
        let rig = match run::open(trial, &mut *target, &self.parts, logs) {
            Ok(rig) => rig,
            Err(reason) => return broken(reason),
        };
        let decide = |sample: &Sample| {
            gate::decided(&trial.rules, trial.total_agents, &trial.params, sample)
        };
        let walked =
            run::trial(rig, &trial.phases, logs, keep_up, recorder, &decide, &self.stop).await;
        if keep_up && walked.outcome == Outcome::Completed {
            self.shared().kept.insert(key, target);
        }
        walked
    }

    /// Runs the target's build command, once per run.
    async fn build(&self, trial: &Trial, recorder: &mut Recorder) -> Result<(), String> {
        let Some(command) = trial.target.build() else { return Ok(()) };
        if let Some(done) = self.shared().built.get(command) {
            return done.clone();
        }
        run::Observer::progress(recorder, &format!("build ({command})"), None);
        let log = self.directory.path().join("logs").join("build.log");
        let built = tokio::select! {
            built = target::build(command, &self.parts.root, &log) => built.map_err(|error| error.message),
            () = self.stop.cancelled() => return Err("the run was interrupted".to_owned()),
        };
        self.shared().built.insert(command.to_owned(), built.clone());
        built
    }

    fn rebuild(&self, at_the_end: bool) -> std::io::Result<Option<finish::Published>> {
        let due = self.shared().rebuilt.is_none_or(|last| last.elapsed() >= REBUILD_EVERY);
        if !due && !at_the_end {
            return Ok(None);
        }
        let published = finish::publish(&self.directory)?;
        self.shared().rebuilt = Some(Instant::now());
        Ok(Some(published))
    }

    /// Takes down what was kept up, completes the journal and the files, and sums up.
    fn end(&self, nextest: bool, signal: u8) -> Result<u8, Failure> {
        let kept = std::mem::take(&mut self.shared().kept);
        for (name, mut target) in kept {
            if let Err(error) = self.runtime.block_on(target.down()) {
                eprintln!("rig: {name} could not be taken down: {error}");
                self.shared().verdicts.push(Verdict::Error);
            }
        }
        let broken = |error: std::io::Error| Failure::rig(format!("cannot write results: {error}"));
        if signal == 0 {
            self.write(&Line::Complete { at: now() }).map_err(broken)?;
        }
        let published = self.rebuild(true).map_err(broken)?;
        if let (Some(published), false) = (&published, nextest) {
            finish::announce(published, &self.directory).map_err(broken)?;
        }
        if signal != 0 {
            return Ok(signal);
        }
        let worst =
            Verdict::worst(self.shared().verdicts.iter().copied()).unwrap_or(Verdict::Skipped);
        Ok(worst.exit_code(allow_inconclusive()))
    }
}

/// True where inconclusive and no-data trials may pass.
pub(super) fn allow_inconclusive() -> bool {
    std::env::var("PROOFLOAD_ALLOW_INCONCLUSIVE").is_ok_and(|value| value == "1")
}

//! A run: its directory, its signals, and its trials one after the other.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libtest_mimic::{Arguments, Completion, Failed};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::confirm;
use super::environment::{allow_inconclusive, commit};
use super::kept::Kept;
use super::looks::Looks;
use super::opening::{environment, header, skipped, write_plan};
use super::progress::Progress;
use super::recorder::Recorder;
use super::select::Selection;
use super::{Failure, RIG, ab, finish, lock, say};
use crate::gate::{self, Check};
use crate::model::{Kind, Outcome, Sample, Verdict};
use crate::plan::Trial;
use crate::results::document::Date;
use crate::results::{
    Environment, Journal, Line, RunDirectory, SCHEMA_VERSION, TrialHeader, TrialRecord,
};
use crate::run::{self, Parts, Rig};
use crate::scenario::Workspace;
use crate::target;

/// `results.json` is rebuilt after a trial only when it is at least this old.
const REBUILD_EVERY: Duration = Duration::from_secs(10);

/// What the trials of a run share.
pub(super) struct Live {
    parts: Parts,
    machine: Environment,
    past: ab::Past,
    directory: RunDirectory,
    journal: Arc<Mutex<Journal>>,
    stop: CancellationToken,
    runtime: Runtime,
    shared: Mutex<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    /// Build commands that were run, with the reason for those that failed.
    built: BTreeMap<String, Result<(), String>>,
    /// The target that stays up for the next trial.
    pub(super) kept: Option<Kept>,
    pub(super) verdicts: Vec<Verdict>,
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
    let reaped = runtime.block_on(async {
        tokio::select! {
            lines = target::reap() => Ok(lines),
            () = stop.cancelled() => Err(interrupted(&signalled)),
        }
    })?;
    for line in reaped {
        say(&format!("note: {line}"));
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
    directory.make_latest().map_err(broken)?;
    if let Err(error) = directory.prune(workspace.keep) {
        say(&format!(
            "note: a run older than the newest {} cannot be removed: {error}",
            workspace.keep
        ));
    }
    let planned: Vec<&Trial> =
        trials.iter().filter(|p| !p.is_left_out(&arguments)).map(|p| &p.trial).collect();
    let is_first = !directory.journal().exists();
    let mut journal = Journal::open(&directory.journal()).map_err(broken)?;
    write_plan(&directory, &workspace, &planned, nextest.is_some()).map_err(broken)?;
    let machine = runtime.block_on(environment(&planned));
    let mut config =
        serde_json::json!({ "profile": workspace.profile, "filter": arguments.filter });
    if let Some(commit) = commit() {
        config["commit"] = commit.into();
    }
    let opening = Line::Run {
        schema_version: SCHEMA_VERSION,
        test_id: directory.test_id(),
        at: now(),
        config,
        environment: machine.clone(),
    };
    journal.write(&opening).map_err(broken)?;
    if nextest.is_none() {
        skipped(&mut journal, &trials, &arguments).map_err(broken)?;
    } else if is_first {
        // nextest starts no process for a trial that is listed as ignored: the first one speaks for all.
        let all = Arguments { exact: false, filter: None, ..arguments.clone() };
        skipped(&mut journal, &trials, &all).map_err(broken)?;
    }

    let live = Arc::new(Live {
        parts,
        machine,
        past: ab::Past::default(),
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
    // Not `exit`, which would skip the destructors that take targets down. A standard output that is closed makes it
    // panic, and what stays up between trials must come down all the same.
    let concluded = catch_unwind(AssertUnwindSafe(|| libtest_mimic::run(&arguments, trials)));
    let code = live.end(nextest.is_some(), &signalled)?;
    Ok(if concluded.is_ok() { code } else { RIG })
}

pub(super) fn now() -> Date {
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
                signalled.store(code, Ordering::SeqCst);
                stop.cancel();
                say("\ninterrupted: taking the target down");
            }
        });
    }
    Ok(())
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
            say(&format!("Error: {}", message.replace('\n', " ")));
        }
        Err(message.into())
    }

    pub(super) fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, line: &Line) -> std::io::Result<()> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    async fn trial(&self, trial: &Trial) -> std::io::Result<(Verdict, String)> {
        let (verdict, checks) = match &trial.comparison {
            Some(sides) => ab::compare(self, trial, sides).await?,
            None => self.alone(trial).await?,
        };
        self.rebuild(false)?;
        Ok((verdict, gate::failure(&checks).unwrap_or_default()))
    }

    /// Runs a trial, and once more where a leak has to be confirmed.
    async fn alone(&self, trial: &Trial) -> std::io::Result<(Verdict, Vec<Check>)> {
        let (first, checks) = self.one(trial, header(trial), &trial.id).await?;
        if !confirm::wanted(&first) {
            return Ok((first.verdict.unwrap_or(Verdict::Error), checks));
        }
        let again = confirm::second(trial);
        let header = confirm::mark(header(&again), &trial.id);
        let (second, _) = self.one(&again, header, &again.id).await?;
        let confirm::Both { first, verdict, checks } = confirm::judge(&first, &second);
        self.write(&Line::Verdict { id: trial.id.clone(), verdict: first })?;
        Ok((verdict, checks))
    }

    /// Walks one trial, keeps it in the journal as `header` says, and judges it.
    pub(super) async fn one(
        &self,
        trial: &Trial,
        header: TrialHeader,
        label: &str,
    ) -> std::io::Result<(TrialRecord, Vec<Check>)> {
        let at = now();
        self.write(&Line::Begin { at, trial: Box::new(header.clone()) })?;
        let logs = self.directory.logs(&trial.id)?;
        let record = TrialRecord::begun(at, header);
        let mut recorder = Recorder::new(Arc::clone(&self.journal), Progress::new(label), record);
        let walked = self.walk(trial, &logs, &mut recorder).await;
        let Recorder { mut record, .. } = recorder;
        record.outcome = Some(walked.outcome.clone());
        record.sampler = walked.sampler;
        let (verdict, checks) = finish::judge(&record);
        record.verdict = Some(verdict);
        let end =
            Line::End { at: now(), outcome: walked.outcome, verdict, sampler: walked.sampler };
        self.write(&end)?;
        if verdict == Verdict::Pass && trial.kind != Kind::Network {
            // Output is kept of what did not pass, and of network tools in any case: it is what their figures came from.
            let _ = std::fs::remove_dir_all(&logs);
        }
        self.rebuild(false)?;
        Ok((record, checks))
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(super) fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    pub(super) fn machine(&self) -> &Environment {
        &self.machine
    }

    pub(super) fn past(&self) -> &ab::Past {
        &self.past
    }

    async fn walk(&self, trial: &Trial, logs: &Path, recorder: &mut Recorder) -> run::Walked {
        let broken =
            |reason: String| run::Walked { outcome: Outcome::Broken(reason), sampler: None };
        if let Some(reason) = &trial.unavailable {
            return broken(reason.clone());
        }
        let mut progress = |doing: &str| run::Observer::progress(recorder, doing, None);
        if let Err(reason) = self.build(trial, &mut progress).await {
            return if self.stop.is_cancelled() {
                run::Walked { outcome: Outcome::Interrupted(reason), sampler: None }
            } else {
                broken(reason)
            };
        }
        let driver = match run::driver(trial, &self.parts, logs) {
            Ok(driver) => driver,
            Err(reason) => return broken(reason),
        };
        let mut target = match self.kept_for(&trial.target).await {
            Ok(Some(target)) => target,
            Ok(None) => target::open(&trial.target, &self.parts.root),
            Err(error) => return broken(format!("cannot keep results: {error}")),
        };
        let keep_up = target.keeps_up();
        let probes = run::probes(trial, &self.parts);
        let rig = Rig { target: &mut *target, driver, probes };
        let looks = Looks::new(trial);
        let decide = |sample: &Sample| looks.decide(sample);
        let walked =
            run::trial(rig, &trial.phases, logs, keep_up, recorder, &decide, &self.stop).await;
        if keep_up && walked.outcome == Outcome::Completed {
            let kept = Kept { spec: trial.target.clone(), target, last: header(trial) };
            self.shared().kept = Some(kept);
        }
        walked
    }

    /// Runs the target's build command, once per run.
    pub(super) async fn build(
        &self,
        trial: &Trial,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), String> {
        let Some(command) = trial.target.build() else { return Ok(()) };
        if let Some(done) = self.shared().built.get(command) {
            return done.clone();
        }
        progress(&format!("build ({command})"));
        let log = self.directory.build_log().map_err(|error| format!("build: {error}"))?;
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
    fn end(&self, nextest: bool, signalled: &AtomicU8) -> Result<u8, Failure> {
        let broken = |error: std::io::Error| Failure::rig(format!("cannot write results: {error}"));
        let kept = self.shared().kept.take();
        if let Some(kept) = kept {
            self.runtime.block_on(self.let_go(kept)).map_err(broken)?;
        }
        // Only now: an interrupt counts until the last target is down.
        let signal = signalled.load(Ordering::SeqCst);
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

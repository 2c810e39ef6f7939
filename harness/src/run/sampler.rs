//! [`Sampler`]: reads every probe at due times on one clock, and accounts for what that costs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use nix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::clock::RunClock;
use super::{Decision, Observer};
use crate::drive::Driver;
use crate::model::{Event, EventKind, Incident, Observation, Phase, Reading, Sample, metric};
use crate::probe::Probe;
use crate::results::{Line, SamplerCost};

/// A probe that takes longer has failed for this tick.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a walk ends before its last phase does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The system under test died.
    System(String),
    /// The harness failed.
    Rig(String),
    /// A reading decided a threshold that ends the trial.
    Decided,
}

/// A named probe.
pub(super) type Named = (Arc<str>, Box<dyn Probe>);

/// Says what follows from a sample.
pub(super) type Decide<'a> = &'a (dyn Fn(&Sample) -> Decision + Send + Sync);

/// When a watch ends.
#[derive(Clone, Copy)]
pub(super) enum Until<'a> {
    /// At this time.
    Time(Instant),
    /// When the token is cancelled; never within a tick.
    Cancelled(&'a CancellationToken),
}

impl Until<'_> {
    fn time(self) -> Option<Instant> {
        match self {
            Self::Time(end) => Some(end),
            Self::Cancelled(_) => None,
        }
    }

    /// Waits for a due time, or says that the end comes first.
    async fn comes_before(self, due: Instant) -> bool {
        match self {
            Self::Time(_) => {
                sleep_until(due).await;
                false
            }
            Self::Cancelled(token) => tokio::select! {
                biased;
                () = token.cancelled() => true,
                () = sleep_until(due) => false,
            },
        }
    }
}

pub(super) struct Sampler<'a> {
    clock: RunClock,
    probes: &'a mut [Named],
    observer: &'a mut dyn Observer,
    decide: Decide<'a>,
    own: Arc<str>,
    cpu: Duration,
    cost: SamplerCost,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(
        clock: RunClock,
        probes: &'a mut [Named],
        observer: &'a mut dyn Observer,
        decide: Decide<'a>,
    ) -> Self {
        let (cpu, cost) = (Duration::ZERO, SamplerCost::default());
        Self { clock, probes, observer, decide, own: "sampler".into(), cpu, cost }
    }

    pub(super) fn cost(&self) -> SamplerCost {
        SamplerCost { cpu_seconds: self.cpu.as_secs_f64(), ..self.cost }
    }

    /// Takes samples of a phase at its beginning and every interval after it.
    pub(super) async fn watch(
        &mut self,
        phase: &Phase,
        mut driver: Option<&mut Box<dyn Driver>>,
        until: Until<'_>,
    ) -> Result<(), Cut> {
        let start = Instant::now();
        let end = until.time();
        // How many samples are due in all.
        let due_ticks = end.map_or(u32::MAX, |end| ticks_before(end - start, phase.interval));
        let name: Arc<str> = phase.name.as_str().into();
        let mut last = None;
        let mut tick: u32 = 0;
        while tick < due_ticks {
            let due = start + phase.interval * tick;
            if until.comes_before(due).await {
                return Ok(());
            }
            let taken = Instant::now();
            self.observer.progress(&phase.name, end.map(|end| end - taken.min(end)));
            if phase.sampled {
                self.cost.samples += 1;
                let lateness = (taken - due).as_secs_f64();
                self.cost.worst_lateness_seconds = self.cost.worst_lateness_seconds.max(lateness);
                self.gap(phase, &name, last, taken)?;
            }
            last = Some(taken);
            let mut cpu = Duration::ZERO;
            let reading = self.tick(phase, &name, due, taken, driver.as_deref_mut());
            let read = on_processor(reading, &mut cpu).await;
            self.cpu += cpu;
            read?;
            let next = ticks(start.elapsed(), phase.interval).max(tick + 1);
            if phase.sampled {
                self.cost.missed += u64::from(next.min(due_ticks) - tick - 1);
            }
            tick = next;
        }
        let Some(end) = end else { return Ok(()) };
        sleep_until(end).await;
        if phase.sampled { self.gap(phase, &name, last, Instant::now()) } else { Ok(()) }
    }

    /// Accounts for the time without a sample that ends now.
    fn gap(
        &mut self,
        phase: &Phase,
        name: &Arc<str>,
        last: Option<Instant>,
        now: Instant,
    ) -> Result<(), Cut> {
        let Some(last) = last else { return Ok(()) };
        let gap = (now - last).as_secs_f64() / phase.interval.as_secs_f64();
        self.cost.worst_gap_intervals = self.cost.worst_gap_intervals.max(gap);
        if gap <= 2.0 {
            return Ok(());
        }
        let message = format!("{gap:.1} intervals without a sample");
        let incident = Incident::new(EventKind::SamplingGap, &self.own.clone(), message);
        self.happened(name, now, incident)
    }

    /// Reads everything once. Events are recorded in every phase, readings in sampled ones.
    async fn tick(
        &mut self,
        phase: &Phase,
        name: &Arc<str>,
        due: Instant,
        taken: Instant,
        driver: Option<&mut Box<dyn Driver>>,
    ) -> Result<(), Cut> {
        let readings = join_all(self.probes.iter_mut().map(read));
        let (observations, load) = tokio::join!(readings, async {
            match driver {
                Some(driver) if phase.sampled => driver.read().await,
                _ => Observation::default(),
            }
        });
        let mut all = load;
        for observation in observations {
            all.absorb(observation);
        }
        let fatal = self.incidents(name, taken, all.incidents)?;
        if phase.sampled {
            let mut readings = all.readings;
            readings.retain(|reading| reading.value.is_finite());
            let lateness = (taken - due).as_secs_f64();
            readings.push(Reading::new(&metric::SAMPLER_LATENESS, &self.own, lateness));
            let (elapsed, timestamp) = self.clock.at(taken);
            let sample = Sample {
                elapsed,
                timestamp,
                phase: Arc::clone(name),
                cycle: phase.cycle,
                readings,
            };
            if self.cost.samples == 1 {
                distinct(&sample.readings)?;
            }
            let decided = (self.decide)(&sample);
            self.record(Line::Sample(sample))?;
            let (note, ends) = match decided {
                Decision::GoOn => (None, false),
                Decision::Note(note) => (Some(note), false),
                Decision::End(reason) => (Some(format!("ended early: {reason}")), true),
            };
            if let (Some(note), None) = (note, &fatal) {
                let incident = Incident::new(EventKind::Note, &self.own.clone(), note);
                self.happened(name, taken, incident)?;
                if ends {
                    return Err(Cut::Decided);
                }
            }
        }
        fatal.map_or(Ok(()), |reason| Err(Cut::System(reason)))
    }

    /// Reads once more for what ended the system, after something else noticed that it is gone.
    pub(super) async fn last_words(&mut self, phase: &str) -> Option<String> {
        let name: Arc<str> = phase.into();
        for wait in [0_u64, 200, 800] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let mut incidents = Vec::new();
            for observation in join_all(self.probes.iter_mut().map(read)).await {
                incidents.extend(observation.incidents);
            }
            if let Ok(Some(reason)) = self.incidents(&name, Instant::now(), incidents) {
                return Some(reason);
            }
        }
        None
    }

    /// Records what happened; the first fatal event is the reason to end, an OOM kill before any other.
    fn incidents(
        &mut self,
        phase: &Arc<str>,
        at: Instant,
        mut incidents: Vec<Incident>,
    ) -> Result<Option<String>, Cut> {
        incidents.sort_by_key(|incident| incident.kind);
        let mut fatal = None;
        for incident in incidents {
            if incident.kind.is_fatal() && fatal.is_none() {
                fatal = Some(reason(&incident));
            }
            self.happened(phase, at, incident)?;
        }
        Ok(fatal)
    }

    fn happened(&mut self, phase: &Arc<str>, at: Instant, incident: Incident) -> Result<(), Cut> {
        let (elapsed_seconds, timestamp_iso) = self.clock.at(at);
        self.record(Line::Event(Event {
            kind: incident.kind,
            elapsed_seconds,
            timestamp_iso,
            source: incident.source.to_string(),
            phase: phase.to_string(),
            message: incident.message,
        }))
    }

    pub(super) fn record(&mut self, line: Line) -> Result<(), Cut> {
        self.observer.record(line).map_err(Cut::Rig)
    }

    pub(super) fn progress(&mut self, doing: &str) {
        self.observer.progress(doing, None);
    }
}

/// Two readings of one identity would be told apart by nobody.
fn distinct(readings: &[Reading]) -> Result<(), Cut> {
    let mut seen = std::collections::HashSet::new();
    match readings.iter().find(|reading| !seen.insert((&reading.metric, &reading.source))) {
        None => Ok(()),
        Some(twice) => Err(Cut::Rig(format!(
            "two probes read {} of {}: leave one of them out, or give its source another name",
            twice.metric, twice.source
        ))),
    }
}

fn reason(incident: &Incident) -> String {
    let what = match incident.kind {
        EventKind::OomKill => "OOM detected in",
        EventKind::Restarted => "restarted:",
        _ => "died:",
    };
    format!("{what} {} ({})", incident.source, incident.message)
}

async fn read((name, probe): &mut Named) -> Observation {
    let began = Instant::now();
    let source: Arc<str> = format!("probe.{name}").into();
    match timeout(PATIENCE, probe.read()).await {
        Ok(mut observation) => {
            let took = began.elapsed().as_secs_f64();
            observation.readings.push(Reading::new(&metric::PROBE_DURATION, &source, took));
            observation
        }
        Err(_) => {
            let message = format!("no answer within {} s", PATIENCE.as_secs());
            let incident = Incident::new(EventKind::ProbeMissed, &source, message);
            Observation { readings: Vec::new(), incidents: vec![incident] }
        }
    }
}

/// How many whole intervals a time holds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to int casts saturate"
)]
fn ticks(elapsed: Duration, interval: Duration) -> u32 {
    (elapsed.as_secs_f64() / interval.as_secs_f64()) as u32
}

/// How many samples are due in a time: at its beginning and after every interval, but not at its end.
fn ticks_before(length: Duration, interval: Duration) -> u32 {
    let whole = ticks(length, interval);
    if interval * whole < length { whole + 1 } else { whole }
}

/// Runs a future and adds the processor time of its polls to `spent`.
async fn on_processor<F: Future>(future: F, spent: &mut Duration) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let before = thread_time();
        let polled = future.as_mut().poll(context);
        *spent += thread_time().saturating_sub(before);
        polled
    })
    .await
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

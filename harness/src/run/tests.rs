//! Whole walks over fakes, on a paused clock.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::sampler::Named;
use super::*;
use crate::drive::{Driver, DriverError};
use crate::model::{
    Action, Event, EventKind, Handle, Incident, Member, Metric, Observation, Outcome, Phase,
    Reading, Sample, metric,
};
use crate::probe::Probe;
use crate::target::{Target, TargetError};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Up,
    UpRig,
    UpHangs,
    UpPanics,
    Driver,
    DriverHangs,
    StopIsSlow,
    StopFails,
    DownFails,
    NoProbe,
    Disk,
    Oom,
    OomWhileEntering,
    SlowProbe,
    Decided,
}

struct Fake {
    log: Log,
    fault: Fault,
    reads: u32,
}

#[async_trait]
impl Target for Fake {
    async fn up(&mut self, _: &Path) -> Result<Vec<Member>, TargetError> {
        self.log.add("up");
        match self.fault {
            Fault::Up => Err(TargetError::system("exited with 1")),
            Fault::UpRig => Err(TargetError::rig("no daemon")),
            Fault::UpHangs => std::future::pending().await,
            Fault::UpPanics => panic!("boom"),
            _ => Ok(vec![Member { name: "api".into(), handle: Handle::Process { pid: 1 } }]),
        }
    }

    async fn save_logs(&mut self, _: &Path) -> Result<(), TargetError> {
        self.log.add("logs");
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        self.log.add("down");
        if self.fault == Fault::DownFails {
            Err(TargetError::rig("a container stays"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Driver for Fake {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        self.log.add(format!("{action:?}"));
        match (self.fault, action) {
            (Fault::Driver, Action::Level(_)) => Err(DriverError::system("connection refused")),
            (Fault::DriverHangs | Fault::OomWhileEntering, Action::Level(_)) => {
                std::future::pending().await
            }
            (Fault::StopIsSlow | Fault::StopFails, Action::Level(_)) => {
                Err(DriverError::rig("no route"))
            }
            (Fault::DriverHangs, Action::Stop) => std::future::pending().await,
            (Fault::StopIsSlow, Action::Stop) => {
                tokio::time::sleep(Duration::from_secs(140)).await;
                self.log.add("undone");
                Err(DriverError::rig("no route"))
            }
            (Fault::StopFails, Action::Stop) => Err(DriverError::rig("a hook failed")),
            _ => Ok(()),
        }
    }

    async fn read(&mut self) -> Observation {
        Observation::default()
    }

    fn stop_within(&self) -> Duration {
        Duration::from_secs(if self.fault == Fault::StopIsSlow { 150 } else { 10 })
    }
}

#[async_trait]
impl Probe for Fake {
    fn metrics(&self) -> Vec<Metric> {
        vec![metric::MEMORY_ANON, Metric::higher("queue.depth", crate::model::Unit::Count)]
    }

    async fn read(&mut self) -> Observation {
        self.reads += 1;
        let source: Arc<str> = "api".into();
        let mut observation = Observation::default();
        observation.readings.push(Reading::new(
            &metric::MEMORY_ANON,
            &source,
            f64::from(self.reads),
        ));
        match (self.fault, self.reads) {
            (Fault::Oom, 5) | (Fault::OomWhileEntering, 4) => {
                observation.incidents.push(Incident::new(EventKind::Died, &source, "exit 137"));
                observation.incidents.push(Incident::new(
                    EventKind::OomKill,
                    &source,
                    "oom_kill rose to 1",
                ));
            }
            (Fault::SlowProbe, 4) => tokio::time::sleep(Duration::from_millis(350)).await,
            _ => {}
        }
        observation
    }
}

#[derive(Default)]
struct Seen {
    samples: Vec<Sample>,
    events: Vec<Event>,
    metrics: Vec<Metric>,
    full_disk: bool,
}

impl Observer for Seen {
    fn record(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Sample(_) if self.full_disk && self.samples.len() == 2 => {
                return Err("disk full".to_owned());
            }
            Line::Sample(sample) => self.samples.push(sample),
            Line::Event(event) => self.events.push(event),
            Line::Metrics { metrics } => self.metrics = metrics,
            _ => {}
        }
        Ok(())
    }

    fn progress(&mut self, _: &str, _: Option<Duration>) {}
}

fn phases() -> Vec<Phase> {
    let phase = |name: &str, enter, millis, sampled| Phase {
        name: name.to_owned(),
        cycle: 0,
        enter,
        length: Duration::from_millis(millis),
        sampled,
        interval: Duration::from_millis(100),
    };
    vec![phase("settle", Action::Level(3), 200, false), phase("sample", Action::Keep, 1000, true)]
}

async fn walk(fault: Fault, stop: &CancellationToken) -> (Walked, Seen, Log) {
    let log = Log::default();
    let fake = || Fake { log: log.clone(), fault, reads: 0 };
    let mut target = fake();
    let mut seen = Seen { full_disk: fault == Fault::Disk, ..Seen::default() };
    let probe: Named = ("fake".into(), Box::new(fake()));
    let rig = Rig {
        target: &mut target,
        driver: Some(Box::new(fake())),
        probes: Box::new(move |_| {
            Box::pin(async move {
                if fault == Fault::NoProbe {
                    Err("no such probe".to_owned())
                } else {
                    Ok(vec![probe])
                }
            })
        }),
    };
    let decide = move |sample: &Sample| match sample.readings[0].value {
        value if fault == Fault::Decided && value >= 5.0 => Decision::End("max".to_owned()),
        4.0 if fault == Fault::Decided => Decision::Note("looked".to_owned()),
        _ => Decision::GoOn,
    };
    let walked = trial(rig, &phases(), Path::new("."), false, &mut seen, &decide, stop).await;
    (walked, seen, log)
}

async fn check(fault: Fault, outcome: Outcome, order: &[&str]) -> Seen {
    let (walked, seen, log) = walk(fault, &CancellationToken::new()).await;
    assert_eq!(walked.outcome, outcome);
    assert_eq!(log.entries(), order);
    seen
}

fn aborted(reason: &str) -> Outcome {
    Outcome::Aborted(reason.to_owned())
}

fn broken(reason: &str) -> Outcome {
    Outcome::Broken(reason.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_goes_well_is_sampled_at_every_due_time_and_taken_down() {
    let seen =
        check(Fault::None, Outcome::Completed, &["up", "Level(3)", "Stop", "logs", "down"]).await;
    assert_eq!(seen.samples.len(), 10);
    let elapsed: Vec<u64> =
        seen.samples.iter().map(|s| (s.elapsed * 1000.0).round() as u64).collect();
    assert_eq!(elapsed, (0..10).map(|n| 200 + n * 100).collect::<Vec<u64>>());
    assert!(seen.samples.iter().all(|sample| &*sample.phase == "sample"));
    assert_eq!(seen.metrics, [Metric::higher("queue.depth", crate::model::Unit::Count)]);
    let sources: Vec<&str> =
        seen.samples[0].readings.iter().map(|reading| &*reading.source).collect();
    assert_eq!(sources, ["api", "probe.fake", "sampler"]);
}

#[tokio::test(start_paused = true)]
async fn the_target_is_taken_down_and_its_logs_are_kept_whatever_fails() {
    let short = &["up", "logs", "down"];
    let up = &["up", "Stop", "logs", "down"];
    let loaded = &["up", "Level(3)", "Stop", "logs", "down"];
    check(Fault::Up, aborted("exited with 1"), short).await;
    check(Fault::UpRig, broken("no daemon"), short).await;
    check(Fault::UpPanics, broken("a part of the rig panicked: boom"), short).await;
    check(Fault::NoProbe, broken("no such probe"), up).await;
    check(Fault::Driver, aborted("connection refused"), loaded).await;
    check(Fault::Disk, broken("disk full"), loaded).await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_has_the_time_that_it_asks_for_to_stop() {
    let order = &["up", "Level(3)", "Stop", "undone", "logs", "down"];
    check(Fault::StopIsSlow, broken("no route"), order).await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_while_the_load_is_stopped_is_told_with_the_reason() {
    let why = "no route; and the load could not be stopped: a hook failed";
    check(Fault::StopFails, broken(why), &["up", "Level(3)", "Stop", "logs", "down"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stays_up_is_the_rigs_fault() {
    let why = "the target could not be taken down: a container stays";
    check(Fault::DownFails, broken(why), &["up", "Level(3)", "Stop", "logs", "down"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_oom_kill_ends_the_trial_and_outweighs_the_death_it_caused() {
    let loaded = &["up", "Level(3)", "Stop", "logs", "down"];
    let reason = aborted("OOM detected in api (oom_kill rose to 1)");
    let seen = check(Fault::Oom, reason.clone(), loaded).await;
    let kinds: Vec<EventKind> = seen.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::OomKill, EventKind::Died]);
    assert_eq!(seen.events[0].phase, "sample");
    assert_eq!(seen.samples.len(), 3, "the readings up to the kill are kept");
    check(Fault::OomWhileEntering, reason, loaded).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_reading_is_counted_as_missed_samples_and_a_gap() {
    let (walked, seen, _) = walk(Fault::SlowProbe, &CancellationToken::new()).await;
    let cost = walked.sampler.unwrap();
    // The fourth reading is the second of the sampled phase: it is due at 100 ms and ends at 450 ms.
    assert_eq!((cost.samples, cost.missed), (8, 2));
    assert!((cost.worst_gap_intervals - 3.5).abs() < 0.02, "{cost:?}");
    assert!((cost.worst_lateness_seconds - 0.05).abs() < 0.002, "{cost:?}");
    let gaps = seen.events.iter().filter(|event| event.kind == EventKind::SamplingGap).count();
    assert_eq!(gaps, 1);
    let due: Vec<u64> =
        seen.samples.iter().map(|s| (s.elapsed * 1000.0).round() as u64 - 200).collect();
    assert_eq!(due[..2], [0, 100]);
    assert_eq!(due[3..], [500, 600, 700, 800, 900], "later samples are back on their due times");
}

#[tokio::test(start_paused = true)]
async fn a_decided_threshold_ends_the_trial_early_and_leaves_the_verdict_to_the_gate() {
    let order = &["up", "Level(3)", "Stop", "logs", "down"];
    let seen = check(Fault::Decided, Outcome::Completed, order).await;
    assert_eq!(seen.samples.len(), 3);
    let said: Vec<&str> = seen.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(said, ["looked", "ended early: max"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_takes_the_target_down_at_any_moment() {
    for (fault, after) in [
        (Fault::UpHangs, 50),
        (Fault::DriverHangs, 50),
        (Fault::None, 100),
        (Fault::None, 700),
        (Fault::None, 0),
    ] {
        let stop = CancellationToken::new();
        let canceller = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            stop.cancel();
        };
        let ((walked, _, log), ()) = tokio::join!(walk(fault, &stop), canceller);
        let late = match fault {
            Fault::DriverHangs => "; and the load could not be stopped: it did not stop within 10s",
            _ => "",
        };
        let interrupted = Outcome::Interrupted(format!("the run was interrupted{late}"));
        assert_eq!(walked.outcome, interrupted);
        assert_eq!(log.entries().last().map(String::as_str), Some("down"));
    }
}

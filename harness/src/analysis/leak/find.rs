//! [`leaks`]: the series of a trial that are judged, and what each rule makes of them.

use super::grid::Grid;
use super::guard::{Doubt, Judgement, judge};
use super::leakscore::{self, CLEAN, DECISIVE, FEWEST, SHORTEST, Trace};
use super::{Apart, Leak, LeakMethod, LeakVerdict, seed};
use crate::analysis::digits::short;
use crate::analysis::regression::Line;
use crate::analysis::series::{Series, by_source};
use crate::analysis::{MIB, PER_MINUTE, describe, rules};
use crate::model::rules::{LeakGate, LeakRule};
use crate::model::{Kind, Metric, Sample, metric};
use crate::results::TrialRecord;

/// The smallest leak that a run sees with 90% power at a level of 1%, in standard errors of its slope
/// (z of 0.99 and of 0.90 added).
const DETECTABLE: f64 = 3.6;
/// Slower growth of what is counted is none, per minute.
const LEAST_COUNT: f64 = 0.25;
/// The unit of slopes of what is counted.
const PER_MINUTE_OF_COUNTS: &str = "count/min";
/// What is counted and judged. Under the limits of memory one file or thread stands for one MiB.
const COUNTED: [&Metric; 3] = [&metric::OPEN_FILES, &metric::THREADS, &metric::SOCKETS];

/// One series that is judged.
struct Judged<'a> {
    source: &'a str,
    channel: &'a str,
    series: Series,
    /// One unit of slopes, in base units.
    scale: f64,
    apart: Vec<Apart>,
}

/// True of a sample under the load that is held. The original framework knows no phases.
fn is_held(sample: &Sample) -> bool {
    matches!(&*sample.phase, "active" | "")
}

/// The growth of every container of a trial of kind `duration`, while the load was held: of its memory, and of the files
/// and threads that it has open.
#[must_use]
pub fn leaks(trial: &TrialRecord) -> Vec<Leak> {
    if trial.kind != Some(Kind::Duration) {
        return Vec::new();
    }
    let rule = &rules::of(trial).leak;
    let late = late(trial);
    let mut leaks = family(trial, rule, late.as_deref(), memory(trial));
    if rule.rule == LeakMethod::Leakscore {
        for counted in COUNTED {
            let series = by_source(trial, counted.id(), is_held).into_iter();
            let judged = series.map(|(source, series)| {
                let channel = counted.id();
                Judged { source, channel, series, scale: 1.0, apart: Vec::new() }
            });
            leaks.extend(family(trial, rule, late.as_deref(), judged.collect()));
        }
    }
    leaks
}

/// The memory of every container: anonymous memory where it was read, else the working set.
fn memory(trial: &TrialRecord) -> Vec<Judged<'_>> {
    let of = |metric: &Metric| by_source(trial, metric.id(), is_held);
    let (mut anon, working_set) = (of(&metric::MEMORY_ANON), of(&metric::MEMORY_WORKING_SET));
    let usage = of(&metric::MEMORY_USAGE);
    let own = metric::MEMORY_WORKING_SET.id();
    let fallback = if trial.rules.is_none() { "memory_used_mb" } else { own };
    let mut sources: Vec<&str> = anon.keys().chain(working_set.keys()).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    let judged = |source| {
        let slope = |channel: &str, series: &Series| {
            let slope_mb_per_min = series.line()?.slope * PER_MINUTE / MIB;
            Some(Apart { channel: channel.to_owned(), slope_mb_per_min })
        };
        let also = usage.get(source).and_then(|series| slope(metric::MEMORY_USAGE.id(), series));
        if let Some(series) = anon.remove(source) {
            let working_set = working_set.get(source).and_then(|series| slope(own, series));
            let apart = also.into_iter().chain(working_set).collect();
            return Some(Judged {
                source,
                channel: metric::MEMORY_ANON.id(),
                series,
                scale: MIB,
                apart,
            });
        }
        let series = working_set.get(source)?.clone();
        Some(Judged {
            source,
            channel: fallback,
            series,
            scale: MIB,
            apart: also.into_iter().collect(),
        })
    };
    sources.into_iter().filter_map(judged).collect()
}

/// Why the readings were taken too irregularly, where they were.
fn late(trial: &TrialRecord) -> Option<String> {
    let name = metric::SAMPLER_LATENESS.id();
    let lateness = by_source(trial, name, is_held).into_values().next()?;
    let mut values = lateness.values();
    values.sort_by(f64::total_cmp);
    let p95 = describe::quantile(&values, 0.95)?;
    let interval = lateness.span() / (lateness.len().max(2) - 1) as f64;
    (p95 > interval && lateness.len() > 2).then(|| {
        format!(
            "one sample in twenty was taken {} s late or more, and are due every {} s",
            short(p95),
            short(interval)
        )
    })
}

/// The findings on one metric of all containers, each held against limits for all of them.
fn family(
    trial: &TrialRecord,
    rule: &LeakRule,
    late: Option<&str>,
    judged: Vec<Judged<'_>>,
) -> Vec<Leak> {
    if rule.rule == LeakMethod::Seed {
        return judged.into_iter().map(|judged| by_slope(trial, rule, judged)).collect();
    }
    let least = |scale: f64| if scale == MIB { per_minute(rule.least.value) } else { LEAST_COUNT };
    let traces: Vec<Result<Trace, String>> =
        judged.iter().map(|judged| trace(judged, late)).collect();
    let scored: Vec<Trace> =
        traces.iter().filter_map(|trace| trace.as_ref().ok()).copied().collect();
    let floor = judged.first().map_or(LEAST_COUNT, |judged| least(judged.scale));
    let mut limits = leakscore::step_down(&scored, floor).into_iter();
    let found = judged.into_iter().zip(traces).map(|(judged, trace)| {
        let trace = trace.map(|trace| {
            let limits = limits.next().unwrap_or(trace.limits());
            (trace, judge(&trace, limits, floor))
        });
        by_score(trial, rule, judged, trace, floor)
    });
    found.collect()
}

fn per_minute(bytes_per_second: f64) -> f64 {
    bytes_per_second * PER_MINUTE / MIB
}

fn trace(judged: &Judged<'_>, late: Option<&str>) -> Result<Trace, String> {
    if let Some(late) = late {
        return Err(late.to_owned());
    }
    let Grid { values, step } = Grid::of(&judged.series)?;
    let scaled: Vec<f64> = values.iter().map(|value| value / judged.scale).collect();
    Trace::of(&scaled, step).ok_or_else(|| {
        let seconds = short(judged.series.span().round());
        format!("{seconds} s of readings, a score needs {SHORTEST} s and {FEWEST} of them")
    })
}

/// A finding that knows no more than the least-squares line.
fn found(trial: &TrialRecord, rule: &LeakRule, judged: Judged<'_>) -> (Leak, Option<Line>) {
    let scale = PER_MINUTE / judged.scale;
    let is_memory = judged.scale == MIB;
    let line = judged.series.line();
    let leak = Leak {
        id: trial.id.clone(),
        scenario_name: trial.scenario_name.clone(),
        scenario_params: trial.scenario_params.clone(),
        container: judged.source.to_owned(),
        channel: judged.channel.to_owned(),
        unit: (!is_memory).then_some(PER_MINUTE_OF_COUNTS),
        rule: rule.rule,
        slope_mb_per_min: line.map(|line| line.slope * scale),
        interval: line.and_then(|line| line.slope_interval).map(|ends| ends.map(|end| end * scale)),
        detectable_mb_per_min: line
            .and_then(|line| line.standard_error)
            .filter(|error| *error > 0.0)
            .map(|error| DETECTABLE * error * scale),
        band: line.filter(|_| is_memory).map(|line| seed::band(rule, line.slope)),
        score: None,
        limits: None,
        verdict: LeakVerdict::Unknown,
        doubt: None,
        reason: String::new(),
        n: judged.series.len(),
        apart: judged.apart,
    };
    (leak, line)
}

fn by_slope(trial: &TrialRecord, rule: &LeakRule, judged: Judged<'_>) -> Leak {
    let line = judged.series.line();
    let (verdict, reason) = seed::conclude(rule, line.as_ref(), &judged.series);
    Leak { verdict, reason, ..found(trial, rule, judged).0 }
}

fn by_score(
    trial: &TrialRecord,
    rule: &LeakRule,
    judged: Judged<'_>,
    trace: Result<(Trace, Judgement), String>,
    least: f64,
) -> Leak {
    let is_memory = judged.scale == MIB;
    let (mut leak, line) = found(trial, rule, judged);
    if line.is_none() {
        "a single reading has no slope".clone_into(&mut leak.reason);
        return leak;
    }
    if let Ok((trace, judgement)) = &trace {
        (leak.score, leak.limits) = (Some(trace.score), Some(judgement.limits));
        leak.doubt = judgement.doubt;
    }
    if rule.gate == LeakGate::Gross && is_memory {
        (leak.verdict, leak.reason) = gross(rule, line.as_ref(), &trace, least);
        // What is surely gross is a leak whatever its shape.
        leak.doubt = leak.doubt.filter(|_| leak.verdict != LeakVerdict::Leak);
        return leak;
    }
    let (trace, judgement) = match trace {
        Ok(scored) => scored,
        Err(reason) => return Leak { reason, ..leak },
    };
    let line = trace.slope();
    leak.slope_mb_per_min = Some(line.slope);
    leak.interval = Some(line.interval());
    leak.detectable_mb_per_min = (line.error > 0.0).then_some(DETECTABLE * line.error);
    leak.band = is_memory.then(|| seed::band(rule, line.slope * MIB / PER_MINUTE));
    leak.verdict = judgement.verdict;
    leak.reason = reason(&trace, judgement, least, leak.unit.unwrap_or("MiB/min"));
    leak
}

/// Where only a gross slope fails: what is not surely above that is known only where there is no leak at all.
fn gross(
    rule: &LeakRule,
    line: Option<&Line>,
    trace: &Result<(Trace, Judgement), String>,
    least: f64,
) -> (LeakVerdict, String) {
    let gross = &rule.gross;
    let interval = line.and_then(|line| line.slope_interval);
    if interval.is_some_and(|[low, _]| low > gross.value) {
        return (LeakVerdict::Leak, format!("the whole interval is above {gross}"));
    }
    match trace {
        Err(reason) => (LeakVerdict::Unknown, reason.clone()),
        Ok((trace, judgement)) => {
            let verdict = judgement.verdict;
            let why = reason(trace, *judgement, least, "MiB/min");
            if matches!(verdict, LeakVerdict::Leak | LeakVerdict::Suspect) {
                let only = format!("{why}, and only growth surely above {gross} is judged");
                return (LeakVerdict::Unknown, only);
            }
            (verdict, why)
        }
    }
}

/// A verdict in words.
fn reason(trace: &Trace, judgement: Judgement, least: f64, unit: &str) -> String {
    let Judgement { verdict, limits, doubt } = judgement;
    let score = short(trace.score);
    let (suspect, leak) = (short(limits.suspect), short(limits.leak));
    let minutes = DECISIVE / 60.0;
    if let Some(doubt) = doubt {
        return doubted(trace, doubt, least, unit);
    }
    match verdict {
        LeakVerdict::Leak => {
            format!("it grows without end: score {score}, above {leak} is a leak")
        }
        LeakVerdict::Suspect if trace.is_decisive() => format!(
            "it may grow without end: score {score}, above {suspect} is suspect and above {leak} a leak; a longer run would tell"
        ),
        LeakVerdict::Suspect => format!(
            "it may grow without end: score {score}, above {suspect} is suspect; a run of {minutes} minutes or more can tell"
        ),
        LeakVerdict::Clean => format!(
            "no growth without end: score {score}, and {CLEAN} {unit} or more is ruled out (at most {})",
            short(trace.bound())
        ),
        LeakVerdict::Unknown if !trace.is_decisive() => {
            let seconds = short(trace.seconds.round());
            format!(
                "score {score}, and a run of {seconds} s is too short: a verdict needs {minutes} minutes"
            )
        }
        LeakVerdict::Unknown if trace.score > limits.suspect && !trace.grows(least) => format!(
            "score {score}, but slower than {} {unit}, which is no leak; growth up to {} cannot be ruled out",
            short(least),
            short(trace.bound())
        ),
        LeakVerdict::Unknown => format!(
            "score {score} shows no leak, but growth up to {} {unit} cannot be ruled out",
            short(trace.bound())
        ),
    }
}

/// A doubt in words.
fn doubted(trace: &Trace, doubt: Doubt, least: f64, unit: &str) -> String {
    let score = short(trace.score);
    let why = match doubt {
        Doubt::Ended => format!(
            "the growth slows down: {} {unit} after the first 40% of the run, and below {} is no leak",
            short(trace.late.slope),
            short(least)
        ),
        Doubt::Steps { still, of } => format!(
            "it grows in few steps, as an allocator's high-water mark does: {still} of {of} parts of the run stood still"
        ),
    };
    format!("score {score}, but {why}; a longer run would tell")
}

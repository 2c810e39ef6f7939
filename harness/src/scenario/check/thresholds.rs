//! Thresholds that no reading could meet or break.

use super::Context;
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::model::{EventKind, Kind, Metric, Param, Severity, Stat, Threshold, Unit, metric};
use crate::scenario::Scenario;
use crate::scenario::error::{ScenarioError, hint};

/// The events that a threshold may count.
const EVENTS: [EventKind; 8] = [
    EventKind::OomKill,
    EventKind::Died,
    EventKind::Restarted,
    EventKind::Unhealthy,
    EventKind::MemoryHigh,
    EventKind::ProbeMissed,
    EventKind::SamplingGap,
    EventKind::DriverError,
];

/// Refuses thresholds that cannot be meant.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    for (index, threshold) in scenario.rules.thresholds.iter().enumerate() {
        let at = At { scenario, threshold, index: &index.to_string(), context };
        at.metric()?;
        at.source()?;
        at.phase()?;
        at.value()?;
        at.per()?;
        at.abort()?;
    }
    Ok(())
}

/// Refuses a metric that nothing reads; with the names that there are.
pub(super) fn known(scenario: &Scenario, name: &str) -> Result<(), String> {
    let is_read = metric::find(name).is_some() || queried(scenario, name).is_some();
    if is_read || is_open(scenario) {
        return Ok(());
    }
    let known = metric::CATALOG.iter().map(Metric::id).chain(EVENTS.map(EventKind::as_str));
    let known: Vec<&str> = known.collect();
    let hint = hint(name, known.iter().copied());
    Err(format!("unknown metric {name:?}{hint} (expected one of {})", known.join(", ")))
}

/// True where a registered part may emit metrics that nobody here knows.
fn is_open(scenario: &Scenario) -> bool {
    matches!(scenario.driver, Some(DriverSpec::Custom(_)))
        || scenario.probes.iter().any(|probe| matches!(probe, ProbeSpec::Custom { .. }))
}

/// The unit of a metric as its query says it; `None` without such a query.
fn queried(scenario: &Scenario, name: &str) -> Option<Option<Unit>> {
    scenario.probes.iter().find_map(|probe| match probe {
        ProbeSpec::Prometheus(spec) => {
            spec.query.iter().find(|query| query.metric == name).map(|query| query.unit)
        }
        _ => None,
    })
}

/// One threshold and where it stands.
struct At<'a> {
    scenario: &'a Scenario,
    threshold: &'a Threshold,
    index: &'a str,
    context: &'a Context<'a>,
}

impl At<'_> {
    fn require(
        &self,
        holds: bool,
        key: &str,
        message: impl FnOnce() -> String,
    ) -> Result<(), ScenarioError> {
        // `check` says four keys in one.
        let check = ["threshold", self.index, "check"];
        let is_in_check = matches!(key, "metric" | "stat" | "op" | "value");
        let key = if is_in_check && self.context.has(&check) { "check" } else { key };
        self.context.require(holds, &["threshold", self.index, key], message)
    }

    fn is_event(&self) -> bool {
        EVENTS.iter().any(|event| event.as_str() == self.threshold.metric)
    }

    /// The unit of the metric as its query says it; `None` without such a query.
    fn queried(&self) -> Option<Option<Unit>> {
        queried(self.scenario, &self.threshold.metric)
    }

    fn metric(&self) -> Result<(), ScenarioError> {
        let name = &self.threshold.metric;
        let is_event = self.is_event();
        self.require(!is_event || self.threshold.stat == Stat::Count, "stat", || {
            format!("{name} is an event: expected stat = \"count\"")
        })?;
        let known = if is_event { Ok(()) } else { known(self.scenario, name) };
        known.or_else(|message| self.require(false, "metric", || message))
    }

    /// Compose names its containers itself, and so may a server or a registered part; all other names are known here.
    fn source(&self) -> Result<(), ScenarioError> {
        let Some(source) = &self.threshold.source else { return Ok(()) };
        let mut known = Vec::new();
        for target in &self.scenario.targets {
            match target {
                TargetSpec::Process(spec) => {
                    known.extend(spec.service.iter().map(|service| service.name.as_str()));
                }
                TargetSpec::Compose(_) | TargetSpec::Testbed(_) => return Ok(()),
            }
        }
        let named_outside =
            |probe: &ProbeSpec| matches!(probe, ProbeSpec::Cadvisor(_) | ProbeSpec::Prometheus(_));
        if is_open(self.scenario) || self.scenario.probes.iter().any(named_outside) {
            return Ok(());
        }
        known.extend(["driver", "sampler"]);
        let is_known = known.contains(&source.as_str()) || source.starts_with("probe.");
        self.require(is_known, "source", || {
            let suggestion = hint(source, known.iter().copied());
            let known = known.join(", ");
            format!("unknown source {source:?}{suggestion} (expected {known} or probe.NAME)")
        })
    }

    fn phase(&self) -> Result<(), ScenarioError> {
        let Some(phase) = &self.threshold.phase else { return Ok(()) };
        let kind = self.scenario.kind;
        let known = self.scenario.protocol.sampled(kind);
        self.require(known.contains(&phase.as_str()), "phase", || {
            let suggestion = hint(phase, known.iter().copied());
            let known = known.join(", ");
            format!("unknown phase {phase:?}{suggestion} (expected a phase that is read: kind {kind} reads {known})")
        })
    }

    fn value(&self) -> Result<(), ScenarioError> {
        let Threshold { metric: name, stat, value, .. } = self.threshold;
        // A bare number may be compared with any statistic; "10/min" only with a rate.
        let is_bare = value.unit.is_none() && !value.per_second;
        self.require(value.per_second == stat.is_rate() || is_bare, "value", || {
            let form = if stat.is_rate() {
                "a rate such as \"1 MiB/min\""
            } else {
                "a value without \"/min\""
            };
            format!("{stat} is compared with {form}, found {:?}", value.text)
        })?;
        if *stat == Stat::Count {
            return self.require(value.unit.is_none(), "value", || {
                format!("count is compared with a number, found {:?}", value.text)
            });
        }
        let unit = metric::find(name).map(|metric| metric.unit).or(self.queried().flatten());
        let Some(unit) = unit else { return Ok(()) };
        let (words, example) = match unit {
            Unit::Bytes => ("bytes", "512 MiB"),
            Unit::Seconds => ("seconds", "500ms"),
            Unit::Ratio => ("a ratio", "80%"),
            Unit::Count => ("a count", "3"),
            Unit::BitsPerSecond => ("bits per second", "100 Mbit/s"),
            Unit::PerSecond => ("things per second", "1000"),
        };
        let fits = match value.unit {
            Some(own) => own == unit,
            None => matches!(unit, Unit::Ratio | Unit::Count | Unit::PerSecond),
        };
        self.require(fits, "value", || {
            let example = match (unit, stat.is_rate()) {
                (Unit::Bytes, true) => "1 MiB/min".to_owned(),
                (_, true) => format!("{example}/min"),
                (_, false) => example.to_owned(),
            };
            let found = &value.text;
            format!("{name} is in {words}: expected a value such as {example:?}, found {found:?}")
        })
    }

    fn per(&self) -> Result<(), ScenarioError> {
        let Some(per) = &self.threshold.per else { return Ok(()) };
        let kind = self.scenario.kind;
        let mut known: Vec<&str> = match kind {
            Kind::Baseline | Kind::Network => vec![],
            Kind::Load | Kind::Reset => vec!["agents"],
            Kind::Duration => vec!["agents", "minutes"],
        };
        let numeric = |values: &[Param]| values.iter().all(|value| value.as_number().is_some());
        let matrix = self.scenario.matrix.iter().filter(|(_, values)| numeric(values));
        known.extend(matrix.map(|(name, _)| name.as_str()));
        self.require(known.contains(&per.as_str()), "per", || match known.as_slice() {
            [] => format!(
                "expected the name of a numeric parameter of the trial; a scenario of kind {kind} without a numeric matrix has none"
            ),
            [first, ..] => format!(
                "expected the name of a numeric parameter of the trial, for example {first:?}{} (all: {})",
                hint(per, known.iter().copied()),
                known.join(", ")
            ),
        })
    }

    fn abort(&self) -> Result<(), ScenarioError> {
        let Threshold { stat, op, severity, abort_on_fail, .. } = self.threshold;
        self.require(!abort_on_fail || stat.decided_by_one(*op), "abort_on_fail", || {
            let requirement = self.threshold.requirement();
            format!("one reading cannot decide {requirement:?}: use max with <, or min with >")
        })?;
        self.require(!abort_on_fail || *severity == Severity::Fail, "abort_on_fail", || {
            "a threshold that only warns cannot end the trial: leave out `abort_on_fail`, or use severity = \"fail\"".to_owned()
        })
    }
}

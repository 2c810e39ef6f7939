//! [`Agents`]: load that the application itself makes, by agents that are spawned through its HTTP API.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::request::{Answer, Api, Call, Failure};
use super::secret::{self, Lookup};
use super::values::Values;
use super::{Driver, DriverError, status};
use crate::model::metric::{AGENTS_LIVE, AGENTS_SPAWN_TIME};
use crate::model::quantity::Length;
use crate::model::spec::driver::AgentsSpec;
use crate::model::{Action, EventKind, Incident, Observation, Params, Reading};

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

/// How long a reading may hold up the sampler.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer may take to the look at the status that is due when the time is over.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The time between two looks at the status: short at first, so that quick spawning is timed well.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Duration,
    last: Duration,
}

const PACE: Pace = Pace { first: Duration::from_millis(100), last: Duration::from_millis(500) };

/// A group and how many agents were asked for.
#[derive(Debug)]
struct Group {
    /// `None` where the scenario names no groups.
    name: Option<String>,
    count: u32,
}

/// What the last status answer said.
struct Live {
    count: u64,
    answer: String,
}

/// The driver. Its load stays until [`Action::Stop`], [`Action::Reset`] or the end of the system.
#[derive(Debug)]
pub(super) struct Agents {
    spec: AgentsSpec,
    params: Params,
    api: Api,
    source: Arc<str>,
    pace: Pace,
    groups: Vec<Group>,
    level: u32,
    /// Agents of somebody else have been looked for.
    looked: bool,
    /// The start request has been answered, and nothing stopped the system since.
    started: bool,
    /// Whether agents survived a stop is the application's choice; the status tells.
    stopped: bool,
    spawn_time: Option<Duration>,
    /// Failed readings in a row.
    missed: u32,
}

impl Agents {
    /// The driver, once everything in its settings has been tried.
    pub(super) fn open(spec: &AgentsSpec, params: &Params) -> Result<Self, DriverError> {
        Self::with(spec, params, secret::environment, PACE)
    }

    fn with(
        spec: &AgentsSpec,
        params: &Params,
        lookup: Lookup,
        pace: Pace,
    ) -> Result<Self, DriverError> {
        let names: Vec<_> = match spec.groups.as_slice() {
            [] => vec![None],
            groups => groups.iter().cloned().map(Some).collect(),
        };
        let mut agents = Self {
            spec: spec.clone(),
            params: params.clone(),
            api: Api::new(spec, lookup)?,
            source: "driver".into(),
            pace,
            groups: names.into_iter().map(|name| Group { name, count: 0 }).collect(),
            level: 0,
            looked: false,
            started: false,
            stopped: false,
            spawn_time: None,
            missed: 0,
        };
        agents.check()?;
        Ok(agents)
    }

    fn check(&mut self) -> Result<(), DriverError> {
        let Self { spec, params, api, groups, .. } = self;
        for (name, request) in
            [("start", &spec.start), ("stop", &spec.stop), ("reset", &spec.reset)]
        {
            if let Some(request) = request {
                api.check(&Call::new(name, request), &values(0, None, None, params))?;
            }
        }
        for group in groups {
            let name = group.name.as_deref();
            api.check(&Call::new("spawn", &spec.spawn), &values(0, name, Some(0), params))?;
            if let Some(status) = &spec.status {
                api.check(&Call::status(status), &values(0, name, None, params))?;
            }
        }
        match &spec.status {
            Some(status) if !status.live.is_empty() && !status.live.starts_with('/') => {
                let expected =
                    "expected a JSON pointer such as \"/live\", or \"\" for the whole answer";
                Err(DriverError::rig(format!(
                    "driver.agents.status.live: {expected}, found {:?}",
                    status.live
                )))
            }
            _ => Ok(()),
        }
    }

    async fn level(&mut self, level: u32) -> Result<(), DriverError> {
        self.spawn_time = None;
        self.clear_strangers().await?;
        self.forget_stopped().await?;
        if let Some(group) = self.groups.iter().find(|group| group.count > level) {
            let message = format!(
                "driver.agents cannot go down from {} to {level} agents per group: reset in between",
                group.count
            );
            return Err(DriverError::rig(message));
        }
        self.level = level;
        if !self.started && self.send_plain("start").await? {
            self.started = true;
        }
        let since = Instant::now();
        let mut spawned = false;
        for group in &mut self.groups {
            let count = level - group.count;
            if count == 0 {
                continue;
            }
            let values = values(level, group.name.as_deref(), Some(count), &self.params);
            let call = Call::new("spawn", &self.spec.spawn);
            self.api
                .send(&call, &values, self.spec.timeout.0)
                .await
                .map_err(|failure| failure.error)?;
            group.count = level;
            spawned = true;
        }
        let wanted = self.groups.iter().map(|group| u64::from(group.count)).sum();
        self.wait(since, &format!("{wanted} agents wanted"), |live| live >= wanted).await?;
        if spawned {
            self.spawn_time = Some(since.elapsed());
        }
        Ok(())
    }

    /// On a system that was up before, agents of an earlier trial may still live; they must not count as ours.
    async fn clear_strangers(&mut self) -> Result<(), DriverError> {
        if std::mem::replace(&mut self.looked, true) {
            return Ok(());
        }
        // An application may have no status before its start: then there are no agents either.
        let Ok(Some(live)) = self.live(self.spec.timeout.0).await else { return Ok(()) };
        if live.count == 0 {
            return Ok(());
        }
        if self.spec.reset.is_none() {
            let message = format!(
                "{} agents live before the first was spawned: add driver.agents.reset, or start from a clean target",
                live.count
            );
            return Err(DriverError::rig(message));
        }
        self.reset().await
    }

    async fn stop(&mut self) -> Result<(), DriverError> {
        let idle = !self.started && self.groups.iter().all(|group| group.count == 0);
        if !self.send_plain("stop").await? && !idle {
            return Err(missing("stop", "the load cannot be stopped"));
        }
        self.started = false;
        self.stopped = true;
        Ok(())
    }

    async fn reset(&mut self) -> Result<(), DriverError> {
        if !self.send_plain("reset").await? {
            return Err(missing("reset", "the system cannot be reset"));
        }
        self.started = false;
        self.stopped = false;
        self.level = 0;
        self.groups.iter_mut().for_each(|group| group.count = 0);
        self.wait(Instant::now(), "0 agents wanted after the reset", |live| live == 0).await
    }

    /// Counts from zero again after a stop, unless the status says that all agents are still there.
    async fn forget_stopped(&mut self) -> Result<(), DriverError> {
        if !self.stopped {
            return Ok(());
        }
        let spawned: u64 = self.groups.iter().map(|group| u64::from(group.count)).sum();
        let live = self.live(self.spec.timeout.0).await.map_err(|failure| failure.error)?;
        if live.is_none_or(|live| live.count < spawned) {
            self.groups.iter_mut().for_each(|group| group.count = 0);
        }
        self.stopped = false;
        Ok(())
    }

    /// Sends a request that knows no group, if the scenario has it.
    async fn send_plain(&mut self, name: &'static str) -> Result<bool, DriverError> {
        let request = match name {
            "start" => &self.spec.start,
            "stop" => &self.spec.stop,
            _ => &self.spec.reset,
        };
        let Some(request) = request else { return Ok(false) };
        let values = values(self.level, None, None, &self.params);
        let sent = self.api.send(&Call::new(name, request), &values, self.spec.timeout.0).await;
        sent.map(|_| true).map_err(|failure| failure.error)
    }

    /// How many agents are live in all groups; `None` without a status request.
    async fn live(&mut self, timeout: Duration) -> Result<Option<Live>, Failure> {
        let Some(status) = &self.spec.status else { return Ok(None) };
        let by_group = crate::model::template::names(&status.path).contains(&"group");
        let asked = if by_group { self.groups.as_slice() } else { &self.groups[..1] };
        let mut live = Live { count: 0, answer: String::new() };
        for group in asked {
            let values = values(self.level, group.name.as_deref(), None, &self.params);
            let Answer { request, text } =
                self.api.send(&Call::status(status), &values, timeout).await?;
            let count = status::live(&text, &status.live).map_err(|what| {
                let body = self.api.excerpt(&text);
                let message =
                    format!("{request}: the answer {what} (driver.agents.status.live): {body}");
                DriverError::rig(self.api.redact(&message))
            })?;
            live.count += count;
            let comma = if live.answer.is_empty() { "" } else { ", " };
            live.answer.push_str(comma);
            live.answer.push_str(&self.api.excerpt(&text));
        }
        Ok(Some(live))
    }

    /// Asks for the status until it is as wanted, for no longer than the scenario allows from `since` on.
    async fn wait(
        &mut self,
        since: Instant,
        wanted: &str,
        reached: impl Fn(u64) -> bool,
    ) -> Result<(), DriverError> {
        let deadline = since + self.spec.within.0;
        let mut pause = self.pace.first;
        let mut last = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(LAST_LOOK);
            let failure = match self.live(self.spec.timeout.0.min(left)).await {
                Ok(None) => return Ok(()),
                Ok(Some(live)) if reached(live.count) => return Ok(()),
                Ok(Some(live)) => {
                    last = Some(live);
                    None
                }
                Err(failure) if failure.passing => Some(failure.error),
                Err(failure) => return Err(failure.error),
            };
            let now = Instant::now();
            if now >= deadline {
                let text = timed_out(wanted, self.spec.within, last.as_ref(), failure.as_ref());
                return Err(DriverError::system(self.api.redact(&text)));
            }
            tokio::time::sleep_until(deadline.min(now + pause)).await;
            pause = (pause * 3 / 2).min(self.pace.last);
        }
    }
}

#[async_trait]
impl Driver for Agents {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        match *action {
            Action::Keep => Ok(()),
            Action::Level(level) => self.level(level).await,
            Action::Stop => self.stop().await,
            Action::Reset => self.reset().await,
            Action::Start | Action::Test(_) | Action::Collect => {
                Err(DriverError::rig("agents run no tests"))
            }
        }
    }

    async fn read(&mut self) -> Observation {
        let mut seen = Observation::default();
        let took = self.spawn_time.take().map(|took| took.as_secs_f64());
        seen.readings.extend(took.map(|took| Reading::new(&AGENTS_SPAWN_TIME, &self.source, took)));
        match self.live(self.spec.timeout.0.min(READ_TIMEOUT)).await {
            Ok(None) => {}
            Ok(Some(live)) => {
                #[expect(clippy::cast_precision_loss, reason = "agents are far below 2^53")]
                seen.readings.push(Reading::new(&AGENTS_LIVE, &self.source, live.count as f64));
                if self.missed > 0 {
                    let message = format!(
                        "the status can be read again after {} failed readings",
                        self.missed
                    );
                    seen.incidents.push(Incident::new(EventKind::Note, &self.source, message));
                }
                self.missed = 0;
            }
            Err(failure) => {
                if self.missed == 0 {
                    let message = failure.error.message;
                    seen.incidents.push(Incident::new(
                        EventKind::DriverError,
                        &self.source,
                        message,
                    ));
                }
                self.missed += 1;
            }
        }
        seen
    }
}

fn values<'a>(
    level: u32,
    group: Option<&str>,
    count: Option<u32>,
    params: &'a Params,
) -> Values<'a> {
    let mut own = vec![("agents", level.to_string())];
    own.extend(group.map(|name| ("group", name.to_owned())));
    own.extend(count.map(|count| ("count", count.to_string())));
    Values::new(own, params)
}

fn missing(name: &str, what: &str) -> DriverError {
    let example = format!("{name} = {{ method = \"POST\", path = \"/{name}\" }}");
    DriverError::rig(format!("{what}: add the key `{name}` to [driver.agents], such as {example}"))
}

fn timed_out(
    wanted: &str,
    within: Length,
    last: Option<&Live>,
    failure: Option<&DriverError>,
) -> String {
    let seen = match last {
        Some(live) => {
            format!("{} live after {within}; the last status answer: {}", live.count, live.answer)
        }
        None => format!("no status answer after {within}"),
    };
    let failure =
        failure.map(|error| format!("; the last status request: {error}")).unwrap_or_default();
    format!("{wanted}, {seen}{failure}")
}

//! [`Ledger`]: what became of one container, settled from sources that each see only a part.
//!
//! The cgroup's counter sees every kill, but goes with the container; Docker's `oom` event survives that, but may come
//! late or not at all; `OOMKilled` speaks of the life that ended last, and knows only of that. All three count within
//! one life of the container, so what is told of a life is the most that any of them saw, and nothing is told twice.

use std::mem;

use crate::model::EventKind;
use crate::probe::docker::{Happening, State};

/// What was seen of a container since the tick before.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The cgroup's count of kills, of the life that ran at the tick before.
    pub(super) counter: Option<u64>,
    /// What the daemon said, in order.
    pub(super) happenings: Vec<Happening>,
    /// What the daemon answered after that, if it was asked.
    pub(super) state: Option<State>,
}

/// What is known and was told of a container.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    started_at: String,
    restarts: u64,
    unhealthy: bool,
    /// A start was told whose date is not known yet.
    start_told: bool,
    kills: u64,
    life: Life,
}

/// What is known and was told of the container's present life.
#[derive(Clone, Debug, Default)]
struct Life {
    /// The counter's value when watching began.
    base: u64,
    events: u64,
    told: u64,
    death_told: bool,
}

/// One life's part of what was seen.
#[derive(Default)]
struct Part {
    counter: Option<u64>,
    ooms: u64,
    death: Option<Option<i64>>,
    flag: bool,
}

impl Ledger {
    /// Begins with what is so already, and is not news.
    pub(super) fn new(state: &State, counter: Option<u64>) -> Self {
        let base = counter.unwrap_or(0);
        // A one-shot that did its work may be over already, and that is fine; any other end is news.
        let over = state.ended && state.exit_code == 0;
        Self {
            started_at: state.started_at.clone(),
            restarts: state.restarts,
            unhealthy: state.unhealthy,
            start_told: false,
            kills: base,
            life: Life { base, death_told: over, ..Life::default() },
        }
    }

    /// Kills since the container was created, as far as they were seen.
    pub(super) fn kills(&self) -> u64 {
        self.kills
    }

    /// When its present life began, in the daemon's words.
    pub(super) fn started_at(&self) -> &str {
        &self.started_at
    }

    /// Settles what was seen, and returns what is news.
    pub(super) fn settle(&mut self, seen: Seen) -> Vec<(EventKind, String)> {
        let mut news = Vec::new();
        let restarted = self.restarted(&seen);
        let mut parts = vec![Part { counter: seen.counter, ..Part::default() }];
        let mut turn = None;
        for happening in &seen.happenings {
            let Some(part) = parts.last_mut() else { break };
            match happening {
                Happening::Oom => part.ooms += 1,
                Happening::Die { exit_code } => part.death = Some(*exit_code),
                Happening::Start if restarted.is_some() => parts.push(Part::default()),
                Happening::Start => {}
                Happening::Unhealthy => turn = Some(true),
                Happening::Healthy => turn = Some(false),
            }
        }
        if restarted.is_some() && parts.len() == 1 && !mem::take(&mut self.start_told) {
            parts.push(Part::default());
        }
        if let Some(state) = &seen.state {
            // While it runs, the flag is still that of the life before.
            let flagged =
                if state.pid.is_some() { parts.iter_mut().nth_back(1) } else { parts.last_mut() };
            if let Some(part) = flagged {
                part.flag = state.oom_killed;
            }
        }
        if let (Some(state), Some(part)) = (&seen.state, parts.last_mut())
            && state.ended
        {
            part.death.get_or_insert(Some(state.exit_code));
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.life = Life::default();
            }
            self.settle_part(part, &mut news);
        }
        if let Some(message) = restarted {
            news.push((EventKind::Restarted, message));
        }
        let unhealthy =
            turn.unwrap_or_else(|| seen.state.map_or(self.unhealthy, |state| state.unhealthy));
        if unhealthy && !self.unhealthy {
            news.push((EventKind::Unhealthy, "its health check fails".to_owned()));
        }
        self.unhealthy = unhealthy;
        news
    }

    /// Notes that the container is no more.
    pub(super) fn removed(&mut self) -> Option<(EventKind, String)> {
        let told = mem::replace(&mut self.life.death_told, true);
        (!told).then(|| (EventKind::Died, "it was removed".to_owned()))
    }

    /// Whether it was started again, and how often. Of an event alone we cannot know, as it may be an old one.
    fn restarted(&mut self, seen: &Seen) -> Option<String> {
        let starts =
            seen.happenings.iter().filter(|happening| **happening == Happening::Start).count()
                as u64;
        let Some(state) = &seen.state else {
            self.start_told |= starts > 0;
            return (starts > 0).then(|| "it was started again".to_owned());
        };
        let policy = state.restarts.saturating_sub(self.restarts);
        if state.started_at == self.started_at {
            return None;
        }
        self.restarts = state.restarts;
        self.started_at.clone_from(&state.started_at);
        if mem::take(&mut self.start_told) && starts == 0 {
            return None;
        }
        Some(match (policy, starts.max(policy)) {
            (0, _) => "it was started again".to_owned(),
            (_, 1) => {
                format!("its restart policy started it again ({} times so far)", state.restarts)
            }
            (_, times) => format!(
                "its restart policy started it again {times} times ({} so far)",
                state.restarts
            ),
        })
    }

    fn settle_part(&mut self, part: &Part, news: &mut Vec<(EventKind, String)>) {
        let life = &mut self.life;
        life.events += part.ooms;
        let counted = part.counter.map(|counter| counter.saturating_sub(life.base));
        // The counter is exact while it lives. The others stand in for it when it is gone, and know only that there was
        // a kill: for one of them, the events of cgroup v1 may come several times.
        let killed = counted.unwrap_or_else(|| u64::from(life.events > 0 || part.flag));
        let sources: Vec<&str> = [
            (counted.unwrap_or(0) > life.told, "the cgroup's oom_kill count"),
            (part.ooms > 0, "Docker's oom event"),
            (part.flag, "OOMKilled in its state"),
        ]
        .into_iter()
        .filter_map(|(saw, name)| saw.then_some(name))
        .collect();
        let new = killed.saturating_sub(life.told);
        for _ in 0..new {
            let message = format!(
                "the kernel killed one of its processes for want of memory (seen in {})",
                sources.join(", ")
            );
            news.push((EventKind::OomKill, message));
        }
        life.told += new;
        self.kills += new;
        if let Some(code) = part.death
            && !mem::replace(&mut life.death_told, true)
        {
            match code {
                // That was the kill told above.
                Some(137) if life.told > 0 => {}
                Some(0) => news.push((EventKind::Note, "it ended with exit code 0".to_owned())),
                Some(137) => {
                    let why = "it ended with exit code 137: killed, and no source tells of a kill for want of memory";
                    news.push((EventKind::Died, why.to_owned()));
                }
                Some(code) => {
                    news.push((EventKind::Died, format!("it ended with exit code {code}")));
                }
                None => news.push((EventKind::Died, "it ended".to_owned())),
            }
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;

//! A suite with a driver and a probe of its own, as a user's `tests/perf.rs` would have them.

use std::sync::Arc;

use proofload::drive::{Driver, DriverError};
use proofload::model::{Action, Metric, Observation, Reading, Unit};
use proofload::probe::Probe;
use proofload::{Suite, async_trait, toml};

/// Counts what it was asked for, in place of real load.
#[derive(Default)]
struct Ticker {
    level: u32,
}

#[async_trait]
impl Driver for Ticker {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        match action {
            Action::Level(level) => self.level = *level,
            Action::Stop | Action::Reset => self.level = 0,
            Action::Keep => {}
        }
        Ok(())
    }

    async fn read(&mut self) -> Observation {
        Observation::default()
    }
}

/// Reads the length of a queue that is not there.
struct Queue {
    source: Arc<str>,
    length: f64,
}

const QUEUE_LENGTH: Metric = Metric::lower("queue.length", Unit::Count);

#[async_trait]
impl Probe for Queue {
    fn metrics(&self) -> Vec<Metric> {
        vec![QUEUE_LENGTH]
    }

    async fn read(&mut self) -> Observation {
        let reading = Reading::new(&QUEUE_LENGTH, &self.source, self.length);
        Observation { readings: vec![reading], incidents: Vec::new() }
    }
}

fn main() -> std::process::ExitCode {
    let root = std::env::var("PROOFLOAD_ROOT").unwrap_or_else(|_| ".".to_owned());
    Suite::at(root)
        .driver("ticker", |_options, _params| Ok(Box::new(Ticker::default())))
        .probe("queue", |options, members| {
            let length = options.get("length").and_then(toml::Value::as_float).unwrap_or(0.0);
            let source =
                members.first().map_or_else(|| "queue".into(), |member| Arc::clone(&member.name));
            Ok(Box::new(Queue { source, length }))
        })
        .main()
}

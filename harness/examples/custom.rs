//! A suite with a driver and a probe of its own, as a user's `tests/perf.rs` would have them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
            // Of kind network alone, which has a driver of its own.
            Action::Start | Action::Test(_) | Action::Collect => {
                return Err(DriverError::rig("a ticker runs no tests"));
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Observation {
        Observation::default()
    }
}

/// Tells the length of a queue.
struct Queue {
    source: Arc<str>,
    length: Length,
}

/// Where a length comes from.
enum Length {
    /// The options say it: the queue is not there.
    Fixed(f64),
    /// The system under test writes it to this file, and after it for how many milliseconds whoever asks has to wait.
    Written(PathBuf),
}

impl Length {
    async fn read(&self) -> Option<f64> {
        let file = match self {
            Self::Fixed(length) => return Some(*length),
            Self::Written(file) => file,
        };
        let text = tokio::fs::read_to_string(file).await.ok()?;
        let mut words = text.split_whitespace();
        let length = words.next()?.parse().ok()?;
        if let Some(wait) = words.next() {
            tokio::time::sleep(Duration::from_millis(wait.parse().ok()?)).await;
        }
        Some(length)
    }
}

const QUEUE_LENGTH: Metric = Metric::lower("queue.length", Unit::Count);

#[async_trait]
impl Probe for Queue {
    fn metrics(&self) -> Vec<Metric> {
        vec![QUEUE_LENGTH]
    }

    async fn read(&mut self) -> Observation {
        let length = self.length.read().await;
        let reading = |length| Reading::new(&QUEUE_LENGTH, &self.source, length);
        Observation { readings: length.map(reading).into_iter().collect(), incidents: Vec::new() }
    }
}

fn main() -> std::process::ExitCode {
    let root = std::env::var("PROOFLOAD_ROOT").unwrap_or_else(|_| ".".to_owned());
    Suite::at(&root)
        .driver("ticker", |_options, _params| Ok(Box::new(Ticker::default())))
        .probe("queue", move |options, members| {
            let fixed = options.get("length").and_then(toml::Value::as_float).unwrap_or(0.0);
            let file = options.get("file").and_then(toml::Value::as_str);
            let length = file
                .map_or(Length::Fixed(fixed), |file| Length::Written(Path::new(&root).join(file)));
            let source =
                members.first().map_or_else(|| "queue".into(), |member| Arc::clone(&member.name));
            Ok(Box::new(Queue { source, length }))
        })
        .main()
}

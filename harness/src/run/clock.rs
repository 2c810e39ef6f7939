//! [`RunClock`]: the one clock of a trial.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A monotonic clock with a wall-clock date for its origin; dates derived from it never step.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunClock {
    origin: Instant,
    began: Timestamp,
}

impl RunClock {
    /// A clock that starts now.
    pub(super) fn start() -> Self {
        Self { origin: Instant::now(), began: Timestamp::now() }
    }

    /// Seconds since the start, and the date.
    pub(super) fn at(&self, instant: Instant) -> (f64, Timestamp) {
        let elapsed = instant.saturating_duration_since(self.origin);
        let date = SignedDuration::try_from(elapsed)
            .ok()
            .and_then(|elapsed| self.began.checked_add(elapsed).ok())
            .unwrap_or(self.began);
        // Files have microseconds; what is judged now must be what is read back.
        let date = Timestamp::from_microsecond(date.as_microsecond()).unwrap_or(date);
        (elapsed.as_secs_f64(), date)
    }
}

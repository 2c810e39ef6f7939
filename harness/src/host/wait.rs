//! Waiting for a condition instead of sleeping and hoping: [`wait_for`].

use std::time::Duration;

use tokio::time::Instant;

/// What a look at the condition gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<T> {
    /// It holds.
    Ready(T),
    /// It does not hold yet; how things stand, for the time-out's message.
    NotYet(String),
    /// It will never hold.
    Failed(String),
}

/// A condition that did not come true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// It did not hold in time.
    #[error("not within {}: {status}", crate::model::quantity::Length(*.within))]
    TimedOut {
        /// How long was waited.
        within: Duration,
        /// How things stood at the last look.
        status: String,
    },
    /// It can no longer hold.
    #[error("{0}")]
    Failed(String),
}

/// Calls `check` every `every` until it is ready or failed, for no longer than `within`.
///
/// A check that hangs is cut off at the end, and the status before it is quoted.
///
/// # Errors
/// [`WaitError`] with the last status, or the check's own failure.
pub async fn wait_for<T, F, Fut>(
    within: Duration,
    every: Duration,
    mut check: F,
) -> Result<T, WaitError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Check<T>>,
{
    let deadline = Instant::now() + within;
    let mut status = "the first check did not return".to_owned();
    loop {
        match tokio::time::timeout_at(deadline, check()).await {
            Ok(Check::Ready(value)) => return Ok(value),
            Ok(Check::Failed(message)) => return Err(WaitError::Failed(message)),
            Ok(Check::NotYet(now)) => status = now,
            Err(_) => return Err(WaitError::TimedOut { within, status }),
        }
        if Instant::now() + every > deadline {
            tokio::time::sleep_until(deadline).await;
            // One last look, as the condition may have come true since.
            return match tokio::time::timeout(every, check()).await {
                Ok(Check::Ready(value)) => Ok(value),
                Ok(Check::Failed(message)) => Err(WaitError::Failed(message)),
                Ok(Check::NotYet(status)) => Err(WaitError::TimedOut { within, status }),
                Err(_) => Err(WaitError::TimedOut { within, status }),
            };
        }
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Waits 10 s for what is ready at `ready_at` seconds, and says how long that took.
    async fn check(ready_at: u64) -> (Result<&'static str, WaitError>, Duration) {
        let start = Instant::now();
        let result = wait_for(10 * SECOND, 3 * SECOND, || async {
            let seconds = start.elapsed().as_secs();
            if seconds >= ready_at {
                Check::Ready("up")
            } else {
                Check::NotYet(format!("{seconds} s old"))
            }
        })
        .await;
        (result, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_is_looked_at_until_it_holds() {
        assert_eq!(check(0).await, (Ok("up"), Duration::ZERO));
        assert_eq!(check(5).await, (Ok("up"), 6 * SECOND));
        assert_eq!(check(10).await, (Ok("up"), 10 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_quotes_the_last_status() {
        let (result, took) = check(11).await;
        assert_eq!(result.unwrap_err().to_string(), "not within 10s: 10 s old");
        assert_eq!(took, 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_check_is_cut_off() {
        let hang = || std::future::pending::<Check<()>>();
        let result = wait_for(10 * SECOND, SECOND, hang).await;
        assert!(matches!(result, Err(WaitError::TimedOut { .. })), "{result:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_ends_the_wait_at_once() {
        let start = Instant::now();
        let result =
            wait_for(SECOND, SECOND, || async { Check::<()>::Failed("gone".into()) }).await;
        assert_eq!(result, Err(WaitError::Failed("gone".into())));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

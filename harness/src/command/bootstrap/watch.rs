//! [`Watched`]: says on standard error which nodes have not answered yet, once that takes longer than a moment.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::Failure;
use crate::command::runtime::Interrupts;
use crate::host::node::NodeError;
use crate::target::testbed::discovery::{Ask, Said};

/// Somebody who answers, and whom an answer is awaited from.
pub(super) struct Watched<'a> {
    inner: &'a dyn Ask,
    waiting: Mutex<BTreeSet<String>>,
}

/// How often it is said who has not answered.
const EVERY: Duration = Duration::from_secs(2);

impl<'a> Watched<'a> {
    pub(super) fn new(inner: &'a dyn Ask) -> Self {
        Self { inner, waiting: Mutex::default() }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, seconds: u64) -> Option<String> {
        let names: Vec<String> = self.waiting().iter().cloned().collect();
        (!names.is_empty()).then(|| format!("{seconds:>3} s: waiting for {}", names.join(", ")))
    }
}

#[async_trait]
impl Ask for Watched<'_> {
    async fn ask(&self, node: &str, lines: &[String]) -> Result<Vec<Said>, NodeError> {
        self.waiting().insert(node.to_owned());
        let said = self.inner.ask(node, lines).await;
        self.waiting().remove(node);
        said
    }
}

/// Waits for the answer, and tells who it waits for.
///
/// # Errors
/// [`Failure`] with 130 or 143 on SIGINT or SIGTERM; whatever was asked is then ended.
pub(super) async fn until_interrupted<T>(
    watched: &Watched<'_>,
    answer: impl Future<Output = T>,
) -> Result<T, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let mut answer = std::pin::pin!(answer);
    let mut every = tokio::time::interval(EVERY);
    let mut ticks = 0;
    loop {
        tokio::select! {
            answer = &mut answer => return Ok(answer),
            code = interrupts.code() => {
                let message = "interrupted; nothing was written".to_owned();
                return Err(Failure { code, message });
            }
            _ = every.tick() => {
                if let Some(line) = watched.told(ticks * EVERY.as_secs()).filter(|_| ticks > 0) {
                    eprintln!("{line}");
                }
                ticks += 1;
            }
        }
    }
}

//! [`Recorder`]: keeps what a walk tells in the journal and in memory, and shows it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::progress::Progress;
use crate::model::{Event, EventKind};
use crate::results::{Journal, Line, TrialRecord};
use crate::run::Observer;

/// One trial being recorded.
pub(super) struct Recorder {
    journal: Arc<Mutex<Journal>>,
    progress: Progress,
    pub(super) record: TrialRecord,
}

impl Recorder {
    pub(super) fn new(
        journal: Arc<Mutex<Journal>>,
        progress: Progress,
        record: TrialRecord,
    ) -> Self {
        Self { journal, progress, record }
    }
}

impl Observer for Recorder {
    fn record(&mut self, line: Line) -> Result<(), String> {
        match &line {
            Line::Sample(sample) => self.progress.sample(sample),
            Line::Event(event) if worth_showing(event) => {
                let (kind, source) = (event.kind.as_str(), &event.source);
                self.progress.warn(&format!("{kind} in {source}: {}", event.message));
            }
            _ => {}
        }
        let written = self.journal.lock().unwrap_or_else(PoisonError::into_inner).write(&line);
        written.map_err(|error| format!("cannot write the journal: {error}"))?;
        self.record.take(line);
        Ok(())
    }

    fn progress(&mut self, doing: &str, left: Option<Duration>) {
        self.progress.doing(doing, left);
    }
}

fn worth_showing(event: &Event) -> bool {
    event.kind != EventKind::Unavailable
}

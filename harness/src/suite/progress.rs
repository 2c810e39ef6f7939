//! [`Progress`]: which trial, phase, time left and memory, on standard error.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use crate::model::{Sample, metric};
use crate::report::units;

/// A live line on a terminal; one line per phase elsewhere.
pub(super) struct Progress {
    trial: String,
    bar: Option<ProgressBar>,
    doing: String,
    memory: String,
}

impl Progress {
    pub(super) fn new(trial: &str) -> Self {
        let live = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let bar = live.then(|| {
            // libtest has begun a line of its own on standard output.
            say("");
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { trial: trial.to_owned(), bar, doing: String::new(), memory: String::new() }
    }

    pub(super) fn doing(&mut self, doing: &str, left: Option<Duration>) {
        let left_text =
            left.map(|left| format!(", {} s left", left.as_secs_f64().ceil())).unwrap_or_default();
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {doing}{left_text}{}", self.trial, self.memory));
        } else if self.doing != doing {
            // A newline of its own first: libtest has begun a line on standard output.
            let newline = if self.doing.is_empty() { "\n" } else { "" };
            say(&format!("{newline}  {}: {doing}{left_text}", self.trial));
        }
        doing.clone_into(&mut self.doing);
    }

    pub(super) fn sample(&mut self, sample: &Sample) {
        let mut memory: Vec<(f64, &str)> = sample
            .readings
            .iter()
            .filter(|reading| reading.metric == metric::MEMORY_WORKING_SET.name)
            .map(|reading| (reading.value, &*reading.source))
            .collect();
        memory.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.memory = memory
            .iter()
            .take(3)
            .map(|(bytes, source)| format!(", {source} {}", units::bytes(*bytes)))
            .collect();
    }

    pub(super) fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(&format!("  {text}")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

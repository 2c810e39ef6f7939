//! [`Missed`]: says what a probe could not read once, and again only after it was back.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{EventKind, Incident};

/// What is missing now.
#[derive(Debug, Default)]
pub(super) struct Missed(BTreeSet<String>);

impl Missed {
    /// Notes that `what` of `source` cannot be read; the incident, if that is news.
    pub(super) fn lost(
        &mut self,
        source: &Arc<str>,
        what: &str,
        why: impl Into<String>,
    ) -> Option<Incident> {
        let news = self.0.insert(key(source, what));
        news.then(|| Incident::new(EventKind::ProbeMissed, source, why))
    }

    /// Notes that it was read.
    pub(super) fn found(&mut self, source: &Arc<str>, what: &str) {
        if !self.0.is_empty() {
            self.0.remove(&key(source, what));
        }
    }
}

fn key(source: &Arc<str>, what: &str) -> String {
    format!("{source}\0{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_said_once_until_it_comes_back() {
        let (mut missed, api) = (Missed::default(), Arc::from("api"));
        assert!(missed.lost(&api, "", "gone").is_some());
        assert!(missed.lost(&api, "", "gone").is_none());
        assert!(missed.lost(&api, "cpu", "gone").is_some());
        missed.found(&api, "");
        assert!(missed.lost(&api, "", "gone").is_some());
    }
}

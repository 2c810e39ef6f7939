//! [`Kept`]: a target that stays up from one trial to the next.

use super::live::{Live, now};
use super::say;
use crate::model::spec::TargetSpec;
use crate::model::{Outcome, Verdict};
use crate::results::document::{CONFIRMS, DOWN};
use crate::results::{Line, TrialHeader};
use crate::target::Target;

/// A target that is up, and the last trial that used it.
pub(super) struct Kept {
    pub(super) spec: TargetSpec,
    pub(super) target: Box<dyn Target>,
    pub(super) last: TrialHeader,
}

impl Live {
    /// The target that stayed up, if it is the wanted one; another one must not run beside it, and is taken down.
    pub(super) async fn kept_for(
        &self,
        spec: &TargetSpec,
    ) -> std::io::Result<Option<Box<dyn Target>>> {
        let Some(mut kept) = self.shared().kept.take() else { return Ok(None) };
        if kept.spec == *spec || kept.target.adopt(spec) {
            return Ok(Some(kept.target));
        }
        self.let_go(kept).await?;
        Ok(None)
    }

    /// Takes down a target that stayed up.
    pub(super) async fn let_go(&self, mut kept: Kept) -> std::io::Result<()> {
        let Err(error) = kept.target.down().await else { return Ok(()) };
        let reason = format!("the target could not be taken down: {error}");
        say(&format!("rig: {}: {reason}", kept.last.scenario_name));
        self.broken_at_the_end(kept.last, reason)
    }

    /// What fails after the last trial belongs to none of them, but must be in the results.
    fn broken_at_the_end(&self, mut last: TrialHeader, reason: String) -> std::io::Result<()> {
        last.rules.ab = None;
        last.metadata.remove(CONFIRMS);
        let id = format!("{}{DOWN}", last.scenario_name);
        self.write(&Line::Begin { at: now(), trial: Box::new(TrialHeader { id, ..last }) })?;
        self.shared().verdicts.push(Verdict::Error);
        let outcome = Outcome::Broken(reason);
        self.write(&Line::End { at: now(), outcome, verdict: Verdict::Error, sampler: None })
    }
}

//! `[validity]`: limits that no run could break, or none could keep.

use super::Context;
use crate::model::Rules;
use crate::scenario::error::ScenarioError;

/// Refuses limits that cannot be meant.
pub(super) fn check(rules: &Rules, context: &Context<'_>) -> Result<(), ScenarioError> {
    let Some(rule) = &rules.validity else { return Ok(()) };
    let shares = [
        ("missing", rule.missing),
        ("steal", rule.steal),
        ("throttled", rule.throttled),
        ("elsewhere", rule.elsewhere),
    ];
    for (key, share) in shares {
        context.require((0.0..=1.0).contains(&share), &["validity", key], || {
            format!("expected a share from 0 to 1, for example 0.10, found {share}")
        })?;
    }
    context.require(rule.late > 0.0 && rule.late.is_finite(), &["validity", "late"], || {
        format!("expected a number of intervals above 0, for example 1, found {}", rule.late)
    })
}

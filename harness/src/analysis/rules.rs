//! [`of`]: the rules of a trial; those of files that carry none are taken from the embedded defaults.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use crate::model::Rules;
use crate::model::rules::{LoadRule, ValidityRule};
use crate::results::TrialRecord;
use crate::scenario::DEFAULTS;

/// What a trial is judged by: its own rules, or, in a file of the original framework, the defaults without a
/// profile, which are those of profile `full`.
#[must_use]
pub fn of(trial: &TrialRecord) -> &Rules {
    trial.rules.as_ref().unwrap_or_else(|| defaults())
}

/// The rules of the embedded defaults, without a profile.
#[must_use]
pub fn defaults() -> &'static Rules {
    &DEFAULT
}

/// The embedded defaults of `[validity]`. They are no part of [`defaults`]: a file that carries no rules recorded nothing
/// to check its data by.
#[must_use]
pub fn default_validity() -> &'static ValidityRule {
    &VALIDITY
}

static VALIDITY: LazyLock<ValidityRule> = LazyLock::new(|| {
    table("validity").expect("the embedded defaults state every rule, as a test shows")
});

static DEFAULT: LazyLock<Rules> =
    LazyLock::new(|| parse().expect("the embedded defaults state every rule, as a test shows"));

fn parse() -> Result<Rules, toml::de::Error> {
    Ok(Rules {
        thresholds: Vec::new(),
        leak: table("leak")?,
        reset: table("reset")?,
        load: LoadRule::default(),
        ab: None,
        // Nothing was recorded by which one could tell.
        validity: None,
    })
}

/// A table of the embedded defaults.
fn table<T: DeserializeOwned>(name: &str) -> Result<T, toml::de::Error> {
    let file: toml::Table = toml::from_str(DEFAULTS)?;
    file.get(name).cloned().unwrap_or(toml::Value::Boolean(false)).try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rules::{LeakGate, LeakMethod};

    #[test]
    fn the_embedded_defaults_state_every_rule() {
        let rules = parse().unwrap();
        assert_eq!(rules.leak.gate, LeakGate::Verdict);
        assert_eq!(
            (rules.leak.watch.text.as_str(), rules.leak.leak.text.as_str()),
            ("0.5 MiB/min", "1 MiB/min")
        );
        assert_eq!(rules.leak.rule, LeakMethod::Leakscore);
        assert!(rules.leak.certain && rules.reset.gate);
        assert_eq!((rules.leak.shortest.0.as_secs(), rules.reset.within), (240, 0.10));
    }
}

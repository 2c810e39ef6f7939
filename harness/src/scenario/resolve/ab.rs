//! `[ab]`: a scenario that names the two versions compares them; the other keys alone are settings.

use super::Resolver;
use crate::model::rules::{AbMetric, AbRule};
use crate::model::{Param, Params, Stat};
use crate::scenario::Ab;
use crate::scenario::error::ScenarioError;
use crate::scenario::file::{AbMetricFile, ScenarioFile};
use crate::scenario::layer::error_at;

impl Resolver<'_> {
    /// The two versions, if the scenario names them.
    pub(super) fn ab(&self, file: &ScenarioFile) -> Result<Option<Ab>, ScenarioError> {
        let file = file.ab.clone().unwrap_or_default();
        let (a, b) = match (&file.a, &file.b) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) => (a, b),
            (Some(_), None) => return Err(self.missing("ab.b", "{ image = \"api:1.5\" }")),
            (None, Some(_)) => return Err(self.missing("ab.a", "{ image = \"api:1.4\" }")),
        };
        Ok(Some(Ab {
            a: self.side("a", a)?,
            b: self.side("b", b)?,
            budget: self.given("ab.budget", file.budget)?,
            warmup: self.given("ab.warmup", file.warmup)?,
        }))
    }

    /// How they are compared.
    pub(super) fn ab_rule(&self, file: &ScenarioFile) -> Result<Option<AbRule>, ScenarioError> {
        let file = file.ab.clone().unwrap_or_default();
        if file.a.is_none() && file.b.is_none() {
            return Ok(None);
        }
        let metrics = self.given("ab.metrics", file.metrics)?;
        let metrics = metrics.into_iter().enumerate();
        Ok(Some(AbRule {
            looks: self.given("ab.looks", file.looks)?,
            min_effect: self.given("ab.min_effect", file.min_effect)?,
            margin: self.given("ab.margin", file.margin)?,
            within: file.within,
            metrics: metrics
                .map(|(index, metric)| self.ab_metric(index, metric))
                .collect::<Result<_, _>>()?,
        }))
    }

    fn ab_metric(
        &self,
        index: usize,
        AbMetricFile(file): AbMetricFile,
    ) -> Result<AbMetric, ScenarioError> {
        let missing = || self.missing(&format!("ab.metrics.{index}.metric"), "\"cpu.usage\"");
        Ok(AbMetric {
            metric: file.metric.ok_or_else(missing)?,
            source: file.source,
            stat: file.stat.unwrap_or(Stat::Mean),
            severity: file.severity.unwrap_or_default(),
            min_effect: file.min_effect,
            margin: file.margin,
            priors: std::collections::BTreeMap::new(),
        })
    }

    fn side(&self, side: &str, table: &toml::Table) -> Result<Params, ScenarioError> {
        let value = |(name, value): (&String, &toml::Value)| {
            let value: Param = value.clone().try_into().map_err(|_| {
                let message = format!("ab.{side}.{name}: expected a number, a string or a boolean");
                error_at(self.layers, &["ab", side, name], message)
            })?;
            Ok((name.clone(), value))
        };
        table.iter().map(value).collect::<Result<_, _>>().map(Params)
    }
}

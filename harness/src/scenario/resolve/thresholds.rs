//! `[[threshold]]`: both forms become one.

use super::Resolver;
use crate::model::quantity::Quantity;
use crate::model::{Op, Stat, Threshold};
use crate::scenario::error::ScenarioError;
use crate::scenario::file::ThresholdFile;
use crate::scenario::layer::error_at;

impl Resolver<'_> {
    pub(super) fn thresholds(
        &self,
        files: &[ThresholdFile],
    ) -> Result<Vec<Threshold>, ScenarioError> {
        files.iter().enumerate().map(|(index, file)| self.threshold(index, file)).collect()
    }

    fn threshold(&self, index: usize, file: &ThresholdFile) -> Result<Threshold, ScenarioError> {
        let index = index.to_string();
        let error = |key: &str, message: String| {
            error_at(self.layers, &["threshold", &index, key], message)
        };
        let (metric, stat, op, value) = match &file.check {
            Some(check) => {
                let typed_twice = file.metric.is_some()
                    || file.stat.is_some()
                    || file.op.is_some()
                    || file.value.is_some();
                if typed_twice {
                    let message =
                        "`check` says metric, stat, op and value already: leave those out";
                    return Err(error("check", message.to_owned()));
                }
                parse_check(check).map_err(|message| error("check", message))?
            }
            None => {
                let missing = |key: &str, example: &str| {
                    error(key, format!("a threshold needs `{key}`, for example {example}"))
                };
                (
                    file.metric.clone().ok_or_else(|| missing("metric", "\"memory.anon\""))?,
                    file.stat.ok_or_else(|| missing("stat", "\"slope\""))?,
                    file.op.ok_or_else(|| missing("op", "\"<\""))?,
                    file.value.clone().ok_or_else(|| missing("value", "\"1 MiB/min\""))?,
                )
            }
        };
        Ok(Threshold {
            metric,
            source: file.source.clone(),
            phase: file.phase.clone(),
            stat,
            op,
            value,
            severity: file.severity.unwrap_or_default(),
            per: file.per.clone(),
            abort_on_fail: file.abort_on_fail.unwrap_or(false),
        })
    }
}

/// `p(95) http.response < 500ms`: statistic, metric, relation, limit.
fn parse_check(text: &str) -> Result<(String, Stat, Op, Quantity), String> {
    let expected = "expected \"STAT METRIC OP VALUE\", for example \"p(95) memory.anon < 512 MiB\"";
    let mut rest = text.trim();
    let mut word = || {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        Some(word)
    };
    let (Some(stat), Some(metric), Some(op)) = (word(), word(), word()) else {
        return Err(format!("{expected}, found {text:?}"));
    };
    let value = rest;
    let stat =
        Stat::parse(stat).ok_or_else(|| format!("expected {}, found {stat:?}", Stat::EXPECTED))?;
    let op = match op {
        "<" => Op::Less,
        "<=" => Op::LessOrEqual,
        ">" => Op::Greater,
        ">=" => Op::GreaterOrEqual,
        "==" => Op::Equal,
        _ => return Err(format!("expected <, <=, >, >= or ==, found {op:?}")),
    };
    Ok((metric.to_owned(), stat, op, value.parse()?))
}

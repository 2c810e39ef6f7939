//! What the curves of kind `load` are asked, from the keys of `[load]`.

use super::Resolver;
use crate::model::Stat;
use crate::model::rules::{LoadRule, ThroughputRule};
use crate::scenario::error::ScenarioError;
use crate::scenario::file::LoadProtocol;
use crate::scenario::layer::error_at;

impl Resolver<'_> {
    pub(super) fn load_rule(&self, load: &LoadProtocol) -> Result<LoadRule, ScenarioError> {
        let throughput = load.throughput.as_deref().map(throughput).transpose();
        let throughput = throughput
            .map_err(|message| error_at(self.layers, &["load", "throughput"], message))?;
        Ok(LoadRule { capacity: load.capacity.clone(), throughput })
    }
}

/// `METRIC`, `mean METRIC` or `rate METRIC`.
fn throughput(text: &str) -> Result<ThroughputRule, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [metric] => Ok(ThroughputRule { metric: metric.to_owned(), stat: None }),
        ["mean", metric] => {
            Ok(ThroughputRule { metric: metric.to_owned(), stat: Some(Stat::Mean) })
        }
        ["rate", metric] => {
            Ok(ThroughputRule { metric: metric.to_owned(), stat: Some(Stat::Rate) })
        }
        _ => Err(format!(
            "expected a metric, or \"mean METRIC\" of a gauge, or \"rate METRIC\" of a counter, found {text:?}"
        )),
    }
}

//! The probe `prometheus`: instant queries to a Prometheus server, each a metric of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use reqwest::Client;
use serde::Deserialize;

use super::cadvisor::chain;
use super::missed::Missed;
use super::{Probe, ProbeError};
use crate::host::http::client;
use crate::model::metric::{self, Better};
use crate::model::spec::probe::{PrometheusSpec, Query};
use crate::model::{Incident, Metric, Observation, Reading, Unit};

/// The server's own limit on a query is two minutes; a sample cannot wait for that.
const PATIENCE: Duration = Duration::from_secs(5);
/// The source of a query that names none.
const SOURCE: &str = "prometheus";

/// Asks a Prometheus server.
pub struct Prometheus {
    client: Client,
    url: String,
    queries: Vec<Asked>,
    missed: Missed,
}

struct Asked {
    query: Query,
    /// Everything that it ever named, to notice when one goes.
    sources: BTreeSet<Arc<str>>,
}

impl Prometheus {
    /// Gets ready to ask; nothing is sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be had.
    pub fn open(spec: &PrometheusSpec) -> Result<Self, ProbeError> {
        let client = client(PATIENCE).map_err(|error| ProbeError(format!("set up an HTTP client: {error}")))?;
        let url = format!("{}/api/v1/query", spec.url.trim_end_matches('/'));
        let asked = |query: &Query| Asked { query: query.clone(), sources: BTreeSet::new() };
        let queries = spec.query.iter().map(asked).collect();
        Ok(Self { client, url, queries, missed: Missed::default() })
    }

    async fn ask(&self, query: &Query) -> Result<Vec<Series>, String> {
        let failed = |error: reqwest::Error| format!("{}: {}", self.url, chain(&error));
        let request = self.client.get(&self.url).query(&[("query", &query.expr)]);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        // A refused query is answered with status 400 and the reason.
        let unreadable = |error| format!("{}: status {status}, and no answer that can be read: {error}", self.url);
        let answer: Answer = serde_json::from_slice(&body).map_err(unreadable)?;
        answer.series()
    }
}

#[async_trait]
impl Probe for Prometheus {
    fn metrics(&self) -> Vec<Metric> {
        self.queries.iter().map(|asked| metric_of(&asked.query)).collect()
    }

    async fn read(&mut self) -> Observation {
        let answers = join_all(self.queries.iter().map(|asked| self.ask(&asked.query))).await;
        let mut out = Observation::default();
        for (asked, answer) in self.queries.iter_mut().zip(answers) {
            asked.take(answer, &mut self.missed, &mut out);
        }
        out
    }
}

impl Asked {
    fn take(&mut self, answer: Result<Vec<Series>, String>, missed: &mut Missed, out: &mut Observation) {
        let query = &self.query;
        let metric = &query.metric;
        let mut lost = |source: &Arc<str>, why: String| -> Option<Incident> {
            missed.lost(source, metric, format!("{metric} (`{}`): {why}", query.expr))
        };
        let server: Arc<str> = Arc::from(SOURCE);
        let series = match answer {
            Ok(series) => series,
            Err(why) => {
                out.incidents.extend(lost(&server, why));
                return;
            }
        };
        let mut found: BTreeMap<Arc<str>, Vec<f64>> = BTreeMap::new();
        let chosen = series.iter().filter(|series| {
            query.labels.iter().all(|(label, value)| series.labels.get(label) == Some(value))
        });
        for series in chosen {
            let label = query.source_label.as_ref().map(|label| series.labels.get(label));
            match label {
                None => found.entry(Arc::clone(&server)).or_default().push(series.value),
                Some(Some(name)) => found.entry(Arc::from(name.as_str())).or_default().push(series.value),
                // A series without the label belongs to nobody that could be named.
                Some(None) => {}
            }
        }
        if found.is_empty() && self.sources.is_empty() {
            out.incidents.extend(lost(&server, "no series answers".to_owned()));
            return;
        }
        let mut read = BTreeSet::new();
        for (source, values) in found {
            match values[..] {
                [value] if value.is_finite() => {
                    let metric = metric.clone().into();
                    out.readings.push(Reading { metric, source: Arc::clone(&source), value });
                    self.sources.insert(Arc::clone(&source));
                    read.insert(source);
                }
                [value] => {
                    out.incidents.extend(lost(&source, format!("its value is {value}")));
                    self.sources.insert(source);
                }
                _ => {
                    let why = format!("{} series, where one was expected; choose with `labels` or `source_label`", values.len());
                    out.incidents.extend(lost(&source, why));
                    self.sources.insert(source);
                }
            }
        }
        for source in self.sources.difference(&read) {
            out.incidents.extend(lost(source, "no series answers".to_owned()));
        }
        for source in read.iter().chain([&server]) {
            let back = *source != server || read.contains(&server) || self.query.source_label.is_some();
            if back {
                missed.found(source, metric);
            }
        }
    }
}

/// What the query asks for: as the catalog knows it, else less is better.
fn metric_of(query: &Query) -> Metric {
    let known = metric::find(&query.metric);
    let unit = query.unit.or_else(|| known.map(|known| known.unit)).unwrap_or(Unit::Count);
    let better = known.map_or(Better::Lower, |known| known.better);
    Metric { name: query.metric.clone().into(), unit, better }
}

struct Series {
    labels: BTreeMap<String, String>,
    value: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: String,
    data: Option<Data>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_type: String,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Item>),
    Scalar((f64, String)),
    Matrix(serde::de::IgnoredAny),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Item {
    metric: BTreeMap<String, String>,
    /// A native histogram has none.
    value: Option<(f64, String)>,
}

impl Answer {
    fn series(self) -> Result<Vec<Series>, String> {
        // "NaN", "+Inf" and "-Inf" are numbers to Rust as well.
        let number = |text: &str| text.parse::<f64>().map_err(|_| format!("`{text}` is no number"));
        match self.data {
            Some(Data::Vector(items)) => items
                .into_iter()
                .filter_map(|item| {
                    let (_, text) = item.value?;
                    Some(number(&text).map(|value| Series { labels: item.metric, value }))
                })
                .collect(),
            Some(Data::Scalar((_, text))) => Ok(vec![Series { labels: BTreeMap::new(), value: number(&text)? }]),
            Some(Data::Matrix(_) | Data::String(_)) => Err("an instant vector or a scalar is needed".to_owned()),
            None => Err(format!("{} {}: {}", self.status, self.error_type, self.error)),
        }
    }
}

#[cfg(test)]
#[path = "prometheus_tests.rs"]
mod tests;

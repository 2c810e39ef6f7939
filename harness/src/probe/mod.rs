//! What reads the system: [`Probe`], with one file per source, and [`open`], which finds them by name.

mod cgroup;
mod container;
mod docker;
mod kept;
mod missed;
mod nodes;
mod procfs;
mod usage;

pub mod containers;
pub mod host;
pub mod oom;

pub mod cadvisor;
pub mod prometheus;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::spec::ProbeSpec;
use crate::model::{Member, Metric, Observation};

/// A source of readings.
#[async_trait]
pub trait Probe: Send {
    /// The metrics that it may emit, for units and directions.
    fn metrics(&self) -> Vec<Metric>;

    /// Reads once. What can be read is returned even when a part cannot: the missing part is an incident
    /// ([`EventKind::ProbeMissed`](crate::model::EventKind::ProbeMissed)), said once until it comes back.
    async fn read(&mut self) -> Observation;
}

/// A probe that could not be set up; a lower-case fragment with what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(pub String);

/// The names of the probes that come with the harness, as scenario files write them. None of them can be registered.
pub const BUILT_IN: &[&str] = &["containers", "oom", "host", "nodes", "cadvisor", "prometheus"];

/// Makes a registered probe from its settings (`[probe.<name>]`) and the members of the target.
pub type Make = Arc<
    dyn Fn(&toml::Table, &[Member]) -> Result<Box<dyn Probe>, Box<dyn Error + Send + Sync>>
        + Send
        + Sync,
>;

/// The probes that the test binary registered, by name.
pub type Registered = BTreeMap<String, Make>;

/// Gets a probe ready to read a target that is up. Tasks that it needs end when it is dropped.
///
/// # Errors
/// [`ProbeError`] when what it reads from cannot be reached, or nobody registered its name.
pub async fn open(
    spec: &ProbeSpec,
    members: &[Member],
    registered: &Registered,
) -> Result<Box<dyn Probe>, ProbeError> {
    let root = Path::new("/");
    match spec {
        ProbeSpec::Containers => Ok(Box::new(containers::Containers::open(members, root).await?)),
        ProbeSpec::Oom => Ok(Box::new(oom::Oom::open(members, root).await?)),
        ProbeSpec::Host => Ok(Box::new(host::Host::open(members, root))),
        ProbeSpec::Nodes => Ok(Box::new(nodes::Nodes::open(members))),
        ProbeSpec::Cadvisor(spec) => Ok(Box::new(cadvisor::Cadvisor::open(spec, members)?)),
        ProbeSpec::Prometheus(spec) => Ok(Box::new(prometheus::Prometheus::open(spec)?)),
        ProbeSpec::Custom { name, options } => match registered.get(name) {
            Some(make) => make(options, members)
                .map_err(|error| ProbeError(format!("set up probe {name}: {error}"))),
            None => Err(ProbeError(unknown(name, registered))),
        },
    }
}

fn unknown(name: &str, registered: &Registered) -> String {
    let names: Vec<&str> =
        BUILT_IN.iter().copied().chain(registered.keys().map(String::as_str)).collect();
    format!(
        "find a probe named {name}: there are {}; register others in the test binary",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::metric;
    use crate::model::spec::probe::{CadvisorSpec, PrometheusSpec};

    struct Silent;

    #[async_trait]
    impl Probe for Silent {
        fn metrics(&self) -> Vec<Metric> {
            Vec::new()
        }

        async fn read(&mut self) -> Observation {
            Observation::default()
        }
    }

    fn custom(name: &str) -> ProbeSpec {
        ProbeSpec::Custom { name: name.to_owned(), options: toml::Table::new() }
    }

    #[tokio::test]
    async fn every_built_in_name_opens_and_has_metrics_of_the_catalog() {
        let url = "http://127.0.0.1:1".to_owned();
        let specs = [
            ProbeSpec::Containers,
            ProbeSpec::Oom,
            ProbeSpec::Host,
            ProbeSpec::Nodes,
            ProbeSpec::Cadvisor(CadvisorSpec { url: url.clone() }),
            ProbeSpec::Prometheus(PrometheusSpec { url, query: Vec::new() }),
        ];
        let names: Vec<&str> = specs.iter().map(ProbeSpec::name).collect();
        assert_eq!(names, BUILT_IN);
        for spec in specs {
            let probe = open(&spec, &[], &Registered::new()).await.unwrap();
            for metric in probe.metrics() {
                assert_eq!(metric::find(&metric.name), Some(&metric), "{}", spec.name());
            }
        }
    }

    #[tokio::test]
    async fn a_registered_probe_is_made_from_its_settings() {
        let make: Make = Arc::new(|options, _| match options.is_empty() {
            true => Ok(Box::new(Silent)),
            false => Err("no such key".into()),
        });
        let registered = Registered::from([("mine".to_owned(), make)]);
        assert!(open(&custom("mine"), &[], &registered).await.is_ok());
        let error = open(&custom("other"), &[], &registered).await.err().unwrap();
        assert!(
            error.0.contains("containers, oom, host, nodes, cadvisor, prometheus, mine"),
            "{error}"
        );
        let options = toml::Table::from_iter([("x".to_owned(), toml::Value::Boolean(true))]);
        let spec = ProbeSpec::Custom { name: "mine".to_owned(), options };
        let error = open(&spec, &[], &registered).await.err().unwrap();
        assert_eq!(error.0, "set up probe mine: no such key");
    }
}

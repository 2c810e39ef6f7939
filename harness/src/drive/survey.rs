//! What a driver needs and whether it is there, for people who ask whether a run could start.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::DriverError;
use super::request::{Api, Call};
use super::secret::{self, Secrets};
use super::values::Values;
use crate::model::Params;
use crate::model::spec::driver::{AgentsSpec, DriverSpec};

/// The environment variables that a driver reads with `${env:NAME}`, and whether each has a value.
#[must_use]
pub fn variables(spec: &DriverSpec) -> BTreeMap<String, bool> {
    let DriverSpec::Agents(spec) = spec else { return BTreeMap::new() };
    let text = serde_json::to_string(spec).unwrap_or_default();
    let names: BTreeSet<&str> = Secrets::variables(&text).collect();
    let is_set =
        |name: &str| secret::environment(name).is_some_and(|value| !value.trim().is_empty());
    names.into_iter().map(|name| (name.to_owned(), is_set(name))).collect()
}

/// Asks for the agents' status as the driver does, or for the base URL where that would be no mere question.
///
/// The status of the answer, whatever it is.
///
/// # Errors
/// The system's: why there is no answer. The rig's: why it cannot be asked. Nothing secret is in either.
pub async fn status(
    spec: &AgentsSpec,
    params: &Params,
    within: Duration,
) -> Result<u16, DriverError> {
    let mut own = vec![("agents", "0".to_owned())];
    own.extend(spec.groups.first().map(|group| ("group", group.clone())));
    let values = Values::new(own, params);
    let none = BTreeMap::new();
    let call = match &spec.status {
        Some(status) if status.method.eq_ignore_ascii_case("GET") => Call::status(status),
        _ => Call::base(&none),
    };
    Api::new(spec, secret::environment)?.status(&call, &values, within).await
}

/// What [`status`] asks, with the names of secrets in place of their values.
#[must_use]
pub fn status_url(spec: &AgentsSpec) -> String {
    let path = match &spec.status {
        Some(status) if status.method.eq_ignore_ascii_case("GET") => status.path.as_str(),
        _ => "",
    };
    format!("{}{path}", spec.base_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_every_string_are_named_once() {
        let request = r#"{"method": "POST", "path": "/x?key=${env:PROOFLOAD_NO_SUCH_KEY}"}"#;
        let text = format!(
            r#"{{"base_url": "http://${{env:PATH}}", "headers": {{"A": "${{env:PATH}} ${{env:no name}}"}},
            "groups": [], "start": null, "spawn": {request}, "status": null, "stop": null, "reset": null,
            "within": "1s", "timeout": "1s"}}"#
        );
        let spec = DriverSpec::Agents(serde_json::from_str(&text).unwrap());
        let expected = [("PATH".to_owned(), true), ("PROOFLOAD_NO_SUCH_KEY".to_owned(), false)];
        assert_eq!(variables(&spec), BTreeMap::from(expected));
    }
}

//! What loads the system: [`Driver`], with one file per kind, and [`open`], which makes one from its settings.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::spec::driver::{CustomSpec, DriverSpec};
use crate::model::{Action, Observation, Params};

mod agents;
mod command;
pub mod network;
mod request;
mod secret;
mod status;
mod values;

pub mod survey;

/// Something that puts load on a target.
#[async_trait]
pub trait Driver: Send {
    /// Carries out what a phase begins with, and returns when it is in force.
    ///
    /// Dropping the future must leave nothing running that [`Action::Stop`] or dropping the driver does not end.
    ///
    /// # Errors
    /// [`DriverError`], which fails the trial.
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError>;

    /// What the load looks like now, and what failed since the last call. Called once per tick.
    async fn read(&mut self) -> Observation;

    /// How long [`Action::Stop`] may take after the walk before the target is taken down under the load. Longer where
    /// stopping also undoes something, which would be lost if it were cut off.
    fn stop_within(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Load that could not be put on, and whose fault that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// True when the system under test refused or never got there; false when the harness failed.
    pub system: bool,
    /// What failed, with the last answer seen; a lower-case fragment.
    pub message: String,
}

impl DriverError {
    /// The system under test failed.
    pub fn system(message: impl Into<String>) -> Self {
        Self { system: true, message: message.into() }
    }

    /// The rig failed.
    pub fn rig(message: impl Into<String>) -> Self {
        Self { system: false, message: message.into() }
    }
}

/// Makes a registered driver from its settings in the scenario and the trial's parameters.
///
/// An error is the rig's, unless it is a [`DriverError`] that says otherwise.
pub type MakeDriver = dyn Fn(&toml::Table, &Params) -> Result<Box<dyn Driver>, Box<dyn Error + Send + Sync>>
    + Send
    + Sync;

/// The drivers that the test binary brings along, by name.
pub type Registered = BTreeMap<String, Arc<MakeDriver>>;

/// The driver of a trial, with nothing sent or started yet.
///
/// Relative paths are below `root`; `logs` is an existing directory for output. Everything in the settings that can be
/// wrong (placeholders, URLs, environment variables) is tried here, before a target is up and minutes have gone by.
///
/// # Errors
/// [`DriverError`] naming the key, or the registered drivers when there is none of that name.
pub fn open(
    spec: &DriverSpec,
    root: &Path,
    params: &Params,
    logs: &Path,
    registered: &Registered,
) -> Result<Box<dyn Driver>, DriverError> {
    match spec {
        DriverSpec::Agents(spec) => Ok(Box::new(agents::Agents::open(spec, params)?)),
        DriverSpec::Command(spec) => {
            Ok(Box::new(command::Command::open(spec, root, params, logs)?))
        }
        DriverSpec::Network(spec) => Ok(Box::new(network::Network::open(spec, root, logs)?)),
        DriverSpec::Custom(spec) => custom(spec, params, registered),
    }
}

fn custom(
    spec: &CustomSpec,
    params: &Params,
    registered: &Registered,
) -> Result<Box<dyn Driver>, DriverError> {
    let CustomSpec { name, options } = spec;
    let make = registered.get(name).ok_or_else(|| {
        let names: Vec<&str> = registered.keys().map(String::as_str).collect();
        DriverError::rig(match names.as_slice() {
            [] => format!("no driver `{name}`: the test binary registers none"),
            names => format!("no driver `{name}`: registered are {}", names.join(", ")),
        })
    })?;
    make(options, params).map_err(|error| {
        let system = error.downcast_ref::<DriverError>().is_some_and(|error| error.system);
        DriverError { system, message: format!("driver `{name}`: {error}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Idle;

    #[async_trait]
    impl Driver for Idle {
        async fn enter(&mut self, _: &Action) -> Result<(), DriverError> {
            Ok(())
        }

        async fn read(&mut self) -> Observation {
            Observation::default()
        }
    }

    fn check(name: &str, registered: &Registered, expected: Result<(), DriverError>) {
        let options = toml::Table::from_iter([("rate".to_owned(), toml::Value::Integer(3))]);
        let spec = DriverSpec::Custom(CustomSpec { name: name.to_owned(), options });
        let opened = open(&spec, Path::new("/"), &Params::default(), Path::new("/"), registered);
        assert_eq!(opened.map(drop), expected, "{name}");
    }

    #[test]
    fn a_registered_driver_is_made_by_name_and_an_unknown_name_lists_the_registered_ones() {
        let mut registered = Registered::new();
        check(
            "idle",
            &registered,
            Err(DriverError::rig("no driver `idle`: the test binary registers none")),
        );
        registered.insert(
            "idle".to_owned(),
            Arc::new(|options, _| match options["rate"].as_integer() {
                Some(3) => Ok(Box::new(Idle)),
                rate => Err(format!("{rate:?}").into()),
            }),
        );
        registered.insert("busy".to_owned(), Arc::new(|_, _| Err("no rate".into())));
        registered
            .insert("down".to_owned(), Arc::new(|_, _| Err(DriverError::system("gone").into())));
        check("idle", &registered, Ok(()));
        check("busy", &registered, Err(DriverError::rig("driver `busy`: no rate")));
        check("down", &registered, Err(DriverError::system("driver `down`: gone")));
        check(
            "idel",
            &registered,
            Err(DriverError::rig("no driver `idel`: registered are busy, down, idle")),
        );
    }
}

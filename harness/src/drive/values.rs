//! [`Values`]: what the placeholders of a driver's strings stand for.

use super::DriverError;
use crate::model::{Params, template};

/// The driver's own placeholders; the trial's parameters come after them.
pub(super) struct Values<'a> {
    own: Vec<(&'static str, String)>,
    params: &'a Params,
}

impl<'a> Values<'a> {
    pub(super) fn new(own: Vec<(&'static str, String)>, params: &'a Params) -> Self {
        Self { own, params }
    }

    /// The text with its placeholders replaced; `key` is where it stands in the scenario.
    pub(super) fn render(&self, text: &str, key: &str) -> Result<String, DriverError> {
        let own = self.own.iter().map(|(name, _)| *name);
        let params = self.params.0.iter().map(|(name, _)| name.as_str());
        let known: Vec<&str> =
            own.clone().chain(params.filter(|name| !own.clone().any(|own| own == *name))).collect();
        let value = |name: &str| {
            let own = self.own.iter().find(|(own, _)| *own == name);
            own.map(|(_, value)| value.clone())
                .or_else(|| self.params.get(name).map(ToString::to_string))
        };
        template::render(text, &known, value)
            .map_err(|error| DriverError::rig(format!("{key}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Param;

    #[test]
    fn own_values_win_over_parameters_and_an_unknown_name_is_told_with_its_key() {
        let params = Params::default()
            .with("agents", Param::Integer(7))
            .with("mode", Param::Text("fast".to_owned()));
        let values = Values::new(vec![("agents", "40".to_owned())], &params);
        assert_eq!(values.render("{agents} {mode} ${env:KEY}", "k").unwrap(), "40 fast ${env:KEY}");
        let error = values.render("{mood}", "driver.agents.spawn.path").unwrap_err();
        let expected = "driver.agents.spawn.path: unknown placeholder {mood}: expected {agents}, {mode}; \
                        write {{ for a literal brace";
        assert_eq!(error, DriverError::rig(expected));
    }
}

//! [`Blank`]: a specification with placeholders, to be filled in for every trial.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Params, template};

/// A specification and the form in which its strings can be reached. Making the form is what costs, so it is made once
/// for all trials, and a trial that has nothing to fill in does without.
pub(super) struct Blank<'a, T> {
    pub(super) spec: &'a T,
    form: Value,
    /// The placeholders in it.
    names: Vec<String>,
    /// True where a string has a brace, which may be an escaped one.
    has_brace: bool,
}

impl<'a, T: Serialize + DeserializeOwned + Clone> Blank<'a, T> {
    pub(super) fn of(spec: &'a T) -> Self {
        let mut form = serde_json::to_value(spec).unwrap_or_default();
        let (mut names, mut has_brace) = (Vec::new(), false);
        walk(&mut form, &mut |text| {
            has_brace |= text.contains('{');
            names.extend(template::names(text).into_iter().map(str::to_owned));
        });
        Self { spec, form, names, has_brace }
    }

    /// Everything is filled in.
    pub(super) fn filled(&self, params: &Params) -> T {
        if !self.has_brace {
            return self.spec.clone();
        }
        let known = |name: &str| params.get(name).map(ToString::to_string);
        // The scenario was checked: an unknown name cannot be left here.
        self.with(|text| template::render(text, &[], known).unwrap_or_else(|_| text.to_owned()))
    }

    /// What these parameters do not name is left for the driver to fill in.
    pub(super) fn partly_filled(&self, params: &Params) -> T {
        if !self.names.iter().any(|name| params.get(name).is_some()) {
            return self.spec.clone();
        }
        let known = |name: &str| params.get(name).map(ToString::to_string);
        self.with(|text| template::render_some(text, known))
    }

    fn with(&self, fill: impl Fn(&str) -> String) -> T {
        let mut form = self.form.clone();
        walk(&mut form, &mut |text| {
            if text.contains('{') {
                *text = fill(text);
            }
        });
        serde_json::from_value(form).unwrap_or_else(|_| self.spec.clone())
    }
}

/// Calls `at` for every string.
fn walk(value: &mut Value, at: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => at(text),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, at)),
        Value::Object(fields) => fields.values_mut().for_each(|item| walk(item, at)),
        _ => {}
    }
}

//! [`expand`]: a template becomes cases, by the rules of the framework that Proofload succeeds.
//!
//! Categories, tools and the lists of a tool's `parameters` stand in the order of the file, and the last list varies
//! fastest; the direction is a further list, where the command line uses it. Unlike the original, a variable that is
//! unknown or empty is an error unless the tool calls it `optional`, and a flag without a value stays.

use std::path::Path;

use super::cases::Case;
use super::full::{Environment, Full};
use super::template::{Category, Directions, Template, ToolTemplate, Values};
use super::yaml::{Located, Ordered};
use crate::model::{Param, template};
use crate::scenario::ScenarioError;
use crate::scenario::error::hint;

/// The cases of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// In the order of the template.
    pub cases: Vec<Case>,
    /// For every case, which category and which of its tools it is of.
    pub origins: Vec<(usize, usize)>,
    /// What was written and has no effect, with its place.
    pub warnings: Vec<String>,
}

/// Expands the tools of a configuration. `path` and `text` are those of the file that the tools were read from.
///
/// # Errors
/// [`ScenarioError`] at the tool: a variable that nothing fills in, two cases of one name.
pub fn expand(full: &Full, path: &Path, text: &str) -> Result<Expansion, ScenarioError> {
    let variables = |environment: &str| {
        full.environments.get(environment).map(|found| variables(environment, found))
    };
    let tools_dir = &full.paths.tools_dir;
    let is_missing = full.missing.iter().any(|missing| {
        missing.fact == "vhost_pids" || missing.also.iter().any(|fact| fact.contains("vhost_pids"))
    });
    let no_vhost = match is_missing {
        true => "the vhost threads of the server were not found",
        false => "the server has no vhost threads: qemu carries the packets of its guest itself",
    };
    let known = Known::Found { no_vhost };
    Expander { path, text, tools_dir, variables: &variables, known }.run(&full.tools)
}

/// The cases as far as they can be told before anything was found out: what is not known yet stays as `{NAME}`.
///
/// # Errors
/// As [`expand`], but for variables.
pub fn outline(
    template: &Template,
    environments: &[&str],
    path: &Path,
    text: &str,
) -> Result<Expansion, ScenarioError> {
    let variables =
        |environment: &str| environments.contains(&environment).then(Vec::<Variable>::new);
    let tools_dir = "measurement-tools";
    let known = Known::Outline;
    Expander { path, text, tools_dir, variables: &variables, known }.run(template)
}

/// A name and what replaces it.
type Variable = (String, String);

/// What an environment fills in; empty where it was not found.
fn variables(name: &str, environment: &Environment) -> Vec<Variable> {
    let Environment { server, client, network_config: network, kvm_config: kvm, .. } = environment;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let address = |ip: Option<std::net::IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let members = &network.server_physical_nic_members;
    let physical = match members.is_empty() {
        true => text(&network.server_physical_interface),
        false => members.join(","),
    };
    let guest = kvm.as_ref().and_then(|kvm| kvm.server.as_ref());
    let qemu = guest.and_then(|guest| guest.qemu_pid);
    [
        (format!("{name}_LOCAL_IP"), address(server.test_ip)),
        (format!("{name}_REMOTE_IP"), address(client.test_ip)),
        ("INTERNAL_INTERFACE".to_owned(), text(&network.internal_interface)),
        ("PHY_INTERFACE".to_owned(), physical),
        ("VM_INTERFACE".to_owned(), text(&network.server_vm_interface)),
        ("QEMU_PID".to_owned(), qemu.map(|pid| pid.to_string()).unwrap_or_default()),
    ]
    .into()
}

struct Expander<'a> {
    path: &'a Path,
    text: &'a str,
    tools_dir: &'a str,
    /// Those of an environment; `None` where there is no such pair.
    variables: &'a dyn Fn(&str) -> Option<Vec<Variable>>,
    known: Known,
}

/// What is known when cases are expanded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// What the user wrote.
    Outline,
    /// What was found too.
    Found {
        /// Why there are no vhost threads, where there are none.
        no_vhost: &'static str,
    },
}

impl Expander<'_> {
    fn at<T>(&self, place: &Located<T>, message: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.path, self.text, place.at.clone(), message)
    }

    fn run(&self, template: &Template) -> Result<Expansion, ScenarioError> {
        let mut all = Expansion::default();
        for (index, (name, category)) in template.categories.0.iter().enumerate() {
            let environment = &category.environment;
            if !["host", "vm"].contains(&environment.as_str()) {
                let suggestion = hint(environment, ["host", "vm"]);
                let message = format!(
                    "{name}: unknown environment {:?}{suggestion}: expected host or vm",
                    environment.value
                );
                return Err(self.at(environment, message));
            }
            let Some(variables) = (self.variables)(environment) else {
                all.warnings.push(format!(
                    "{name} is for environment {}, of which there is no test pair: its tools give no cases",
                    environment.value
                ));
                continue;
            };
            for (place, tool) in category.tools.iter().enumerate() {
                let before = all.cases.len();
                self.tool(name, category, tool, &variables, &mut all)?;
                all.origins.extend((before..all.cases.len()).map(|_| (index, place)));
            }
        }
        Ok(all)
    }

    fn tool(
        &self,
        category: &str,
        Category { environment, directions, .. }: &Category,
        tool: &ToolTemplate,
        variables: &[Variable],
        all: &mut Expansion,
    ) -> Result<(), ScenarioError> {
        let directions = tool.directions.as_ref().unwrap_or(directions);
        let lists = self.lists(tool, directions, &mut all.warnings)?;
        for parameters in combinations(&lists) {
            let mut known = vec![(
                "path".to_owned(),
                format!("{}/{category}/{}", self.tools_dir, *tool.script),
            )];
            for (name, value) in variables {
                set(&mut known, name, value.clone());
            }
            for (name, value) in &tool.defaults.0 {
                set(&mut known, name, value.to_string());
            }
            let direction = parameters.get("direction").map(ToString::to_string);
            let own = direction.and_then(|direction| directions.get(&direction));
            for (name, value) in own.into_iter().flat_map(|own| &own.0) {
                let value = value.to_string();
                let refers = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                let found = refers.and_then(|name| variables.iter().find(|(own, _)| own == name));
                set(&mut known, name, found.map_or(value, |(_, found)| found.clone()));
            }
            for (name, _) in tool.parameters.0.iter().filter(|(_, values)| values.asks_for_vhost())
            {
                set(&mut known, name, String::new());
            }
            for (name, value) in &parameters.0 {
                set(&mut known, name, value.to_string());
            }
            let name = name(&tool.script, &parameters);
            let same = |case: &Case| case.name == name && case.category == category;
            if all.cases.iter().any(same) {
                let message = format!(
                    "two cases are called {name:?}: expected tools and parameters that tell them apart"
                );
                return Err(self.at(&tool.script, message));
            }
            all.cases.push(Case {
                id: u32::try_from(all.cases.len() + 1).unwrap_or(u32::MAX),
                name,
                command: self.command(tool, &known)?,
                script: tool.script.value.clone(),
                category: category.to_owned(),
                environment: environment.value.clone(),
                duration: self.duration(tool, &parameters)?,
                parameters,
            });
        }
        Ok(())
    }

    /// The lists that are combined, in order.
    fn lists(
        &self,
        tool: &ToolTemplate,
        directions: &Directions,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<(String, Vec<Param>)>, ScenarioError> {
        let mut lists = Vec::new();
        for (name, values) in &tool.parameters.0 {
            match values {
                Values::List(values) if values.is_empty() => {
                    let message = format!(
                        "{}: parameter {name} is an empty list: expected at least one value",
                        *tool.script
                    );
                    return Err(self.at(&tool.script, message));
                }
                Values::List(values) => lists.push((name.clone(), values.clone())),
                // An outline shows what a bootstrap will fill in. Where that found none, the parameter is empty.
                Values::One(value) if values.asks_for_vhost() => {
                    if self.known == Known::Outline {
                        lists.push((name.clone(), vec![value.clone()]));
                    }
                }
                Values::One(value) => warnings.push(format!(
                    "{}: parameter {name} is ignored: only lists are expanded, write [{value}]",
                    *tool.script
                )),
            }
        }
        let uses = |name: &&str| ["SRC_IP", "DST_IP", "direction"].contains(name);
        if !directions.is_empty() && template::names(&tool.template).iter().any(uses) {
            let names: Vec<Param> =
                directions.names().map(|name| Param::Text(name.to_owned())).collect();
            match lists.iter_mut().find(|(name, _)| name == "direction") {
                Some((_, values)) => *values = names,
                None => lists.push(("direction".to_owned(), names)),
            }
        }
        Ok(lists)
    }

    /// The command line with everything filled in, from left to right: what stands in a value is not looked up again.
    fn command(&self, tool: &ToolTemplate, known: &[Variable]) -> Result<String, ScenarioError> {
        let value = |name: &str| known.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        let full = |name: &str| value(name).filter(|value| !value.is_empty()).cloned();
        let refused =
            |message: String| Err(self.at(&tool.template, format!("{}: {message}", *tool.script)));
        let Known::Found { no_vhost } = self.known else {
            return Ok(one_line(&template::render_some(&tool.template, full)));
        };
        let mut left_out = Vec::new();
        for name in template::names(&tool.template) {
            match full(name) {
                Some(value) => {
                    if let Some(inner) = template::names(&value).first() {
                        return refused(format!(
                            "the value of {{{name}}} holds {{{inner}}}, which nothing fills in: expected a value without a variable"
                        ));
                    }
                }
                None if tool.optional.iter().any(|own| own == name) => left_out.push(name),
                None => {
                    let vhost = tool.parameters.get(name).filter(|values| values.asks_for_vhost());
                    let names = known.iter().map(|(name, _)| name.as_str());
                    return refused(match (vhost, value(name)) {
                        (Some(_), _) => format!(
                            "variable {{{name}}} has no value, {no_vhost}; list it under `optional` to leave out its option"
                        ),
                        (None, Some(_)) => format!(
                            "variable {{{name}}} has no value: define it, or list it under `optional` to leave out its option"
                        ),
                        (None, None) => format!(
                            "variable {{{name}}} is unknown{}: define it, or list it under `optional` to leave out its option",
                            hint(name, names)
                        ),
                    });
                }
            }
        }
        let line = without(&tool.template, &left_out);
        let line = template::render(&line, &[], |name| Some(full(name).unwrap_or_default()));
        match one_line(&line.unwrap_or_default()) {
            empty if empty.is_empty() => refused("the command line is empty".to_owned()),
            line => Ok(line),
        }
    }

    fn duration(
        &self,
        tool: &ToolTemplate,
        parameters: &Ordered<Param>,
    ) -> Result<i64, ScenarioError> {
        let Some(value) = parameters.get("duration") else { return Ok(10) };
        let seconds = match value {
            Param::Integer(seconds) => Some(*seconds),
            Param::Text(text) => text.parse().ok(),
            Param::Number(_) | Param::Flag(_) => None,
        };
        seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
            let message =
                format!("{}: expected a duration of whole seconds, found {value}", *tool.script);
            self.at(&tool.script, message)
        })
    }
}

/// Sets a variable; a later value takes the place of an earlier one.
fn set(known: &mut Vec<Variable>, name: &str, value: String) {
    match known.iter_mut().find(|(own, _)| own == name) {
        Some((_, own)) => *own = value,
        None => known.push((name.to_owned(), value)),
    }
}

/// Every combination, the last list varying fastest.
fn combinations(lists: &[(String, Vec<Param>)]) -> Vec<Ordered<Param>> {
    lists.iter().fold(vec![Ordered::default()], |combinations, (name, values)| {
        let with = |one: Ordered<Param>| {
            values.iter().map(move |value| {
                let mut one = one.clone();
                one.0.push((name.clone(), value.clone()));
                one
            })
        };
        combinations.into_iter().flat_map(with).collect()
    })
}

/// What a case is called.
fn name(script: &str, parameters: &Ordered<Param>) -> String {
    let mut parts = vec![tool_name(script)];
    parts.extend(parameters.get("direction").map(ToString::to_string));
    parts.extend(parameters.get("protocol").map(|protocol| format!("protocol_{protocol}")));
    let own = ["direction", "protocol", "duration", "SRC_IP", "DST_IP"];
    for (name, value) in parameters.0.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        // The original leaves out of names what counts as nothing in its language.
        let is_nothing = match value {
            Param::Integer(number) => *number == 0,
            Param::Number(number) => *number == 0.0,
            Param::Text(text) => text.is_empty(),
            Param::Flag(flag) => !flag,
        };
        if !is_nothing {
            parts.push(format!("{name}_{}", value.to_string().replace([' ', '-'], "_")));
        }
    }
    parts.join("_")
}

/// The name of a script's tool: without its extension, and with `_` for `-`. The original knows `.py` and `.bt`.
#[must_use]
pub fn tool_name(script: &str) -> String {
    let script = [".py", ".bt", ".sh"]
        .iter()
        .fold(script.to_owned(), |script, extension| script.replace(extension, ""));
    script.replace('-', "_")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line without some variables, and without the options whose values they are: `-x {NAME}`, `--x={NAME}`.
fn without(line: &str, names: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let own = template::names(word);
        let Some(name) = own.iter().find(|name| names.contains(*name)) else {
            words.push(word.to_owned());
            continue;
        };
        // What a quote surrounds goes as a whole, or not at all.
        let is_whole = ['"', '\''].iter().all(|quote| word.matches(*quote).count() % 2 == 0);
        let bare = word.replace(['"', '\''], "");
        let is_option = bare.starts_with('-') || bare.ends_with(&format!("={{{name}}}"));
        if is_whole && is_option {
            continue;
        }
        if is_whole && bare == format!("{{{name}}}") {
            let takes_value = |option: &mut String| {
                let name = option.trim_start_matches('-');
                option.starts_with('-') && !name.is_empty() && !name.contains(['=', '{'])
            };
            words.pop_if(takes_value);
            continue;
        }
        words.push(template::render_some(word, |name| names.contains(&name).then(String::new)));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;

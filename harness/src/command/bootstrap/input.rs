//! [`Input`]: all that a user wrote, read and checked before any node is asked.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Arguments, Failure};
use crate::model::spec::network::NodeSpec;
use crate::scenario::ScenarioError;
use crate::scenario::network::expand::outline;
use crate::scenario::network::full::Defaults;
use crate::scenario::network::{Config, Minimal, Template, yaml};
use crate::target::testbed::discovery::{Role, Subject};

/// The files of a user.
pub(super) struct Input {
    /// The directory of the input, which paths in it are relative to.
    pub(super) directory: PathBuf,
    pub(super) minimal: Minimal,
    pub(super) template: Template,
    /// Where the template was read from, and its text, for messages about it.
    pub(super) template_path: PathBuf,
    pub(super) template_text: String,
    /// The original's settings of network tests, which are passed on.
    pub(super) performance_tests: Option<serde_json::Value>,
    /// What of this scenarios would not find in the output directory, where they look for it.
    pub(super) copies: Vec<(PathBuf, String)>,
}

const PERFORMANCE: &str = "performance-test-template.yaml";

impl Input {
    /// Reads the files that arguments name.
    ///
    /// # Errors
    /// [`Failure`] with file and line.
    pub(super) fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let path = &arguments.input;
        let text = needed(path)?;
        let minimal = Minimal::read(path, &text).map_err(Failure::usage)?;
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        // Environments may share what stands one directory up.
        let beside = |name: &str| [directory.join(name), directory.join("..").join(name)];
        let (template_path, template_text) = match &arguments.tools_template {
            Some(path) => (path.clone(), needed(path)?),
            None => first(&beside(Config::TEMPLATE))?.ok_or_else(|| {
                let [own, shared] = beside(Config::TEMPLATE);
                Failure::usage(format!(
                    "error: there is no {}, which names the tools under test: looked for {} and {}; say where it is with --tools-template",
                    Config::TEMPLATE,
                    own.display(),
                    shared.display()
                ))
            })?,
        };
        let template = Template::read(&template_path, &template_text).map_err(Failure::usage)?;
        // What is wrong whatever is found is told before anybody is asked.
        let pairs = [("host", &minimal.host), ("vm", &minimal.vm)];
        let pairs: Vec<&str> =
            pairs.iter().filter(|(_, pair)| pair.is_some()).map(|(name, _)| *name).collect();
        outline(&template, &pairs, &template_path, &template_text).map_err(Failure::usage)?;
        let performance_tests = match first(&beside(PERFORMANCE))? {
            Some((path, text)) => Some(performance(&path, &text).map_err(Failure::usage)?),
            None => None,
        };
        let output = &arguments.output_dir;
        let copies = copies(output, (path, &text), (&template_path, &template_text))?;
        let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if !same(&directory, output) {
            stays(&minimal, &directory, output)?;
        }
        Ok(Self {
            directory,
            minimal,
            template,
            template_path,
            template_text,
            performance_tests,
            copies,
        })
    }

    /// How each node is reached.
    pub(super) fn specs(&self) -> Vec<NodeSpec> {
        let config = self.minimal.ssh_config.as_ref().map(|path| self.directory.join(path));
        let use_sudo = Defaults::default().use_sudo;
        self.minimal.nodes.iter().map(|node| node.spec(config.as_deref(), use_sudo)).collect()
    }

    /// What to look for on each node.
    pub(super) fn subjects(&self) -> Vec<Subject> {
        let nodes = self.minimal.nodes.iter();
        let subjects = nodes.map(|node| Subject {
            name: node.name.clone(),
            role: match &node.guest {
                None => Role::Host,
                Some(guest) => Role::Vm { host: guest.host.clone(), uuid: guest.uuid.clone() },
            },
            test_ip: node.test_ip,
            ssh_ip: node.login().host.parse().ok(),
        });
        subjects.collect()
    }

    /// What of the input will not do what it seems to.
    pub(super) fn notes(&self, output: &Path) -> Vec<String> {
        let mut notes = Vec::new();
        if self.minimal.host.is_none() && self.minimal.vm.is_none() {
            notes.push("there are no test_pairs, so there are no cases".to_owned());
        }
        let tools = output.join("measurement-tools");
        if !self.template.categories.is_empty() && !tools.is_dir() {
            notes.push(format!(
                "there is no directory {}: tools are not copied to the nodes, and must be there",
                tools.display()
            ));
        }
        notes
    }
}

/// The input and the template, where scenarios would find none, or another one, in the output directory.
fn copies(
    output: &Path,
    (input, input_text): (&Path, &str),
    (template, template_text): (&Path, &str),
) -> Result<Vec<(PathBuf, String)>, Failure> {
    let own = output.join(Config::TEMPLATE);
    let shared = first(&[output.join("..").join(Config::TEMPLATE)])?;
    let is_shared = shared.is_some_and(|(_, text)| text == template_text);
    let files = [
        (output.join(Config::MINIMAL), input, input_text, false),
        (own, template, template_text, is_shared),
    ];
    let mut copies = Vec::new();
    for (place, from, text, is_elsewhere) in files {
        match first(std::slice::from_ref(&place))? {
            Some((_, there)) if there == text => {}
            Some(_) => {
                return Err(Failure::usage(format!(
                    "error: {} is there already and is not {}, and scenarios read it: bootstrap with it, or remove it",
                    place.display(),
                    from.display()
                )));
            }
            None if is_elsewhere => {}
            None => copies.push((place, text.to_owned())),
        }
    }
    Ok(copies)
}

/// Refuses a path in the input that would be another in the output directory.
fn stays(minimal: &Minimal, directory: &Path, output: &Path) -> Result<(), Failure> {
    let Some(config) = minimal.ssh_config.as_ref().filter(|config| config.is_relative()) else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "error: ssh_config {} is relative to {}, and scenarios would look for it in {}: write it from the root on",
        config.display(),
        directory.display(),
        output.display()
    )))
}

/// A file that must be there.
fn needed(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::usage(ScenarioError::plain(path, format!("cannot be read: {error}")))
    })
}

/// The first of some files that is there.
fn first(paths: &[PathBuf]) -> Result<Option<(PathBuf, String)>, Failure> {
    for path in paths {
        match fs::read_to_string(path) {
            Ok(text) => return Ok(Some((path.clone(), text))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => return needed(path).map(|text| Some((path.clone(), text))),
        }
    }
    Ok(None)
}

/// The settings, which may stand under a key of their name.
fn performance(path: &Path, text: &str) -> Result<serde_json::Value, ScenarioError> {
    let mut whole: serde_json::Value = yaml::read(path, text)?;
    Ok(match whole.get_mut("performance_tests") {
        Some(own) => own.take(),
        None => whole,
    })
}

//! [`Question`]: what a trial needs. Trials that need the same ask once.

use std::path::PathBuf;

use crate::drive;
use crate::model::Params;
use crate::model::spec::driver::AgentsSpec;
use crate::model::spec::target::ComposeSpec;
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::plan::Trial;
use crate::target;

/// Something that may be there or not.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// A program that is started, as the only word of a command, and the line that makes it.
    Program { of: String, words: Vec<String>, build: Option<String> },
    /// A place where a service is to answer, and nobody else.
    Address { service: String, address: String },
    /// Compose files and the images that they name.
    Stack(ComposeSpec),
    /// The running projects of Compose files.
    Projects(ComposeSpec),
    /// The application's API; `attached` where it must run already.
    Api { spec: Box<AgentsSpec>, params: Params, attached: bool },
    /// Hosts and virtual machines, and why they cannot be used as far as that is known without asking them.
    Testbed { config: PathBuf, nodes: Vec<String>, unavailable: Option<String> },
    /// A server that a probe asks.
    Server { name: &'static str, url: String },
    /// A variable that a driver reads, and whether it has a value.
    Variable { name: String, is_set: bool },
    /// A driver or a probe that only the test binary knows.
    Registered { what: &'static str, name: String },
}

/// A question, and the scenarios that ask it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) scenarios: Vec<String>,
}

/// All that these trials need, each once, in the order of the first that needs it.
pub(super) fn of(trials: impl Iterator<Item = Trial>) -> Vec<Asked> {
    let mut asked: Vec<(String, Asked)> = Vec::new();
    // A comparison needs what both of its sides need.
    let trials = trials.flat_map(|mut trial| match trial.comparison.take() {
        None => vec![trial],
        Some(comparison) => vec![comparison.a, comparison.b],
    });
    for trial in trials {
        for question in questions(&trial) {
            let key = key(&question);
            let known = asked.iter_mut().find(|(other, _)| *other == key);
            let scenario = trial.scenario.clone();
            match known {
                Some((_, asked)) if asked.scenarios.contains(&scenario) => {}
                Some((_, asked)) => asked.scenarios.push(scenario),
                None => asked.push((key, Asked { question, scenarios: vec![scenario] })),
            }
        }
    }
    asked.into_iter().map(|(_, asked)| asked).collect()
}

/// What makes two questions one. The variables that a matrix passes to Compose do not: a matrix must not start a
/// Compose for each of its values.
fn key(question: &Question) -> String {
    match question {
        Question::Stack(spec) => {
            let ComposeSpec { files, profiles, env_file, build, .. } = spec;
            format!("stack {files:?} {profiles:?} {env_file:?} {build:?}")
        }
        Question::Projects(spec) => {
            let ComposeSpec { files, attach, project, services, .. } = spec;
            format!("projects {files:?} {attach} {project:?} {services:?}")
        }
        Question::Api { spec, attached, .. } => {
            format!("api {} {attached}", drive::survey::status_url(spec))
        }
        other => format!("{other:?}"),
    }
}

fn questions(trial: &Trial) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut attached = false;
    match &trial.target {
        TargetSpec::Process(spec) => {
            for service in &spec.service {
                questions.push(Question::Program {
                    of: format!("service {}", service.name),
                    words: service.command.iter().take(1).cloned().collect(),
                    build: spec.build.clone(),
                });
                let addresses = service.ready.iter().flat_map(target::addresses);
                questions.extend(
                    addresses.map(|address| Question::Address {
                        service: service.name.clone(),
                        address,
                    }),
                );
            }
        }
        TargetSpec::Compose(spec) => {
            attached = spec.attach;
            // Without a file there is nothing to read: the project to attach to has a name.
            if !spec.files.is_empty() {
                questions.push(Question::Stack(spec.clone()));
            }
            questions.push(Question::Projects(spec.clone()));
        }
        TargetSpec::Testbed(spec) => {
            questions.push(Question::Program {
                of: "testbed".to_owned(),
                words: vec!["ssh".to_owned()],
                build: None,
            });
            questions.push(Question::Testbed {
                config: spec.config.clone(),
                nodes: spec.nodes.iter().map(|node| node.name.clone()).collect(),
                unavailable: trial.unavailable.clone(),
            });
        }
    }
    if let Some(driver) = &trial.driver {
        questions.extend(of_driver(driver, &trial.placeholders(), attached));
    }
    questions.extend(trial.probes.iter().filter_map(|probe| match probe {
        ProbeSpec::Containers | ProbeSpec::Oom | ProbeSpec::Host | ProbeSpec::Nodes => None,
        ProbeSpec::Cadvisor(spec) => {
            Some(Question::Server { name: "cAdvisor", url: spec.url.clone() })
        }
        ProbeSpec::Prometheus(spec) => {
            Some(Question::Server { name: "Prometheus", url: spec.url.clone() })
        }
        ProbeSpec::Custom { name, .. } => {
            Some(Question::Registered { what: "probe", name: name.clone() })
        }
    }));
    questions
}

fn of_driver(driver: &DriverSpec, params: &Params, attached: bool) -> Vec<Question> {
    let variables = drive::survey::variables(driver).into_iter();
    let mut questions: Vec<Question> =
        variables.map(|(name, is_set)| Question::Variable { name, is_set }).collect();
    questions.extend(match driver {
        DriverSpec::Agents(spec) => {
            Some(Question::Api { spec: Box::new(spec.clone()), params: params.clone(), attached })
        }
        DriverSpec::Command(spec) => Some(Question::Program {
            of: "driver".to_owned(),
            words: spec.command.iter().take(1).cloned().collect(),
            build: None,
        }),
        DriverSpec::Network(_) => None,
        DriverSpec::Custom(spec) => {
            Some(Question::Registered { what: "driver", name: spec.name.clone() })
        }
    });
    questions
}

/// The files of a Compose target as one word.
pub(super) fn files(spec: &ComposeSpec) -> String {
    let files: Vec<String> =
        spec.files.iter().map(|file: &PathBuf| file.display().to_string()).collect();
    files.join(", ")
}

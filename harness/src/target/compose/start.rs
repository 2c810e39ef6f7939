//! Starting a project with Compose, and waiting until it is up.

use std::path::Path;
use std::time::Duration;

use crate::host::{Check, ProcessGroup, WaitError, log, wait_for};
use crate::model::Member;
use crate::model::quantity::Length;
use crate::target::ready::{Conditions, EVERY};
use crate::target::{Fault, TargetError};

use super::cli::Tool;
use super::docker::Docker;
use super::state::{self, Container, Standing};
use super::{ComposeTarget, GRACE};

/// How long a project may take to come up where the scenario does not say.
const WITHIN: Duration = Duration::from_secs(180);

/// How long Compose may take on top, to pull and build images.
const IMAGES: Duration = Duration::from_secs(15 * 60);

impl ComposeTarget {
    fn within(&self) -> Duration {
        self.spec.ready.within.map_or(WITHIN, |length| length.0)
    }

    /// Runs `up`; its output goes to `compose.log`.
    pub(super) async fn start(&mut self, docker: &Docker, logs: &Path) -> Result<(), TargetError> {
        self.must_exist()?;
        let within = self.within() + IMAGES;
        let tool = Tool::find().await.map_err(TargetError::rig)?;
        let verb = ["up", "--detach", "--remove-orphans"];
        let mut command = tool.command(&self.spec, &self.root, &self.project, &verb);
        let file = logs.join("compose.log");
        command.log = Some(file.clone());
        let from = log::length(&file);
        let failed = |what: String| TargetError::rig(format!("`{command}`: {what}"));
        let spawned = ProcessGroup::spawn(&command).map_err(|error| failed(error.to_string()))?;
        // Kept in the target, so that `down` can wait for its end should this future be dropped.
        let group = self.running.insert(spawned);
        let ended = tokio::time::timeout(within, group.wait()).await;
        group.stop(GRACE).await.map_err(|error| failed(error.to_string()))?;
        self.running = None;
        let tail = || log::tail(&file, from);
        let error = match ended {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => failed(format!("{status}; its output ended:{}", tail())),
            Ok(Err(error)) => failed(error.to_string()),
            Err(_) => {
                failed(format!("did not end within {}; it printed:{}", Length(within), tail()))
            }
        };
        Err(match self.culprit(docker).await {
            Some(words) => TargetError::system(format!("{words}\n  {error}")),
            None => error,
        })
    }

    fn must_exist(&self) -> Result<(), TargetError> {
        if self.spec.files.is_empty() {
            return Err(TargetError::rig("the target names no Compose file"));
        }
        for file in self.spec.files.iter().chain(&self.spec.env_file) {
            let file = self.root.join(file);
            if !file.is_file() {
                let file = file.display();
                return Err(TargetError::rig(format!("there is no file {file} to start from")));
            }
        }
        Ok(())
    }

    /// The container for which Compose failed, in words, if it is one that failed or is unhealthy.
    async fn culprit(&self, docker: &Docker) -> Option<String> {
        let containers = docker.containers(&self.project).await.ok()?;
        let culprit = containers.iter().find(|container| self.failed(container)).or_else(|| {
            let sick = |c: &&Container| matches!(c.health, Some(state::Health::Unhealthy(_)));
            containers.iter().find(sick)
        })?;
        Some(format!("{}{}", culprit.describe(), last_words(docker, culprit).await))
    }

    fn standing(&self, container: &Container) -> Standing {
        let watched = self.spec.services.contains(&container.service);
        container.standing(watched, self.spec.ready.healthy != Some(false))
    }

    fn failed(&self, container: &Container) -> bool {
        self.standing(container) == Standing::Failed
    }

    /// True if all is as an earlier `up` left it. Compose would run the one-shots again.
    pub(super) async fn still_up(&self, docker: &Docker) -> bool {
        let Ok(conditions) = self.conditions() else { return false };
        matches!(self.look(docker, &conditions).await, Check::Ready(_))
    }

    fn conditions(&self) -> Result<Conditions, TargetError> {
        let mut env = self.spec.env.clone();
        env.insert("COMPOSE_PROJECT_NAME".to_owned(), self.project.clone());
        Conditions::new(&self.spec.ready, &self.root, &env)
    }

    /// Waits until every container is up and every condition holds.
    pub(super) async fn wait(&self, docker: &Docker) -> Result<Vec<Member>, TargetError> {
        if self.spec.ready.log.is_some() {
            return Err(TargetError::rig(
                "`ready.log` is for process targets; use `http`, `tcp`, `command` or a health check",
            ));
        }
        let conditions = self.conditions()?;
        let waited = wait_for(self.within(), EVERY, || self.look(docker, &conditions)).await;
        let containers = match waited {
            Ok(containers) => containers,
            Err(error) => return Err(self.not_up(docker, error).await),
        };
        let services: Vec<&str> = containers.iter().map(|c| c.service.as_str()).collect();
        if let Some(unknown) = self.spec.services.iter().find(|s| !services.contains(&s.as_str())) {
            return Err(TargetError::rig(format!(
                "the project has no service `{unknown}` to watch; it has: {}",
                services.join(", ")
            )));
        }
        let members = state::members(&containers, &self.spec.services);
        if members.is_empty() {
            let how = state::describe(&containers);
            return Err(TargetError::system(format!("nothing is left running: {how}")));
        }
        Ok(members)
    }

    async fn look(&self, docker: &Docker, conditions: &Conditions) -> Check<Vec<Container>> {
        let mut containers = match docker.containers(&self.project).await {
            Ok(containers) => containers,
            Err(error) => return Check::NotYet(error),
        };
        containers.retain(|container| !container.oneoff);
        let how = state::describe(&containers);
        let standings: Vec<Standing> = containers.iter().map(|c| self.standing(c)).collect();
        if standings.contains(&Standing::Failed) {
            return Check::Failed(how);
        }
        if containers.is_empty() || standings.contains(&Standing::NotYet) {
            return Check::NotYet(how);
        }
        match conditions.check().await {
            Ok(()) => Check::Ready(containers),
            Err(status) => Check::NotYet(format!("{how}, but {status}")),
        }
    }

    async fn not_up(&self, docker: &Docker, error: WaitError) -> TargetError {
        let mut words = String::new();
        for container in docker.containers(&self.project).await.unwrap_or_default() {
            if matches!(self.standing(&container), Standing::Failed | Standing::NotYet) {
                words.push_str(&last_words(docker, &container).await);
            }
        }
        let message = format!("the project `{}` did not come up: {error}{words}", self.project);
        TargetError { fault: Fault::System, message }
    }
}

async fn last_words(docker: &Docker, container: &Container) -> String {
    let tail = log::quote(&docker.tail(&container.id).await);
    format!("\n  the output of `{}` ended:{tail}", container.service)
}

//! [`ComposeTarget`]: a Docker Compose project, started by the Compose that is installed and watched through the API.

mod attach;
mod available;
mod cli;
mod docker;
mod remove;
mod start;
mod state;
pub mod survey;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::host::ProcessGroup;
use crate::host::owner::{Owner, short_hash};
use crate::model::Member;
use crate::model::spec::target::{Clean, ComposeSpec};

use super::{Target, TargetError};
use docker::Docker;

pub use available::locally_available;
pub use remove::reap_projects;

/// How long a container has to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A project of this run, or a running one that is only looked at.
///
/// With [`Clean::Trial`] every `up` begins with empty volumes. With [`Clean::Once`] only the first one does. With
/// [`Clean::Never`] the project has the same name in every run, and its volumes and images are never removed.
pub struct ComposeTarget {
    spec: ComposeSpec,
    root: PathBuf,
    project: String,
    /// The Compose command that runs; still here when an `up` was cancelled.
    running: Option<ProcessGroup>,
    /// False while there can be nothing of the project.
    is_begun: bool,
    /// True once an `up` has succeeded and no `down` came.
    is_up: bool,
    /// Output from before this second, since 1970, is of an earlier trial or of somebody else.
    logs_since: i64,
}

impl ComposeTarget {
    /// Nothing is started or looked for yet.
    #[must_use]
    pub fn new(spec: &ComposeSpec, root: &Path) -> Self {
        let project = match spec.clean {
            _ if spec.attach => attach::project(spec, root),
            Clean::Trial | Clean::Once => Owner::current().project(),
            Clean::Never => stable_name(spec, root),
        };
        Self {
            spec: spec.clone(),
            root: root.to_owned(),
            project,
            running: None,
            is_begun: false,
            is_up: false,
            logs_since: 0,
        }
    }

    /// The name of the Compose project.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    fn keeps_volumes(&self) -> bool {
        self.spec.clean == Clean::Never
    }

    /// Ends a Compose command that a cancelled `up` left, lest it creates what is being removed.
    async fn end_compose(&mut self) -> Result<bool, TargetError> {
        let Some(group) = &mut self.running else { return Ok(false) };
        let was_running = group.exited().is_none();
        group.stop(GRACE).await.map_err(|error| TargetError::rig(error.to_string()))?;
        self.running = None;
        Ok(was_running)
    }

    async fn remove(&self, docker: &Docker) -> Result<(), TargetError> {
        let removed = remove::remove(docker, &self.project, self.keeps_volumes(), GRACE).await;
        removed.map(drop).map_err(|error| {
            TargetError::rig(format!("the project `{}` is not removed: {error}", self.project))
        })
    }
}

#[async_trait]
impl Target for ComposeTarget {
    async fn up(&mut self, logs: &Path) -> Result<Vec<Member>, TargetError> {
        self.end_compose().await?;
        let docker = Docker::connect().await.map_err(TargetError::rig)?;
        self.logs_since = if self.spec.attach || self.is_up { now() } else { 0 };
        self.is_begun = true;
        if self.spec.attach {
            attach::must_run(&docker, &self.project).await?;
        } else if !self.is_up {
            if !self.keeps_volumes() {
                self.remove(&docker).await?;
            }
            self.start(&docker, logs).await?;
        } else if !self.still_up(&docker).await {
            self.start(&docker, logs).await?;
        }
        let members = self.wait(&docker).await?;
        // From here on only a `down` makes it start from nothing.
        self.is_up = true;
        Ok(members)
    }

    async fn save_logs(&mut self, logs: &Path) -> Result<(), TargetError> {
        if !self.is_begun {
            return Ok(());
        }
        let docker = Docker::connect().await.map_err(TargetError::rig)?;
        let containers = docker.containers(&self.project).await.map_err(TargetError::rig)?;
        for (name, container) in state::named(&containers) {
            let file = logs.join(format!("{name}.log"));
            docker.save_log(&container.id, &file, self.logs_since).await.map_err(|error| {
                TargetError::rig(format!("the output of `{name}` is not saved: {error}"))
            })?;
        }
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        if self.spec.attach || !self.is_begun {
            return Ok(());
        }
        let was_cut_off = self.end_compose().await?;
        self.is_up = false;
        let docker = Docker::connect().await.map_err(TargetError::rig)?;
        self.remove(&docker).await?;
        if was_cut_off {
            // The daemon carries out what it was asked for, though nobody waits for the answer.
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.remove(&docker).await?;
        }
        self.is_begun = false;
        Ok(())
    }

    fn keeps_up(&self) -> bool {
        !self.spec.attach && self.spec.clean != Clean::Trial
    }
}

/// The same in every run, for other files another one.
fn stable_name(spec: &ComposeSpec, root: &Path) -> String {
    let files: Vec<String> =
        spec.files.iter().map(|file| root.join(file).display().to_string()).collect();
    format!("proofload-{}", short_hash(&files.join("\n")))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::target::Ready;

    pub(super) fn spec() -> ComposeSpec {
        ComposeSpec {
            build: None,
            files: vec!["stacks/steady/compose.yml".into()],
            profiles: Vec::new(),
            env_file: None,
            services: Vec::new(),
            ready: Ready::default(),
            clean: Clean::Trial,
            attach: false,
            project: None,
            env: [].into(),
        }
    }

    fn open(clean: Clean, attach: bool) -> ComposeTarget {
        ComposeTarget::new(&ComposeSpec { clean, attach, ..spec() }, Path::new("/w"))
    }

    #[test]
    fn a_project_that_is_wiped_has_a_name_of_its_own() {
        for clean in [Clean::Trial, Clean::Once] {
            let (one, two) = (open(clean, false), open(clean, false));
            assert_ne!(one.project(), two.project());
            assert_eq!(Owner::of_project(one.project()).as_ref(), Some(Owner::current()));
        }
    }

    #[test]
    fn a_project_that_is_kept_has_a_name_that_is_never_reaped() {
        let kept = open(Clean::Never, false);
        assert_eq!(kept.project(), open(Clean::Never, false).project());
        assert_eq!(Owner::of_project(kept.project()), None);
        assert!(kept.keeps_volumes());
    }

    #[test]
    fn only_what_is_not_started_anew_for_each_trial_keeps_up() {
        let keeps = [Clean::Trial, Clean::Once, Clean::Never].map(|c| open(c, false).keeps_up());
        assert_eq!(keeps, [false, true, true]);
        assert!(!open(Clean::Once, true).keeps_up());
    }

    #[tokio::test]
    async fn what_was_never_started_needs_no_daemon_to_be_taken_down() {
        let mut target = open(Clean::Trial, false);
        assert_eq!(target.down().await, Ok(()));
        assert_eq!(target.save_logs(Path::new("/nowhere")).await, Ok(()));
    }

    #[tokio::test]
    async fn what_was_attached_to_is_let_alone() {
        let mut target = open(Clean::Trial, true);
        assert_eq!(target.project(), "steady");
        assert_eq!(target.down().await, Ok(()));
    }
}

//! Removing a project by its label: no file, profile or Compose is needed, and nothing else can be hit.
//!
//! Not with `compose down --volumes`, which also removes a volume of the user's that a file gives the same `name:`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::host::owner::Owner;
use crate::host::{Check, WaitError, wait_for};

use super::available::socket;
use super::docker::Docker;

/// How long the daemon has to remove what has stopped.
const WITHIN: Duration = Duration::from_secs(30);

/// What there is of a project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
    /// Those that Compose built and named after the project.
    images: Vec<String>,
}

impl Parts {
    async fn of(docker: &Docker, project: &str, keep_volumes: bool) -> Result<Self, String> {
        let ids =
            |labelled: Vec<(String, String)>| labelled.into_iter().map(|(id, _)| id).collect();
        let mut parts = Self {
            containers: ids(docker.container_ids(Some(project)).await?),
            networks: ids(docker.networks(Some(project)).await?),
            ..Self::default()
        };
        if !keep_volumes {
            parts.volumes = ids(docker.volumes(Some(project)).await?);
            // Named by version 1 and 2 of Compose.
            let patterns = [format!("{project}_*"), format!("{project}-*")];
            parts.images = docker.images(&patterns).await?;
        }
        Ok(parts)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// In words: `2 containers, 1 network`.
    fn describe(&self) -> String {
        let kinds = [
            (self.containers.len(), "container"),
            (self.networks.len(), "network"),
            (self.volumes.len(), "volume"),
            (self.images.len(), "image"),
        ];
        let words: Vec<String> = kinds
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" }))
            .collect();
        words.join(", ")
    }

    /// Removes each in the order that their use of one another asks for.
    async fn remove(&self, docker: &Docker) -> Result<(), String> {
        all(self.containers.iter().map(|id| docker.remove_container(id))).await?;
        all(self.networks.iter().map(|id| docker.remove_network(id))).await?;
        all(self.volumes.iter().map(|name| docker.remove_volume(name))).await?;
        all(self.images.iter().map(|tag| docker.remove_image(tag))).await
    }
}

/// Stops and removes all of a project, and looks that nothing is left.
///
/// What was there, in words; nothing for nothing. With `keep_volumes` its volumes and images stay.
///
/// # Errors
/// What stays, and why.
pub(super) async fn remove(
    docker: &Docker,
    project: &str,
    keep_volumes: bool,
    grace: Duration,
) -> Result<String, String> {
    let found = Parts::of(docker, project, keep_volumes).await?;
    let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
    // One that cannot be stopped is removed by force.
    let _ = all(found.containers.iter().map(|id| docker.stop(id, seconds))).await;
    let removed = wait_for(WITHIN, Duration::from_millis(200), || async {
        let left = match Parts::of(docker, project, keep_volumes).await {
            Ok(left) if left.is_empty() => return Check::Ready(()),
            Ok(left) => left,
            Err(error) => return Check::NotYet(error),
        };
        let failed = left.remove(docker).await.err();
        let why = failed.map(|error| format!(" ({error})")).unwrap_or_default();
        match Parts::of(docker, project, keep_volumes).await {
            Ok(left) if left.is_empty() => Check::Ready(()),
            Ok(left) => Check::NotYet(format!("{} left{why}", left.describe())),
            Err(error) => Check::NotYet(error),
        }
    })
    .await;
    match removed {
        Ok(()) => Ok(found.describe()),
        Err(WaitError::TimedOut { status, .. } | WaitError::Failed(status)) => Err(status),
    }
}

/// Removes the projects that killed runs left, and says so, one line for each. Nothing where no daemon answers.
///
/// Call [`reap_processes`](crate::host::owner::reap_processes) first.
pub async fn reap_projects() -> Vec<String> {
    if socket().is_err() {
        return Vec::new();
    }
    let Ok(docker) = Docker::connect().await else { return Vec::new() };
    let Ok(left) = left_over(&docker).await else { return Vec::new() };
    let mut lines = Vec::new();
    for project in left {
        lines.push(match remove(&docker, &project, false, Duration::ZERO).await {
            Ok(what) => format!(
                "removed the Compose project `{project}` ({what}), left by a run that was killed"
            ),
            Err(error) => format!(
                "the Compose project `{project}`, left by a run that was killed, is not removed: {error}"
            ),
        });
    }
    lines
}

pub(super) async fn left_over(docker: &Docker) -> Result<BTreeSet<String>, String> {
    let prefix = Owner::current().project_prefix();
    let mut projects: Vec<String> = Vec::new();
    for labelled in [
        docker.container_ids(None).await?,
        docker.networks(None).await?,
        docker.volumes(None).await?,
    ] {
        projects.extend(labelled.into_iter().map(|(_, project)| project));
    }
    let images = docker.images(&[format!("{prefix}*")]).await?;
    projects.extend(images.iter().filter_map(|tag| project_of_image(tag)));
    let mut gone = BTreeMap::new();
    for project in projects {
        let is_gone = |project: &String| Owner::of_project(project).is_some_and(|o| o.is_gone());
        let known = gone.get(&project).copied();
        let is_gone = known.unwrap_or_else(|| is_gone(&project));
        gone.insert(project, is_gone);
    }
    Ok(gone.into_iter().filter_map(|(project, is_gone)| is_gone.then_some(project)).collect())
}

/// The project that an image built by Compose is named after: `<project>_<service>` or `<project>-<service>`.
fn project_of_image(tag: &str) -> Option<String> {
    let (name, _) = tag.rsplit_once(':')?;
    let ends = name.char_indices().filter(|(_, c)| matches!(c, '_' | '-')).map(|(at, _)| at);
    let mut projects = ends.map(|end| &name[..end]);
    projects.find(|project| Owner::of_project(project).is_some()).map(str::to_owned)
}

/// Does all at once; the first of the errors.
async fn all(
    what: impl Iterator<Item = impl Future<Output = Result<(), String>>>,
) -> Result<(), String> {
    join_all(what).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_tells_its_project_in_both_spellings() {
        let project = Owner::current().project();
        for separator in ['_', '-'] {
            let tag = format!("{project}{separator}my-api_2:latest");
            assert_eq!(project_of_image(&tag), Some(project.clone()), "{tag}");
        }
        assert_eq!(project_of_image("proofload-workload:latest"), None);
        assert_eq!(project_of_image("<none>"), None);
    }

    #[test]
    fn parts_are_counted_in_words() {
        let of = |count: usize| vec![String::new(); count];
        let parts = Parts { containers: of(2), volumes: of(1), ..Parts::default() };
        assert_eq!(parts.describe(), "2 containers, 1 volume");
    }
}

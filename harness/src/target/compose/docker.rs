//! The door to the Docker API.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bollard::Docker as Client;
use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveVolumeOptions,
    StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt as _;

use super::state::{Container, Health, State};
use super::survey::Engine;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const DIRECTORY: &str = "com.docker.compose.project.working_dir";
const ONEOFF: &str = "com.docker.compose.oneoff";

/// Where the daemon listens: what both this door and Compose use.
pub(super) fn host() -> String {
    let set = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    set.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned())
}

/// A connection. Errors are fragments for a message.
pub(super) struct Docker(Client);

/// Something that carries a project's label: its id or name, and the project.
pub(super) type Labelled = (String, String);

impl Docker {
    /// # Errors
    /// Where no daemon answers, and what to do.
    pub(super) async fn connect() -> Result<Self, String> {
        let host = host();
        let connect = async { Client::connect_with_host(&host)?.negotiate_version().await };
        connect.await.map(Self).map_err(|error| {
            format!("no Docker daemon answers at {host} ({error}): start one, or set DOCKER_HOST")
        })
    }

    /// The containers of a project, in whatever state.
    pub(super) async fn containers(&self, project: &str) -> Result<Vec<Container>, String> {
        let ids = self.container_ids(Some(project)).await?;
        let seen = join_all(ids.iter().map(|(id, _)| async move {
            self.0.inspect_container(id, None::<InspectContainerOptions>).await
        }));
        // One that has gone since is not there.
        let seen = seen.await.into_iter().filter(|seen| !matches!(seen, Err(e) if is_gone(e)));
        seen.map(|seen| seen.map(read).map_err(|error| error.to_string())).collect()
    }

    /// Every container, or those of one project.
    pub(super) async fn container_ids(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<Labelled>, String> {
        let options = ListContainersOptionsBuilder::new().all(true).filters(&label(project));
        let list = self.0.list_containers(Some(options.build())).await.map_err(text)?;
        Ok(labelled(list.into_iter().map(|seen| (seen.id, seen.labels.unwrap_or_default()))))
    }

    /// Every network, or those of one project.
    pub(super) async fn networks(&self, project: Option<&str>) -> Result<Vec<Labelled>, String> {
        let options = ListNetworksOptionsBuilder::new().filters(&label(project));
        let list = self.0.list_networks(Some(options.build())).await.map_err(text)?;
        Ok(labelled(list.into_iter().map(|seen| (seen.id, seen.labels.unwrap_or_default()))))
    }

    /// Every volume, or those of one project.
    pub(super) async fn volumes(&self, project: Option<&str>) -> Result<Vec<Labelled>, String> {
        let options = ListVolumesOptionsBuilder::new().filters(&label(project));
        let list = self.0.list_volumes(Some(options.build())).await.map_err(text)?;
        let list = list.volumes.unwrap_or_default();
        Ok(labelled(list.into_iter().map(|seen| (Some(seen.name), seen.labels))))
    }

    /// The tags of the images whose name matches the pattern.
    pub(super) async fn images(&self, patterns: &[String]) -> Result<Vec<String>, String> {
        let filters = HashMap::from([("reference".to_owned(), patterns.to_vec())]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let list = self.0.list_images(Some(options)).await.map_err(text)?;
        Ok(list.into_iter().flat_map(|seen| seen.repo_tags).collect())
    }

    /// The projects that have a running container.
    pub(super) async fn running_projects(&self) -> Result<BTreeSet<String>, String> {
        let options = ListContainersOptionsBuilder::new().filters(&label(None)).build();
        let list = self.0.list_containers(Some(options)).await.map_err(text)?;
        Ok(list.into_iter().filter_map(|seen| seen.labels?.remove(PROJECT)).collect())
    }

    /// What the daemon says of itself.
    pub(super) async fn engine(&self) -> Result<Engine, String> {
        let (version, info) = tokio::join!(self.0.version(), self.0.info());
        let (version, info) = (version.map_err(text)?, info.map_err(text)?);
        Ok(Engine {
            version: version.version.unwrap_or_default(),
            api: version.api_version.unwrap_or_default(),
            cgroup_version: info.cgroup_version.map(|version| version.to_string()),
            cgroup_driver: info.cgroup_driver.map(|driver| driver.to_string()),
        })
    }

    /// True where the image needs no pull and no build.
    pub(super) async fn has_image(&self, name: &str) -> Result<bool, String> {
        match self.0.inspect_image(name).await {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The projects with a running container that were started from a Compose file in this directory.
    pub(super) async fn projects_in(&self, directory: &Path) -> Result<BTreeSet<String>, String> {
        let options = ListContainersOptionsBuilder::new().filters(&label(None)).build();
        let list = self.0.list_containers(Some(options)).await.map_err(text)?;
        let labels = list.into_iter().filter_map(|seen| seen.labels);
        let here = |labels: &HashMap<String, String>| {
            labels.get(DIRECTORY).is_some_and(|at| Path::new(at) == directory)
        };
        Ok(labels.filter(here).filter_map(|mut labels| labels.remove(PROJECT)).collect())
    }

    /// Asks a container to end, and kills it after some seconds.
    pub(super) async fn stop(&self, id: &str, seconds: i32) -> Result<(), String> {
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        done(self.0.stop_container(id, Some(options)).await)
    }

    /// Removes a container, running or not, with its anonymous volumes.
    pub(super) async fn remove_container(&self, id: &str) -> Result<(), String> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        done(self.0.remove_container(id, Some(options)).await)
    }

    pub(super) async fn remove_network(&self, id: &str) -> Result<(), String> {
        done(self.0.remove_network(id).await)
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), String> {
        done(self.0.remove_volume(name, None::<RemoveVolumeOptions>).await)
    }

    pub(super) async fn remove_image(&self, tag: &str) -> Result<(), String> {
        done(self.0.remove_image(tag, None::<RemoveImageOptions>, None).await.map(drop))
    }

    /// Writes what a container printed since a second.
    pub(super) async fn save_log(&self, id: &str, file: &Path, since: i64) -> Result<(), String> {
        let mut log = tokio::fs::File::create(file).await.map_err(text)?;
        let since = i32::try_from(since).unwrap_or(0);
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).since(since).build();
        let mut lines = self.0.logs(id, Some(options));
        while let Some(line) = lines.next().await {
            match line {
                Ok(line) => log.write_all(&line.into_bytes()).await.map_err(text)?,
                Err(error) => return Err(error.to_string()),
            }
        }
        log.flush().await.map_err(text)
    }

    /// The last lines that a container printed.
    pub(super) async fn tail(&self, id: &str) -> String {
        let lines = crate::host::log::QUOTED.to_string();
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines).build();
        let lines: Vec<_> = self.0.logs(id, Some(options)).collect().await;
        lines.into_iter().flatten().map(|line| line.to_string()).collect()
    }
}

fn label(project: Option<&str>) -> HashMap<String, Vec<String>> {
    let label = project.map_or(PROJECT.to_owned(), |project| format!("{PROJECT}={project}"));
    HashMap::from([("label".to_owned(), vec![label])])
}

fn labelled(
    seen: impl Iterator<Item = (Option<String>, HashMap<String, String>)>,
) -> Vec<Labelled> {
    seen.filter_map(|(id, mut labels)| Some((id?, labels.remove(PROJECT)?))).collect()
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

fn is_gone(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// What is gone, or just going, or has stopped already (304), needs nothing more.
fn done(result: Result<(), Error>) -> Result<(), String> {
    match result {
        Err(Error::DockerResponseServerError { status_code: 304 | 404, .. }) => Ok(()),
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            Ok(())
        }
        Err(error) => Err(error.to_string()),
        Ok(()) => Ok(()),
    }
}

fn read(seen: ContainerInspectResponse) -> Container {
    let mut labels = seen.config.and_then(|config| config.labels).unwrap_or_default();
    let state = seen.state.unwrap_or_default();
    let code = state.exit_code.unwrap_or(0);
    let health = state.health.and_then(|health| match health.status? {
        HealthStatusEnum::STARTING => Some(Health::Starting),
        HealthStatusEnum::HEALTHY => Some(Health::Healthy),
        HealthStatusEnum::UNHEALTHY => {
            let last = health.log.and_then(|mut log| log.pop()?.output);
            Some(Health::Unhealthy(last.unwrap_or_default()))
        }
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => None,
    });
    let policy = seen.host_config.and_then(|config| config.restart_policy).unwrap_or_default();
    let restarts = match policy.name {
        Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED) => true,
        Some(RestartPolicyNameEnum::ON_FAILURE) => {
            let most = policy.maximum_retry_count.unwrap_or(0);
            code != 0 && (most == 0 || seen.restart_count.unwrap_or(0) < most)
        }
        _ => false,
    };
    Container {
        id: seen.id.unwrap_or_default(),
        service: labels.remove(SERVICE).unwrap_or_default(),
        number: labels.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(1),
        oneoff: labels.get(ONEOFF).is_some_and(|oneoff| oneoff.eq_ignore_ascii_case("true")),
        state: match state.status {
            Some(ContainerStateStatusEnum::RUNNING) => State::Running,
            Some(ContainerStateStatusEnum::EXITED) => {
                State::Exited { code, out_of_memory: state.oom_killed == Some(true) }
            }
            Some(ContainerStateStatusEnum::DEAD) | None => State::Dead,
            Some(other) => State::Other(other.to_string()),
        },
        restarts,
        health,
    }
}

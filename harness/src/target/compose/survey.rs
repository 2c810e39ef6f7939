//! What of Docker and Compose is there, looked at and let alone: for results, and for people who ask whether a run
//! could start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;

use crate::host::{Command, run};
use crate::model::Member;
use crate::model::spec::target::ComposeSpec;

use super::attach;
use super::available::socket;
use super::cli::Tool;
use super::docker::Docker;
use super::remove;
use super::stable_name;
use super::state::{self, Container, Health, Standing, State};

/// The Docker daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its version.
    pub version: String,
    /// The newest version of its API.
    pub api: String,
    /// 1 or 2.
    pub cgroup_version: Option<String>,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: Option<String>,
}

/// Asks the daemon who it is.
///
/// # Errors
/// Why it does not answer, and what to do.
pub async fn engine() -> Result<Engine, String> {
    socket()?;
    Docker::connect().await?.engine().await
}

/// The daemon's version, for results; nothing where it does not say within two seconds.
pub async fn engine_version() -> Option<String> {
    let engine = timeout(Duration::from_secs(2), engine()).await.ok()?.ok()?;
    Some(engine.version).filter(|version| !version.is_empty())
}

/// The Compose that a run would call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// As it is called.
    pub name: &'static str,
    /// The program's file.
    pub file: PathBuf,
    /// Its version.
    pub version: String,
}

/// Looks for Compose.
///
/// # Errors
/// What to install.
pub async fn compose() -> Result<Installed, String> {
    let (tool, version) = Tool::installed().await?;
    let name = match tool {
        Tool::Plugin => "docker compose",
        Tool::Standalone => "docker-compose",
    };
    let file = Command::new(tool.program(), [""; 0]).found();
    let file = file.unwrap_or_else(|| tool.program().into());
    Ok(Installed { name, file, version: version.to_owned() })
}

/// How many projects of killed runs there are, for the next run to remove.
///
/// # Errors
/// Why the daemon does not say.
pub async fn left_over() -> Result<usize, String> {
    remove::left_over(&Docker::connect().await?).await.map(|projects| projects.len())
}

/// A service as Compose understands its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The service's name.
    pub service: String,
    /// What it is started from; Compose names it where the files do not.
    pub image: Option<String>,
    /// True where Compose builds it.
    pub builds: bool,
}

/// What Compose makes of the files of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declaration {
    /// The services that it would start.
    Services(Vec<Declared>),
    /// What it has to say against them.
    Refused(String),
}

/// Lets Compose read the files of a target.
///
/// # Errors
/// Why Compose does not say.
pub async fn declared(
    spec: &ComposeSpec,
    root: &Path,
    within: Duration,
) -> Result<Declaration, String> {
    let command = Tool::find().await?.command(spec, root, &stable_name(spec, root), &["config"]);
    let output = run(&command, within).await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Ok(Declaration::Refused(output.stderr.trim().to_owned()));
    }
    Ok(Declaration::Services(services(&output.stdout, &spec.profiles)))
}

/// Reads what `compose config` prints, which every version lays out alike: services at two spaces, their keys at four.
fn services(config: &str, profiles: &[String]) -> Vec<Declared> {
    let lines = config.lines().skip_while(|line| *line != "services:").skip(1);
    let mut found: Vec<(Declared, Vec<String>)> = Vec::new();
    let mut key = "";
    for line in lines.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let plain = line.trim();
        if line.starts_with("  ") && !line.starts_with("   ") && plain.ends_with(':') {
            let service = unquoted(plain.trim_end_matches(':'));
            found.push((Declared { service, ..Declared::default() }, Vec::new()));
            continue;
        }
        let Some((declared, of)) = found.last_mut() else { continue };
        let item = plain.strip_prefix("- ");
        if line.starts_with("    ") && !line.starts_with("     ") && item.is_none() {
            key = plain.split(':').next().unwrap_or_default();
            match plain.split_once(": ") {
                Some(("image", image)) => declared.image = Some(unquoted(image)),
                _ => declared.builds |= key == "build",
            }
        } else if let ("profiles", Some(item)) = (key, item) {
            of.push(unquoted(item));
        }
    }
    let enabled = |of: &[String]| of.is_empty() || of.iter().any(|name| profiles.contains(name));
    found.into_iter().filter(|(_, of)| enabled(of)).map(|(declared, _)| declared).collect()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

/// True where an image needs no pull and no build.
///
/// # Errors
/// Why the daemon does not say.
pub async fn has_image(name: &str) -> Result<bool, String> {
    Docker::connect().await?.has_image(name).await
}

/// A running project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its containers, in order.
    pub containers: Vec<Seen>,
    /// Those that can be read.
    pub members: Vec<Member>,
}

/// One container of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// As results name it.
    pub name: String,
    /// `running`, `exited with 0` and so on.
    pub state: String,
    /// What its health check says, if it has one.
    pub health: Option<&'static str>,
    /// True for one that is up, or has done its work and ended well.
    pub is_well: bool,
}

/// The running projects of a target: the one to attach to, else all that were started from its directory.
///
/// # Errors
/// Why the daemon does not say.
pub async fn projects(spec: &ComposeSpec, root: &Path) -> Result<Vec<Project>, String> {
    let docker = Docker::connect().await?;
    let names = if spec.attach {
        let name = attach::project(spec, root);
        docker.running_projects().await?.into_iter().filter(|other| *other == name).collect()
    } else {
        let file = spec.files.first().map(|file| root.join(file)).unwrap_or_default();
        docker.projects_in(file.parent().unwrap_or(root)).await?
    };
    let mut projects = Vec::new();
    for name in names {
        let containers = docker.containers(&name).await?;
        let members = state::members(&containers, &[]);
        let containers = state::named(&containers).into_iter().map(|(name, one)| seen(name, one));
        projects.push(Project { name, containers: containers.collect(), members });
    }
    Ok(projects)
}

/// The name of the project that a target attaches to.
#[must_use]
pub fn attached(spec: &ComposeSpec, root: &Path) -> Option<String> {
    spec.attach.then(|| attach::project(spec, root))
}

fn seen(name: String, container: &Container) -> Seen {
    let state = match &container.state {
        State::Running => "running".to_owned(),
        State::Exited { code, out_of_memory: true } => format!("exited with {code}, out of memory"),
        State::Exited { code, .. } => format!("exited with {code}"),
        State::Other(state) => state.clone(),
        State::Dead => "dead".to_owned(),
    };
    let health = container.health.as_ref().map(|health| match health {
        Health::Starting => "starting",
        Health::Healthy => "healthy",
        Health::Unhealthy(_) => "unhealthy",
    });
    let is_well = matches!(container.standing(false, true), Standing::Up | Standing::Done);
    Seen { name, state, health, is_well }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(service: &str, image: Option<&str>, builds: bool) -> Declared {
        Declared { service: service.to_owned(), image: image.map(str::to_owned), builds }
    }

    fn check(config: &str, profiles: &[&str], expected: &[Declared]) {
        let profiles: Vec<String> = profiles.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(services(config, &profiles), expected);
    }

    #[test]
    fn what_version_1_prints_is_read() {
        let config = "networks:\n  default:\n    name: x\nservices:\n  api:\n    build:\n      context: /w\n    \
                      image: app:local\n  reporter:\n    command:\n    - --image=none\n    \
                      image: 'app@sha256:1'\n    profiles:\n    - extras\nversion: '3.9'\nvolumes:\n  data: {}\n";
        let api = declared("api", Some("app:local"), true);
        check(config, &[], std::slice::from_ref(&api));
        check(config, &["extras"], &[api, declared("reporter", Some("app@sha256:1"), false)]);
    }

    #[test]
    fn what_version_2_prints_is_read() {
        let config = "name: shop\nservices:\n  api:\n    profiles:\n      - core\n    build:\n      \
                      image: no\n    networks:\n      default: null\n  db:\n    image: postgres:16\n\
                      networks:\n  default:\n    name: shop_default\n";
        let db = declared("db", Some("postgres:16"), false);
        check(config, &["core"], &[declared("api", None, true), db.clone()]);
        check(config, &[], &[db]);
        check("services: {}\n", &[], &[]);
    }
}

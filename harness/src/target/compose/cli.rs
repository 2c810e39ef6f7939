//! Which Compose is installed, and the arguments that it takes.

use std::path::Path;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::host::{Command, run};
use crate::model::spec::target::ComposeSpec;

use super::docker;

/// Variables that would change what a scenario says.
const UNSET: &[&str] = &[
    "COMPOSE_FILE",
    "COMPOSE_PROFILES",
    "COMPOSE_ENV_FILES",
    "COMPOSE_IGNORE_ORPHANS",
    "DOCKER_CONTEXT",
];

/// One of the two ways to call Compose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// `docker compose`, version 2 and later.
    Plugin,
    /// `docker-compose`, of any version from 1.28.
    Standalone,
}

impl Tool {
    /// The one that is installed; the plugin if both are. Looked for once.
    ///
    /// # Errors
    /// What to install.
    pub(super) async fn find() -> Result<Self, String> {
        Self::installed().await.map(|(tool, _)| tool)
    }

    /// The one of [`Tool::find`], and its version.
    ///
    /// # Errors
    /// What to install.
    pub(super) async fn installed() -> Result<(Self, &'static str), String> {
        static FOUND: OnceCell<(Tool, String)> = OnceCell::const_new();
        let (tool, version) = FOUND.get_or_try_init(Self::look_for).await?;
        Ok((*tool, version))
    }

    async fn look_for() -> Result<(Self, String), String> {
        if let Some(version) = version("docker", &["compose", "version", "--short"]).await {
            return Ok((Self::Plugin, version));
        }
        match version("docker-compose", &["version", "--short"]).await {
            None => Err("no Docker Compose is installed: install the package \
                         docker-compose-plugin, docker-compose-v2 or docker-compose"
                .to_owned()),
            Some(version) if is_too_old(&version) => {
                Err(format!("docker-compose is {version}: 1.28 or later is needed for profiles"))
            }
            Some(version) => Ok((Self::Standalone, version)),
        }
    }

    /// The command `verb` on a project, with all that every command on it must have alike.
    pub(super) fn command(
        self,
        spec: &ComposeSpec,
        root: &Path,
        project: &str,
        verb: &[&str],
    ) -> Command {
        let mut args: Vec<String> = match self {
            Self::Plugin => vec!["compose".to_owned()],
            Self::Standalone => Vec::new(),
        };
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        option("--ansi", "never".to_owned());
        option("--project-name", project.to_owned());
        for file in &spec.files {
            option("--file", root.join(file).display().to_string());
        }
        for profile in &spec.profiles {
            option("--profile", profile.clone());
        }
        if let Some(file) = &spec.env_file {
            option("--env-file", root.join(file).display().to_string());
        }
        args.extend(verb.iter().map(|&word| word.to_owned()));
        let mut command = Command::new(self.program(), args);
        command.env = spec.env.clone();
        command.env.insert("COMPOSE_PROJECT_NAME".to_owned(), project.to_owned());
        // The daemon that is watched, whatever the user's current context.
        command.env.insert("DOCKER_HOST".to_owned(), docker::host());
        command.unset = UNSET.iter().map(|&name| name.to_owned()).collect();
        // Where every version looks for `.env`.
        command.cwd = spec.files.first().and_then(|file| root.join(file).parent().map(Into::into));
        command
    }

    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Plugin => "docker",
            Self::Standalone => "docker-compose",
        }
    }
}

/// What a program says its version is, if it is there and knows the command.
async fn version(program: &str, args: &[&str]) -> Option<String> {
    let output = run(&Command::new(program, args.iter().copied()), Duration::from_secs(30)).await;
    let output = output.ok().filter(|output| output.status.success())?;
    Some(output.stdout.trim().to_owned())
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(1)), Some(Ok(minor))) if minor < 28)
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;

    fn check(tool: Tool, spec: &ComposeSpec, expected: &str) {
        let command = tool.command(spec, Path::new("/w"), "p", &["up", "--detach"]);
        assert_eq!(command.to_string(), expected);
        assert_eq!(command.cwd.as_deref(), Some(Path::new("/w/stacks/steady")));
    }

    #[test]
    fn both_tools_get_the_same_arguments() {
        let plain = "--ansi never --project-name p --file /w/stacks/steady/compose.yml up --detach";
        check(Tool::Plugin, &spec(), &format!("docker compose {plain}"));
        check(Tool::Standalone, &spec(), &format!("docker-compose {plain}"));
    }

    #[test]
    fn files_profiles_and_variables_are_passed() {
        let mut spec = spec();
        spec.files.push("/etc/over.yml".into());
        spec.profiles = vec!["core".into(), "load".into()];
        spec.env_file = Some(".env.test".into());
        check(
            Tool::Standalone,
            &spec,
            "docker-compose --ansi never --project-name p --file /w/stacks/steady/compose.yml \
             --file /etc/over.yml --profile core --profile load --env-file /w/.env.test up --detach",
        );
    }

    #[test]
    fn the_version_must_know_profiles() {
        for (version, expected) in
            [("1.27.4", true), ("1.28.0", false), ("1.29.2", false), ("v2.3.0", false), ("", false)]
        {
            assert_eq!(is_too_old(version), expected, "{version}");
        }
    }
}

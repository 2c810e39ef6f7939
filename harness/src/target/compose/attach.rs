//! A running project that is only looked at.

use std::path::Path;

use crate::model::spec::target::ComposeSpec;
use crate::target::TargetError;

use super::docker::Docker;

/// The project's name: as the scenario says, else as Compose would choose it.
pub(super) fn project(spec: &ComposeSpec, root: &Path) -> String {
    let variable = "COMPOSE_PROJECT_NAME";
    spec.project
        .clone()
        .or_else(|| spec.env.get(variable).cloned())
        .or_else(|| std::env::var(variable).ok().filter(|name| !name.is_empty()))
        .or_else(|| {
            let file = root.join(spec.files.first()?);
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            named_in(&text).or_else(|| Some(sanitized(file.parent()?.file_name()?.to_str()?)))
        })
        .unwrap_or_default()
}

/// The value of the top-level key `name`, if it is a plain one.
fn named_in(compose_file: &str) -> Option<String> {
    let value = compose_file.lines().find_map(|line| line.strip_prefix("name:"))?;
    let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains('$')).then(|| value.to_owned())
}

/// The name that Compose makes of a directory's: lower case, of letters, digits, `-` and `_`, and begun by neither.
fn sanitized(directory: &str) -> String {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let name: String = directory.to_lowercase().chars().filter(allowed).collect();
    name.trim_start_matches(['-', '_']).to_owned()
}

/// # Errors
/// A fault of the rig that says which projects do run.
pub(super) async fn must_run(docker: &Docker, project: &str) -> Result<(), TargetError> {
    let running = docker.running_projects().await.map_err(TargetError::rig)?;
    if running.contains(project) {
        return Ok(());
    }
    let others = match running.len() {
        0 => "no other does either".to_owned(),
        _ => format!("these do: {}", running.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Err(TargetError::rig(format!(
        "no Compose project `{project}` runs to attach to ({others}): start it, or name it with `project`"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;

    #[test]
    fn the_name_is_that_of_the_first_files_directory() {
        let check = |directory: &str, expected: &str| {
            let files = vec![format!("{directory}/compose.yml").into()];
            let spec = ComposeSpec { files, ..spec() };
            assert_eq!(project(&spec, Path::new("/w")), expected);
        };
        check("stacks/steady", "steady");
        check("My App.v2", "myappv2");
        check("_private-stack", "private-stack");
    }

    #[test]
    fn a_name_that_is_given_goes_first() {
        let named = ComposeSpec { project: Some("mine".into()), ..spec() };
        assert_eq!(project(&named, Path::new("/w")), "mine");
        let env = [("COMPOSE_PROJECT_NAME".to_owned(), "ours".to_owned())].into();
        assert_eq!(project(&ComposeSpec { env, ..spec() }, Path::new("/w")), "ours");
    }

    #[test]
    fn a_file_may_name_its_project() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(named_in(text).as_deref(), expected, "{text}");
        };
        check("# a stack\nname: shop # ours\nservices: {}\n", Some("shop"));
        check("name: \"shop\"\n", Some("shop"));
        check("services:\n  name:\n    image: x\n", None);
        check("name: ${STACK}\n", None);
    }
}

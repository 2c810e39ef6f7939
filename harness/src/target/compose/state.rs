//! How the containers of a project stand: which are up, which have done their work, which have failed.

use std::sync::Arc;

use crate::model::{Handle, Member};

/// One container, as far as its state matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    /// The full id.
    pub(super) id: String,
    pub(super) service: String,
    /// Its number among the replicas of its service.
    pub(super) number: u32,
    /// Of a `compose run`: not one of the project's own.
    pub(super) oneoff: bool,
    pub(super) state: State,
    /// The daemon starts it again when it ends like this.
    pub(super) restarts: bool,
    pub(super) health: Option<Health>,
}

/// What a container does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Exited {
        code: i64,
        out_of_memory: bool,
    },
    /// On its way up, or held: `created`, `restarting`, `paused` and so on.
    Other(String),
    #[default]
    Dead,
}

/// What its health check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Starting,
    Healthy,
    /// With what the last check printed.
    Unhealthy(String),
}

/// Whether a container is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Up,
    /// It ended well, as a one-shot does.
    Done,
    NotYet,
    Failed,
}

impl Container {
    /// `watched` by name, it may not end; its health counts only if `health`.
    pub(super) fn standing(&self, watched: bool, health: bool) -> Standing {
        match (&self.state, &self.health) {
            (State::Running, Some(Health::Starting | Health::Unhealthy(_))) if health => {
                Standing::NotYet
            }
            (State::Running, _) => Standing::Up,
            (State::Other(_), _) => Standing::NotYet,
            (State::Exited { .. }, _) if self.restarts => Standing::NotYet,
            (State::Exited { code: 0, .. }, None) if !watched => Standing::Done,
            (State::Exited { .. } | State::Dead, _) => Standing::Failed,
        }
    }

    /// In words, for a message.
    pub(super) fn describe(&self) -> String {
        let name = &self.service;
        match (&self.state, &self.health) {
            (State::Running, None) => format!("{name} is running"),
            (State::Running, Some(Health::Healthy)) => format!("{name} is healthy"),
            (State::Running, Some(Health::Starting)) => {
                format!("{name} is running, its health check has not passed yet")
            }
            (State::Running, Some(Health::Unhealthy(why))) => {
                format!("{name} is unhealthy ({})", why.trim())
            }
            (State::Exited { code, out_of_memory: true }, _) => {
                format!("{name} has exited with {code}, out of memory")
            }
            (State::Exited { code, .. }, _) => format!("{name} has exited with {code}"),
            (State::Other(state), _) => format!("{name} is {state}"),
            (State::Dead, _) => format!("{name} is dead"),
        }
    }
}

/// All of them in words.
pub(super) fn describe(containers: &[Container]) -> String {
    if containers.is_empty() {
        return "there is no container".to_owned();
    }
    let words: Vec<String> =
        containers.iter().filter(|container| !container.oneoff).map(Container::describe).collect();
    words.join(", ")
}

/// The containers of the project's own, with their names: the service's, and the number where it has several.
pub(super) fn named(containers: &[Container]) -> Vec<(String, &Container)> {
    let own = || containers.iter().filter(|container| !container.oneoff);
    let mut named: Vec<(String, &Container)> = own()
        .map(|container| {
            let service = &container.service;
            let replicas = own().filter(|other| other.service == *service).count();
            let name = match replicas {
                1 => service.clone(),
                _ => format!("{service}-{}", container.number),
            };
            (name, container)
        })
        .collect();
    named.sort_by_key(|(_, container)| (&container.service, container.number));
    named
}

/// What there is to read: the containers that run, of the watched services, or of all if none is named.
pub(super) fn members(containers: &[Container], watched: &[String]) -> Vec<Member> {
    named(containers)
        .into_iter()
        .filter(|(_, container)| watched.is_empty() || watched.contains(&container.service))
        .filter(|(_, container)| container.standing(false, false) == Standing::Up)
        .map(|(name, container)| Member {
            name: Arc::from(name),
            handle: Handle::Container { id: container.id.clone() },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, number: u32, state: State) -> Container {
        let id = format!("{service}{number}");
        Container { id, service: service.into(), number, state, ..Container::default() }
    }

    fn exited(code: i64) -> State {
        State::Exited { code, out_of_memory: false }
    }

    #[test]
    fn a_container_stands_as_its_state_and_health_say() {
        use Standing::{Done, Failed, NotYet, Up};
        let sick = || Some(Health::Unhealthy("no answer".into()));
        let check = |state: State, health: Option<Health>, restarts, expected| {
            let container = Container { health, restarts, ..container("api", 1, state) };
            assert_eq!(container.standing(false, true), expected, "{container:?}");
        };
        check(State::Running, None, false, Up);
        check(State::Running, Some(Health::Healthy), false, Up);
        check(State::Running, Some(Health::Starting), false, NotYet);
        check(State::Running, sick(), false, NotYet);
        check(exited(0), None, false, Done);
        check(exited(0), sick(), false, Failed);
        check(exited(1), None, false, Failed);
        check(exited(1), None, true, NotYet);
        check(State::Other("created".into()), None, false, NotYet);
        check(State::Dead, None, true, Failed);
        assert_eq!(container("api", 1, exited(0)).standing(true, true), Failed, "watched by name");
        let sick = Container { health: sick(), ..container("api", 1, State::Running) };
        assert_eq!(sick.standing(true, false), Up, "its health does not matter");
        assert_eq!(sick.describe(), "api is unhealthy (no answer)");
    }

    #[test]
    fn members_are_named_after_their_service_and_numbered_where_it_has_several() {
        let containers = [
            container("web", 2, State::Running),
            container("web", 1, State::Running),
            container("db", 1, State::Running),
            container("migrate", 1, exited(0)),
            Container { oneoff: true, ..container("db", 1, State::Running) },
        ];
        let check = |watched: &[&str], expected: &[&str]| {
            let watched: Vec<String> = watched.iter().map(|&name| name.to_owned()).collect();
            let members = members(&containers, &watched);
            let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
            assert_eq!(names, expected);
        };
        check(&[], &["db", "web-1", "web-2"]);
        check(&["web"], &["web-1", "web-2"]);
        check(&["migrate"], &[]);
    }
}

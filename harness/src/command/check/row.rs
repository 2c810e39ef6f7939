//! [`Row`]: one thing that a run needs and how it stands; all of them as a table, or as one object.

use serde::Serialize;

use crate::report::{table, units};

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is there.
    Ok,
    /// A run needs it, and it is not there, or something is in the way.
    Missing,
    /// It is not there, and need not be.
    Off,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Off => "off",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) state: State,
    /// What was seen of it.
    pub(super) found: String,
    /// What to do, or why nothing need be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// Which scenarios need it; none for what every run needs.
    pub(super) scenarios: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<Container>,
}

/// What a container does, in base units; what is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Container {
    pub(super) project: String,
    pub(super) name: String,
    pub(super) health: Option<&'static str>,
    pub(super) memory_bytes: Option<f64>,
    pub(super) limit_bytes: Option<f64>,
    pub(super) memory_fraction: Option<f64>,
    /// Of one processor.
    pub(super) cpu_usage: Option<f64>,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state,
            found: found.into(),
            hint: None,
            scenarios: Vec::new(),
            container: None,
        }
    }

    pub(super) fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(what, State::Ok, found)
    }

    pub(super) fn missing(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(what, State::Missing, found)
    }

    pub(super) fn off(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(what, State::Off, found)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// All rows for a terminal, of a check of so many scenarios.
pub(super) fn text(rows: &[Row], scenarios: usize) -> String {
    let of = |row: &Row| match row.scenarios.len() {
        0 => "any run".to_owned(),
        all if all == scenarios && all > 1 => "all scenarios".to_owned(),
        _ => row.scenarios.join(", "),
    };
    let parts = rows.iter().filter(|row| row.container.is_none());
    let parts = parts.map(|row| {
        vec![row.state.as_str().to_owned(), row.what.clone(), line(&row.found), of(row)]
    });
    let mut text = table::render(&["state", "what", "found", "needed by"], parts);
    let containers: Vec<_> = rows.iter().filter_map(container).collect();
    if !containers.is_empty() {
        text.push_str("\nContainers\n");
        let header = [
            "state",
            "project",
            "container",
            "status",
            "health",
            "memory",
            "limit",
            "usage",
            "cpu",
        ];
        text.push_str(&table::render(&header, containers));
    }
    for (title, of) in [("To do", true), ("Notes", false)] {
        let mut lines: Vec<String> = rows
            .iter()
            .filter(|row| (row.state == State::Missing) == of)
            .filter_map(|row| Some(format!(" {}: {}\n", row.what, row.hint.as_ref()?)))
            .collect();
        lines.dedup();
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n{}", lines.concat()));
        }
    }
    let missing = rows.iter().filter(|row| row.state == State::Missing).count();
    let end = match missing {
        0 => "ready: a run can start".to_owned(),
        _ => format!("not ready: {missing} missing"),
    };
    format!("{text}\n{end}\n")
}

fn container(row: &Row) -> Option<Vec<String>> {
    let of = row.container.as_ref()?;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let percent = |value: Option<f64>| or_none(value.map(|value| format!("{:.1}%", value * 100.0)));
    Some(vec![
        row.state.as_str().to_owned(),
        of.project.clone(),
        of.name.clone(),
        row.found.clone(),
        or_none(of.health.map(str::to_owned)),
        or_none(of.memory_bytes.map(units::bytes)),
        or_none(of.limit_bytes.map(units::bytes)),
        percent(of.memory_fraction),
        percent(of.cpu_usage),
    ])
}

/// On one line, as a cell must be; other programs say what they want.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All rows for a program: `{ready, rows[]}`.
pub(super) fn json(rows: &[Row]) -> serde_json::Result<String> {
    let object = serde_json::json!({ "ready": super::is_ready(rows), "rows": rows });
    serde_json::to_string_pretty(&object).map(|text| text + "\n")
}

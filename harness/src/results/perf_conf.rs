//! [`PerfConf`]: one section of a `perf.conf`, which says how the tables of one benchmark are found and read.
//!
//! The file is an INI file as Avocado's regression tables have it: `[netperf]`, then `result_file_pattern`,
//! `ignore_col`, `avg_update` and `desc`. Two keys are ours: `better` and `important`.

use crate::model::Better;

/// What a section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerfConf {
    /// The section's name: the test. Paths of its tables contain it.
    pub test: String,
    /// A regular expression that ends the paths of tables.
    pub pattern: String,
    /// How many of the first columns name a row; 1 where the file does not say.
    pub keys: usize,
    /// Columns that are a ratio of two others, taken after averaging.
    pub ratios: Vec<Ratio>,
    /// A sentence for the report.
    pub description: Option<String>,
    /// Directions by column name; `None` of a column that is reported and not judged.
    pub better: Vec<(String, Option<Better>)>,
    /// The columns to stand out in HTML; absent where the names tell.
    pub important: Option<Vec<String>>,
}

/// `avg_update`: the average of column `column` becomes that of `numerator` over that of `denominator`. From 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// The column that is replaced.
    pub column: usize,
    /// What is divided.
    pub numerator: usize,
    /// What it is divided by.
    pub denominator: usize,
}

/// What is wrong, at which line, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// A lower-case fragment that says what was expected.
    pub message: String,
}

impl LineError {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

const KEYS: [&str; 6] =
    ["result_file_pattern", "ignore_col", "avg_update", "desc", "better", "important"];

impl PerfConf {
    /// Reads the section `test` of a file's text.
    ///
    /// # Errors
    /// [`LineError`] for a section that is not there, a key that is unknown or missing, and a value of another form.
    pub fn parse(text: &str, test: &str) -> Result<Self, LineError> {
        let sections = sections(text)?;
        let Some(section) = sections.iter().find(|section| section.name == test) else {
            let names: Vec<String> =
                sections.iter().map(|section| format!("[{}]", section.name)).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!("expected a section [{test}]; there are {names}");
            return Err(LineError::new(text.lines().count().max(1), message));
        };
        let mut conf = Self {
            test: test.to_owned(),
            pattern: String::new(),
            keys: 1,
            ratios: Vec::new(),
            description: None,
            better: Vec::new(),
            important: None,
        };
        for Entry { line, key, value } in &section.entries {
            let fail = |message: String| LineError::new(*line, message);
            // A key without a value is one that is not used: `avg_update =`.
            if value.is_empty() && KEYS.contains(&key.as_str()) {
                continue;
            }
            match key.as_str() {
                "result_file_pattern" => conf.pattern.clone_from(value),
                "ignore_col" => {
                    let expected =
                        format!("expected ignore_col to be a number of columns, found {value:?}");
                    conf.keys = value.parse().map_err(|_| fail(expected))?;
                }
                "avg_update" => conf.ratios = ratios(value).map_err(fail)?,
                "desc" => conf.description = Some(value.clone()),
                "better" => conf.better = directions(value).map_err(fail)?,
                "important" => {
                    conf.important =
                        Some(value.split(',').map(|name| name.trim().to_owned()).collect());
                }
                _ => {
                    let known = KEYS.join(", ");
                    return Err(fail(format!(
                        "unknown key {key:?} in [{test}], expected one of {known}"
                    )));
                }
            }
        }
        if conf.pattern.is_empty() {
            let message = format!("[{test}] needs result_file_pattern, such as .*.RHS");
            return Err(LineError::new(section.line, message));
        }
        Ok(conf)
    }
}

struct Section {
    line: usize,
    name: String,
    entries: Vec<Entry>,
}

struct Entry {
    line: usize,
    key: String,
    value: String,
}

/// The sections of an INI file. A line that begins with a blank continues the value before it.
fn sections(text: &str) -> Result<Vec<Section>, LineError> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let (line, content) = (index + 1, raw.trim());
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(Section { line, name: name.trim().to_owned(), entries: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            let message = format!("expected a section such as [netperf], found {content:?}");
            return Err(LineError::new(line, message));
        };
        let continued = raw.starts_with([' ', '\t']);
        if let (true, Some(entry)) = (continued, section.entries.last_mut()) {
            entry.value = format!("{} {content}", entry.value).trim().to_owned();
            continue;
        }
        let Some((key, value)) = content.split_once(['=', ':']) else {
            return Err(LineError::new(line, format!("expected key = value, found {content:?}")));
        };
        let entry = Entry { line, key: key.trim().to_lowercase(), value: value.trim().to_owned() };
        if section.entries.iter().any(|other| other.key == entry.key) {
            return Err(LineError::new(line, format!("key {:?} stands twice", entry.key)));
        }
        section.entries.push(entry);
    }
    Ok(sections)
}

/// `4,2,3|14,5,12`.
fn ratios(text: &str) -> Result<Vec<Ratio>, String> {
    let one = |part: &str| {
        let numbers: Result<Vec<usize>, _> =
            part.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok([column, numerator, denominator]) => {
                Ok(Ratio { column: *column, numerator: *numerator, denominator: *denominator })
            }
            _ => Err(format!(
                "expected avg_update as column,numerator,denominator|..., such as 4,2,3|14,5,12, found {part:?}"
            )),
        }
    };
    text.split('|').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

/// `throughput: higher, cpu: lower, size: none`.
fn directions(text: &str) -> Result<Vec<(String, Option<Better>)>, String> {
    let one = |part: &str| {
        let expected =
            || format!("expected better as column: lower|higher|none, ..., found {part:?}");
        let (name, word) = part.rsplit_once(':').ok_or_else(expected)?;
        let better = match word.trim() {
            "lower" => Some(Better::Lower),
            "higher" => Some(Better::Higher),
            "none" => None,
            _ => return Err(expected()),
        };
        Ok((name.trim().to_owned(), better))
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# tests\n[ntttcp]\nresult_file_pattern = .*.RHS\nignore_col = 1\navg_update =\n\n\
        [netperf]\nresult_file_pattern = .*.RHS\nignore_col = 2\navg_update = 4,2,3|14,5,12|15,6,13\n\
        desc: two\n  lines\nbetter = %CPU: lower, rx:pkts: none\n\n[iozone]\nresult_file_pattern =\n";

    #[test]
    fn a_section_is_read_with_what_it_leaves_out() {
        let conf = PerfConf::parse(FILE, "netperf").unwrap();
        assert_eq!((conf.pattern.as_str(), conf.keys), (".*.RHS", 2));
        assert_eq!(conf.ratios[0], Ratio { column: 4, numerator: 2, denominator: 3 });
        assert_eq!(conf.ratios.len(), 3);
        assert_eq!(conf.description.as_deref(), Some("two lines"));
        let better = [("%CPU", Some(Better::Lower)), ("rx:pkts", None)];
        assert_eq!(conf.better, better.map(|(name, better)| (name.to_owned(), better)));
        let conf = PerfConf::parse(FILE, "ntttcp").unwrap();
        assert_eq!((conf.keys, conf.ratios.len(), conf.important), (1, 0, None));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, test, expected) in [
            (FILE, "fio", "16: expected a section [fio]; there are [ntttcp], [netperf], [iozone]"),
            (FILE, "iozone", "15: [iozone] needs result_file_pattern, such as .*.RHS"),
            ("", "a", "1: expected a section [a]; there are none"),
            ("x = 1", "a", "1: expected a section such as [netperf], found \"x = 1\""),
            ("[a]\nwhat", "a", "2: expected key = value, found \"what\""),
            ("[a]\ndesc=1\ndesc=2", "a", "3: key \"desc\" stands twice"),
            (
                "[a]\nignore_col = two",
                "a",
                "2: expected ignore_col to be a number of columns, found \"two\"",
            ),
        ] {
            assert_eq!(PerfConf::parse(text, test).unwrap_err().to_string(), expected);
        }
        for text in ["avg_update = 1,2", "avg_update = 1,2,x", "better = cpu", "better = cpu: up"] {
            let error = PerfConf::parse(&format!("[a]\n{text}"), "a").unwrap_err();
            let key = text.split(' ').next().unwrap();
            assert!(error.line == 2 && error.message.starts_with(&format!("expected {key} as ")));
        }
        let error = PerfConf::parse("[a]\nbeter = cpu: lower", "a").unwrap_err();
        assert!(error.message.starts_with("unknown key \"beter\" in [a], expected one of"));
    }
}

//! The end of a log, for messages.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How many lines of output a message quotes.
pub const QUOTED: usize = 10;

const BLOCK: u64 = 16 * 1024;

/// The last [`QUOTED`] lines that a file got since it was `from` bytes long, each indented, on lines of their own; or
/// a remark that there are none.
#[must_use]
pub fn tail(file: &Path, from: u64) -> String {
    match read_end(file, from) {
        Ok(text) => quote(&text),
        Err(error) => format!(" (its output in {} cannot be read: {error})", file.display()),
    }
}

/// The last [`QUOTED`] lines of a text, in the form of [`tail`].
#[must_use]
pub fn quote(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return " (it printed nothing)".to_owned();
    }
    let last = &lines[lines.len().saturating_sub(QUOTED)..];
    last.iter().map(|line| format!("\n    {}", line.trim_end())).collect()
}

/// The length of a file; 0 for none.
#[must_use]
pub fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

fn read_end(file: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(BLOCK)).min(length)))?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_quoted() {
        let text: String = (1..=12).map(|n| format!("line {n}\n\n")).collect();
        let quoted = quote(&text);
        assert!(quoted.starts_with("\n    line 3\n") && quoted.ends_with("line 12"), "{quoted}");
        assert_eq!(quote("\n"), " (it printed nothing)");
    }

    #[test]
    fn what_a_file_held_before_is_not_quoted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "old\nnew\n").unwrap();
        assert_eq!(tail(file.path(), 4), "\n    new");
        assert_eq!(length(file.path()), 8);
        assert!(tail(Path::new("/nonexistent"), 0).contains("cannot be read"));
    }
}

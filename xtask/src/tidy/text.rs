//! What holds of every file: it is short, says what it is for, and ends its lines where the text ends.

use super::{Page, Violation};

/// Longer files hold more than one thing. The habit is 150.
const LIMIT: usize = 400;

pub(super) fn check(pages: &[Page]) -> Vec<Violation> {
    pages.iter().flat_map(page).collect()
}

fn page(page: &Page) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut wrong =
        |line, message: String| violations.push(Violation::new(&page.path, line, message));
    for (index, line) in page.text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            wrong(index + 1, "trailing blanks".to_owned());
        }
    }
    if page.path.extension().is_some_and(|ext| ext == "rs") {
        let lines = page.text.lines().count();
        if lines > LIMIT {
            wrong(
                LIMIT + 1,
                format!(
                    "{lines} lines, of which {LIMIT} are allowed: split it by what it is about"
                ),
            );
        }
        if !page.text.starts_with("//! ") {
            wrong(1, "a module opens with `//!`, saying what it is for".to_owned());
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Page, page};

    fn lines(name: &str, text: &str) -> Vec<usize> {
        let found = page(&Page { path: name.into(), text: text.to_owned() });
        found.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn long_files_blanks_and_missing_docs_are_found() {
        assert_eq!(lines("a.rs", "//! A.\n\nfn a() {}\n"), [0; 0]);
        assert_eq!(lines("a.rs", "fn a() {} \n"), [1, 1]);
        assert_eq!(lines("a.rs", &format!("//! A.\n{}", "\n".repeat(LIMIT - 1))), [0; 0]);
        assert_eq!(lines("a.rs", &format!("//! A.\n{}", "\n".repeat(LIMIT))), [LIMIT + 1]);
        assert_eq!(lines("a.md", "a\nb\t\n"), [2]);
    }
}

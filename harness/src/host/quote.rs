//! Words for a POSIX shell: [`quote`] makes one of any text, [`words`] takes a line apart.

/// One word of a shell line that stands for `text`. `None` for a text with a NUL, which no command line can hold.
#[must_use]
pub fn quote(text: &str) -> Option<String> {
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}

/// The words of a line, as a shell takes it apart, with nothing expanded. `None` where a quote is not closed.
#[must_use]
pub fn words(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    use proptest::prelude::*;

    /// What a real shell makes of the quoted texts.
    fn check(texts: &[String]) {
        let quoted: Vec<String> = texts.iter().map(|text| quote(text).unwrap()).collect();
        let line = format!("printf '%s\\0' {}", quoted.join(" "));
        let output = Command::new("/bin/sh").args(["-c", &line]).output().unwrap();
        let expected: String = texts.iter().map(|text| format!("{text}\0")).collect();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{line}");
        assert_eq!(words(&quoted.join(" ")).as_deref(), Some(texts));
    }

    #[test]
    fn what_shells_read_as_syntax_is_only_text() {
        let texts = [
            "",
            "it's",
            "\"",
            "$HOME `id` $(id)",
            "a\nb",
            "*?[a]",
            "\\",
            "!x",
            "-n",
            "~",
            "#",
            "é ☃",
        ];
        check(&texts.map(str::to_owned));
        assert_eq!(quote("a\0b"), None);
        assert_eq!(words("a 'b"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_gives_back_what_was_quoted(
            texts in prop::collection::vec("[^\\x00]{0,20}|['\"\\\\$`!*~ \\t\\n-]{0,10}", 1..6),
        ) {
            check(&texts);
        }
    }
}

//! [`Secrets`]: values that only the environment holds, and that are never written.
//!
//! A scenario says `${env:NAME}`. The value is read when it is used, and from then on every text that leaves the driver
//! has it blotted out, also in the spellings that URLs and JSON give it: a server may well echo what it was sent.

use secrecy::{ExposeSecret as _, SecretString};

use super::DriverError;

/// Where the value of a variable comes from.
pub(super) type Lookup = fn(&str) -> Option<String>;

/// What stands where a secret stood.
const BLOT: &str = "***";
const OPEN: &str = "${env:";

/// The variables of this process.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads secrets, and remembers those it read in order to blot them out.
#[derive(Debug)]
pub(super) struct Secrets {
    lookup: Lookup,
    /// Every spelling of every value read, longest first, so that none is left over as a part of another.
    spellings: Vec<SecretString>,
}

impl Secrets {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup, spellings: Vec::new() }
    }

    /// True where a text names a secret.
    pub(super) fn named_in(text: &str) -> bool {
        text.contains(OPEN)
    }

    /// The names of the variables that a text reads; what is no name is not among them.
    pub(super) fn variables(text: &str) -> impl Iterator<Item = &str> {
        text.split(OPEN).skip(1).filter_map(|rest| {
            let (name, _) = rest.split_once('}')?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            (!name.is_empty() && name.chars().all(is_name)).then_some(name)
        })
    }

    /// The text with its secrets in place; `key` is where it stands in the scenario.
    pub(super) fn resolve(&mut self, text: &str, key: &str) -> Result<SecretString, DriverError> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(OPEN) {
            let name_on = &rest[at + OPEN.len()..];
            let end = name_on.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let name = match end {
                Some(end) if end > 0 && name_on[end..].starts_with('}') => &name_on[..end],
                _ => {
                    return Err(DriverError::rig(format!(
                        "{key}: expected ${{env:NAME}}, with the name of an environment variable"
                    )));
                }
            };
            resolved.push_str(&rest[..at]);
            let secret = self.read(name, key)?;
            resolved.push_str(secret.expose_secret());
            rest = &name_on[name.len() + 1..];
        }
        resolved.push_str(rest);
        Ok(resolved.into())
    }

    /// The text without any secret.
    pub(super) fn redact(&self, text: &str) -> String {
        let blot = |text: String, secret: &SecretString| text.replace(secret.expose_secret(), BLOT);
        self.spellings.iter().fold(text.to_owned(), blot)
    }

    fn read(&mut self, name: &str, key: &str) -> Result<SecretString, DriverError> {
        let fault = |what: &str| {
            DriverError::rig(format!("{key}: the environment variable {name} is {what}"))
        };
        let value = (self.lookup)(name).ok_or_else(|| fault("not set"))?;
        // CI systems pass a secret that they do not have as an empty variable. Blotting out a blank would blot all.
        if value.trim().is_empty() {
            return Err(fault("empty"));
        }
        self.remember(&value);
        Ok(value.into())
    }

    fn remember(&mut self, value: &str) {
        for spelling in spellings(value) {
            let known = |seen: &SecretString| seen.expose_secret() == spelling;
            if !spelling.is_empty() && !self.spellings.iter().any(known) {
                self.spellings.push(spelling.into());
            }
        }
        self.spellings.sort_by_key(|seen| std::cmp::Reverse(seen.expose_secret().len()));
    }
}

/// How a value may look in an answer or a message: as it is, trimmed, in JSON, in the parts of a URL.
fn spellings(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned(), value.trim().to_owned()];
    let json = serde_json::Value::from(value).to_string();
    all.push(json[1..json.len() - 1].to_owned());
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    all.push(value.bytes().map(encoded).collect());
    all.push(value.bytes().map(encoded).collect::<String>().replace("%20", "+"));
    if let Ok(mut url) = reqwest::Url::parse("http://host/") {
        url.set_path(value);
        url.set_query(Some(value));
        let _ = url.set_password(Some(value));
        all.push(url.path().trim_start_matches('/').to_owned());
        all.extend(url.query().map(str::to_owned));
        all.extend(url.password().map(str::to_owned));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3 \"cr/et+é";

    fn secrets() -> Secrets {
        Secrets::new(|name| match name {
            "KEY" => Some(SECRET.to_owned()),
            "LONGER" => Some(format!("{SECRET}{SECRET}!")),
            "EMPTY" => Some(" ".to_owned()),
            _ => None,
        })
    }

    fn check(text: &str, expected: Result<&str, &str>) {
        let resolved = secrets().resolve(text, "driver.agents.headers.X-Key");
        let resolved = resolved.as_ref().map(SecretString::expose_secret);
        let resolved = resolved.map_err(|error| {
            assert!(!error.system, "{text}");
            error.message.strip_prefix("driver.agents.headers.X-Key: ").unwrap()
        });
        assert_eq!(resolved, expected, "{text}");
    }

    #[test]
    fn a_secret_is_read_from_the_environment_and_a_missing_one_names_variable_and_key() {
        check("no secret $KEY {env:KEY}", Ok("no secret $KEY {env:KEY}"));
        check("${env:KEY}", Ok(SECRET));
        check("Bearer ${env:KEY}.${env:KEY}", Ok(&format!("Bearer {SECRET}.{SECRET}")));
        check("${env:NONE}", Err("the environment variable NONE is not set"));
        check("${env:EMPTY}", Err("the environment variable EMPTY is empty"));
        for text in ["${env:}", "${env:KEY", "${env:A B}"] {
            check(text, Err("expected ${env:NAME}, with the name of an environment variable"));
        }
    }

    #[test]
    fn a_secret_is_blotted_out_in_every_spelling() {
        let mut secrets = secrets();
        assert_eq!(secrets.redact(SECRET), SECRET);
        secrets.resolve("${env:KEY}", "key").unwrap();
        for text in [
            SECRET.to_owned(),
            serde_json::json!({ "you sent": SECRET }).to_string(),
            format!("{SECRET:?}"),
            reqwest::Url::parse(&format!("http://h/{SECRET}?k={SECRET}")).unwrap().to_string(),
            "s3+%22cr%2Fet%2B%C3%A9".to_owned(),
            "s3%20%22cr%2Fet%2B%C3%A9".to_owned(),
        ] {
            let shown = secrets.redact(&text);
            assert!(shown.contains("***") && !shown.contains("cr"), "{text} is shown as {shown}");
        }
        assert!(!format!("{secrets:?}").contains("cr/et"));
    }

    #[test]
    fn a_secret_that_holds_another_is_blotted_out_whole() {
        let mut secrets = secrets();
        secrets.resolve("${env:KEY}${env:LONGER}", "key").unwrap();
        assert_eq!(secrets.redact(&format!("<{SECRET}{SECRET}!>")), "<***>");
    }
}

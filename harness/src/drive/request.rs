//! One request of a scenario on its way to the system and back: [`Api`] sends a [`Call`].
//!
//! Every message that leaves here says method, URL, status, what was expected and how the body begins, and no secret.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use secrecy::ExposeSecret as _;

use super::DriverError;
use super::secret::{Lookup, Secrets};
use super::values::Values;
use crate::model::spec::driver::{AgentsSpec, Request, Status};

/// A request as the scenario has it.
pub(super) struct Call<'a> {
    /// Its key in `driver.agents`.
    pub(super) name: &'static str,
    method: &'a str,
    path: &'a str,
    headers: &'a BTreeMap<String, String>,
    body: Option<&'a str>,
    expect: &'a [u16],
}

impl<'a> Call<'a> {
    pub(super) fn new(name: &'static str, request: &'a Request) -> Self {
        let Request { method, path, headers, body, expect } = request;
        Self { name, method, path, headers, body: body.as_deref(), expect }
    }

    pub(super) fn status(status: &'a Status) -> Self {
        let Status { method, path, headers, expect, live: _ } = status;
        Self { name: "status", method, path, headers, body: None, expect }
    }

    /// A plain question for what stands at the base URL.
    pub(super) fn base(headers: &'a BTreeMap<String, String>) -> Self {
        Self { name: "base_url", method: "GET", path: "", headers, body: None, expect: &[] }
    }

    fn expects(&self, status: StatusCode) -> bool {
        if self.expect.is_empty() {
            status.is_success()
        } else {
            self.expect.contains(&status.as_u16())
        }
    }

    fn expectation(&self) -> String {
        if self.expect.is_empty() {
            return "any 2xx".to_owned();
        }
        let all: Vec<String> = self.expect.iter().map(ToString::to_string).collect();
        all.join(" or ")
    }
}

/// An answer with an expected status.
#[derive(Debug)]
pub(super) struct Answer {
    /// Method and URL, to be quoted.
    pub(super) request: String,
    /// The body as it came.
    pub(super) text: String,
}

/// A request without the wanted answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: DriverError,
    /// True where asking again may help: no answer at all, or one that tells of trouble on the other side.
    pub(super) passing: bool,
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        Self { error, passing: false }
    }
}

/// The application's API: where it is, what is sent with every request, and the secrets in both.
#[derive(Debug)]
pub(super) struct Api {
    client: reqwest::Client,
    base_url: String,
    headers: BTreeMap<String, String>,
    secrets: Secrets,
}

impl Api {
    pub(super) fn new(spec: &AgentsSpec, lookup: Lookup) -> Result<Self, DriverError> {
        let client = crate::host::http::client(spec.timeout.0).map_err(|error| {
            DriverError::rig(format!("no HTTP client can be had: {}", causes(&error)))
        })?;
        let (base_url, headers) = (spec.base_url.clone(), spec.headers.clone());
        Ok(Self { client, base_url, headers, secrets: Secrets::new(lookup) })
    }

    /// Makes the request without sending it, for what may be wrong in the scenario.
    pub(super) fn check(
        &mut self,
        call: &Call<'_>,
        values: &Values<'_>,
    ) -> Result<(), DriverError> {
        self.request(call, values).map(drop)
    }

    /// Sends the request and reads the answer, which takes no longer than `timeout`.
    pub(super) async fn send(
        &mut self,
        call: &Call<'_>,
        values: &Values<'_>,
        timeout: Duration,
    ) -> Result<Answer, Failure> {
        let mut request = self.request(call, values)?;
        *request.timeout_mut() = Some(timeout);
        let shown = self.redact(&format!("{} {}", request.method(), request.url()));
        let (status, text) = self.exchange(request).await.map_err(|error| {
            let message = format!("{shown} failed: {}", causes(&error.without_url()));
            Failure { error: DriverError::system(self.redact(&message)), passing: true }
        })?;
        if !call.expects(status) {
            let (expected, body) = (call.expectation(), self.excerpt(&text));
            let message = format!("{shown} answered {status}, expected {expected}: {body}");
            let passing = status.is_server_error();
            return Err(Failure { error: DriverError::system(self.redact(&message)), passing });
        }
        Ok(Answer { request: shown, text })
    }

    /// Sends the request and says with which status it was answered, whatever that is.
    pub(super) async fn status(
        &mut self,
        call: &Call<'_>,
        values: &Values<'_>,
        timeout: Duration,
    ) -> Result<u16, DriverError> {
        let mut request = self.request(call, values)?;
        *request.timeout_mut() = Some(timeout);
        let answer = self.exchange(request).await;
        answer
            .map(|(status, _)| status.as_u16())
            .map_err(|error| DriverError::system(self.redact(&causes(&error.without_url()))))
    }

    /// The text without any secret.
    pub(super) fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// How a body begins, on one line and without any secret.
    pub(super) fn excerpt(&self, body: &str) -> String {
        const SHOWN: usize = 200;
        // Secrets first: a cut through one would leave its beginning.
        let text = self.redact(body).split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(SHOWN) {
            None if text.is_empty() => "(no body)".to_owned(),
            None => text,
            Some((end, _)) => format!("{}...", &text[..end]),
        }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
    ) -> Result<(StatusCode, String), reqwest::Error> {
        let response = self.client.execute(request).await?;
        let status = response.status();
        let body = response.bytes().await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn request(
        &mut self,
        call: &Call<'_>,
        values: &Values<'_>,
    ) -> Result<reqwest::Request, DriverError> {
        let key = format!("driver.agents.{}", call.name);
        let url = self.url(call, values, &key)?;
        let mut headers = HeaderMap::new();
        for (at, own) in [("driver.agents", &self.headers), (&key, call.headers)] {
            for (name, value) in own {
                let (name, value) = header(
                    &mut self.secrets,
                    values,
                    name,
                    value,
                    &format!("{at}.headers.{name}"),
                )?;
                headers.insert(name, value);
            }
        }
        let mut request = self.client.request(method(call.method, &key)?, url);
        if let Some(body) = call.body {
            let at = format!("{key}.body");
            let body = self.secrets.resolve(&values.render(body, &at)?, &at)?;
            request = request.body(body.expose_secret().to_owned());
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        request.headers(headers).build().map_err(|error| {
            let message = format!("{key} makes no request: {}", causes(&error.without_url()));
            DriverError::rig(self.redact(&message))
        })
    }

    fn url(&mut self, call: &Call<'_>, values: &Values<'_>, key: &str) -> Result<Url, DriverError> {
        let (base_at, path_at) = ("driver.agents.base_url", format!("{key}.path"));
        let base = self.secrets.resolve(&values.render(&self.base_url, base_at)?, base_at)?;
        let path = self.secrets.resolve(&values.render(call.path, &path_at)?, &path_at)?;
        let (base, path) = (base.expose_secret().trim_end_matches('/'), path.expose_secret());
        let slash = if path.is_empty() || path.starts_with(['/', '?']) { "" } else { "/" };
        let text = format!("{base}{slash}{path}");
        let fault = |why: &str| {
            let message =
                format!("{base_at} and {path_at} make no http:// or https:// URL ({why}): {text}");
            DriverError::rig(self.redact(&message))
        };
        let url = Url::parse(&text).map_err(|error| fault(&error.to_string()))?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            scheme => Err(fault(&format!("the scheme is {scheme}"))),
        }
    }
}

fn method(word: &str, key: &str) -> Result<Method, DriverError> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    known.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(word)).ok_or_else(|| {
        let expected = "expected GET, POST, PUT, PATCH or DELETE";
        DriverError::rig(format!("{key}.method: {expected}, found {word:?}"))
    })
}

fn header(
    secrets: &mut Secrets,
    values: &Values<'_>,
    name: &str,
    value: &str,
    key: &str,
) -> Result<(HeaderName, HeaderValue), DriverError> {
    let value = secrets.resolve(&values.render(value, key)?, key)?;
    let fault = |what: &str| DriverError::rig(format!("{key}: {what}"));
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault("not a header name"))?;
    let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| {
        fault("the value has a character that no header may have, such as a line break")
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// An error with what caused it, which is where an HTTP client says that a connection was refused.
fn causes(error: &dyn Error) -> String {
    let mut all = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if all.last() != Some(&said) {
            all.push(said);
        }
        source = cause.source();
    }
    all.join(": ")
}

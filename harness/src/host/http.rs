//! The HTTP client that everything but load uses: [`client`].

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// A client whose requests fail after `timeout`.
///
/// It reaches its host directly, without the proxies that the environment names: a proxy on the way would be measured too.
/// It follows no redirects, which would carry secret headers to another host.
///
/// # Errors
/// The client's own error when its TLS set-up cannot be had.
pub fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    // An error means that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || ClientBuilder::new().timeout(timeout).no_proxy().redirect(Policy::none());
    // A host without certificate authorities can do plain HTTP all the same.
    builder().build().or_else(|_| builder().tls_certs_only([]).build())
}

/// The status that a GET of this URL is answered with.
///
/// # Errors
/// Why there is no answer, without the URL.
pub async fn status(url: &str, within: Duration) -> Result<u16, String> {
    let asked = async { client(within)?.get(url).send().await };
    asked.await.map(|answer| answer.status().as_u16()).map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_had_on_any_host() {
        client(Duration::from_secs(1)).unwrap();
        client(Duration::from_secs(1)).unwrap();
    }
}

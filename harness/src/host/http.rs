//! The HTTP client that everything but load uses.

use std::time::Duration;

/// A client whose requests fail after `timeout`.
///
/// # Errors
/// The client's own error when its TLS set-up cannot be had.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(timeout).build()
}

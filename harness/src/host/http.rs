//! The one way to an HTTP client for everything that is not load: [`http_client`].
//!
//! Load is sent by `drive` over hyper; this client asks cAdvisor, Prometheus, readiness checks and control endpoints.

use std::time::Duration;

use reqwest::{Client, Error};

/// A client that gives up on a request after `timeout`.
///
/// It trusts the certificates of this machine. A slim container has none, and there plain `http://` works all the
/// same: only `https://` is refused.
///
/// # Errors
/// When the resolver or the TLS library cannot be set up.
pub fn http_client(timeout: Duration) -> Result<Client, Error> {
    // Somebody else may have installed a provider already; either serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || Client::builder().timeout(timeout).connect_timeout(timeout);
    builder().build().or_else(|_no_certificates_here| builder().tls_certs_only([]).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_needs_no_certificates() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        assert!(Client::builder().tls_certs_only([]).build().is_ok());
        assert!(http_client(Duration::from_secs(1)).is_ok());
    }
}

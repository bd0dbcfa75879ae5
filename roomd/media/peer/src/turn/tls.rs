// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who is believed to be a server: whoever the system's authorities or the administration's own one
//! vouch for, nobody else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::failure::Failure;

/// Reads the authorities, as they are now.
pub(super) async fn load(ca_file: Option<PathBuf>) -> Result<Arc<ClientConfig>, Failure> {
    tokio::task::spawn_blocking(move || config(ca_file.as_deref()))
        .await
        .map_err(|_| Failure::Broke)?
}

fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Failure> {
    let extra = ca_file.map(authorities).transpose()?.unwrap_or_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(extra, provider.clone()).map_err(|_| Failure::Authority)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Failure::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let pem = std::fs::read(path).map_err(|_| Failure::Authority)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::Authority)?;
    if found.is_empty() {
        return Err(Failure::Authority);
    }
    Ok(found)
}

/// What a handshake broke on.
pub(super) fn failure(error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate,
        Some(_) | None => Failure::Tls,
    }
}

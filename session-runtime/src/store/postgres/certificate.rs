//! Whose certificates are good enough.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::super::{StoreError, StoreErrorKind};

/// A certificate for the host that was asked for, by an authority that this machine trusts.
pub(super) fn of_this_host() -> Result<ClientConfig, StoreError> {
    Ok(builder()?.with_root_certificates(roots()?).with_no_client_auth())
}

/// A certificate by an authority that this machine trusts.
pub(super) fn of_an_authority() -> Result<ClientConfig, StoreError> {
    let by_name = WebPkiServerVerifier::builder_with_provider(Arc::new(roots()?), provider()).build();
    let by_name =
        by_name.map_err(|source| wrong("TLS could not be set up; see the source of this error").with_source(source))?;
    verified_by(AnyHost { by_name: Some(by_name), provider: provider() })
}

/// Any certificate: this keeps out who listens, and not who takes the server's place.
pub(super) fn of_anybody() -> Result<ClientConfig, StoreError> {
    verified_by(AnyHost { by_name: None, provider: provider() })
}

fn verified_by(verifier: AnyHost) -> Result<ClientConfig, StoreError> {
    Ok(builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, StoreError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|source| wrong("TLS could not be set up; see the source of this error").with_source(source))
}

/// Named, because another crate can have brought a second one.
fn provider() -> Arc<CryptoProvider> {
    rustls::crypto::ring::default_provider().into()
}

fn roots() -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(wrong("this machine trusts no certificate authority; give the store its own with `tls`"));
    }
    Ok(roots)
}

fn wrong(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message)
}

/// Takes a certificate for whatever host, by a trusted authority or, without `by_name`, by anybody.
#[derive(Debug)]
struct AnyHost {
    by_name: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(by_name) = &self.by_name else { return Ok(ServerCertVerified::assertion()) };
        match by_name.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

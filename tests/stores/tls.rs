//! Encrypted connections to real servers, with certificates that the test makes.
//!
//! Whom a machine trusts is read from its files, or from what `SSL_CERT_FILE` names. So that tests beside are not
//! disturbed, what depends on it happens in a process of its own: this test program again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use session_runtime::store::{PostgresOptions, connect};
use session_runtime::{Session, Sessions};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};
use tempfile::TempDir;

#[derive(Session)]
#[session(name = "encrypted")]
struct Visitor {
    visits: u32,
}

/// A certificate of a server, and the authority that signed it, as files.
struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn of(host: &str) -> Self {
        let mut authority = CertificateParams::new([]).expect("parameters");
        authority.distinguished_name.push(DnType::CommonName, format!("the authority of {host}"));
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new([host.to_owned()]).expect("a host");
        let server = server.signed_by(&key, &authority).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in
            [("authority", authority.pem()), ("certificate", server.pem()), ("key", key.serialize_pem())]
        {
            fs::write(folder.path().join(name), text).expect("a writable folder");
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn redis(&self) -> RedisServer {
        RedisServer::start_with_tls(&self.file("certificate"), &self.file("key"))
    }

    fn postgres(&self) -> PostgresServer {
        postgres_server::give(self.folder.path());
        let [certificate, key] = ["certificate", "key"].map(|name| self.file(name).display().to_string());
        PostgresServer::start(&[
            ("ssl", "on"),
            ("ssl_cert_file", &certificate),
            ("ssl_key_file", &key),
            ("fsync", "off"),
        ])
    }
}

/// The address of a server of which the client asks for an encrypted connection.
fn encrypted(server: &PostgresServer) -> String {
    format!("{}?sslmode=require", server.url())
}

/// Where the other process finds what to visit.
const URL: &str = "SESSION_TEST_TLS_URL";

/// Counts a visit, in a process that trusts this authority alone. Returns what it said, and whether all went well.
fn visit(url: &str, authority: &Path) -> (bool, String) {
    let test = concat!(module_path!(), "::visits_in_another_process");
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(URL, url)
        .env("SSL_CERT_FILE", authority)
        .env_remove("SSL_CERT_DIR")
        .output()
        .expect("this program");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(said.contains("1 test"), "{said}");
    (output.status.success(), said)
}

#[tokio::test]
#[ignore = "the other tests run it in a process of its own"]
async fn visits_in_another_process() {
    let url = env::var(URL).expect("the address of a server");
    let store = connect(&url).await.unwrap_or_else(|error| panic!("refused: {error:?}"));
    let sessions = Sessions::<Visitor>::new(store);
    let visits = sessions.update("42", |visitor| {
        *visitor.edit().visits() += 1;
        visitor.visits
    });
    println!("visit {}", visits.await.expect("a visit"));
}

/// A server whose certificate is of another host is refused by who trusts its authority, and by who does not.
fn is_refused_for_its_certificate(url: &str, certificate: &Certificate) {
    let stranger = Certificate::of("127.0.0.1");
    for (authority, reason) in [(&stranger, "unknownissuer"), (certificate, "notvalidforname")] {
        let (well, said) = visit(url, &authority.file("authority"));
        // The engines' clients write the same reason in different ways.
        let is_said = said.replace(' ', "").to_lowercase().contains(reason);
        assert!(!well && said.contains("refused: ") && is_said, "{reason}: {said}");
    }
}

#[test]
fn redis_is_reached_over_tls_when_its_certificate_is_trusted() {
    if !redis_server::is_available() {
        return;
    }
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.redis();
    for count in 1..=2 {
        let (well, said) = visit(&server.url(), &certificate.file("authority"));
        assert!(well && said.contains(&format!("visit {count}")), "{said}");
    }
}

#[test]
fn a_redis_server_whose_certificate_is_not_trusted_or_of_another_host_is_refused() {
    if !redis_server::is_available() {
        return;
    }
    let certificate = Certificate::of("sessions.example");
    is_refused_for_its_certificate(&certificate.redis().url(), &certificate);
}

#[test]
fn postgres_is_reached_over_tls_when_its_certificate_is_trusted() {
    if !postgres_server::is_available() {
        return;
    }
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.postgres();
    for count in 1..=2 {
        let (well, said) = visit(&encrypted(&server), &certificate.file("authority"));
        assert!(well && said.contains(&format!("visit {count}")), "{said}");
    }
}

#[test]
fn a_postgres_server_whose_certificate_is_not_trusted_or_of_another_host_is_refused() {
    if !postgres_server::is_available() {
        return;
    }
    let certificate = Certificate::of("sessions.example");
    is_refused_for_its_certificate(&encrypted(&certificate.postgres()), &certificate);
}

#[tokio::test]
async fn postgres_trusts_the_authority_that_the_program_names() {
    if !postgres_server::is_available() {
        return;
    }
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.postgres();
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(certificate.file("authority")).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = rustls::crypto::ring::default_provider().into();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // The address does not ask for encryption: the configuration does.
    let store = PostgresOptions::new(server.url()).tls(client).open().await.expect("a store");
    let sessions = Sessions::<Visitor>::new(store);
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a visit");
    let question = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                    WHERE application_name = 'session-runtime'";
    let client = postgres_server::client(&server.url()).await;
    let answer = client.query_one(question, &[]).await.expect("an answer");
    assert_eq!(answer.get::<_, Option<bool>>(0), Some(true), "all connections of the store are encrypted");
}

#[tokio::test]
async fn a_postgres_server_that_cannot_encrypt_is_refused_where_the_address_asks_for_it() {
    if !postgres_server::is_available() {
        return;
    }
    let server = PostgresServer::start(&[]);
    let error = connect(&encrypted(&server)).await.map(drop).expect_err("no encryption");
    assert!(format!("{error:?}").contains("server does not support TLS"), "{error:?}");
}

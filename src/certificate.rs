//! Certificate: the one of the configuration, or the self-signed one of the development profile.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use actors::tls::{Certificate, Certificates, MinVersion, Offer, Terms};
use anyhow::{Context, bail};
use config::{Config, Listener, Protocol, TlsVersion};

/// The names that mail protocols have in ALPN. That of SMTP is not registered; Exim uses it, too. POP3: RFC 2595
const SMTP_NAMES: &[&str] = &["smtp", "esmtp"];
const POP3_NAMES: &[&str] = &["pop3"];

/// Reads what all listeners present.
///
/// # Errors
/// When the files cannot be read or used, or when production has none.
pub fn certificates(config: &Config) -> anyhow::Result<Certificates> {
    let (certificate, key) = files(config)?;
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let made = Certificate::read(&read(&certificate)?, &read(&key)?)
        .with_context(|| format!("TLS with {} and {}", certificate.display(), key.display()))?;
    Ok(Certificates::new(made, []))
}

/// What one listener makes of them.
///
/// # Errors
/// When there is no randomness.
pub fn offer(
    config: &Config,
    listener: &Listener,
    certificates: &Certificates,
) -> anyhow::Result<Arc<Offer>> {
    let terms = Terms {
        min_version: match config.tls.min_version {
            TlsVersion::Tls12 => MinVersion::Tls12,
            TlsVersion::Tls13 => MinVersion::Tls13,
        },
        protocols: match listener.protocol {
            Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => SMTP_NAMES,
            Protocol::Pop3 => POP3_NAMES,
        },
        client_roots: None,
    };
    Ok(Arc::new(Offer::new(certificates.clone(), terms)?))
}

fn files(config: &Config) -> anyhow::Result<(PathBuf, PathBuf)> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => Ok((certificate.clone(), key.clone())),
        _ if config.server.profile.makes_certificate() => self_signed(config),
        _ => bail!("tls.certificate and tls.key are needed where a listener offers TLS"),
    }
}

/// The pair beside the store; made at the first start.
fn self_signed(config: &Config) -> anyhow::Result<(PathBuf, PathBuf)> {
    let certificate = config.server.data.join("development-certificate.pem");
    let key = config.server.data.join("development-key.pem");
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made = rcgen::generate_simple_self_signed([config.server.hostname.as_str().to_owned()])
        .context("cannot make a self-signed certificate")?;
    // The key first: a certificate without its key would never be replaced.
    write(&key, &made.signing_key.serialize_pem(), 0o600)?;
    write(&certificate, &made.cert.pem(), 0o644)?;
    Ok((certificate, key))
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}

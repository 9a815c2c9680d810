//! Certificate: those of the configuration, or the self-signed one of the development profile, and what is odd about
//! them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use actors::{
    clock::Clock,
    listener::ports::Presented,
    tls::{Certificate, Certificates, MinVersion, RootCertStore, Standing, Terms, roots},
};
use anyhow::{Context, anyhow, bail};
use config::{Config, Listener, Protocol, TlsMode, TlsVersion};

/// The names that mail protocols have in ALPN. That of SMTP is not registered; Exim uses it, too. POP3: RFC 2595
const SMTP_NAMES: &[&str] = &["smtp", "esmtp"];
const POP3_NAMES: &[&str] = &["pop3"];

/// The largest file of certificates or a key: the bundle of all authorities that browsers trust is a quarter of it.
const MAX_FILE_OCTETS: u64 = 1 << 20;

/// A certificate, and where it stands in the configuration.
struct Found {
    key: String,
    file: PathBuf,
    certificate: Certificate,
}

/// Reads what all listeners present; makes a self-signed certificate where the profile allows that.
///
/// # Errors
/// Everything that cannot be read or used.
pub fn presented(config: &Config) -> Result<Presented, Vec<String>> {
    if !is_wanted(config) {
        return Ok(Presented::default());
    }
    let fallback = match configured(config) {
        Ok(Some(pair)) => Ok(pair),
        Ok(None) => self_signed(config),
        Err(why) => Err(why),
    };
    let fallback = fallback.map_err(|why| vec![format!("{why:#}")])?;
    let (found, mut mistakes) = read_all(config, Some(fallback));
    let mut all_terms = BTreeMap::new();
    for (name, listener) in &config.listeners {
        match terms(config, name, listener) {
            Ok(terms) if listener.tls != TlsMode::None => {
                all_terms.insert(name.clone(), terms);
            }
            Ok(_) => {}
            Err(why) => mistakes.push(why),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes.iter().map(|why| format!("{why:#}")).collect());
    }
    for warning in warnings(config, &found) {
        tracing::warn!(target: "angarium::tls", "{warning}");
    }
    Ok(Presented {
        certificates: together(found),
        terms: all_terms,
    })
}

/// Reads everything that has to do with TLS without making anything, and says what is odd.
///
/// # Errors
/// Everything that cannot be read or used, each in a line.
pub fn check(config: &Config) -> anyhow::Result<Vec<String>> {
    if !is_wanted(config) {
        return Ok(Vec::new());
    }
    let (found, mut mistakes) = read_all(config, configured(config)?);
    for (name, listener) in &config.listeners {
        if let Err(why) = client_roots(name, listener) {
            mistakes.push(why);
        }
    }
    refuse(mistakes)?;
    Ok(warnings(config, &found))
}

/// The hash of what is in each file that a key names, as far as it can be read.
#[must_use]
pub fn contents(config: &Config) -> BTreeMap<String, [u8; 32]> {
    let mut files: Vec<(String, &PathBuf)> = Vec::new();
    let tls = [
        ("tls.certificate", &config.tls.certificate),
        ("tls.key", &config.tls.key),
    ];
    files.extend(
        tls.into_iter()
            .filter_map(|(key, file)| Some((key.to_owned(), file.as_ref()?))),
    );
    for (name, pair) in &config.certificates {
        let both = [("certificate", &pair.certificate), ("key", &pair.key)];
        let named = both.into_iter();
        files.extend(
            named.filter_map(|(key, file)| Some((format!("certificates.{name}.{key}"), file.as_ref()?))),
        );
    }
    for (name, listener) in &config.listeners {
        let file = listener.client_ca.as_ref();
        files.extend(file.map(|file| (format!("listeners.{name}.client_ca"), file)));
    }
    let hash =
        |(key, file): (String, &PathBuf)| Some((key, *blake3::hash(&contents_of(file).ok()?).as_bytes()));
    files.into_iter().filter_map(hash).collect()
}

/// What one listener asks of those who come over TLS.
fn terms(config: &Config, name: &str, listener: &Listener) -> anyhow::Result<Terms> {
    Ok(Terms {
        min_version: match listener.min_tls.unwrap_or(config.tls.min_version) {
            TlsVersion::Tls12 => MinVersion::Tls12,
            TlsVersion::Tls13 => MinVersion::Tls13,
        },
        protocols: match listener.protocol {
            Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => SMTP_NAMES,
            Protocol::Pop3 => POP3_NAMES,
        },
        client_roots: client_roots(name, listener)?,
        handshake_limit: config.tls.handshake_timeout,
    })
}

fn is_wanted(config: &Config) -> bool {
    config
        .listeners
        .values()
        .any(|listener| listener.tls != TlsMode::None)
}

/// The pair of `[tls]`; none where the profile makes one.
fn configured(config: &Config) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.clone(), key.clone()))),
        _ if config.server.profile.makes_certificate() => Ok(None),
        _ => bail!("tls.certificate and tls.key are needed where a listener offers TLS"),
    }
}

/// Reads the pair that is for everybody, and all others. Goes on behind a mistake, so that one run names all.
fn read_all(config: &Config, fallback: Option<(PathBuf, PathBuf)>) -> (Vec<Found>, Vec<anyhow::Error>) {
    let fallback = fallback.map(|(certificate, key)| ("tls".to_owned(), certificate, key));
    let others = config.certificates.iter().filter_map(|(name, pair)| {
        let (certificate, key) = (pair.certificate.clone()?, pair.key.clone()?);
        Some((format!("certificates.{name}"), certificate, key))
    });
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for (table, certificate, key) in fallback.into_iter().chain(others) {
        match read_pair(&table, &certificate, &key) {
            Ok(read) => found.push(Found {
                key: table,
                file: key,
                certificate: read,
            }),
            Err(why) => mistakes.push(why),
        }
    }
    (found, mistakes)
}

fn read_pair(table: &str, certificate: &Path, key: &Path) -> anyhow::Result<Certificate> {
    let chain = read(&format!("{table}.certificate"), certificate)?;
    let private = read(&format!("{table}.key"), key)?;
    Certificate::read(&chain, &private)
        .with_context(|| format!("{table}: {} with {}", certificate.display(), key.display()))
}

fn read(key: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    contents_of(path).with_context(|| format!("{key}: cannot read {}", path.display()))
}

/// What is in a file of certificates or a key. A pipe, which would hold up every reload behind this one, and what is too
/// large to be meant are errors.
fn contents_of(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut octets = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE_OCTETS + 1)
        .read_to_end(&mut octets)?;
    if octets.len() as u64 > MAX_FILE_OCTETS {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {MAX_FILE_OCTETS} octets"),
        ));
    }
    Ok(octets)
}

fn client_roots(name: &str, listener: &Listener) -> anyhow::Result<Option<Arc<RootCertStore>>> {
    let Some(path) = &listener.client_ca else {
        return Ok(None);
    };
    let key = format!("listeners.{name}.client_ca");
    let roots = roots(&read(&key, path)?).with_context(|| format!("{key}: {}", path.display()))?;
    Ok(Some(Arc::new(roots)))
}

/// All mistakes as one error, each in a line.
fn refuse(mistakes: Vec<anyhow::Error>) -> anyhow::Result<()> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = mistakes.iter().map(|why| format!("{why:#}")).collect();
    Err(anyhow!(lines.join("\n")))
}

fn together(found: Vec<Found>) -> Option<Certificates> {
    let mut certificates = found.into_iter().map(|found| found.certificate);
    let fallback = certificates.next()?;
    Some(Certificates::new(fallback, certificates))
}

/// What works and is probably not meant.
fn warnings(config: &Config, found: &[Found]) -> Vec<String> {
    let now = Clock::system().timestamp();
    let mut warnings = Vec::new();
    for Found {
        key,
        file,
        certificate,
    } in found
    {
        match certificate.standing(now) {
            Standing::Valid => {}
            Standing::NotYet(from) => {
                warnings.push(format!("{key}: the certificate is not valid before {from}"))
            }
            Standing::Expired(at) => warnings.push(format!("{key}: the certificate has expired at {at}")),
        }
        let hostname = config.server.hostname.as_str();
        if key == "tls" && !certificate.covers(hostname) {
            warnings.push(format!(
                "tls: the certificate is not for {hostname} (server.hostname): clients that verify it go away"
            ));
        }
        if certificate.names().is_empty() {
            warnings.push(format!("{key}: the certificate is for no name"));
        }
        if fs::metadata(file).is_ok_and(|file| file.mode() & 0o007 != 0) {
            warnings.push(format!(
                "{key}.key: everybody on this machine may read {}",
                file.display()
            ));
        }
    }
    warnings
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_directories_and_what_is_too_large_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("whole");
        fs::write(&whole, vec![b'x'; MAX_FILE_OCTETS as usize]).unwrap();
        assert_eq!(contents_of(&whole).unwrap().len() as u64, MAX_FILE_OCTETS);
        let larger = dir.path().join("larger");
        fs::write(&larger, vec![b'x'; MAX_FILE_OCTETS as usize + 1]).unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [
            &larger,
            &pipe,
            &dir.path().to_path_buf(),
            &dir.path().join("none"),
        ] {
            assert!(contents_of(path).is_err(), "{}", path.display());
        }
        assert!(contents_of(Path::new("/dev/zero")).is_err());
    }
}

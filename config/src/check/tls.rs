//! What of TLS does not go together.

use super::Check;
use crate::certificate::Certificate;
use crate::error::Mistake;
use crate::listener::{Listener, TlsMode};

/// Certificates of one server: each listener keeps something for each.
const MAX_CERTIFICATES: usize = 1_000;

impl Check<'_> {
    /// Every certificate has its two files.
    pub(super) fn certificates(&mut self) {
        let certificates = &self.draft.config.certificates;
        if certificates.len() > MAX_CERTIFICATES {
            let sentence = format!("more than {MAX_CERTIFICATES} certificates");
            self.conflict(&["certificates"], "certificates", sentence);
        }
        for (name, Certificate { certificate, key }) in certificates.iter().take(MAX_CERTIFICATES) {
            for (which, file, what) in [
                ("certificate", certificate, "the file with the certificate"),
                ("key", key, "the file with its key"),
            ] {
                let path = format!("certificates.{name}.{which}");
                if file.is_none() {
                    self.report(&[&path], &path, Mistake::Missing(what.to_owned()));
                }
            }
        }
    }

    /// What only TLS can do is not asked of a listener without it.
    pub(super) fn tls_of(&mut self, name: &str, listener: &Listener) {
        if listener.tls != TlsMode::None {
            return;
        }
        let asked = [
            ("min_tls", listener.min_tls.is_some()),
            ("client_ca", listener.client_ca.is_some()),
        ];
        for (key, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
            let [mode, path] = ["tls", key].map(|key| format!("listeners.{name}.{key}"));
            let sentence = format!("there is no TLS on this listener: {mode} = \"none\"");
            self.conflict(&[&path, &mode], &path, sentence);
        }
    }
}

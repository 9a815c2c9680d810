//! Bindings: what names the TLS connection on both of its ends, so that nobody in between can pass a proof on.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// The channel bindings of a connection; those that it has not are absent.
#[derive(Clone, Default)]
pub struct Bindings {
    /// Keying material of TLS 1.3, or of TLS 1.2 with the extended master secret. RFC 9266
    pub exporter: Option<Secret>,
    /// Hash of the certificate that the server showed. RFC 5929 §4
    pub end_point: Option<Secret>,
}

impl Bindings {
    /// Whether there is nothing to bind to.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.end_point.is_none()
    }

    /// The binding of a registered name. tls-unique is none of them: TLS 1.3 has it not. RFC 9266 §1
    fn of_name(&self, name: &str) -> Option<&Secret> {
        match name {
            "tls-exporter" => self.exporter.as_ref(),
            "tls-server-end-point" => self.end_point.as_ref(),
            _ => None,
        }
    }

    /// Whether the connection has a binding of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.of_name(name).is_some()
    }

    /// Whether the connection's binding of this name is this.
    pub(super) fn is(&self, name: &str, octets: &[u8]) -> bool {
        self.of_name(name)
            .is_some_and(|binding| bool::from(binding.expose().ct_eq(octets)))
    }
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings")
            .field("exporter", &self.exporter.is_some())
            .field("end_point", &self.end_point.is_some())
            .finish()
    }
}

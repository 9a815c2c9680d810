//! The sections `routes."<domain>"`: domains that are not delivered in the ordinary way.

use crate::section::section;
use crate::setting::words;

words! {
    /// Where the recipients of a domain go.
    pub enum RouteKind ("one of") {
        /// To the accounts and aliases of the store: what every local domain does anyway.
        Local = "local",
        /// Nowhere: every recipient is accepted, durably, and then removed instead of delivered. It measures intake.
        Discard = "discard",
    }
}

section! {
    /// A domain that is not delivered in the ordinary way. Domains, accounts and aliases live in the store
    /// and need nothing here.
    pub struct Route {
        /// "local" (the accounts and aliases of the store) or "discard" (accepted, durably, then removed:
        /// to measure intake alone).
        kind: RouteKind = RouteKind::Local;
    }
}

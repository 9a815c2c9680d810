//! KeepConfiguration: what is in force now can be returned to later.

use message::id::ReceiptId;

use crate::record::configuration::KeptConfiguration;

/// A configuration has come into force. What is kept under its id already stays: a repeat changes nothing.
///
/// `TooLarge` when it is beyond its bounds, or more is to be forgotten than is ever kept.
#[derive(Clone, Debug)]
pub struct KeepConfiguration {
    /// The configuration.
    pub kept: KeptConfiguration,
    /// Older ones that go, so that no more than [`MAX_KEPT_CONFIGURATIONS`] are kept.
    ///
    /// [`MAX_KEPT_CONFIGURATIONS`]: crate::record::configuration::MAX_KEPT_CONFIGURATIONS
    pub forget: Vec<ReceiptId>,
}

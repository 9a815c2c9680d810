//! Terms: what the configuration allows the sessions of a listener.

use std::time::Duration;

use smtp::{EarlyTalkers, Mechanisms, Mode, Offers, Settings, Timeouts};

use crate::{connection::Security, sasl::Offer};

/// What the configuration allows the sessions of a listener.
#[must_use]
pub fn settings(
    config: &config::Config,
    listener: &config::Listener,
    security: &Security,
    loopback: bool,
) -> Settings {
    let smtp = &config.smtp;
    let offer = Offer::of(config, listener, loopback);
    Settings {
        mode: match listener.protocol {
            config::Protocol::Submission => Mode::Submission,
            config::Protocol::Lmtp => Mode::Lmtp,
            config::Protocol::Smtp | config::Protocol::Pop3 => Mode::Relay,
        },
        max_message_size: smtp.max_message_size.as_bytes(),
        max_recipients: smtp.max_recipients as usize,
        max_errors: smtp.max_errors,
        max_unknown_commands: smtp.max_unknown_commands,
        max_refused_recipients: smtp.max_refused_recipients,
        max_commands_without_mail: smtp.max_commands_without_mail,
        max_transactions: smtp.max_transactions,
        max_hops: smtp.max_hops,
        starttls: matches!(security, Security::StartTls(_)),
        mechanisms: Mechanisms {
            clear: offer.clear,
            tls: offer.tls,
        },
        early_talkers: match smtp.early_talkers {
            config::EarlyTalkers::Reject => EarlyTalkers::Reject,
            config::EarlyTalkers::Defer => EarlyTalkers::Defer,
        },
        timeouts: Timeouts {
            // Who submits or is a neighbour is known by other means.
            greeting: match listener.protocol {
                config::Protocol::Smtp => smtp.greeting_delay,
                config::Protocol::Submission | config::Protocol::Lmtp | config::Protocol::Pop3 => {
                    Duration::ZERO
                }
            },
            command: smtp.command_timeout,
            data_block: smtp.data_block_timeout,
            data_total: smtp.data_timeout,
            session_total: smtp.session_timeout,
        },
        // The others promise what only a queue that sends and reports can keep.
        offers: Offers {
            utf8: true,
            binary_mime: true,
            ..Offers::default()
        },
        ..Settings::new(config.server.hostname.as_str())
    }
}

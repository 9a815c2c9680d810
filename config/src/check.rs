//! What no section can see alone: values that are well in themselves, but not beside others.

mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::draft::Draft;
use crate::duration::print_duration;
use crate::error::{ConfigError, Mistake, Place};
use crate::listener::{Listener, PlaintextAuth, Protocol, TlsMode};
use crate::profile::Profile;

/// Listeners of one server: each has its acceptor and its ceiling of connections.
const MAX_LISTENERS: usize = 64;
/// Addresses of one listener: each has its socket.
const MAX_BINDS: usize = 16;
/// The port of SMTP between servers. RFC 5321 §4.5.4.2
const SMTP_PORT: u16 = 25;
/// Argon2 needs 8 KiB for each lane (RFC 9106 §3.1).
const ARGON2_LANE: u64 = 8 * 1024;
/// Memory times passes of one hash, at most: about a second of one core.
const ARGON2_WORK: u64 = 1 << 30;

/// Adds every conflict to the draft's errors. A value with a mistake of its own is not held against another.
/// What has no place of its own is placed at `file`.
pub(crate) fn check(draft: &mut Draft, file: Option<&Arc<str>>) {
    if draft.is_lost {
        // What seems to be missing may stand in what could not be read.
        return;
    }
    let nowhere = file.map_or_else(|| Place::whole(&"settings".into()), Place::whole);
    let mut check = Check {
        draft,
        nowhere,
        errors: Vec::new(),
    };
    check.listeners();
    check.log();
    check.testing();
    check.listener_binds();
    check.certificate();
    check.certificates();
    check.hostname();
    check.orders();
    let errors = check.errors;
    draft.errors.extend(errors);
}

struct Check<'a> {
    draft: &'a Draft,
    nowhere: Place,
    errors: Vec<ConfigError>,
}

impl Check<'_> {
    /// What every listener needs, and that there is one.
    fn listeners(&mut self) {
        let draft = self.draft;
        let listeners = &draft.config.listeners;
        let (has_tls, has_auth) = (draft.config.tls.enabled, draft.config.auth.enabled);
        if !listeners
            .values()
            .any(|listener| listener.is_opened(has_tls, has_auth))
        {
            let sentence = "at least one listener, such as [listeners.mx] with protocol and bind";
            self.report(&["listeners"], "listeners", Mistake::Missing(sentence.to_owned()));
        }
        if listeners.len() > MAX_LISTENERS {
            self.conflict(
                &["listeners"],
                "listeners",
                format!("more than {MAX_LISTENERS} listeners"),
            );
        }
        for (name, listener) in listeners.iter().filter(|(_, listener)| listener.enabled) {
            for (key, what) in [
                ("protocol", "what is spoken, such as \"smtp\""),
                ("bind", "an address and a port such as \"127.0.0.1:2525\""),
            ] {
                let path = format!("listeners.{name}.{key}");
                let is_empty = key == "bind" && listener.bind.is_empty();
                if draft.place(&path).is_none() || is_empty {
                    self.report(&[&path], &path, Mistake::Missing(what.to_owned()));
                }
            }
            if listener.bind.len() > MAX_BINDS {
                let bind = format!("listeners.{name}.bind");
                self.conflict(&[&bind], &bind, format!("more than {MAX_BINDS} addresses"));
            }
            self.login(name, listener);
            self.lmtp(name, listener);
            self.tls_of(name, listener);
            self.xclient(name, listener);
        }
    }

    fn login(&mut self, name: &str, listener: &Listener) {
        let [tls, plaintext] = ["tls", "plaintext_auth"].map(|key| format!("listeners.{name}.{key}"));
        let has_tls = self.draft.config.tls.enabled;
        let is_clear = listener.tls == TlsMode::None || (!has_tls && listener.tls == TlsMode::Starttls);
        let is_opened = listener.is_opened(has_tls, self.draft.config.auth.enabled);
        let is_shut = is_opened && is_clear && listener.plaintext_auth == PlaintextAuth::Never;
        if listener.protocol.wants_login() && is_shut {
            let sentence = "nobody can log in: there is neither TLS nor leave for passwords without it; \
                            set tls = \"starttls\" or plaintext_auth = \"loopback\"";
            self.conflict(
                &[
                    &tls,
                    &plaintext,
                    &format!("listeners.{name}.protocol"),
                    "tls.enabled",
                ],
                &tls,
                sentence.to_owned(),
            );
        }
    }

    /// Who finds a server on port 25 speaks SMTP. RFC 2033 §5
    fn lmtp(&mut self, name: &str, listener: &Listener) {
        if listener.protocol == Protocol::Lmtp && listener.bind.iter().any(|bind| bind.port() == SMTP_PORT) {
            let [protocol, bind] = ["protocol", "bind"].map(|key| format!("listeners.{name}.{key}"));
            let sentence = format!("LMTP is never spoken on port {SMTP_PORT}, where others expect SMTP");
            self.conflict(&[&protocol, &bind], &bind, sentence);
        }
    }

    /// XCLIENT is a command of SMTP and its kin.
    fn xclient(&mut self, name: &str, listener: &Listener) {
        if listener.protocol == Protocol::Pop3 && !listener.xclient_from.is_empty() {
            let [protocol, networks] =
                ["protocol", "xclient_from"].map(|key| format!("listeners.{name}.{key}"));
            let sentence = "POP3 has no XCLIENT".to_owned();
            self.conflict(&[&protocol, &networks], &networks, sentence);
        }
    }

    /// Two listeners cannot have one port of one address: the one written later is wrong.
    fn listener_binds(&mut self) {
        let draft = self.draft;
        let enabled = draft
            .config
            .listeners
            .iter()
            .filter(|(_, listener)| listener.enabled);
        let mut binds: Vec<(String, SocketAddr)> = enabled
            .flat_map(|(name, listener)| {
                let binds = listener.bind.iter().take(MAX_BINDS);
                binds.map(move |bind| (format!("listeners.{name}.bind"), *bind))
            })
            .collect();
        let http = draft.config.http.bind.iter().take(MAX_BINDS);
        binds.extend(http.map(|bind| ("http.bind".to_owned(), *bind)));
        if draft.config.http.bind.len() > MAX_BINDS {
            let sentence = format!("more than {MAX_BINDS} addresses");
            self.conflict(&["http.bind"], "http.bind", sentence);
        }
        binds.retain(|(path, _)| draft.place(path).is_some() && draft.is_settled(path));
        binds.truncate((MAX_LISTENERS + 1) * MAX_BINDS);
        binds.sort_by_cached_key(|(path, _)| draft.place(path).map(|place| draft.rank(place)));
        for (index, (path, bind)) in binds.iter().enumerate() {
            let earlier = binds
                .iter()
                .take(index)
                .find(|(_, earlier)| overlap(*earlier, *bind));
            if let Some((other, taken)) = earlier {
                let sentence = format!("{bind} is taken by {other} = \"{taken}\"");
                self.conflict(&[path, other], path, sentence);
            }
        }
    }

    /// A certificate and its key come together; production has no other.
    fn certificate(&mut self) {
        let draft = self.draft;
        let tls = &draft.config.tls;
        let paths = ["tls.certificate", "tls.key"];
        match (&tls.certificate, &tls.key) {
            (Some(_), None) => self.missing_beside("tls.key", paths, "the key file of tls.certificate"),
            (None, Some(_)) => {
                self.missing_beside("tls.certificate", paths, "the certificate file of tls.key")
            }
            (Some(_), Some(_)) => {}
            (None, None) => self.certificate_in_production(),
        }
    }

    fn missing_beside(&mut self, path: &str, both: [&str; 2], what: &str) {
        let place = both.iter().find_map(|path| self.draft.place(path)).cloned();
        if both.iter().all(|path| self.draft.is_settled(path)) {
            let place = place.unwrap_or_else(|| self.nowhere.clone());
            let mistake = Mistake::Missing(what.to_owned());
            self.errors.push(ConfigError {
                place,
                key: path.to_owned(),
                mistake,
            });
        }
    }

    fn certificate_in_production(&mut self) {
        let draft = self.draft;
        if draft.config.server.profile != Profile::Production || !draft.config.tls.enabled {
            return;
        }
        let offers = |listener: &Listener| listener.enabled && listener.tls != TlsMode::None;
        let offering = draft
            .config
            .listeners
            .iter()
            .find(|(_, listener)| offers(listener));
        if let Some((name, _)) = offering {
            let sentence = format!(
                "the production profile makes none, and listeners.{name} offers TLS; set tls.certificate and tls.key"
            );
            let mode = format!("listeners.{name}.tls");
            self.report(
                &["tls.certificate", "tls.key", "tls.enabled", &mode],
                "tls.certificate",
                Mistake::Missing(sentence),
            );
        }
    }

    /// A log that is written nowhere is a mistake of the pen.
    fn log(&mut self) {
        let log = &self.draft.config.log;
        if !log.stderr && log.file.is_none() && !log.journald {
            let sentence = "nothing is logged anywhere; give log.file, or set log.journald = true";
            self.conflict(
                &["log.stderr", "log.file", "log.journald"],
                "log.stderr",
                sentence.to_owned(),
            );
        }
    }

    /// Tests that run at once would meet in a directory that none of them has named.
    fn testing(&mut self) {
        let draft = self.draft;
        let is_testing = draft.config.server.profile == Profile::Testing;
        if is_testing && draft.place("server.data").is_none() {
            let sentence =
                "the testing profile has no data directory of its own; give --data with a temporary one";
            self.report(
                &["server.data", "server.profile"],
                "server.data",
                Mistake::Missing(sentence.to_owned()),
            );
        }
    }

    /// Nobody can guess the name that DNS gives a host.
    fn hostname(&mut self) {
        let server = &self.draft.config.server;
        if server.profile.is_public() && server.hostname.as_str() == "localhost" {
            let sentence = "the name that DNS gives this host, such as \"mx.example.org\"";
            self.report(
                &["server.hostname"],
                "server.hostname",
                Mistake::Missing(sentence.to_owned()),
            );
        }
    }

    /// What must not be larger than something else.
    fn orders(&mut self) {
        let config = &self.draft.config;
        let (smtp, pop3, queue) = (&config.smtp, &config.pop3, &config.queue);
        let (store, auth) = (&config.store, &config.auth);
        self.order_durations(
            ("smtp.data_block_timeout", smtp.data_block_timeout),
            ("smtp.data_timeout", smtp.data_timeout),
        );
        self.order_durations(
            ("smtp.command_timeout", smtp.command_timeout),
            ("smtp.session_timeout", smtp.session_timeout),
        );
        self.order_durations(
            ("smtp.data_timeout", smtp.data_timeout),
            ("smtp.session_timeout", smtp.session_timeout),
        );
        self.order_durations(
            ("queue.retry_first", queue.retry_first),
            ("queue.retry_longest", queue.retry_longest),
        );
        self.order_durations(
            ("queue.retry_longest", queue.retry_longest),
            ("queue.retry_for", queue.retry_for),
        );
        self.order_sizes(
            ("store.reserve_file", store.reserve_file),
            ("store.reserve", store.reserve),
        );
        self.order_sizes(
            ("store.max_group_size", store.max_group_size),
            ("store.max_waiting_size", store.max_waiting_size),
        );
        self.order_durations(
            ("pop3.idle_timeout", pop3.idle_timeout),
            ("pop3.session_timeout", pop3.session_timeout),
        );
        self.order_durations(
            ("pop3.login_timeout", pop3.login_timeout),
            ("pop3.session_timeout", pop3.session_timeout),
        );
        self.order_durations(
            ("limits.ban_first", config.limits.ban_first),
            ("limits.ban_longest", config.limits.ban_longest),
        );
        if store.max_group > store.max_waiting {
            let sentence = format!(
                "{} is more than store.max_waiting = {}",
                store.max_group, store.max_waiting
            );
            self.conflict(
                &["store.max_group", "store.max_waiting"],
                "store.max_group",
                sentence,
            );
        }
        let (memory, passes) = (auth.argon2_memory, auth.argon2_iterations);
        if memory.as_bytes() < ARGON2_LANE * u64::from(auth.argon2_parallelism) {
            let lanes = auth.argon2_parallelism;
            let sentence =
                format!("\"{memory}\" is less than 8KiB for each lane of auth.argon2_parallelism = {lanes}");
            self.conflict(
                &["auth.argon2_memory", "auth.argon2_parallelism"],
                "auth.argon2_memory",
                sentence,
            );
        }
        if memory.as_bytes().saturating_mul(u64::from(passes)) > ARGON2_WORK {
            let sentence = format!("\"{memory}\" times auth.argon2_iterations = {passes} is more than 1GiB");
            self.conflict(
                &["auth.argon2_memory", "auth.argon2_iterations"],
                "auth.argon2_memory",
                sentence,
            );
        }
    }

    fn order_durations(&mut self, (small, least): (&str, Duration), (large, most): (&str, Duration)) {
        if least > most {
            let [least, most] = [least, most].map(print_duration);
            self.conflict(
                &[small, large],
                small,
                format!("\"{least}\" is longer than {large} = \"{most}\""),
            );
        }
    }

    fn order_sizes(&mut self, (small, least): (&str, ByteSize), (large, most): (&str, ByteSize)) {
        if least > most {
            self.conflict(
                &[small, large],
                small,
                format!("\"{least}\" is larger than {large} = \"{most}\""),
            );
        }
    }

    fn conflict(&mut self, paths: &[&str], key: &str, sentence: String) {
        self.report(paths, key, Mistake::Conflict(sentence));
    }

    /// Reports a mistake between these paths, at whichever was set last, unless one of them is unsettled.
    fn report(&mut self, paths: &[&str], key: &str, mistake: Mistake) {
        if !paths.iter().all(|path| self.draft.is_settled(path)) {
            return;
        }
        let table = key.rsplit_once('.').map_or("", |(table, _)| table);
        let place = self.draft.last_place(paths).or_else(|| self.draft.place(table));
        let place = place.unwrap_or(&self.nowhere).clone();
        self.errors.push(ConfigError {
            place,
            key: key.to_owned(),
            mistake,
        });
    }
}

/// Whether two sockets exclude each other: one port, and one address or one of them every address of its family. The
/// families are apart, because a socket of IPv6 takes IPv6 alone.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let is_same_family = a.is_ipv4() == b.is_ipv4();
    let meets = a.ip() == b.ip() || (is_same_family && (a.ip().is_unspecified() || b.ip().is_unspecified()));
    a.port() != 0 && a.port() == b.port() && meets
}

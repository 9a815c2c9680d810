//! The branch of the listeners: one for each that the settings want, with its acceptor and its connections.

use std::{sync::Arc, time::Duration};

use config::{Config, Listener, Protocol};
use message::address::Domain;
use supervision::{Dynamic, Restart, Settings, Strategy, Supervisor, child};

use super::{DEFAULT_TENANT, Parts, SESSION_INTENSITY, Shared};
use crate::{
    connection::{self, Start},
    listener::{
        acceptor::{self, Acceptor, Serve, Serving},
        ports::Open,
        proxy::Proxies,
    },
    pop3::session::{self as pop3_session, Pop3},
    sasl::Logins,
    smtp::session::{self as smtp_session, Smtp},
};

/// A listener as the current settings want it.
struct Wanted<'s> {
    config: &'s Config,
    listener: &'s Listener,
    open: &'s Open,
}

impl Shared {
    fn logins(&self, config: &Config) -> Logins {
        Logins {
            authenticator: self.authenticator.clone(),
            directory: self.who.clone(),
            default_domain: config.auth.default_domain.clone().map(Domain::Name),
            limits: self.limits.clone(),
        }
    }
}

impl Parts {
    fn smtp(&self, shared: &Shared, wanted: &Wanted<'_>) -> smtp_session::Parts {
        let Wanted {
            config,
            listener,
            open,
        } = *wanted;
        let settings = |loopback| smtp_session::settings(config, listener, &open.security, loopback);
        smtp_session::Parts {
            proxy_settings: Arc::new(::smtp::Settings {
                xclient: true,
                ..settings(false)
            }),
            settings: Arc::new(settings(false)),
            loopback_settings: Arc::new(settings(true)),
            proxies: listener.xclient_from.clone(),
            logins: shared.logins(config),
            header: smtp_session::header_limits(config),
            home: config.server.hostname.clone(),
            tenant: DEFAULT_TENANT,
            clock: self.clock,
            mint: self.mint.clone(),
            store: self.store.clone(),
            reads: self.reads.clone(),
            gate: shared.gate.clone(),
            directory: shared.who.clone(),
            limits: shared.limits.clone(),
        }
    }

    fn pop3(&self, shared: &Shared, wanted: &Wanted<'_>) -> pop3_session::Parts {
        let Wanted {
            config,
            listener,
            open,
        } = *wanted;
        let settings = |loopback| pop3_session::settings(config, listener, &open.security, loopback);
        pop3_session::Parts {
            settings: Arc::new(settings(false)),
            loopback_settings: Arc::new(settings(true)),
            tenant: DEFAULT_TENANT,
            clock: self.clock,
            mint: self.mint.clone(),
            store: self.store.clone(),
            reads: self.reads.clone(),
            gate: shared.gate.clone(),
            directory: shared.who.clone(),
            logins: shared.logins(config),
            limits: shared.limits.clone(),
            mailboxes: shared.mailboxes.clone(),
        }
    }
}

pub(super) fn listeners(parts: &Parts, shared: &Shared) -> Supervisor {
    let (parts, shared) = (parts.clone(), shared.clone());
    let wanted = |settings: &Settings| {
        let listeners = settings.of::<Config>().listeners.iter();
        let nature = |listener: &Listener| Family::of(listener.protocol).word().to_owned();
        listeners
            .map(|(name, listener)| (name.clone(), nature(listener)))
            .collect()
    };
    let make = move |settings: &Settings, name: &str| {
        let listener = settings.of::<Config>().listeners.get(name);
        // Only those are made that the settings want.
        let family = listener.map_or(Family::Smtp, |listener| Family::of(listener.protocol));
        self::listener(&parts, &shared, name, family).into()
    };
    Supervisor::varying("listeners", Strategy::OneForOne, wanted, make)
        .removal_deadline(|settings| settings.of::<Config>().server.drain_deadline)
}

/// Protocols whose connections are of one kind: a listener that changes from one to the other keeps those that stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Smtp,
    Pop3,
}

impl Family {
    const fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => Self::Smtp,
            Protocol::Pop3 => Self::Pop3,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
        }
    }
}

fn listener(parts: &Parts, shared: &Shared, name: &str, family: Family) -> Supervisor {
    match family {
        Family::Smtp => of_protocol::<Smtp>(parts, shared, name, family, Parts::smtp),
        Family::Pop3 => of_protocol::<Pop3>(parts, shared, name, family, Parts::pop3),
    }
}

/// A listener of one protocol; `shared_parts` makes what its sessions share from the settings.
fn of_protocol<P: connection::Protocol>(
    parts: &Parts,
    shared: &Shared,
    name: &str,
    family: Family,
    shared_parts: fn(&Parts, &Shared, &Wanted<'_>) -> P::Parts,
) -> Supervisor {
    // The ceiling comes with the settings, before anybody is let in.
    let connections: Dynamic<P::Session> =
        Dynamic::new("connections", 0, Restart::Transient, SESSION_INTENSITY);
    let listener = Supervisor::new(name, Strategy::OneForOne)
        .intensity(10, Duration::from_secs(10))
        .child(&connections);
    let (parts, shared, name) = (parts.clone(), shared.clone(), name.to_owned());
    let serve: Serve = Arc::new(move |settings| {
        let config = settings.shared_of::<Config>();
        // First, also where the listener is gone: the table learns from it which settings hold.
        let open = parts.ports.open(&config, &name);
        let listener = config.listeners.get(&name)?;
        if Family::of(listener.protocol) != family {
            return None;
        }
        let open = open?;
        let wanted = Wanted {
            config: &config,
            listener,
            open: &open,
        };
        connections.set_ceiling(listener.max_connections as usize);
        let start = Start::<P> {
            parts: Arc::new(shared_parts(&parts, &shared, &wanted)),
            connections: connections.clone(),
            security: open.security.clone(),
            room: parts.room.clone(),
            dialogues: parts.dialogues.clone(),
            clock: parts.clock,
            mint: parts.mint.clone(),
        };
        Some(Serving {
            connect: start.connect(),
            proxies: Proxies::in_networks(&listener.proxy_from),
            door: shared.limits.door(&name),
            refusals: P::REFUSALS,
            sockets: open.sockets.clone(),
        })
    });
    let (acceptor, _) = child::<Acceptor>("acceptor", Restart::Permanent, move |settings| acceptor::Args {
        serve: Arc::clone(&serve),
        settings: settings.clone(),
    });
    listener.child(acceptor)
}

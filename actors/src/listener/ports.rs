//! Ports: the table of bound sockets and offers of TLS. It belongs to the process: acceptors take from it what the
//! settings that they have name, and give nothing back.
//!
//! A reload stages a second set beside the one that stands: sockets that both want are in both, new ones are bound,
//! certificates are read again. Then it is committed, and what nobody wants any more closes; or abandoned, and what is
//! new closes. Committed is the staged set as soon as anybody comes with its settings: the tree stores settings before
//! it tells anybody of them, so whoever is told first finds what they name.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use config::{Config, TlsMode};

use super::socket::Socket;
use crate::{
    connection::Security,
    process::Belonging,
    tls::{Certificates, Offer, Terms},
};

/// The table. Copies are the same table.
#[derive(Clone)]
pub struct Ports {
    present: Present,
    table: Arc<Mutex<Table>>,
}

/// Reads what a configuration presents to clients. Blocks; says everything that is wrong.
pub type Present = Arc<dyn Fn(&Config) -> Result<Presented, Vec<String>> + Send + Sync>;

/// What a configuration presents to clients.
#[derive(Clone, Debug, Default)]
pub struct Presented {
    /// Every certificate; none where no listener has TLS.
    pub certificates: Option<Certificates>,
    /// What each listener that has TLS asks, by name.
    pub terms: BTreeMap<String, Terms>,
}

/// A listener that is open.
#[derive(Clone)]
pub struct Open {
    /// Its sockets.
    pub sockets: Vec<Socket>,
    /// How it treats TLS.
    pub security: Security,
}

/// What becomes of the sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Those that are new: listener and address as it is asked for.
    pub opens: Vec<(String, SocketAddr)>,
    /// Those that go.
    pub closes: Vec<(String, SocketAddr)>,
    /// Those that one listener hands over to another.
    pub moves: Vec<(String, String, SocketAddr)>,
    /// How many stay as they are.
    pub stays: usize,
}

#[derive(Default)]
struct Table {
    /// Those that no listener has had yet.
    inherited: Vec<Socket>,
    stands: Option<Arc<Set>>,
    staged: Option<Arc<Set>>,
}

/// What the listeners of one configuration have.
struct Set {
    config: Arc<Config>,
    presented: Presented,
    listeners: BTreeMap<String, Listening>,
}

#[derive(Clone)]
struct Listening {
    bound: Vec<Bound>,
    security: Security,
}

#[derive(Clone)]
struct Bound {
    /// The address as it was asked for: the port may be 0.
    asked: SocketAddr,
    socket: Socket,
}

impl Ports {
    /// A table without listeners.
    #[must_use]
    pub fn new(present: Present) -> Self {
        Self {
            present,
            table: Arc::default(),
        }
    }

    /// Sockets that were opened before this process: whoever wants their address gets them. They listen already, and go
    /// on to where nobody wants them.
    ///
    /// # Errors
    /// When the system does not say where one of them listens.
    pub fn inherit(&self, listeners: impl IntoIterator<Item = std::net::TcpListener>) -> std::io::Result<()> {
        let sockets: std::io::Result<Vec<Socket>> = listeners.into_iter().map(Socket::inherited).collect();
        self.lock().inherited.extend(sockets?);
        Ok(())
    }

    /// Where sockets listen that were inherited and that nobody wants.
    #[must_use]
    pub fn unwanted(&self) -> Vec<SocketAddr> {
        self.lock().inherited.iter().map(Socket::address).collect()
    }

    /// Binds what these settings want and is not bound yet, and reads their certificates. What was staged before is
    /// given back. What stands is not touched. Blocks.
    ///
    /// # Errors
    /// Everything that stands against it; nothing is staged then.
    pub fn stage(&self, config: &Arc<Config>) -> Result<(), Vec<String>> {
        let presented = (self.present)(config);
        let mut table = self.lock();
        table.abandon();
        let stands = table.stands.clone();
        let mut mistakes = Vec::new();
        let presented = presented.unwrap_or_else(|why| {
            mistakes.extend(why);
            Presented::default()
        });
        let listeners = bind(config, stands.as_deref(), &table.inherited, &mut mistakes);
        let offers = offers(config, &presented, stands.as_deref(), &mut mistakes);
        if !mistakes.is_empty() {
            table.unshare();
            return Err(mistakes);
        }
        let listeners = listeners.into_iter().map(|(name, bound)| {
            let security = offers.get(&name).cloned().unwrap_or(Security::Plain);
            (name, Listening { bound, security })
        });
        table.staged = Some(Arc::new(Set {
            listeners: listeners.collect(),
            config: Arc::clone(config),
            presented,
        }));
        Ok(())
    }

    /// Whether what stands is that of these settings.
    #[must_use]
    pub fn stands_for(&self, config: &Arc<Config>) -> bool {
        let mut table = self.lock();
        table.commit(config);
        table.stands.as_ref().is_some_and(|set| set.is_for(config))
    }

    /// A listener as these settings want it, if it is open. Of settings that were never committed here, what stands.
    #[must_use]
    pub fn open(&self, config: &Arc<Config>, name: &str) -> Option<Open> {
        let mut table = self.lock();
        table.commit(config);
        let listening = table.stands.as_ref()?.listeners.get(name)?;
        Some(Open {
            sockets: listening.bound.iter().map(|bound| bound.socket.clone()).collect(),
            security: listening.security.clone(),
        })
    }

    /// Which sockets these settings would open, close and hand over. Nothing is bound for it.
    #[must_use]
    pub fn forecast(&self, config: &Config) -> Forecast {
        let (stands, inherited) = {
            let table = self.lock();
            (table.stands.clone(), table.inherited.clone())
        };
        let (wanted, goes) = matched(config, stands.as_deref(), &inherited);
        let mut forecast = Forecast {
            closes: goes
                .into_iter()
                .filter_map(|(name, socket)| Some((name?, socket.address())))
                .collect(),
            ..Forecast::default()
        };
        for Match { name, asked, bound } in wanted {
            match bound {
                Some((Some(of), _)) if of == *name => forecast.stays += 1,
                Some((Some(of), socket)) => forecast.moves.push((of, name.clone(), socket.address())),
                Some((None, _)) | None => forecast.opens.push((name.clone(), asked)),
            }
        }
        forecast.closes.sort();
        forecast
    }

    /// Whether everything is there that these settings need.
    #[must_use]
    pub fn is_staged_for(&self, config: &Arc<Config>) -> bool {
        let table = self.lock();
        [&table.staged, &table.stands]
            .into_iter()
            .flatten()
            .any(|set| set.is_for(config))
    }

    /// Where each listener listens.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<String, Vec<SocketAddr>> {
        let stands = self.lock().stands.clone();
        let listeners = stands.iter().flat_map(|set| &set.listeners);
        let addresses = |listening: &Listening| {
            let bound = listening.bound.iter();
            bound.map(|bound| bound.socket.address()).collect()
        };
        listeners
            .map(|(name, listening)| (name.clone(), addresses(listening)))
            .collect()
    }

    /// How many sockets are bound, those that are staged included.
    #[must_use]
    pub fn bound(&self) -> usize {
        let table = self.lock();
        let mut sockets: Vec<&Socket> = Vec::new();
        for bound in [&table.stands, &table.staged]
            .into_iter()
            .flatten()
            .flat_map(|set| set.bound())
        {
            if !sockets.iter().any(|known| known.is(&bound.socket)) {
                sockets.push(&bound.socket);
            }
        }
        sockets.len()
    }

    /// Closes everything: the server stops.
    pub fn close(&self) {
        let mut table = self.lock();
        table.abandon();
        let stands = table.stands.iter().flat_map(|set| set.bound());
        stands.for_each(|bound| bound.socket.close());
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Belonging for Ports {
    fn prepare(&self, config: &Arc<Config>) -> Result<(), Vec<String>> {
        self.stage(config)
    }

    fn commit(&self, config: &Arc<Config>) {
        // Settings that nobody prepared: the process was asked to take them all the same.
        if !self.stands_for(config)
            && let Err(mistakes) = self.stage(config)
        {
            for why in mistakes {
                tracing::error!(target: "angarium::listener", why, "listeners stay as they were");
            }
        }
        self.lock().commit(config);
    }

    fn abandon(&self, config: &Arc<Config>) {
        let mut table = self.lock();
        table.commit(config);
        table.abandon();
    }
}

impl Table {
    fn commit(&mut self, config: &Arc<Config>) {
        let Some(staged) = self.staged.take_if(|set| set.is_for(config)) else {
            return;
        };
        let before = self.stands.replace(Arc::clone(&staged));
        self.inherited.retain(|socket| !staged.has(socket));
        for (name, bound) in staged.by_name() {
            let backlog = config.listeners.get(name).map_or(1, |listener| listener.backlog);
            // What is bound already and overlaps with nobody else can only fail for want of memory; its acceptor then
            // says so and dies of it.
            if let Err(why) = bound.socket.begin(backlog) {
                tracing::error!(target: "angarium::listener", address = %bound.socket.address(), %why, "a listener cannot begin");
            }
        }
        let goes = before.iter().flat_map(|set| set.bound());
        goes.filter(|bound| !staged.has(&bound.socket))
            .for_each(|bound| bound.socket.close());
        self.unshare();
    }

    fn abandon(&mut self) {
        let Some(staged) = self.staged.take() else {
            return;
        };
        let stays = |socket: &Socket| {
            let is_inherited = self.inherited.iter().any(|known| known.is(socket));
            is_inherited || self.stands.as_ref().is_some_and(|set| set.has(socket))
        };
        staged
            .bound()
            .filter(|bound| !stays(&bound.socket))
            .for_each(|bound| bound.socket.close());
        self.unshare();
    }

    /// Nobody else is let in beside what stands.
    fn unshare(&self) {
        let stands = self.stands.iter().flat_map(|set| set.bound());
        stands.for_each(|bound| bound.socket.share(false));
    }
}

impl Set {
    fn is_for(&self, config: &Arc<Config>) -> bool {
        Arc::ptr_eq(&self.config, config)
    }

    fn by_name(&self) -> impl Iterator<Item = (&String, &Bound)> {
        let listeners = self.listeners.iter();
        listeners.flat_map(|(name, listening)| listening.bound.iter().map(move |bound| (name, bound)))
    }

    fn bound(&self) -> impl Iterator<Item = &Bound> {
        self.by_name().map(|(_, bound)| bound)
    }

    fn has(&self, socket: &Socket) -> bool {
        self.bound().any(|bound| bound.socket.is(socket))
    }
}

/// One socket that is wanted, and which of those that are bound it can be.
struct Match<'c> {
    name: &'c String,
    asked: SocketAddr,
    /// Its listener now, if it has one, and the socket.
    bound: Option<(Option<String>, Socket)>,
}

/// What these settings want, and which sockets nobody wants any more.
fn matched<'c>(
    config: &'c Config,
    stands: Option<&Set>,
    inherited: &[Socket],
) -> (Vec<Match<'c>>, Vec<(Option<String>, Socket)>) {
    let stand = stands.into_iter().flat_map(Set::by_name);
    let mut free: Vec<(Option<String>, Bound)> = stand
        .map(|(name, bound)| (Some(name.clone()), bound.clone()))
        .collect();
    free.extend(inherited.iter().map(|socket| {
        let (asked, socket) = (socket.address(), socket.clone());
        (None, Bound { asked, socket })
    }));
    let listeners = config.listeners.iter();
    let mut wanted: Vec<Match<'c>> = listeners
        .flat_map(|(name, listener)| {
            listener.bind.iter().map(move |asked| Match {
                name,
                asked: *asked,
                bound: None,
            })
        })
        .collect();
    // Each keeps its own before it may have that of another.
    for is_mine in [true, false] {
        for wanted in wanted.iter_mut().filter(|wanted| wanted.bound.is_none()) {
            let (name, asked) = (wanted.name, wanted.asked);
            let fits = |(of, bound): &(Option<String>, Bound)| {
                let is_asked = bound.asked == asked || bound.socket.address() == asked;
                let is_its = of.as_ref() == Some(name);
                is_asked && if is_mine { is_its } else { asked.port() != 0 }
            };
            if let Some(at) = free.iter().position(fits) {
                let (of, bound) = free.swap_remove(at);
                wanted.bound = Some((of, bound.socket));
            }
        }
    }
    let free = free.into_iter().map(|(of, bound)| (of, bound.socket)).collect();
    (wanted, free)
}

/// The sockets of each listener: those that stand, wherever they served, and new ones.
fn bind(
    config: &Config,
    stands: Option<&Set>,
    inherited: &[Socket],
    mistakes: &mut Vec<String>,
) -> BTreeMap<String, Vec<Bound>> {
    let (wanted, goes) = matched(config, stands, inherited);
    let bound = wanted.iter().filter_map(|wanted| wanted.bound.as_ref());
    let mut ours: Vec<SocketAddr> = bound.map(|(_, socket)| socket.address()).collect();
    let mut listeners: BTreeMap<String, Vec<Bound>> = BTreeMap::new();
    for Match { name, asked, bound } in wanted {
        let backlog = config.listeners.get(name).map_or(1, |listener| listener.backlog);
        let socket = match bound {
            Some((_, socket)) => Ok(socket),
            None => match ours.iter().find(|other| overlap(**other, asked)) {
                Some(other) => Err(format!("{other} is ours, too, and overlaps with it")),
                None => new(asked, backlog, &goes)
                    .inspect(|socket| ours.push(socket.address()))
                    .map_err(|why| why.to_string()),
            },
        };
        match socket {
            Ok(socket) => listeners
                .entry(name.clone())
                .or_default()
                .push(Bound { asked, socket }),
            Err(why) => mistakes.push(format!("cannot listen on {asked} (listeners.{name}.bind): {why}")),
        }
    }
    listeners
}

/// A socket that is not bound yet. One that overlaps with those that go is bound beside them, and hears nothing yet.
fn new(asked: SocketAddr, backlog: u32, goes: &[(Option<String>, Socket)]) -> std::io::Result<Socket> {
    let goes = goes.iter().map(|(_, socket)| socket);
    let beside: Vec<&Socket> = goes.filter(|socket| overlap(socket.address(), asked)).collect();
    beside.iter().for_each(|socket| socket.share(true));
    if beside.is_empty() {
        Socket::bind(asked, backlog)
    } else {
        Socket::bind_beside(asked)
    }
}

/// Whether two addresses cannot be bound by two strangers: one port, and one of them stands for every address.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_everywhere = one.ip().is_unspecified() || other.ip().is_unspecified() || one.ip() == other.ip();
    one.is_ipv4() == other.is_ipv4() && one.port() == other.port() && one.port() != 0 && is_everywhere
}

/// How each listener treats TLS. An offer that would be the same stays the same, and with it the tickets of clients.
fn offers(
    config: &Config,
    presented: &Presented,
    stands: Option<&Set>,
    mistakes: &mut Vec<String>,
) -> BTreeMap<String, Security> {
    let mut offers = BTreeMap::new();
    let Some(certificates) = &presented.certificates else {
        return offers;
    };
    let has_same = stands.and_then(|set| set.presented.certificates.as_ref()) == Some(certificates);
    for (name, listener) in &config.listeners {
        let (Some(terms), true) = (presented.terms.get(name), listener.tls != TlsMode::None) else {
            continue;
        };
        let former = stands.filter(|set| has_same && set.presented.terms.get(name) == Some(terms));
        let former = former.and_then(|set| set.listeners.get(name)?.security.offer().cloned());
        let offer = match former {
            Some(offer) => Ok(offer),
            None => Offer::new(certificates.clone(), terms.clone()).map(Arc::new),
        };
        match (offer, listener.tls) {
            (Ok(offer), TlsMode::Implicit) => {
                offers.insert(name.clone(), Security::Implicit(offer));
            }
            (Ok(offer), TlsMode::Starttls | TlsMode::None) => {
                offers.insert(name.clone(), Security::StartTls(offer));
            }
            (Err(why), _) => mistakes.push(format!("TLS for listeners.{name}: {why}")),
        }
    }
    offers
}

#[cfg(test)]
mod tests;

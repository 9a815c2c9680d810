use std::net::{Ipv4Addr, TcpListener, TcpStream};

use config::{Listener, Profile};

use super::*;

/// A table with listeners, each as `name address`, and TLS nowhere.
struct Fixture {
    ports: Ports,
    config: Arc<Config>,
}

impl Fixture {
    fn new(listeners: &[(&str, &str)]) -> Self {
        let ports = Ports::new(Arc::new(|_| Ok(Presented::default())));
        let config = config(listeners);
        ports.stage(&config).unwrap();
        ports.lock().commit(&config);
        Self { ports, config }
    }

    fn address(&self, name: &str) -> SocketAddr {
        self.ports.addresses()[name][0]
    }

    fn socket(&self, name: &str) -> Socket {
        let table = self.ports.lock();
        table.stands.as_ref().unwrap().listeners[name].bound[0]
            .socket
            .clone()
    }

    /// A whole reload.
    fn reload(&mut self, listeners: &[(&str, &str)]) -> Result<(), Vec<String>> {
        let config = config(listeners);
        self.ports.stage(&config)?;
        self.ports.commit(&config);
        self.config = config;
        Ok(())
    }
}

fn config(listeners: &[(&str, &str)]) -> Arc<Config> {
    let mut config = Config::of(Profile::Development);
    config.listeners.clear();
    for (name, address) in listeners {
        let listener = Listener {
            bind: address.split(',').map(|one| one.parse().unwrap()).collect(),
            tls: TlsMode::None,
            ..Listener::default()
        };
        config.listeners.insert((*name).to_owned(), listener);
    }
    Arc::new(config)
}

/// A port that nobody has just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn connects(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

#[test]
fn what_both_want_is_the_same_socket() {
    let mut ports = Fixture::new(&[("a", "127.0.0.1:0"), ("b", "127.0.0.1:0")]);
    let (a, b) = (ports.socket("a"), ports.socket("b"));
    ports
        .reload(&[("a", "127.0.0.1:0"), ("c", "127.0.0.1:0")])
        .unwrap();
    assert!(ports.socket("a").is(&a));
    // A port that the system chose is of one listener.
    assert!(!ports.socket("c").is(&b));
    assert!(b.is_closed());
    assert!(connects(a.address()));
    assert!(!connects(b.address()));
    assert_eq!(ports.ports.bound(), 2);
}

#[test]
fn two_listeners_exchange_their_ports() {
    let mut ports = Fixture::new(&[("a", "127.0.0.1:0"), ("b", "127.0.0.1:0")]);
    let (a, b) = (ports.socket("a"), ports.socket("b"));
    let (at_a, at_b) = (a.address().to_string(), b.address().to_string());
    ports.reload(&[("a", &at_b), ("b", &at_a)]).unwrap();
    assert!(ports.socket("a").is(&b));
    assert!(ports.socket("b").is(&a));
    assert!(!a.is_closed() && !b.is_closed());
}

#[test]
fn a_wider_and_a_narrower_address_follow_each_other() {
    let mut ports = Fixture::new(&[("a", "127.0.0.1:0")]);
    let port = ports.address("a").port();
    for address in ["0.0.0.0", "127.0.0.1", "0.0.0.0"] {
        let before = ports.socket("a");
        let asked = format!("{address}:{port}");
        // Staged, it hears nothing yet: the one that stands takes who comes.
        let next = config(&[("a", &asked)]);
        ports.ports.stage(&next).unwrap();
        assert_eq!(ports.ports.bound(), 2);
        let heard = before.listener.load_full().unwrap();
        let _client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        heard.set_nonblocking(false).unwrap();
        heard.accept().unwrap();
        heard.set_nonblocking(true).unwrap();
        drop(heard);
        ports.ports.abandon(&ports.config);
        assert!(ports.socket("a").is(&before));
        ports.reload(&[("a", &asked)]).unwrap();
        assert!(before.is_closed());
        assert_eq!(ports.address("a").to_string(), asked);
        assert!(connects((Ipv4Addr::LOCALHOST, port).into()));
        // Nobody else may have the port beside it.
        assert!(TcpListener::bind(("0.0.0.0", port)).is_err());
    }
}

#[test]
fn a_port_that_is_taken_changes_nothing() {
    let mut ports = Fixture::new(&[("a", "127.0.0.1:0")]);
    let (before, socket) = (ports.ports.addresses(), ports.socket("a"));
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let mistakes = ports
        .reload(&[("a", &format!("127.0.0.1:{}", free_port())), ("b", &taken)])
        .unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(
        mistakes[0].contains(&taken) && mistakes[0].contains("listeners.b.bind"),
        "{mistakes:?}"
    );
    assert_eq!(ports.ports.addresses(), before);
    assert_eq!(ports.ports.bound(), 1);
    assert!(!socket.is_closed());
}

#[test]
fn addresses_that_overlap_with_what_stays_are_refused() {
    let mut ports = Fixture::new(&[("a", "0.0.0.0:0")]);
    let port = ports.address("a").port();
    let (wide, narrow) = (format!("0.0.0.0:{port}"), format!("127.0.0.1:{port}"));
    let mistakes = ports.reload(&[("a", &wide), ("b", &narrow)]).unwrap_err();
    assert!(mistakes[0].contains("overlaps"), "{mistakes:?}");
    // Also of two that are new.
    let other = free_port();
    let both = format!("0.0.0.0:{other},127.0.0.1:{other}");
    let mistakes = ports.reload(&[("a", &wide), ("b", &both)]).unwrap_err();
    assert!(mistakes[0].contains("overlaps"), "{mistakes:?}");
    assert_eq!(ports.ports.bound(), 1);
}

#[test]
fn certificates_that_cannot_be_read_change_nothing() {
    let ports = Ports::new(Arc::new(|config: &Config| match config.smtp.max_errors {
        20 => Ok(Presented::default()),
        _ => Err(vec!["one".to_owned(), "two".to_owned()]),
    }));
    let good = config(&[("a", "127.0.0.1:0")]);
    ports.stage(&good).unwrap();
    assert!(ports.stands_for(&good));
    let mut bad = Config::clone(&config(&[("a", "127.0.0.1:0"), ("b", "127.0.0.1:0")]));
    bad.smtp.max_errors = 1;
    let bad = Arc::new(bad);
    assert_eq!(ports.prepare(&bad).unwrap_err(), ["one", "two"]);
    assert!(!ports.stands_for(&bad) && ports.stands_for(&good));
    assert_eq!(ports.bound(), 1);
}

#[test]
fn whoever_comes_with_the_settings_commits_them() {
    let ports = Fixture::new(&[("a", "127.0.0.1:0")]);
    let next = config(&[("b", "127.0.0.1:0")]);
    ports.ports.stage(&next).unwrap();
    // An acceptor that died between the phases has the old settings still.
    assert!(ports.ports.open(&ports.config, "b").is_none());
    assert!(ports.ports.open(&ports.config, "a").is_some());
    assert!(ports.ports.open(&next, "b").is_some());
    assert!(ports.ports.open(&next, "a").is_none());
    // Too late to be abandoned.
    ports.ports.abandon(&next);
    assert!(ports.ports.stands_for(&next));
    ports.ports.close();
    assert!(ports.ports.open(&next, "b").unwrap().sockets[0].is_closed());
}

#[test]
fn what_is_staged_anew_replaces_what_was_staged() {
    let ports = Fixture::new(&[("a", "127.0.0.1:0")]);
    for _ in 0..3 {
        ports
            .ports
            .stage(&config(&[("a", "127.0.0.1:0"), ("b", "127.0.0.1:0")]))
            .unwrap();
        assert_eq!(ports.ports.bound(), 2);
    }
    ports.ports.abandon(&ports.config);
    assert_eq!(ports.ports.bound(), 1);
}

//! Variables of the environment and flags of the command line: what they stand for, and who wins.

use config::{ConfigError, Flag, Listener, Profile, RouteKind, Source, TlsMode, environment, parse};
use proptest::prelude::*;

fn variables(variables: &[(&str, &str)]) -> Vec<Source> {
    environment(variables.iter().copied())
}

fn errors(sources: &[Source]) -> Vec<String> {
    let errors = parse(sources, Profile::Development).err().unwrap_or_default();
    errors.iter().map(ConfigError::to_string).collect()
}

fn check(pairs: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(errors(&variables(pairs)), expected, "{pairs:?}");
}

fn binds(listener: &Listener) -> Vec<String> {
    listener.bind.iter().map(ToString::to_string).collect()
}

#[test]
fn every_kind_of_key_has_a_variable() {
    let sources = variables(&[
        ("ANGARIUM__SMTP__MAX_ERRORS", "7"),
        ("ANGARIUM__TLS__MIN_VERSION", "1.3"),
        ("ANGARIUM__STORE__RESERVE", "1GiB"),
        ("ANGARIUM__LISTENERS__MX__BIND", "0.0.0.0:26, [::]:26"),
        ("ANGARIUM__LISTENERS__LATE__PROTOCOL", "smtp"),
        ("ANGARIUM__LISTENERS__LATE__BIND", "[\"127.0.0.1:27\"]"),
        ("ANGARIUM__ROUTES__BENCH_TEST__KIND", "discard"),
        ("ANGARIUM__LOG__TARGETS", "angarium::smtp=debug,actors=trace"),
        ("ANGARIUM_PORT", "tcp://10.0.0.1:25"),
        ("PATH", "/bin"),
        ("SMTP_SERVICE_HOST", "10.0.0.1"),
    ]);
    let config = parse(&sources, Profile::Development).unwrap();
    assert_eq!(config.smtp.max_errors, 7);
    assert_eq!(config.tls.min_version.word(), "1.3");
    assert_eq!(config.store.reserve.to_string(), "1GiB");
    assert_eq!(binds(&config.listeners["mx"]), ["0.0.0.0:26", "[::]:26"]);
    assert_eq!(binds(&config.listeners["late"]), ["127.0.0.1:27"]);
    let (domain, route) = config.routes.first_key_value().unwrap();
    assert_eq!((domain.as_str(), route.kind), ("bench.test", RouteKind::Discard));
    assert_eq!(config.log.targets.len(), 2);
}

#[test]
fn a_wrong_variable_is_a_mistake_with_its_name() {
    check(
        &[
            ("ANGARIUM__SMTP__MAX_RECIPIENT", "5"),
            ("ANGARIUM__SMPT__MAX_ERRORS", "5"),
            ("ANGARIUM__SMTP", "5"),
            ("ANGARIUM__", "5"),
            ("ANGARIUM__SMTP__MAX_ERRORS", "many"),
            ("ANGARIUM__SMTP__MAX_HOPS", ""),
            ("ANGARIUM__LISTENERS__MX__BIND", "localhost:25"),
            ("ANGARIUM__LISTENERS__M.X__BIND", "127.0.0.1:0"),
            ("ANGARIUM__A__B__C__D", "5"),
            ("SMTP_PORT", "tcp://10.0.0.1:25"),
            ("SMTP_HOST", "localhost"),
            ("SMTP_MAX_MESSAGE_SIZE", "1"),
            ("SMTP_ENABLE_TLS", "yes"),
            ("SMTP_WEBHOOK_URL", "https://hooks.example/secret-token"),
        ],
        &[
            "SMTP_HOST: listeners.mx.bind: expected an address such as \"127.0.0.1\" or \"::1\", found \"localhost\"",
            "SMTP_PORT: listeners.mx.bind: expected a whole number from 0 to 65535, found \"tcp://10.0.0.1:25\"",
            "SMTP_MAX_MESSAGE_SIZE: smtp.max_message_size: expected a size from \"64KiB\" to \"2GiB\", found \"1B\"",
            "SMTP_ENABLE_TLS: tls.enabled: expected true or false, found \"yes\"",
            "SMTP_WEBHOOK_URL: there are no webhooks yet, and nobody would be told of anything: unset it",
            "ANGARIUM__: unknown key",
            "ANGARIUM__A__B__C__D: unknown key",
            "ANGARIUM__LISTENERS__M.X__BIND: expected a name of at most 32 letters a to z, digits, - and _, found \"m.x\"",
            "ANGARIUM__LISTENERS__MX__BIND: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found \"localhost:25\"",
            "ANGARIUM__SMPT__MAX_ERRORS: unknown key; did you mean smtp.max_errors?",
            "ANGARIUM__SMTP: expected a table such as [smtp], found \"5\"",
            "ANGARIUM__SMTP__MAX_ERRORS: expected a whole number from 1 to 100000, found \"many\"",
            "ANGARIUM__SMTP__MAX_HOPS: expected a whole number from 100 to 1000, found \"\"",
            "ANGARIUM__SMTP__MAX_RECIPIENT: unknown key; did you mean smtp.max_recipients?",
        ],
    );
}

#[test]
fn short_names_stand_for_keys() {
    let sources = variables(&[
        ("SMTP_HOST", "0.0.0.0, ::"),
        ("SMTP_PORT", "26"),
        ("SMTP_HOSTNAME", "mx.example.org"),
        ("SMTP_MAX_CONNECTIONS", "100"),
        ("SMTP_MAX_RECIPIENTS", "200"),
        ("SMTP_MAX_MESSAGE_SIZE", "10485760"),
        ("SMTP_ENABLE_TLS", "true"),
        ("SMTP_ENABLE_AUTH", "false"),
        ("SMTP_TLS_CERT", "c.pem"),
        ("SMTP_TLS_KEY", "k.pem"),
        ("SMTP_PROFILE", "production"),
        ("SMTP_WEBHOOK_URL", ""),
    ]);
    let config = parse(&sources, Profile::Development).unwrap();
    assert_eq!(config.server.profile, Profile::Production);
    assert_eq!(config.listeners.keys().collect::<Vec<_>>(), ["mx"]);
    assert_eq!(binds(&config.listeners["mx"]), ["0.0.0.0:26", "[::]:26"]);
    assert_eq!(config.server.hostname.as_str(), "mx.example.org");
    assert_eq!(
        (config.server.max_connections, config.smtp.max_recipients),
        (100, 200)
    );
    assert_eq!(config.smtp.max_message_size.to_string(), "10MiB");
    assert_eq!(config.tls.certificate.unwrap().to_str(), Some("c.pem"));
    assert_eq!(config.tls.key.unwrap().to_str(), Some("k.pem"));
    assert!(config.tls.enabled && !config.auth.enabled);
}

#[test]
fn a_host_keeps_the_port_and_a_port_the_hosts() {
    let bound = |sources: &[Source]| {
        parse(sources, Profile::Development).map(|config| binds(&config.listeners["mx"]))
    };
    let file = Source::file(
        "a.toml",
        "listeners.mx.bind = ['192.0.2.1:25', '[2001:db8::1]:25']",
    );
    let flag = |flag, value: &str| Source::flag(flag, value);
    assert_eq!(
        bound(&[file.clone(), flag(Flag::Port, "26")]).unwrap(),
        ["192.0.2.1:26", "[2001:db8::1]:26"]
    );
    assert_eq!(
        bound(&[file.clone(), flag(Flag::Host, "::1")]).unwrap(),
        ["[::1]:25"]
    );
    let environment = variables(&[("SMTP_PORT", "26")]);
    let sources = [&[file, flag(Flag::Host, "127.0.0.2")], environment.as_slice()].concat();
    assert_eq!(bound(&sources).unwrap(), ["127.0.0.2:26"]);
    // The full name of a key wins over the short one, and --set over every flag.
    let both = variables(&[
        ("SMTP_PORT", "26"),
        ("ANGARIUM__LISTENERS__MX__BIND", "127.0.0.1:27"),
    ]);
    assert_eq!(bound(&both).unwrap(), ["127.0.0.1:27"]);

    // Where no address is known, a port alone says too little; SMTP has a port of its own.
    let production = "[server]\nprofile = 'production'\nhostname = 'mx.example.org'\n[tls]\nenabled = false";
    let file = Source::file("a.toml", production);
    assert_eq!(
        errors(&[file.clone(), flag(Flag::Port, "26")]),
        ["--port: listeners.mx.bind: required: an address, too: give SMTP_HOST or --host"]
    );
    assert_eq!(
        bound(&[file, flag(Flag::Host, "192.0.2.1")]).unwrap(),
        ["192.0.2.1:25"]
    );
}

#[test]
fn each_layer_wins_over_those_below() {
    let max_errors = |sources: &[Source]| parse(sources, Profile::Development).map(|it| it.smtp.max_errors);
    let file = Source::file("a.toml", "smtp.max_errors = 1");
    let environment = variables(&[("ANGARIUM__SMTP__MAX_ERRORS", "2")]).remove(0);
    let argument = Source::command_line("smtp.max_errors=3");
    assert_eq!(max_errors(&[]), Ok(20));
    assert_eq!(max_errors(std::slice::from_ref(&file)), Ok(1));
    assert_eq!(max_errors(&[environment.clone(), file.clone()]), Ok(2));
    assert_eq!(max_errors(&[argument, environment, file]), Ok(3));
    // A profile that the environment names, with a key of that profile.
    let testing = variables(&[("SMTP_PROFILE", "testing"), ("ANGARIUM__SERVER__DATA", "/tmp/x")]);
    let config = parse(&testing, Profile::Production).unwrap();
    assert_eq!(config.auth.argon2_iterations, 1);
    assert_eq!(config.server.profile, Profile::Testing);
}

#[test]
fn without_tls_nothing_offers_it() {
    let file = Source::file(
        "a.toml",
        "[listeners.mxs]\nprotocol = 'smtp'\nbind = '127.0.0.1:0'\ntls = 'implicit'",
    );
    let config = parse(
        &[file.clone(), Source::flag(Flag::DisableTls, "")],
        Profile::Development,
    )
    .unwrap();
    assert_eq!(
        config.listeners.keys().collect::<Vec<_>>(),
        ["mx", "pop3", "submission"]
    );
    assert!(config.listeners.values().all(|it| it.tls == TlsMode::None));
    let config = parse(
        &[
            file,
            variables(&[("SMTP_ENABLE_TLS", "false")]).remove(0),
            Source::flag(Flag::EnableTls, ""),
        ],
        Profile::Development,
    );
    assert_eq!(config.unwrap().listeners["mxs"].tls, TlsMode::Implicit);
    let shut = [
        Source::command_line("listeners.pop3.plaintext_auth=never"),
        Source::flag(Flag::DisableTls, ""),
    ];
    assert!(
        errors(&shut)[0].contains("nobody can log in"),
        "{:?}",
        errors(&shut)
    );
}

#[test]
fn without_auth_nothing_is_opened_for_submission() {
    let file = Source::file(
        "a.toml",
        "[listeners.submission]\nprotocol = 'submission'\nbind = '127.0.0.1:0'\ntls = 'starttls'",
    );
    let open = |flag| {
        let config = parse(&[file.clone(), Source::flag(flag, "")], Profile::Development);
        config.map(|config| config.listeners.contains_key("submission"))
    };
    assert_eq!(
        (open(Flag::EnableAuth), open(Flag::DisableAuth)),
        (Ok(true), Ok(false))
    );
    // A server that would open nothing is a mistake.
    let file = Source::file(
        "b.toml",
        "[listeners]\nmx.tls = 'implicit'\npop3.enabled = false\nsubmission.enabled = false",
    );
    let errors = errors(&[file, Source::flag(Flag::DisableTls, "")]);
    assert!(
        errors.len() == 1 && errors[0].contains("at least one listener"),
        "{errors:?}"
    );
}

#[test]
fn testing_and_staging_are_between_development_and_production() {
    let testing = |arguments: &[&str]| {
        let sources: Vec<Source> = arguments.iter().map(|it| Source::command_line(*it)).collect();
        parse(&sources, Profile::Testing)
    };
    assert_eq!(
        testing(&[]).unwrap_err()[0].to_string(),
        "profile testing: server.data: required: the testing profile has no data directory of its own; give --data with a temporary one"
    );
    let config = testing(&["server.data=/tmp/x"]).unwrap();
    assert!(config.listeners.values().all(|it| {
        it.bind
            .iter()
            .all(|bind| bind.port() == 0 && bind.ip().is_loopback())
    }));
    let staging = parse(&[], Profile::Staging).unwrap_err();
    let staging: Vec<&str> = staging.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(staging, ["listeners", "server.hostname"]);
    let file = "server.hostname = 'mx.example.org'\nlisteners.mx = { protocol = 'smtp', bind = '[::]:25' }";
    let file = [Source::file("a.toml", file)];
    assert!(parse(&file, Profile::Staging).is_ok());
    assert!(parse(&file, Profile::Production).is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_one_mistake_among_others() {
    let sources = [
        Source::unreadable("a.toml", "Permission denied (os error 13)"),
        Source::command_line("smtp.max_errors=0"),
    ];
    let errors: Vec<String> = parse(&sources, Profile::Production)
        .unwrap_err()
        .iter()
        .map(ConfigError::to_string)
        .collect();
    assert_eq!(
        errors,
        [
            "a.toml: cannot be read: Permission denied (os error 13)",
            "--set smtp.max_errors: expected a whole number from 1 to 100000, found \"0\"",
        ]
    );
}

proptest! {
    #[test]
    fn any_environment_is_answered(
        pairs in proptest::collection::vec(
            (
                prop_oneof![
                    prop::sample::select(vec![
                        "SMTP_HOST", "SMTP_PORT", "SMTP_PROFILE", "SMTP_MAX_MESSAGE_SIZE", "SMTP_WEBHOOK_URL",
                        "ANGARIUM__LISTENERS__MX__BIND", "ANGARIUM__LOG__TARGETS", "ANGARIUM__SERVER__PROFILE",
                    ]).prop_map(|name| name.as_bytes().to_vec()),
                    "ANGARIUM__[A-Z_.\"\\PC]{0,20}".prop_map(String::into_bytes),
                    proptest::collection::vec(any::<u8>(), 0..30).prop_map(|rest| [b"ANGARIUM__", rest.as_slice()].concat()),
                ],
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..30),
                    "[0-9a-z:,\\[\\]{}\"'. =]{0,20}".prop_map(String::into_bytes),
                ],
            ),
            0..20,
        ),
    ) {
        for error in parse(&environment(pairs), Profile::Development).err().unwrap_or_default() {
            let printed = error.to_string();
            prop_assert!(!printed.contains(char::is_control) && printed.len() < 2_000, "{:?}", printed);
        }
    }

    #[test]
    fn any_value_of_a_flag_is_answered(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        for flag in [Flag::Data, Flag::Host, Flag::Port, Flag::LogLevel, Flag::LogFile, Flag::MaxConnections] {
            let errors = parse(&[Source::flag(flag, value.as_slice())], Profile::Development).err().unwrap_or_default();
            prop_assert!(errors.len() <= 101);
        }
    }
}

#[test]
fn a_long_value_is_refused() {
    let long = "x".repeat(1_000_000);
    let name = format!("ANGARIUM__{long}");
    let found = errors(&variables(&[("SMTP_HOST", &long), (&name, "1")]));
    assert_eq!(found[0], "SMTP_HOST: longer than 8192 bytes");
    assert!(found[1].len() < 400, "{}", found[1].len());
}

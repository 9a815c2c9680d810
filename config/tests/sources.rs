//! How sources are read and laid over each other, and what is said about a wrong one.

use config::{
    Config, ConfigError, Mistake, PlaintextAuth, Profile, RouteKind, SAMPLE, Source, TlsVersion, parse,
    parse_bytes, sample,
};

fn file(text: &str) -> Source {
    Source::file("angarium.toml", text)
}

fn errors(sources: &[Source], profile: Profile) -> Vec<String> {
    parse(sources, profile)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ConfigError::to_string)
        .collect()
}

/// Every mistake of one file over the development profile.
fn check(text: &str, expected: &[&str]) {
    assert_eq!(errors(&[file(text)], Profile::Development), expected, "{text}");
}

#[test]
fn the_sample_is_written_from_the_tables() {
    assert_eq!(
        SAMPLE,
        sample(),
        "write it again: cargo run -p config --example sample > config/angarium.toml"
    );
}

#[test]
fn the_sample_equals_the_defaults() {
    assert_eq!(
        parse(&[file(SAMPLE)], Profile::Production),
        Ok(Config::of(Profile::Development))
    );
}

#[test]
fn the_defaults_in_the_sample_are_the_defaults() {
    let uncommented: Vec<&str> = SAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '['))
                .unwrap_or(line)
        })
        .collect();
    let mut config = parse(&[file(&uncommented.join("\n"))], Profile::Production).unwrap();
    // These settings have no default but an example.
    assert!(config.log.file.take().is_some());
    assert!(config.statsd.address.take().is_some());
    assert!(config.shell.readers.take().is_some());
    assert!(config.tls.certificate.take().is_some());
    assert!(config.tls.key.take().is_some());
    assert!(config.auth.default_domain.take().is_some());
    assert_eq!(config.routes.len(), 1);
    config.routes.clear();
    assert_eq!(config.certificates.len(), 1);
    config.certificates.clear();
    let mx = config.listeners.get_mut("mx").unwrap();
    assert!(mx.client_ca.take().is_some());
    assert!(mx.min_tls.take().is_some());
    assert_eq!(config, Config::of(Profile::Development));
}

#[test]
fn every_profile_has_its_settings() {
    let development = parse(&[], Profile::Development).unwrap();
    assert_eq!(development, Config::of(Profile::Development));
    assert_eq!(development.server.hostname.as_str(), "localhost");
    assert_eq!(
        development.listeners.keys().collect::<Vec<_>>(),
        ["mx", "pop3", "submission", "submissions"]
    );
    assert_eq!(development.listeners["mx"].bind[0].to_string(), "127.0.0.1:2525");
    assert_eq!(
        development.listeners["pop3"].plaintext_auth,
        PlaintextAuth::Loopback
    );
    assert_eq!(
        errors(&[], Profile::Production),
        [
            "settings: listeners: required: at least one listener, such as [listeners.mx] with protocol and bind",
            "settings: server.hostname: required: the name that DNS gives this host, such as \"mx.example.org\"",
        ]
    );
}

#[test]
fn production_is_satisfied_by_what_only_the_operator_knows() {
    let text = "
        server.profile = 'production'
        server.hostname = 'mx.example.org'
        tls = { certificate = 'c.pem', key = 'k.pem', min_version = '1.3' }
        [listeners.mx]
        protocol = 'smtp'
        bind = '[::]:25'
        [routes.'Bench.Test']
        kind = 'discard'
    ";
    let config = parse(&[file(text)], Profile::Development).unwrap();
    assert_eq!(config.server.profile, Profile::Production);
    assert_eq!(config.tls.min_version, TlsVersion::Tls13);
    assert_eq!(config.listeners.len(), 1);
    let (domain, route) = config.routes.first_key_value().unwrap();
    assert_eq!((domain.as_str(), route.kind), ("bench.test", RouteKind::Discard));
}

#[test]
fn the_command_line_wins_over_the_file_and_the_file_over_the_profile() {
    let text = "[smtp]\nmax_errors = 7\nmax_hops = 200\n[listeners.mx]\nbind = '127.0.0.1:25'\n[store]\nreserve = '1GiB'";
    let arguments = [
        "smtp.max_errors=8",
        "smtp.max_errors=9",
        "listeners.pop3.enabled=false",
        "tls.min_version=1.3",
    ];
    let mut sources: Vec<Source> = arguments.map(Source::command_line).into();
    sources.push(file(text));
    let config = parse(&sources, Profile::Development).unwrap();
    assert_eq!(config.smtp.max_errors, 9);
    assert_eq!(config.smtp.max_hops, 200);
    assert_eq!(config.listeners["mx"].bind[0].to_string(), "127.0.0.1:25");
    assert!(!config.listeners.contains_key("pop3"));
    assert_eq!(config.store.reserve.to_string(), "1GiB");
    assert_eq!(config.store.reserve_file.to_string(), "4MiB");
    assert_eq!(config.tls.min_version, TlsVersion::Tls13);
    let chosen = parse(
        &[
            Source::command_line("server.profile=development"),
            file("[server]\nprofile = 'production'"),
        ],
        Profile::Production,
    );
    assert_eq!(chosen.unwrap().server.profile, Profile::Development);
}

#[test]
fn an_argument_is_its_own_place() {
    let arguments = [
        "smtp.max_errors=many",
        "smtp.max_recipient=100",
        "smpt.max_errors=1",
        "smtp=1",
        "listeners.mx.tls=starttsl",
        "routes.\"a b\".kind=discard",
        "nonsense",
    ]
    .map(Source::command_line);
    assert_eq!(
        errors(&arguments, Profile::Development),
        [
            "--set smtp.max_errors: expected a whole number from 1 to 100000, found \"many\"",
            "--set smtp.max_recipient: unknown key; did you mean smtp.max_recipients?",
            "--set smpt.max_errors: unknown key; did you mean smtp.max_errors?",
            "--set smtp: expected a table such as [smtp], found \"1\"",
            "--set listeners.mx.tls: expected one of \"none\", \"starttls\", \"implicit\", found \"starttsl\"; did you mean \"starttls\"?",
            "--set routes.\"a b\".kind: expected a domain such as \"bench.test\", found \"a b\"",
            "--set nonsense: expected section.key=value",
        ]
    );
}

#[test]
fn what_no_section_sees_alone() {
    check(
        "[listeners.b]\nprotocol = 'smtp'\nbind = '0.0.0.0:2110'\n[listeners.a]\nprotocol = 'smtp'\nbind = '[::]:2110'",
        &[
            "angarium.toml:3:8: listeners.b.bind: 0.0.0.0:2110 is taken by listeners.pop3.bind = \"127.0.0.1:2110\"",
        ],
    );
    check(
        "[listeners]\nmx.enabled = false\npop3.bind = '127.0.0.1:2525'",
        &[],
    );
    check("[listeners]\nmx.bind = '[::]:0'\npop3.bind = '[::]:0'", &[]);
    check("listeners.mx.bind = ['0.0.0.0:25', '[::]:25']", &[]);
    check(
        "listeners.mx.bind = ['127.0.0.1:25', '0.0.0.0:25']",
        &[
            "angarium.toml:1:21: listeners.mx.bind: 0.0.0.0:25 is taken by listeners.mx.bind = \"127.0.0.1:25\"",
        ],
    );
    check(
        "listeners.mx.bind = []",
        &[
            "angarium.toml:1:21: listeners.mx.bind: required: an address and a port such as \"127.0.0.1:2525\"",
        ],
    );
    check(
        "[listeners.local]\nprotocol = 'lmtp'\nbind = '127.0.0.1:25'",
        &[
            "angarium.toml:3:8: listeners.local.bind: LMTP is never spoken on port 25, where others expect SMTP",
        ],
    );
    check(
        "[listeners.pop3]\nxclient_from = ['192.0.2.0/24']",
        &["angarium.toml:2:16: listeners.pop3.xclient_from: POP3 has no XCLIENT"],
    );
    check(
        "[listeners.msa]\nprotocol = 'submission'\nbind = '127.0.0.1:587'\ntls = 'none'",
        &[
            "angarium.toml:4:7: listeners.msa.tls: nobody can log in: there is neither TLS nor leave for \
             passwords without it; set tls = \"starttls\" or plaintext_auth = \"loopback\"",
        ],
    );
    check(
        "[listeners]\nmx.enabled = false\npop3.enabled = false\nsubmission.enabled = false\nsubmissions.enabled = false",
        &[
            "angarium.toml: listeners: required: at least one listener, such as [listeners.mx] with protocol and bind",
        ],
    );
    check(
        "[listeners.pop3]\ntls = 'none'\nplaintext_auth = 'never'",
        &[
            "angarium.toml:3:18: listeners.pop3.tls: nobody can log in: there is neither TLS nor leave for passwords \
            without it; set tls = \"starttls\" or plaintext_auth = \"loopback\"",
        ],
    );
    check(
        "tls.key = 'k.pem'",
        &["angarium.toml:1:11: tls.certificate: required: the certificate file of tls.key"],
    );
    check(
        "[tls]\ncertificate = 'c.pem'",
        &["angarium.toml:2:15: tls.key: required: the key file of tls.certificate"],
    );
    check(
        "tls.certificate = 5\ntls.key = 'k'",
        &["angarium.toml:1:19: tls.certificate: expected a path such as \"/var/lib/angarium\", found 5"],
    );
    check(
        "[certificates.a]\ncertificate = 'c.pem'\n[listeners.mx]\ntls = 'none'\nmin_tls = '1.3'",
        &[
            "angarium.toml:1:15: certificates.a.key: required: the file with its key",
            "angarium.toml:5:11: listeners.mx.min_tls: there is no TLS on this listener: listeners.mx.tls = \"none\"",
        ],
    );
    check(
        "[store]\nreserve = '1MiB'\nmax_waiting = 100",
        &[
            "angarium.toml:2:11: store.reserve_file: \"4MiB\" is larger than store.reserve = \"1MiB\"",
            "angarium.toml:3:15: store.max_group: 512 is more than store.max_waiting = 100",
        ],
    );
    check(
        "[auth]\nargon2_memory = '100KiB'\nargon2_parallelism = 16",
        &[
            "angarium.toml:3:22: auth.argon2_memory: \"100KiB\" is less than 8KiB for each lane of auth.argon2_parallelism = 16",
        ],
    );
    let text = "[server]\nprofile = 'production'\nhostname = 'mx.example.org'\n[listeners.mx]\nprotocol = 'smtp'\nbind = '[::]:25'";
    check(
        text,
        &[
            "angarium.toml: tls.certificate: required: the production profile makes none, and listeners.mx offers TLS; set tls.certificate and tls.key",
        ],
    );
    check(&format!("{text}\ntls = 'none'"), &[]);
}

#[test]
fn each_element_of_a_list_has_its_own_place() {
    check(
        "[listeners.mx]\nbind = [\n  '127.0.0.1:0',\n  'localhost:25', # a name\n  25,\n  ['[::1]:0'],\n]",
        &[
            "angarium.toml:4:3: listeners.mx.bind: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found \"localhost:25\"",
            "angarium.toml:5:3: listeners.mx.bind: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found 25",
            "angarium.toml:6:3: listeners.mx.bind: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found an array",
        ],
    );
    let argument = Source::command_line("listeners.mx.bind=127.0.0.1:0,[::1]:x, ::1");
    assert_eq!(
        errors(&[argument], Profile::Development),
        [
            "--set listeners.mx.bind: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found \"[::1]:x\"",
            "--set listeners.mx.bind: expected an address and a port such as \"127.0.0.1:2525\" or \"[::1]:2525\", found \"::1\"",
        ]
    );
    for value in ["127.0.0.1:1,[::1]:2", "[\"127.0.0.1:1\", \"[::1]:2\"]"] {
        let argument = Source::command_line(format!("listeners.mx.bind={value}"));
        let config = parse(&[argument], Profile::Development).unwrap();
        let binds = &config.listeners["mx"].bind;
        assert_eq!(
            binds,
            &["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]
        );
    }
}

#[test]
fn a_key_of_another_section_is_found() {
    check(
        "[smtp]\nhostname = 'a.example'",
        &["angarium.toml:2:1: smtp.hostname: unknown key; did you mean server.hostname?"],
    );
    check(
        "max_recipients = 5",
        &["angarium.toml:1:1: max_recipients: unknown key; did you mean smtp.max_recipients?"],
    );
    check(
        "[listener.mx]\nport = 5",
        &["angarium.toml:1:2: listener: unknown key; did you mean listeners?"],
    );
    check(
        "[[listeners]]\nbind = 5",
        &["angarium.toml:1:1: listeners: expected a table such as [listeners], found an array"],
    );
    check(
        "[listeners.mx]\nbindd = 5",
        &["angarium.toml:2:1: listeners.mx.bindd: unknown key; did you mean listeners.mx.bind?"],
    );
}

#[test]
fn a_broken_line_hides_no_other_mistake() {
    check(
        "[smtp]\nmax_errors 5\nmax_hops = [1,\n  2]\n= 3\ncolour = 1\nmax_errors = \"\"\"a\nb\"\"\"\n[pop3]\ncolour = 2\n",
        &[
            "angarium.toml:2:12: key with no value, expected `=`",
            "angarium.toml:3:12: smtp.max_hops: expected a whole number from 100 to 1000, found an array",
            "angarium.toml:5:1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`",
            "angarium.toml:6:1: smtp.colour: unknown key",
            "angarium.toml:7:14: smtp.max_errors: expected a whole number from 1 to 100000, found \"a\\nb\"",
            "angarium.toml:10:1: pop3.colour: unknown key",
        ],
    );
}

#[test]
fn what_is_no_text_is_a_mistake_with_its_place() {
    let errors = parse_bytes("a.toml", b"[smtp]\nmax_\xff", Profile::Development).unwrap_err();
    assert_eq!(errors[0].to_string(), "a.toml:2:5: not UTF-8");
    let errors = parse_bytes("a.toml", &vec![b'#'; 10_000_000], Profile::Development).unwrap_err();
    assert_eq!(errors[0].to_string(), "a.toml: longer than 1048576 bytes");
    assert_eq!(
        (errors.len(), &errors[0].mistake),
        (1, &Mistake::Syntax("longer than 1048576 bytes".to_owned()))
    );
}

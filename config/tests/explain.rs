//! What is said of each value: where it comes from.

use config::{Explained, Flag, Origin, Profile, Source, environment, explain};

fn explained(sources: &[Source], profile: Profile) -> Vec<Explained> {
    explain(sources, profile).unwrap_or_default()
}

#[test]
fn every_value_names_its_source() {
    let mut sources = vec![
        Source::file(
            "a.toml",
            "[smtp]\nmax_errors = 5\nmax_hops = 101\n[routes.'bench.test']\nkind = 'discard'",
        ),
        Source::flag(Flag::Port, "26"),
        Source::command_line("log.level=warn"),
    ];
    sources.extend(environment([("SMTP_HOSTNAME", "mx.example.org")]));
    let all = explained(&sources, Profile::Development);
    for (key, value, origin) in [
        ("server.profile", "\"development\"", "profile development"),
        ("server.hostname", "\"mx.example.org\"", "SMTP_HOSTNAME"),
        ("server.node", "0", "default"),
        ("log.level", "\"warn\"", "--set log.level"),
        ("listeners.mx.bind", "[\"127.0.0.1:26\"]", "--port"),
        ("listeners.mx.enabled", "true", "default"),
        ("smtp.max_errors", "5", "a.toml:2:14"),
        ("smtp.max_hops", "101", "a.toml:3:12"),
        ("store.reserve", "\"64MiB\"", "profile development"),
        ("routes.\"bench.test\".kind", "\"discard\"", "a.toml:5:8"),
    ] {
        let found = all.iter().find(|it| it.key == key).expect(key);
        assert_eq!(
            (found.value.as_deref(), found.origin.to_string()),
            (Some(value), origin.to_owned()),
            "{key}"
        );
    }
    let certificate = all.iter().find(|it| it.key == "tls.certificate").unwrap();
    assert_eq!(
        (&certificate.value, &certificate.origin),
        (&None, &Origin::Default)
    );
}

#[test]
fn a_mistake_is_said_instead() {
    let errors = explain(&[Source::command_line("smtp.max_errors=0")], Profile::Development);
    assert_eq!(errors.unwrap_err().len(), 1);
}

#[test]
fn what_is_explained_is_a_configuration_again() {
    let sources = [Source::command_line("listeners.mx.enabled=false")];
    let text: String = explained(&sources, Profile::Development)
        .into_iter()
        .filter_map(|it| Some(format!("{} = {}\n", it.key, it.value?)))
        .collect();
    assert_eq!(
        config::parse(&[Source::file("a.toml", text)], Profile::Production),
        config::parse(&sources, Profile::Development)
    );
}

//! The file `planted.toml` holds thirty mistakes, of every kind that there is; the environment and the command line beside
//! it hold more. One run gives them all, each with its place, in the order of the sources: `planted.txt`.

use config::{ConfigError, Flag, Profile, Source, environment, parse};

const FILE: &str = include_str!("planted.toml");
const MISTAKES: &str = include_str!("planted.txt");

fn mistakes(sources: &[Source]) -> Vec<String> {
    let errors = parse(sources, Profile::Development).err().unwrap_or_default();
    errors.iter().map(ConfigError::to_string).collect()
}

#[test]
fn thirty_mistakes_in_a_file_are_thirty_located_errors() {
    let found = mistakes(&[Source::file("planted.toml", FILE)]);
    let expected: Vec<&str> = MISTAKES
        .lines()
        .filter(|line| line.starts_with("planted.toml:"))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 30);
}

#[test]
fn those_of_all_sources_are_found_in_one_run() {
    let mut sources = vec![Source::file("planted.toml", FILE)];
    sources.extend(environment([
        ("ANGARIUM__SMTP__MAX_RECIPIENT", "100"),
        ("ANGARIUM__STORE__READERS", "none"),
        ("SMTP_MAX_CONNECTIONS", "0"),
        ("SMTP_WEBHOOK_URL", "https://hooks.example/token"),
    ]));
    sources.push(Source::flag(Flag::LogLevel, "loud"));
    sources.push(Source::command_line("queue.worker=5"));
    sources.push(Source::command_line("nonsense"));
    assert_eq!(mistakes(&sources), MISTAKES.lines().collect::<Vec<_>>());
}

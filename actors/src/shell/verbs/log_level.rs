//! `log level`: what the log writes.

use config::{LogLevel, LogTarget};
use shell::{Answer, Table};

use crate::{
    log_levels::EVERYTHING,
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
    },
};

/// The word that takes a level back.
const DEFAULT: &str = "default";
/// Levels that are changed at once.
const MAX_LEVELS: usize = 64;

pub(in crate::shell) async fn log_level(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let Some(log) = desk.log.clone() else {
        return Err(Refused::failed("this process writes no log"));
    };
    let wanted = request
        .call
        .values("level")
        .map(parse)
        .collect::<Result<Vec<_>, _>>()?;
    let known = log.list();
    if wanted.is_empty() {
        let mut table = Table::new(&["target", "level", "said_by"]);
        for level in known {
            let by = if level.is_said {
                "an operator"
            } else {
                "the configuration"
            };
            table.row([level.target.into(), level.level.to_string().into(), by.into()]);
        }
        return Ok(Answer::new("log level").with(table));
    }
    if wanted.len() > MAX_LEVELS {
        return Err(Refused::usage(format!("at most {MAX_LEVELS} levels at once")));
    }
    let before = wanted.iter().map(|(target, _)| {
        let said = known
            .iter()
            .find(|level| level.is_said && level.target == *target);
        printed(target, said.map(|level| level.level))
    });
    let before: Vec<String> = before.collect();
    let after: Vec<String> = wanted
        .iter()
        .map(|(target, level)| printed(target, *level))
        .collect();
    let what = format!("set the level of the log: {}", after.join(" "));
    let change = Change::of(wanted.len() as u64, what).undone_by(format!("log level {}", before.join(" ")));
    let work = async move {
        for (target, level) in wanted {
            log.set(&target, level);
        }
        Ok(Vec::new())
    };
    change.make(desk, request, work).await
}

fn printed(target: &str, level: Option<LogLevel>) -> String {
    let level = level.map_or_else(|| DEFAULT.to_owned(), |level| level.to_string());
    format!("{target}={level}")
}

/// A target and its level; without a level the word that takes it back was said.
fn parse(text: &str) -> Result<(String, Option<LogLevel>), Refused> {
    let (target, word) = text.split_once('=').unwrap_or((EVERYTHING, text));
    // What may be a target, and which of its levels may be had, is said in one place.
    let tried = match (target, word) {
        (EVERYTHING, DEFAULT) => return Ok((target.to_owned(), None)),
        (EVERYTHING, word) => format!("angarium={word}"),
        (target, DEFAULT) => format!("{target}=error"),
        (target, word) => format!("{target}={word}"),
    };
    let level: LogTarget = tried
        .parse()
        .map_err(|why| Refused::usage(format!("{text:?}: {why}")))?;
    Ok((target.to_owned(), (word != DEFAULT).then(|| level.level())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_level_is_for_everything_or_for_a_target() {
        let check = |text: &str, expected: Option<(&str, Option<LogLevel>)>| {
            let expected = expected.map(|(target, level)| (target.to_owned(), level));
            assert_eq!(parse(text).ok(), expected, "{text}");
        };
        check("debug", Some(("*", Some(LogLevel::Debug))));
        check("*=debug", Some(("*", Some(LogLevel::Debug))));
        check("default", Some(("*", None)));
        check(
            "angarium::smtp=trace",
            Some(("angarium::smtp", Some(LogLevel::Trace))),
        );
        check("angarium::smtp=default", Some(("angarium::smtp", None)));
        check("rustls=info", Some(("rustls", Some(LogLevel::Info))));
        for wrong in [
            "rustls=debug",
            "verbose",
            "angarium=",
            "=info",
            "",
            "angarium::smtp=Default",
            "a b=info",
            "a b=default",
            "*",
        ] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[^\\p{Cc}]{0,80}") {
            if let Ok((target, level)) = parse(&text) {
                prop_assert_eq!(parse(&printed(&target, level)).ok(), Some((target, level)));
            }
        }
    }
}

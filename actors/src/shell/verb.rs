//! Verb: from the name of a verb to what it does. The table is in the crate `shell`; a test holds both equal.

use shell::{Answer, Effect, Place};

use super::{
    desk::{Desk, Refused, Request},
    output::Output,
    verbs,
};

/// Does what was asked, after the role of who asks was looked at.
///
/// # Errors
/// [`Refused`], as the operator is told it.
pub async fn run(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let verb = request.call.verb();
    let name = verb.words();
    let is_reader = request.caller.role < verb.role;
    let changes = matches!(verb.effect, Effect::Changes { .. });
    if is_reader || (changes && request.caller.role < shell::Role::Administrator) {
        return Err(Refused::not_allowed(format!("{name} is for administrators")));
    }
    match (verb.place, desk.running()) {
        (Place::Running, Err(why)) => return Err(why),
        (Place::Stopped, Ok(_)) => {
            return Err(Refused::failed(format!(
                "{name} is for a server that does not run"
            )));
        }
        (Place::Client, _) => return Err(Refused::usage(format!("{name} is done by the client"))),
        _ => {}
    }
    match name.as_str() {
        "complete" => verbs::complete::complete(desk, request).await,
        "status" => verbs::status::status(desk).await,
        "tree" => verbs::tree::tree(desk, request, out).await,
        _ => Err(Refused::failed(format!("{name} is not here"))),
    }
}

#[cfg(test)]
mod tests {
    use shell::{Place, table};

    /// The arms of the match above, read from this file: no verb is in the table and not here, or here and not there.
    #[test]
    fn the_table_and_the_match_are_equal() {
        let source = include_str!("verb.rs");
        let code = source.split("#[cfg(test)]").next().unwrap();
        let arm = |line: &str| -> Option<String> {
            let (name, _) = line.trim().strip_prefix('"')?.split_once("\" => ")?;
            Some(name.to_owned())
        };
        let mut here: Vec<String> = code.lines().filter_map(arm).collect();
        let done_here = table::verbs().filter(|verb| verb.place != Place::Client);
        let mut there: Vec<String> = done_here.map(shell::Verb::words).collect();
        here.sort();
        there.sort();
        assert_eq!(here, there);
    }
}

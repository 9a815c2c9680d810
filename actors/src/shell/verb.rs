//! Verb: from the name of a verb to what it does. The table is in the crate `shell`; a test holds both equal.

use shell::{Answer, Place};

use crate::connection::dialogue::Wire;

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
    if request.caller.role < verb.role {
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
        "account add" => verbs::account::add(desk, request).await,
        "account app-password add" => verbs::account::add_app_password(desk, request).await,
        "account app-password list" => verbs::account::app_passwords(desk, request).await,
        "account app-password remove" => verbs::account::remove_app_password(desk, request).await,
        "account delete" => verbs::account::delete(desk, request).await,
        "account identity add" => verbs::account::add_identity(desk, request).await,
        "account identity list" => verbs::account::identities(desk, request).await,
        "account identity remove" => verbs::account::remove_identity(desk, request).await,
        "account limit" => verbs::account::limit(desk, request).await,
        "account list" => verbs::account::list(desk).await,
        "account password" => verbs::account::password(desk, request).await,
        "account rename" => verbs::account::rename(desk, request).await,
        "account resume" => verbs::account::resume(desk, request).await,
        "account show" => verbs::account::show(desk, request).await,
        "account suspend" => verbs::account::suspend(desk, request).await,
        "actor" => verbs::actor::actor(desk, request).await,
        "alias add" => verbs::alias::add(desk, request).await,
        "alias delete" => verbs::alias::delete(desk, request).await,
        "alias list" => verbs::alias::list(desk).await,
        "alias show" => verbs::alias::show(desk, request).await,
        "audit list" => verbs::audit::list(desk, request).await,
        "audit show" => verbs::audit::show(desk, request).await,
        "ban add" => verbs::ban::add(desk, request).await,
        "ban list" => verbs::ban::list(desk).await,
        "ban remove" => verbs::ban::remove(desk, request).await,
        "complete" => verbs::complete::complete(desk, request).await,
        "crash list" => verbs::crash_list::crash_list(desk, request).await,
        "crash show" => verbs::crash_show::crash_show(desk, request).await,
        "domain add" => verbs::domain::add(desk, request).await,
        "domain catch-all" => verbs::domain::catch_all(desk, request).await,
        "domain delete" => verbs::domain::delete(desk, request).await,
        "domain list" => verbs::domain::list(desk).await,
        "domain show" => verbs::domain::show(desk, request).await,
        "kick" => verbs::kick::kick(desk, request).await,
        "log level" => verbs::log_level::log_level(desk, request).await,
        "overview" => verbs::overview::overview(desk).await,
        "queue delete" => verbs::queue::delete(desk, request).await,
        "queue list" => verbs::queue::list(desk, request, out).await,
        "queue release" => verbs::queue::release(desk, request).await,
        "queue show" => verbs::queue::show(desk, request).await,
        "queue why" => verbs::queue::why(desk, request).await,
        "backup" => verbs::backup::take(desk, request, out).await,
        "backup list" => verbs::backup::list(request).await,
        "backup verify" => verbs::backup::verify(request, out).await,
        "check store" => verbs::check_store::check_store(desk, request, out).await,
        "migrate" => Err(Refused::failed(WITHOUT_STORE)),
        "restore" => Err(Refused::failed(WITHOUT_STORE)),
        "space" => verbs::space::space(desk).await,
        "space reclaim" => verbs::space::reclaim(desk, request, out).await,
        "reload" => verbs::reload::reload(desk, request).await,
        "reload list" => verbs::reload::list(desk).await,
        "status" => verbs::status::status(desk).await,
        "stuck" => verbs::stuck::stuck(desk, request).await,
        "tenant limit" => verbs::tenant::limit(desk, request).await,
        "tenant list" => verbs::tenant::list(desk).await,
        "tenant show" => verbs::tenant::show(desk, request).await,
        "trace pop3" => verbs::trace::dialogue(desk, request, out, Wire::Pop3).await,
        "trace smtp" => verbs::trace::dialogue(desk, request, out, Wire::Smtp).await,
        "trace" => verbs::trace::trace(desk, request, out).await,
        "tree" => verbs::tree::tree(desk, request, out).await,
        "who" => verbs::who::who(desk, request).await,
        "upkeep" => verbs::upkeep::upkeep(desk).await,
        "upkeep end" => verbs::upkeep::end(desk, request).await,
        _ => Err(Refused::failed(format!("{name} is not here"))),
    }
}

/// Of what the program does by itself, because the store must not be open.
const WITHOUT_STORE: &str = "this is done by the program on the command line, with the server stopped";

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

//! `crash show`: all that is known of one crash.

use shell::{Answer, Block};

use super::crash;
use crate::shell::desk::{Desk, Refused, Request};

pub(in crate::shell) async fn crash_show(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let running = desk.running()?;
    let asked = request.call.required("crash")?;
    let found = crash::cards(&running)
        .into_iter()
        .find(|(number, _)| number == asked);
    let (number, card) = found.ok_or_else(|| {
        Refused::failed(format!(
            "nothing is known of crash {asked}: it never was, or is forgotten"
        ))
    })?;
    let now = running.tree_to(&card.path, 0).into_iter().next();
    Ok(Answer::new("crash show").with(Block::fields([
        ("crash", number.into()),
        ("at", crash::at(&card).into()),
        ("path", card.path.as_str().into()),
        ("class", card.class.into()),
        ("kind", crash::kind(&card)),
        ("text", card.text.as_str().into()),
        ("lived", card.alive.into()),
        ("subject", card.subject.map(|subject| subject.to_string()).into()),
        (
            "crashes_on_that_subject",
            card.subject.map(|subject| running.crashes(subject)).into(),
        ),
        (
            "restarts_since_the_start",
            now.as_ref().map(|row| row.restarts).into(),
        ),
        ("phase_now", now.as_ref().map(super::tree::word).into()),
    ])))
}

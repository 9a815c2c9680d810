//! `queue why`: why a message waits.

use shell::{Answer, Block, Table};

use super::{need, ruled, whys};
use crate::shell::{
    desk::{Desk, Refused, Request},
    values,
};

pub(in crate::shell) async fn why(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let entry = need(desk, values::message(&request.call, "message")?).await?;
    let whys = whys(desk, &entry).await?;
    let address = |number| {
        let found = entry.recipients.iter().find(|(known, _)| *known == number);
        found.map(|(_, recipient)| recipient.address.shown().to_string())
    };
    let mut answer = Answer::new("queue why");
    if request.call.is_json() {
        let columns = ["recipient", "address", "why", "since", "rule", "source", "remedy"];
        let mut table = Table::new(&columns);
        for (number, why) in whys {
            let (rule, source) = ruled(desk, why.rule);
            table.row([
                u64::from(number.get()).into(),
                address(number).into(),
                why.sentence.into(),
                why.since.into(),
                rule.into(),
                source.into(),
                why.remedy.into(),
            ]);
        }
        return Ok(answer.with(table));
    }
    for (number, why) in whys {
        let (rule, source) = ruled(desk, why.rule);
        let mut text = format!(
            "recipient {} <{}>: {}",
            number.get(),
            address(number).unwrap_or_default(),
            why.sentence
        );
        text += &format!("\n    since     {}", why.since);
        if let Some(rule) = source.or(rule) {
            text += &format!("\n    rule      {rule}");
        }
        text += &format!("\n    to change {}", why.remedy);
        answer.push(Block::text(text));
    }
    Ok(answer)
}

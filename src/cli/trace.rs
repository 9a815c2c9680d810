//! `angarium trace`: what happened to a message, step by step.

use std::{fmt::Write as _, process::ExitCode};

use actors::tree::DEFAULT_TENANT;
use anyhow::{Context, bail};
use clap::Args;
use message::id::MessageId;
use store::{
    read::trail,
    record::{
        mailbox::Parsed,
        spool::Arrival,
        trail::{Settlement, TrailEvent, TrailRecipient, TrailStep},
    },
};

use crate::{boot::open_store, loader::Overrides};

/// Prints what happened to a message
#[derive(Args)]
pub(super) struct Trace {
    /// The id of the message, as the reply to its sender and its Received field name it
    message: String,
    #[command(flatten)]
    overrides: Overrides,
}

impl Trace {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let message: MessageId = self
            .message
            .parse()
            .with_context(|| format!("{:?} is not the id of a message", self.message))?;
        let config = self.overrides.load()?;
        anyhow::ensure!(
            config.server.data.is_dir(),
            "there is no data directory {}",
            config.server.data.display()
        );
        let (store, _) = open_store(&config, false)?;
        let steps = trail::of_message(&store.snapshot(), DEFAULT_TENANT, message);
        store.close()?;
        let steps = steps?;
        if steps.is_empty() {
            bail!("nothing is known of message {message}: it never was, or its trail has been swept");
        }
        for (key, step) in &steps {
            let recipient = key
                .recipient
                .map_or_else(String::new, |number| format!(" recipient {}", number.get()));
            println!("{}{recipient} {}", step.at, describe(step));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// One step in one line.
fn describe(step: &TrailStep) -> String {
    let mut line = match &step.event {
        TrailEvent::Accepted {
            arrival,
            reverse_path,
            options,
            recipients,
            octets,
            reply,
        } => {
            let mut line = format!("accepted {octets} bytes from {reverse_path}");
            if !options.is_empty() {
                let _ = write!(line, " {options}");
            }
            for TrailRecipient { address, options } in recipients {
                let _ = write!(line, " to <{address}>");
                if !options.is_empty() {
                    let _ = write!(line, " {options}");
                }
            }
            let _ = write!(line, "{}; told {reply:?}", describe_arrival(arrival));
            line
        }
        TrailEvent::Appended {
            account,
            mailbox,
            uid_validity,
            uid,
            parsed,
        } => {
            let how = match parsed {
                Parsed::Whole => "",
                Parsed::Partly => ", structure cut short",
                Parsed::Not => ", unparsed",
            };
            format!("appended to mailbox {mailbox} of account {account} as {uid_validity}.{uid}{how}")
        }
        TrailEvent::Settled(settlement) => match settlement {
            Settlement::Delivered { reply } => format!("delivered: {reply}"),
            Settlement::Deferred { next_due, why } => format!("deferred until {next_due}: {why}"),
            Settlement::Bounced { why } => format!("bounced: {why}"),
            Settlement::Held { why } => format!("held for an operator: {why}"),
        },
        TrailEvent::Removed { why } => format!("removed: {why}"),
    };
    let _ = write!(line, " [{}]", step.actor);
    line
}

fn describe_arrival(arrival: &Arrival) -> String {
    let mut text = String::new();
    if let Some(peer) = arrival.peer {
        let _ = write!(
            text,
            " by {} from {peer}, who said {:?}",
            arrival.protocol, arrival.helo
        );
    }
    if let Some(tls) = &arrival.tls {
        let _ = write!(text, ", under {tls}");
    }
    for verdict in &arrival.verdicts {
        let _ = write!(text, ", {verdict}");
    }
    text
}

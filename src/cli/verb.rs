//! Verbs on the command line: `angarium tree /store`, made from the one table of verbs.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use shell::{Answer, Call, Exit, Kind, Verb, help, json, render, table};

use super::{
    client,
    shell::{Site, perform},
};
use crate::loader::Overrides;

/// Adds every verb of the table to the program.
pub(super) fn add_to(program: Command) -> Command {
    // clap has a help of its own, and there is nothing to leave.
    let spoken = table::verbs().filter(|verb| verb.name != ["help"] && verb.name != ["quit"]);
    spoken.fold(program, |program, verb| insert(program, verb.name, verb))
}

fn insert(above: Command, words: &'static [&'static str], verb: &'static Verb) -> Command {
    let Some((word, rest)) = words.split_first() else {
        return fill(above, verb);
    };
    if above.find_subcommand(word).is_some() {
        return above.mut_subcommand(word, |command| insert(command, rest, verb));
    }
    let group = match rest {
        [] => Command::new(*word),
        _ => Command::new(*word)
            .about(format!("Verbs on {word}"))
            .subcommand_required(true)
            .arg_required_else_help(true),
    };
    above.subcommand(insert(group, rest, verb))
}

/// Makes a command of a verb.
fn fill(command: Command, verb: &'static Verb) -> Command {
    let mut command = Overrides::augment_args(command)
        .about(verb.summary)
        .hide(verb.hidden)
        .subcommand_required(false)
        .arg_required_else_help(false);
    let notes = help::notes(verb);
    if !notes.is_empty() {
        command = command.after_help(notes.join("\n"));
    }
    for argument in verb.arguments {
        let mut arg = Arg::new(argument.name).help(argument.about);
        // Whether all are there is said in one place, by the call.
        if argument.is_many() {
            arg = arg.num_args(0..).action(ArgAction::Append);
            if argument.kind == Kind::Verb {
                arg = arg.trailing_var_arg(true).allow_hyphen_values(true);
            }
        }
        command = command.arg(arg);
    }
    for flag in verb.all_flags() {
        let arg = Arg::new(flag.name).long(flag.name).help(flag.about);
        command = command.arg(match flag.value {
            None => arg.action(ArgAction::SetTrue),
            Some((value, _)) if flag.repeated => arg.value_name(value).action(ArgAction::Append),
            Some((value, _)) => arg.value_name(value),
        });
    }
    command
}

/// The verb that was asked for, with its matches; none when it is a command that is no verb.
pub(super) fn of_matches(matches: &ArgMatches) -> Option<(&'static Verb, &ArgMatches)> {
    let (mut words, mut matches) = (Vec::new(), matches);
    while let Some((word, below)) = matches.subcommand() {
        words.push(word);
        matches = below;
    }
    let verb = table::verbs().find(|verb| verb.name == words.as_slice())?;
    Some((verb, matches))
}

/// Does what was asked.
pub(super) fn run(verb: &'static Verb, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let overrides = Overrides::from_arg_matches(matches)?;
    let call = match call(verb, matches) {
        Ok(call) => call,
        Err(why) => {
            eprintln!("angarium: {why}");
            return Ok(ExitCode::from(Exit::USAGE.0));
        }
    };
    let exit = perform(&Site::of(overrides), &call)?;
    Ok(ExitCode::from(exit.0))
}

/// Shows an answer as it comes, or as one object of JSON at its end. Gives the exit code.
pub(super) fn say(
    call: &Call,
    ask: impl FnOnce(&mut dyn FnMut(shell::Block) -> std::io::Result<()>) -> anyhow::Result<shell::frame::End>,
) -> anyhow::Result<Exit> {
    let style = client::style();
    let mut answer = Answer::new(&call.verb().words());
    let mut heads: Vec<String> = Vec::new();
    let mut show = |block: shell::Block| -> std::io::Result<()> {
        match (call.is_json(), &block) {
            (true, _) if call.is_stream() => client::print(&format!("{}\n", json::block(&block)))?,
            // Rows may come in parts, and are laid out together.
            (false, shell::Block::Table(_)) if !call.is_stream() => answer.push(block),
            (false, shell::Block::Table(table)) => {
                let has_head = heads != table.columns;
                client::print(&render::stream(table, style, has_head))?;
                heads.clone_from(&table.columns);
            }
            (false, _) => client::print(&render::block(&block, style))?,
            (true, _) => answer.push(block),
        }
        Ok(())
    };
    let end = ask(&mut show)?;
    answer.receipt = end.receipt;
    answer.exit = end.exit;
    if call.is_json() {
        client::print(&format!("{}\n", json::answer(&answer, end.error.as_deref())))?;
    } else {
        client::print(&render::answer(&answer, style))?;
        if let Some(why) = end.error {
            eprintln!("angarium: {why}");
        }
    }
    Ok(end.exit)
}

/// A call from what clap has read. Values of one kind or another are checked there, not here.
fn call(verb: &'static Verb, matches: &ArgMatches) -> Result<Call, shell::LineError> {
    let mut words: Vec<String> = Vec::new();
    for flag in verb.all_flags() {
        match flag.value {
            None if matches.get_flag(flag.name) => words.push(format!("--{}", flag.name)),
            None => {}
            Some(_) => {
                let values = matches.get_many::<String>(flag.name).into_iter().flatten();
                words.extend(values.map(|value| format!("--{}={value}", flag.name)));
            }
        }
    }
    words.push("--".to_owned());
    for argument in verb.arguments {
        words.extend(
            matches
                .get_many::<String>(argument.name)
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Call::of(verb, &words)
}

//! End to end: the real server over real sockets. Each module is a story.
//!
//! Most stories run a [`node`] in this process, on ports that the system chooses and in a directory that goes with the
//! test; those about the program itself, its signals and its memory run the [`program`]. Nothing here waits by the
//! clock: a test waits for an event, or asks again until a deadline at which it fails.

#[cfg(test)]
mod actors_come_back;
#[cfg(test)]
mod answers_http;
#[cfg(test)]
mod asks_the_shell;
#[cfg(test)]
mod attacks_on_text;
#[cfg(test)]
mod big_message;
#[cfg(test)]
mod cares;
#[cfg(test)]
mod changes_in_the_middle;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod completes_submissions;
#[cfg(test)]
mod converts_binary;
#[cfg(test)]
mod discard_route;
#[cfg(test)]
mod drains;
#[cfg(test)]
mod fills_the_backup_disk;
#[cfg(test)]
mod first_start;
#[cfg(test)]
mod hears_from_proxies;
#[cfg(test)]
mod hears_hangups;
#[cfg(test)]
mod holds_back;
#[cfg(test)]
mod is_a_service;
#[cfg(test)]
mod keeps_accounts;
#[cfg(test)]
mod keeps_bans;
#[cfg(test)]
mod keeps_credentials;
#[cfg(test)]
mod keeps_to_limits;
#[cfg(test)]
mod knows_its_operators;
#[cfg(test)]
mod knows_its_proxies;
#[cfg(test)]
mod line;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod logs_in;
#[cfg(test)]
mod looks_after_mail;
#[cfg(test)]
mod many_connections;
#[cfg(test)]
mod measures_load;
#[cfg(test)]
mod node;
#[cfg(test)]
mod over_quota;
#[cfg(test)]
mod program;
#[cfg(test)]
mod reads_back;
#[cfg(test)]
mod receives_mail;
#[cfg(test)]
mod receives_utf8;
#[cfg(test)]
mod refuses;
#[cfg(test)]
mod reloads;
#[cfg(test)]
mod reloads_at_once;
#[cfg(test)]
mod reloads_cut_short;
#[cfg(test)]
mod reloads_survive;
#[cfg(test)]
mod renames_accounts;
#[cfg(test)]
mod renews_certificates;
#[cfg(test)]
mod session_survives;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sheet;
#[cfg(test)]
mod slow_clients;
#[cfg(test)]
mod speaks_tls;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod survives_restart;
#[cfg(test)]
mod suspends_accounts;
#[cfg(test)]
mod takes_settings;
#[cfg(test)]
mod tells_statsd;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod transcripts;
#[cfg(test)]
mod unparsable_message_is_appended_unparsed;
#[cfg(test)]
mod vanished_account_is_held;

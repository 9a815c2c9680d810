//! Every reply that the machine gives of its own, and those that its callers need most, in one table.
//!
//! Enhanced codes are those of RFC 3463 §3; their class always equals the first digit of the code. Where RFC 3463 has
//! no fitting detail the entry says why it takes the one it has.

use super::{Enhanced, Reply};

macro_rules! replies {
    ($($(#[$doc:meta])* $name:ident = $code:literal ($class:literal, $subject:literal, $detail:literal) $text:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Reply = Reply::fixed(
                $code,
                Some(Enhanced($class, $subject, $detail)),
                concat!($code, " ", $class, ".", $subject, ".", $detail, " ", $text, "\r\n"),
            );
        )*
        #[cfg(test)]
        const ALL: &[Reply] = &[$($name),*];
    };
}

replies! {
    // What goes well.

    /// To RSET, NOOP.
    OK = 250 (2, 0, 0) "Ok";
    /// To MAIL.
    SENDER_OK = 250 (2, 1, 0) "Sender ok";
    /// To RCPT.
    RECIPIENT_OK = 250 (2, 1, 5) "Recipient ok";
    /// To the end of data: only when the message is durable.
    ACCEPTED = 250 (2, 0, 0) "Message accepted";
    /// To BDAT that is not the last: its octets are here, and nothing is durable yet. RFC 3030 §2
    CHUNK_TAKEN = 250 (2, 0, 0) "Chunk received";
    /// To VRFY: neither yes nor no, so that it lists no users. RFC 5321 §7.3
    CANNOT_VERIFY = 252 (2, 0, 0) "Cannot verify, but will take mail for local users";
    /// To QUIT.
    BYE = 221 (2, 0, 0) "Bye";
    /// To STARTTLS: the handshake follows. RFC 3207 §4
    TLS_READY = 220 (2, 0, 0) "Ready to start TLS";

    // The command is not understood, or not now.

    /// X.5.2 covers what "is unrecognized" as well as what is malformed.
    UNKNOWN_COMMAND = 500 (5, 5, 2) "Command not recognized";
    /// X.5.2 again: X.5.6, "line too long", belongs to the exchange of AUTH (RFC 4954 §6).
    LINE_TOO_LONG = 500 (5, 5, 2) "Line too long";
    /// A line feed without its carriage return never ends a line. RFC 5321 §2.3.8
    BARE_LINE_FEED = 500 (5, 5, 2) "Lines end in CR LF";
    /// A carriage return without its line feed, or NUL, in a command line.
    CONTROL_CHARACTER = 501 (5, 5, 2) "Control character in command";
    /// Arguments that do not parse, or that the command does not take.
    BAD_ARGUMENT = 501 (5, 5, 4) "Syntax error in arguments";
    /// EHLO and HELO want a domain or an address literal.
    BAD_HELLO = 501 (5, 5, 4) "A domain name or address literal is required";
    /// The reverse-path does not parse.
    BAD_SENDER = 501 (5, 1, 7) "Bad sender address syntax";
    /// The forward-path does not parse.
    BAD_RECIPIENT = 501 (5, 1, 3) "Bad recipient address syntax";
    /// Domain of the reverse-path that no mail can come from.
    BAD_SENDER_DOMAIN = 553 (5, 1, 8) "Unacceptable sender domain";
    /// Domain of the forward-path that no mail can go to.
    BAD_RECIPIENT_DOMAIN = 553 (5, 1, 2) "Unacceptable recipient domain";
    /// Eight-bit octets in an address without SMTPUTF8. RFC 6531 §3.5
    ADDRESS_NOT_ASCII = 553 (5, 6, 7) "Address is not ASCII";
    /// Known to RFC 5321 or its extensions, and not to this server. RFC 5321 §4.2.4
    NOT_IMPLEMENTED = 502 (5, 5, 1) "Command not implemented";
    /// Parameter of MAIL or RCPT that was not offered. RFC 5321 §4.1.1.11
    UNKNOWN_PARAMETER = 555 (5, 5, 4) "Parameter not recognized or not implemented";
    /// RFC 5321 §4.1.4
    HELLO_FIRST = 503 (5, 5, 1) "EHLO or HELO first";
    /// To EHLO and HELO where LMTP is spoken. RFC 2033 §4.1
    LHLO_FIRST = 500 (5, 5, 1) "This is LMTP: LHLO first";
    /// RFC 5321 §4.1.4
    MAIL_FIRST = 503 (5, 5, 1) "MAIL first";
    /// RFC 5321 §4.1.4
    MAIL_GIVEN = 503 (5, 5, 1) "MAIL was given already";
    /// MAIL was given, but no recipient stands. RFC 5321 §3.3
    NO_RECIPIENTS = 554 (5, 5, 1) "No valid recipients";
    /// The same of LMTP. RFC 2033 §4.2
    NO_RECIPIENTS_LMTP = 503 (5, 5, 1) "No valid recipients";
    /// A command between two chunks that would change their transaction. RFC 3030 §2
    CHUNKS_BEGUN = 503 (5, 5, 1) "A message in chunks has begun: BDAT or RSET";
    /// A chunk behind one of the same message that was refused.
    CHUNK_REFUSED_BEFORE = 503 (5, 5, 1) "A chunk of this message was refused: RSET";
    /// DATA behind BODY=BINARYMIME, whose octets have no lines. RFC 3030 §3
    BDAT_NEEDED = 503 (5, 5, 1) "BINARYMIME needs BDAT";
    /// RFC 3207 §4
    TLS_ALREADY = 503 (5, 5, 1) "TLS is established already";
    /// RFC 3207 §4
    TLS_NOT_AVAILABLE = 454 (4, 7, 0) "TLS is not available now";

    // Logging in. RFC 4954 §4, §6

    /// To the end of an exchange.
    AUTHENTICATED = 235 (2, 7, 0) "Authentication succeeded";
    /// Names and passwords that do not fit, whichever of them it is.
    AUTH_FAILED = 535 (5, 7, 8) "Authentication failed";
    /// Nobody can say now whether they fit.
    AUTH_TEMPORARY_FAILURE = 454 (4, 7, 0) "Temporary authentication failure";
    /// The client said `*`.
    AUTH_CANCELLED = 501 (5, 7, 0) "Authentication cancelled";
    /// A response that is no base64.
    BAD_BASE64 = 501 (5, 5, 2) "Cannot decode this as base64";
    /// A response that is not in the form of its mechanism. RFC 4954 §6
    BAD_RESPONSE = 501 (5, 5, 2) "Malformed authentication response";
    /// A response beyond 12,288 octets.
    AUTH_LINE_TOO_LONG = 500 (5, 5, 6) "Line of the authentication exchange is too long";
    /// A session logs in once.
    AUTH_ALREADY = 503 (5, 5, 1) "Authenticated already";
    /// AUTH between MAIL and the end of the transaction.
    AUTH_IN_TRANSACTION = 503 (5, 5, 1) "No AUTH during a mail transaction";
    /// A mechanism that is not offered.
    UNKNOWN_MECHANISM = 504 (5, 5, 4) "Authentication mechanism is not supported";
    /// To MAIL of somebody who may submit mail, and has not said who it is. RFC 6409 §4.3
    AUTH_REQUIRED = 530 (5, 7, 0) "Authentication required";
    /// A mechanism that is offered under TLS only.
    AUTH_NEEDS_TLS = 538 (5, 7, 11) "This authentication mechanism needs encryption: STARTTLS first";

    /// XCLIENT of somebody who is not trusted with it.
    XCLIENT_DENIED = 550 (5, 7, 0) "XCLIENT is not for you";
    /// XCLIENT between MAIL and the end of the transaction.
    XCLIENT_IN_TRANSACTION = 503 (5, 5, 1) "No XCLIENT during a mail transaction";

    // The recipient.

    /// No such account in a domain of ours.
    NO_SUCH_MAILBOX = 550 (5, 1, 1) "No such mailbox here";
    /// An account that is there and takes no mail. RFC 3463 §3.3, X.2.1
    MAILBOX_DISABLED = 550 (5, 2, 1) "Mailbox is disabled, and takes no mail";
    /// The sender is none of the addresses of who logged in. RFC 6409 §6.1
    NOT_YOUR_ADDRESS = 553 (5, 7, 1) "This sender address is not yours";
    /// A submitted message that would have to leave this server, which has no way out yet.
    NO_ROUTE = 550 (5, 7, 1) "No outbound route: this server delivers to its own domains only";
    /// A domain that is not ours.
    RELAY_DENIED = 550 (5, 7, 1) "Relaying denied";
    /// RFC 5321 §4.5.3.1.10
    TOO_MANY_RECIPIENTS = 452 (4, 5, 3) "Too many recipients";
    /// The account is over its quota, which may change.
    MAILBOX_FULL = 452 (4, 2, 2) "Mailbox is full";

    // The message.

    /// Declared or sent more than SIZE allows. RFC 1870 §6
    TOO_LARGE = 552 (5, 3, 4) "Message is too large";
    /// BDAT without an octet in all.
    EMPTY_MESSAGE = 550 (5, 6, 0) "Message is empty";
    /// A bare CR or LF in the text. X.6.0, "other or undefined media error": the fault is in the content, not in a
    /// command, and RFC 3463 §3.7 knows no detail for line endings.
    BARE_LINE_END = 550 (5, 6, 0) "Message has a bare CR or LF: lines end in CR LF";
    /// RFC 5321 §6.3, RFC 3463 X.4.6
    TOO_MANY_HOPS = 554 (5, 4, 6) "Too many hops: the message is in a loop";

    // Not now.

    /// Something of ours is away or has failed; the client may try again.
    LOCAL_ERROR = 451 (4, 3, 0) "Local error, try again later";
    /// Free space is below the reserve.
    STORE_FULL = 452 (4, 3, 1) "Not enough space, try again later";
    /// The store has more to do than it can.
    OVERLOADED = 451 (4, 3, 2) "Too busy, try again later";

    /// Somebody concerned has sent as much as may be in a window of time: the address, its network, the account or the
    /// sender domain. X.7.1: "the sender is not authorized to send", now.
    TOO_MANY_MESSAGES = 450 (4, 7, 1) "Too many messages lately, try again later";
    /// The same of recipients, of all messages together.
    TOO_MANY_NAMED = 452 (4, 7, 1) "Too many recipients lately, try again later";

    // The connection ends.

    /// The server is going down. RFC 5321 §3.8
    SHUTTING_DOWN = 421 (4, 3, 2) "Shutting down";
    /// A command crashed the session twice.
    CLOSING = 421 (4, 3, 0) "Local error, closing connection";
    /// A time limit. RFC 5321 §4.5.3.2
    TIMED_OUT = 421 (4, 4, 2) "Timeout, closing connection";
    /// The listener holds as many connections as it may.
    TOO_MANY_CONNECTIONS = 421 (4, 7, 0) "Too many connections";
    /// Who logged in may be here no longer.
    LOGIN_ENDED = 421 (4, 7, 0) "Your log-in has ended";
    /// The address is banned.
    BANNED = 421 (4, 7, 0) "Your address is refused at present";
    /// The client spoke before the greeting; a client that is told so for good.
    EARLY_TALKER = 554 (5, 5, 1) "You spoke before the greeting";
    /// The same, so that a mail server that is merely hasty may try again.
    EARLY_TALKER_DEFERRED = 421 (4, 7, 0) "You spoke before the greeting";
    /// See `Settings::max_errors`.
    TOO_MANY_ERRORS = 421 (4, 7, 0) "Too many errors";
    /// Far more recipients than one message may have.
    TOO_MANY_DEFERRED = 421 (4, 5, 3) "Too many recipients";
    /// See `Settings::max_commands_without_mail`.
    TOO_MANY_COMMANDS = 421 (4, 7, 0) "Too many commands without a message";
    /// A line that does not end.
    ENDLESS_LINE = 421 (4, 7, 0) "Line does not end";
    /// Body octets sent before 354 (RFC 5321 §4.1.1.4): they would be read as commands.
    UNSYNCHRONIZED = 421 (4, 7, 0) "Message text was sent before 354";
    /// Octets behind a BDAT that does not say how many, or too many: they would be read as commands.
    UNCOUNTED = 421 (4, 7, 0) "Cannot tell the end of this chunk";
    /// More transactions than `Settings::max_transactions`. RFC 9422 §4.1
    TOO_MANY_TRANSACTIONS = 421 (4, 7, 0) "Too many messages in one session";
    /// XCLIENT of somebody who is not trusted with it.
    UNTRUSTED = 421 (4, 7, 0) "Closing connection";
    /// HTTP or PROXY: a browser or a proxy was made to speak to us.
    NOT_SMTP = 421 (4, 7, 0) "This is SMTP";
}

/// To DATA. RFC 2034 §4: 3xx carries no enhanced code.
pub const START_INPUT: Reply = Reply::fixed(354, None, "354 End data with <CR><LF>.<CR><LF>\r\n");

/// To HELP.
pub const HELP: Reply = Reply::fixed(
    214,
    Some(Enhanced(2, 0, 0)),
    "214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\r\n214 2.0.0 See RFC 5321\r\n",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_is_well_formed_and_of_one_class() {
        for reply in ALL.iter().chain([&START_INPUT, &HELP]) {
            if let Some(Enhanced(class, ..)) = reply.enhanced() {
                assert_eq!(u16::from(class), reply.code() / 100, "{reply:?}");
            }
            let lines: Vec<_> = reply.wire().split_inclusive("\r\n").collect();
            for (index, line) in lines.iter().enumerate() {
                let last = index + 1 == lines.len();
                let start = format!("{}{}", reply.code(), if last { ' ' } else { '-' });
                let text = line.strip_suffix("\r\n").unwrap();
                assert!(text.starts_with(&start), "{line:?}");
                assert!(
                    text.len() <= 510 && text.bytes().all(|octet| matches!(octet, 32..=126)),
                    "{line:?}"
                );
            }
        }
    }
}

"""The dialogues: what an ordinary client says, what a careless one says, and what an attacker says."""

from dialogue import TLS, Dialogue, together, unanswered

# What both servers are set to.
MAX_MESSAGE_SIZE = 100_000
MAX_RECIPIENTS = 100

EHLO = b"EHLO client.example\r\n"
HELO = b"HELO client.example\r\n"
MAIL = b"MAIL FROM:<a@client.example>\r\n"
RCPT = b"RCPT TO:<alice@example.org>\r\n"
BOB = b"RCPT TO:<bob@example.org>\r\n"
NOBODY = b"RCPT TO:<nobody@example.org>\r\n"
ELSEWHERE = b"RCPT TO:<a@elsewhere.example>\r\n"
DATA = b"DATA\r\n"
RSET = b"RSET\r\n"
NOOP = b"NOOP\r\n"
HEADER = b"From: a@client.example\r\nSubject: test\r\n\r\n"
TEXT = HEADER + b"body\r\n.\r\n"
STARTTLS = b"STARTTLS\r\n"

# A second message inside the first, for a server that sees an end where the other sees none.
SMUGGLED = MAIL + RCPT + DATA + HEADER + b"smuggled\r\n.\r\n"


def sender(name, path, **options):
    """MAIL with this path, and whatever may follow a sender that is taken."""
    return Dialogue(f"sender_{name}", EHLO, b"MAIL FROM:" + path + b"\r\n", **options)


def recipient(name, path, **options):
    return Dialogue(f"recipient_{name}", EHLO, MAIL, b"RCPT TO:" + path + b"\r\n", **options)


def parameter(name, parameters, **options):
    return Dialogue(f"mail_{name}", EHLO, b"MAIL FROM:<a@client.example> " + parameters + b"\r\n", **options)


def text(name, octets):
    """A message; what follows its text in the same packet counts only if the server takes its end to be elsewhere."""
    return Dialogue(f"text_{name}", EHLO, MAIL, RCPT, DATA, octets)


def smuggles(name, end):
    """An end of data that is none, a message behind it, and the true end."""
    return Dialogue(f"smuggles_{name}", EHLO, MAIL, RCPT, DATA, HEADER + b"first" + end + SMUGGLED)


ORDINARY = [
    Dialogue("message", EHLO, MAIL, RCPT, DATA, TEXT),
    Dialogue("message_with_helo", HELO, MAIL, RCPT, DATA, TEXT),
    Dialogue("message_of_nobody", EHLO, b"MAIL FROM:<>\r\n", RCPT, DATA, TEXT),
    Dialogue("two_messages", EHLO, MAIL, RCPT, DATA, TEXT, MAIL, BOB, DATA, TEXT),
    Dialogue("two_recipients", EHLO, MAIL, RCPT, BOB, DATA, TEXT),
    Dialogue("recipient_twice", EHLO, MAIL, RCPT, RCPT, DATA, TEXT),
    Dialogue("one_of_two_recipients", EHLO, MAIL, NOBODY, RCPT, DATA, TEXT),
    Dialogue("reset", EHLO, MAIL, RCPT, RSET, MAIL, RCPT, DATA, TEXT),
    Dialogue("lower_case", b"ehlo client.example\r\n", b"mail from:<a@client.example>\r\n",
             b"rcpt to:<alice@example.org>\r\n", b"data\r\n", TEXT),
    Dialogue("mixed_case", b"EhLo client.example\r\n", b"Mail From:<a@client.example>\r\n", b"rCPT tO:<ALICE@Example.ORG>\r\n"),
    Dialogue("trailing_spaces", b"EHLO client.example  \r\n", b"MAIL FROM:<a@client.example>  \r\n", b"NOOP \r\n"),
    Dialogue("relay_is_refused", EHLO, MAIL, ELSEWHERE, DATA),
    Dialogue("nobody_is_refused", EHLO, MAIL, NOBODY, DATA),
    Dialogue("tagged_recipient", EHLO, MAIL, b"RCPT TO:<alice+tag@example.org>\r\n"),
]

GREETINGS = [
    Dialogue("ehlo_twice", EHLO, EHLO, MAIL),
    Dialogue("helo_behind_ehlo", EHLO, HELO, MAIL, RCPT),
    Dialogue("ehlo_ends_a_transaction", EHLO, MAIL, RCPT, EHLO, RCPT),
    Dialogue("ehlo_without_a_name", b"EHLO\r\n", MAIL),
    Dialogue("helo_without_a_name", b"HELO\r\n", MAIL),
    Dialogue("ehlo_with_two_names", b"EHLO client.example other\r\n"),
    Dialogue("ehlo_with_a_literal", b"EHLO [127.0.0.1]\r\n", MAIL),
    Dialogue("ehlo_with_an_ipv6_literal", b"EHLO [IPv6:::1]\r\n", MAIL),
    Dialogue("ehlo_with_an_underscore", b"EHLO my_host\r\n", MAIL),
    Dialogue("ehlo_with_a_script", b"EHLO <script>alert(1)</script>\r\n"),
    Dialogue("ehlo_with_a_control_character", b"EHLO a\x07b\r\n"),
    Dialogue("ehlo_with_eight_bits", b"EHLO m\xc3\xbcller.example\r\n"),
    Dialogue("ehlo_of_1000_octets", b"EHLO " + b"a" * 1000 + b"\r\n"),
]

WRONG_STATES = [
    Dialogue("mail_before_ehlo", MAIL),
    Dialogue("recipient_before_ehlo", RCPT),
    Dialogue("recipient_before_mail", EHLO, RCPT),
    Dialogue("data_before_ehlo", DATA),
    Dialogue("data_before_mail", EHLO, DATA),
    Dialogue("data_before_recipient", EHLO, MAIL, DATA),
    Dialogue("mail_twice", EHLO, MAIL, MAIL, RCPT),
    Dialogue("recipient_behind_a_message", EHLO, MAIL, RCPT, DATA, TEXT, RCPT),
    Dialogue("noop_and_reset_before_ehlo", NOOP, RSET),
    Dialogue("message_behind_refusals", EHLO, DATA, RCPT, MAIL, DATA, RCPT, DATA, TEXT),
]

COMMANDS = [
    Dialogue("unknown_command", EHLO, b"FROBNICATE\r\n", b"XYZZY 1 2 3\r\n", MAIL),
    Dialogue("empty_line", EHLO, b"\r\n", MAIL),
    Dialogue("line_of_spaces", EHLO, b"   \r\n", MAIL),
    Dialogue("leading_space", EHLO, b" NOOP\r\n"),
    Dialogue("tab_for_space", EHLO, b"MAIL\tFROM:<a@client.example>\r\n"),
    Dialogue("noop_with_an_argument", EHLO, b"NOOP much ado\r\n"),
    Dialogue("reset_with_an_argument", EHLO, b"RSET all\r\n"),
    Dialogue("data_with_an_argument", EHLO, MAIL, RCPT, b"DATA now\r\n"),
    Dialogue("quit_with_an_argument", EHLO, b"QUIT now\r\n"),
    Dialogue("mail_without_from", EHLO, b"MAIL <a@client.example>\r\n", b"MAIL\r\n", b"MAIL FROM\r\n", b"MAIL TO:<a@b.example>\r\n"),
    Dialogue("verify", EHLO, b"VRFY alice@example.org\r\n"),
    Dialogue("verify_nobody", EHLO, b"VRFY nobody@example.org\r\n"),
    Dialogue("verify_without_a_name", EHLO, b"VRFY\r\n"),
    Dialogue("expand", EHLO, b"EXPN staff\r\n"),
    Dialogue("help", EHLO, b"HELP\r\n"),
    Dialogue("turn", EHLO, b"TURN\r\n", b"ATRN example.org\r\n", b"SEND FROM:<a@b.example>\r\n"),
    Dialogue("etrn", EHLO, b"ETRN example.org\r\n"),
    Dialogue("xclient_of_a_stranger", EHLO, b"XCLIENT ADDR=192.0.2.9\r\n", b"XFORWARD ADDR=192.0.2.9\r\n"),
    Dialogue("auth_where_there_is_none", EHLO, b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
    Dialogue("http_get", b"GET / HTTP/1.1\r\n"),
    Dialogue("http_post", b"POST / HTTP/1.1\r\n"),
    Dialogue("http_post_with_a_body", b"POST / HTTP/1.1\r\nHost: mx\r\n\r\n" + EHLO + MAIL + RCPT + DATA),
    Dialogue("http_connect", b"CONNECT mx:25 HTTP/1.1\r\n"),
    Dialogue("http_put", EHLO, b"PUT / HTTP/1.1\r\n"),
    Dialogue("proxy_of_a_stranger", b"PROXY TCP4 192.0.2.9 192.0.2.1 1 25\r\n"),
    Dialogue("proxy_v2_of_a_stranger", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x09\xc0\x00\x02\x01\x00\x01\x00\x19" + EHLO),
    Dialogue("tls_hello_in_clear", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n"),
]

SENDERS = [
    sender("behind_a_space", b" <a@client.example>"),
    sender("without_brackets", b"a@client.example"),
    sender("with_one_bracket", b"<a@client.example"),
    sender("with_text_behind", b"<a@client.example>x"),
    sender("with_brackets_twice", b"<<a@client.example>>"),
    sender("with_a_route", b"<@x.example,@y.example:a@client.example>"),
    sender("quoted", b'<"a b"@client.example>'),
    sender("quoted_at", b'<"a@b"@client.example>'),
    sender("quoted_line_feed", b'<"a\\\nb"@client.example>\r\n'),
    sender("of_a_literal", b"<a@[192.0.2.1]>"),
    sender("of_an_ipv6_literal", b"<a@[IPv6:2001:db8::1]>"),
    sender("of_a_bad_literal", b"<a@[300.0.2.1]>"),
    sender("without_a_domain", b"<a>"),
    sender("without_a_local_part", b"<@client.example>"),
    sender("with_two_ats", b"<a@b@client.example>"),
    sender("with_two_dots", b"<a..b@client.example>"),
    sender("with_a_dot_at_the_end", b"<a@client.example.>"),
    sender("with_an_empty_label", b"<a@client..example>"),
    sender("with_a_hyphen_in_front", b"<a@-x.example>"),
    sender("with_an_underscore", b"<a@my_host.example>"),
    sender("of_64_octets", b"<" + b"a" * 64 + b"@client.example>"),
    sender("of_65_octets", b"<" + b"a" * 65 + b"@client.example>"),
    sender("with_a_long_label", b"<a@" + b"x" * 64 + b".example>"),
    sender("with_a_long_domain", b"<a@" + b"x234567890." * 30 + b"example>"),
    sender("with_eight_bits", b"<m\xc3\xbcller@client.example>"),
    sender("with_eight_bits_in_its_domain", b"<a@m\xc3\xbcller.example>"),
    sender("with_bad_utf8", b"<\xff\xfe@client.example>"),
    sender("with_nul", b"<a\x00b@client.example>"),
    sender("with_a_carriage_return", b"<a\rb@client.example>"),
    sender("with_a_line_feed", b"<a@client.example>\nRCPT TO:<alice@example.org>"),
    sender("with_a_pipe", b"<|/bin/sh@client.example>"),
    sender("with_a_path", b"<../../etc/passwd@client.example>"),
    sender("with_backticks", b"<`id`@client.example>"),
    sender("with_an_expansion", b"<${run{/bin/sh}}@client.example>"),
]

RECIPIENTS = [
    recipient("behind_a_space", b" <alice@example.org>"),
    recipient("without_brackets", b"alice@example.org"),
    recipient("of_nobody", b"<>"),
    recipient("postmaster", b"<postmaster>"),
    recipient("postmaster_in_capitals", b"<POSTMASTER>"),
    recipient("postmaster_here", b"<postmaster@example.org>"),
    recipient("without_a_domain", b"<alice>"),
    recipient("with_a_route", b"<@mx.example.org:alice@example.org>"),
    recipient("with_a_foreign_route", b"<@example.org:a@elsewhere.example>"),
    recipient("with_a_percent", b"<a%elsewhere.example@example.org>"),
    recipient("with_a_bang", b"<elsewhere.example!a@example.org>"),
    recipient("quoted_at", b'<"a@elsewhere.example"@example.org>'),
    recipient("with_two_ats", b"<a@elsewhere.example@example.org>"),
    recipient("with_two_ats_the_other_way", b"<alice@example.org@elsewhere.example>"),
    recipient("quoted_for_nothing", b'<"alice"@example.org>'),
    recipient("of_a_literal", b"<alice@[127.0.0.1]>"),
    recipient("with_a_dot_at_the_end", b"<alice@example.org.>"),
    recipient("with_a_pipe", b'<"|/bin/sh"@example.org>'),
    recipient("with_eight_bits", b"<m\xc3\xbcller@example.org>"),
    recipient("with_a_parameter", b"<alice@example.org> FROB=1"),
    recipient("with_notify", b"<alice@example.org> NOTIFY=NEVER"),
    recipient("with_notify_of_nonsense", b"<alice@example.org> NOTIFY=NEVER,SUCCESS"),
    recipient("with_orcpt", b"<alice@example.org> ORCPT=rfc822;alice@example.org"),
    recipient("with_text_behind", b"<alice@example.org>x"),
    recipient("with_nul", b"<alice\x00@example.org>"),
]

PARAMETERS = [
    parameter("size", b"SIZE=100"),
    parameter("size_of_nothing", b"SIZE=0"),
    parameter("size_too_large", b"SIZE=100001"),
    parameter("size_beyond_64_bits", b"SIZE=99999999999999999999"),
    parameter("size_negative", b"SIZE=-1"),
    parameter("size_of_letters", b"SIZE=many"),
    parameter("size_without_value", b"SIZE"),
    parameter("size_twice", b"SIZE=1 SIZE=2"),
    parameter("body", b"BODY=8BITMIME"),
    parameter("body_in_lower_case", b"body=8bitmime"),
    parameter("body_7bit", b"BODY=7BIT"),
    parameter("body_binarymime", b"BODY=BINARYMIME"),
    parameter("body_of_nonsense", b"BODY=9BIT"),
    parameter("two_parameters", b"SIZE=100 BODY=8BITMIME"),
    parameter("unknown_parameter", b"FROB=1"),
    parameter("two_spaces", b" SIZE=100"),
    parameter("smtputf8", b"SMTPUTF8"),
    parameter("auth_of_nobody", b"AUTH=<>"),
    parameter("dsn", b"RET=HDRS ENVID=a"),
    parameter("dsn_with_bad_xtext", b"ENVID=a+b"),
    parameter("dsn_with_a_line_end", b"ENVID=a+0D+0Ab"),
    parameter("mt_priority", b"MT-PRIORITY=3"),
    parameter("requiretls", b"REQUIRETLS"),
    parameter("holdfor", b"HOLDFOR=60"),
    parameter("deliverby", b"BY=120;R"),
    Dialogue("helo_allows_no_parameter", HELO, b"MAIL FROM:<a@client.example> SIZE=100\r\n"),
    Dialogue("size_is_a_lie", EHLO, b"MAIL FROM:<a@client.example> SIZE=10\r\n", RCPT, DATA,
             HEADER + b"0123456789abcdef\r\n" * 100 + b".\r\n"),
]

TEXTS = [
    text("empty", b".\r\n"),
    text("without_a_header", b"no header\r\n.\r\n"),
    text("with_dots", HEADER + b"..\r\n..x\r\n.\r\n"),
    text("with_an_unstuffed_dot", HEADER + b".x\r\n.\r\n"),
    text("with_eight_bits", HEADER + b"Gr\xfc\xdfe\r\n.\r\n"),
    text("with_nul", HEADER + b"a\x00b\r\n.\r\n"),
    text("with_a_long_line", HEADER + b"x" * 50_000 + b"\r\n.\r\n"),
    text("with_a_bare_line_feed", HEADER + b"one\ntwo\r\n.\r\n"),
    text("with_a_bare_carriage_return", HEADER + b"one\rtwo\r\n.\r\n"),
    text("too_large", HEADER + b"0123456789abcdef\r\n" * 6_000 + b".\r\n"),
    text("in_a_loop", b"Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\r\n" * 120 + TEXT),
    text("with_60_hops", b"Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\r\n" * 60 + TEXT),
    text("with_1000_fields", b"X-Field: x\r\n" * 1000 + TEXT),
    text("with_a_long_folded_field", b"X-Field: x\r\n" + b" more of it\r\n" * 4000 + TEXT),
    text("with_two_from", b"From: a@client.example\r\nFrom: b@client.example\r\n\r\nbody\r\n.\r\n"),
]

SMUGGLERS = [
    smuggles("lf_dot_lf", b"\n.\n"),
    smuggles("lf_dot_crlf", b"\n.\r\n"),
    smuggles("crlf_dot_lf", b"\r\n.\n"),
    smuggles("cr_dot_cr", b"\r.\r"),
    smuggles("cr_dot_crlf", b"\r.\r\n"),
    smuggles("crlf_dot_cr", b"\r\n.\r"),
    smuggles("crcrlf_dot_crcrlf", b"\r\r\n.\r\r\n"),
    smuggles("crlf_nul_dot_crlf", b"\r\n\x00.\r\n"),
    smuggles("crlf_dot_nul_crlf", b"\r\n.\x00\r\n"),
    smuggles("crlf_dot_space_crlf", b"\r\n. \r\n"),
]

PIPELINES = [
    Dialogue("pipelined", EHLO, together(MAIL, RCPT, DATA), TEXT),
    Dialogue("pipelined_transactions", EHLO, together(MAIL, RCPT, RSET, MAIL, BOB, DATA), TEXT),
    Dialogue("pipelined_behind_a_text", EHLO, together(MAIL, RCPT, DATA), together(TEXT, MAIL, RCPT, DATA), TEXT),
    Dialogue("pipelined_with_a_wrong_recipient", EHLO, together(MAIL, NOBODY, RCPT, DATA), TEXT),
    Dialogue("pipelined_with_wrong_recipients_only", EHLO, together(MAIL, NOBODY, ELSEWHERE, DATA)),
    Dialogue("pipelined_before_ehlo", together(EHLO, MAIL, RCPT)),
    Dialogue("pipelined_before_the_greeting_of_helo", together(HELO, MAIL, RCPT, DATA), TEXT),
    Dialogue("everything_at_once", EHLO, unanswered(MAIL + RCPT + DATA + TEXT)),
    Dialogue("everything_at_once_refused", EHLO, unanswered(MAIL + NOBODY + DATA + TEXT)),
    Dialogue("commands_behind_quit", EHLO, unanswered(b"QUIT\r\n" + MAIL + RCPT)),
    Dialogue("octet_by_octet", *[unanswered(EHLO[at:at + 1]) for at in range(len(EHLO))], MAIL),
]

TLS_ORDERS = [
    Dialogue("starttls", EHLO, STARTTLS, TLS, EHLO, MAIL, RCPT, DATA, TEXT),
    Dialogue("starttls_before_ehlo", STARTTLS),
    Dialogue("starttls_twice", EHLO, STARTTLS, TLS, EHLO, STARTTLS),
    Dialogue("starttls_with_an_argument", EHLO, b"STARTTLS now\r\n"),
    Dialogue("starttls_in_a_transaction", EHLO, MAIL, RCPT, STARTTLS, TLS, RCPT, DATA),
    Dialogue("starttls_forgets_the_transaction", EHLO, MAIL, RCPT, STARTTLS, TLS, EHLO, RCPT),
    Dialogue("starttls_forgets_the_greeting", EHLO, STARTTLS, TLS, MAIL),
    Dialogue("commands_behind_starttls", EHLO, STARTTLS + MAIL + RCPT, TLS, EHLO, RCPT),
]

LONG_LINES = [
    Dialogue("line_of_1300_octets", EHLO, b"NOOP " + b"x" * 1300 + b"\r\n", NOOP),
    Dialogue("line_of_1500_octets", EHLO, b"NOOP " + b"x" * 1500 + b"\r\n", NOOP),
    Dialogue("line_of_5000_octets", EHLO, b"NOOP " + b"x" * 5000 + b"\r\n", NOOP),
    Dialogue("line_of_200000_octets", EHLO, b"NOOP " + b"x" * 200_000 + b"\r\n", NOOP),
    Dialogue("line_feed_for_line_end", EHLO, unanswered(b"NOOP\nNOOP\n"), NOOP),
    Dialogue("line_feed_inside_a_line", EHLO, unanswered(b"NOOP\nNOOP\r\n"), NOOP),
    Dialogue("carriage_return_inside_a_line", EHLO, unanswered(b"NOOP\rNOOP\r\n"), NOOP),
    Dialogue("line_ends_doubled", EHLO, b"NOOP\r\r\n", NOOP),
    Dialogue("nul_inside_a_line", EHLO, b"NO\x00OP\r\n", NOOP),
]

LIMITS = [
    Dialogue("too_many_recipients", EHLO, MAIL, together(*[RCPT] * 102), DATA, TEXT),
    Dialogue("too_many_unknown_commands", EHLO, *[b"FROBNICATE\r\n"] * 25),
    Dialogue("too_many_errors", EHLO, *[b"MAIL FROM\r\n"] * 25),
    Dialogue("too_many_noops", EHLO, *[NOOP] * 130),
    Dialogue("too_many_resets", EHLO, *[MAIL, RSET] * 60),
]

CHUNKS = [
    Dialogue("bdat", EHLO, MAIL, RCPT, b"BDAT 8 LAST\r\nx: y\r\n\r\n"),
    Dialogue("bdat_in_two", EHLO, MAIL, RCPT, b"BDAT 4\r\nx: y", b"BDAT 4 LAST\r\n\r\n\r\n"),
    Dialogue("bdat_with_an_empty_end", EHLO, MAIL, RCPT, b"BDAT 8\r\nx: y\r\n\r\n", b"BDAT 0 LAST\r\n"),
    Dialogue("bdat_with_dots", EHLO, MAIL, RCPT, b"BDAT 13 LAST\r\nx: y\r\n\r\n.\r\n\r\n"),
    Dialogue("bdat_with_commands_inside", EHLO, MAIL, RCPT, b"BDAT 14 LAST\r\nNOOP\r\nNOOP\r\n\r\n"),
    Dialogue("bdat_pipelined", EHLO, together(MAIL, RCPT, b"BDAT 4\r\nx: y", b"BDAT 4 LAST\r\n\r\n\r\n")),
    Dialogue("bdat_before_mail", EHLO, b"BDAT 6 LAST\r\nNOOP\r\n", NOOP),
    Dialogue("bdat_without_recipient", EHLO, MAIL, b"BDAT 6 LAST\r\nNOOP\r\n", NOOP),
    Dialogue("bdat_behind_refused_recipient", EHLO, together(MAIL, NOBODY, b"BDAT 6 LAST\r\nNOOP\r\n"), NOOP),
    Dialogue("data_behind_bdat", EHLO, MAIL, RCPT, b"BDAT 4\r\nx: y", DATA),
    Dialogue("recipient_behind_bdat", EHLO, MAIL, RCPT, b"BDAT 4\r\nx: y", BOB),
    Dialogue("reset_behind_bdat", EHLO, MAIL, RCPT, b"BDAT 4\r\nx: y", RSET, MAIL),
    Dialogue("bdat_without_a_size", EHLO, MAIL, RCPT, b"BDAT\r\n"),
    Dialogue("bdat_of_letters", EHLO, MAIL, RCPT, b"BDAT many\r\n"),
    Dialogue("bdat_negative", EHLO, MAIL, RCPT, b"BDAT -1\r\n"),
    Dialogue("bdat_of_2_to_the_63", EHLO, MAIL, RCPT, b"BDAT 9223372036854775808 LAST\r\n"),
    Dialogue("bdat_beyond_64_bits", EHLO, MAIL, RCPT, b"BDAT 99999999999999999999 LAST\r\n"),
    Dialogue("bdat_of_nonsense", EHLO, MAIL, RCPT, b"BDAT 6 FIRST\r\n"),
    Dialogue("bdat_too_large", EHLO, MAIL, RCPT, b"BDAT 100001 LAST\r\n" + b"x" * 100_001, NOOP),
    Dialogue("bdat_with_binarymime", EHLO, b"MAIL FROM:<a@client.example> BODY=BINARYMIME\r\n", RCPT,
             b"BDAT 11 LAST\r\nx: y\r\n\r\na\nb"),
    Dialogue("bdat_with_helo", HELO, MAIL, RCPT, b"BDAT 8 LAST\r\nx: y\r\n\r\n"),
    Dialogue("bdat_without_end", EHLO, MAIL, RCPT, b"BDAT 4\r\nx: y"),
]

UTF8 = [
    parameter("smtputf8_with_a_value", b"SMTPUTF8=1"),
    Dialogue("utf8_sender", EHLO, "MAIL FROM:<müller@bücher.example> SMTPUTF8\r\n".encode(), RCPT, DATA, TEXT),
    Dialogue("utf8_recipient", EHLO, b"MAIL FROM:<a@client.example> SMTPUTF8\r\n", "RCPT TO:<müller@example.org>\r\n".encode()),
    Dialogue("utf8_in_latin1", EHLO, b"MAIL FROM:<m\xfcller@client.example> SMTPUTF8\r\n"),
    Dialogue("utf8_overlong", EHLO, b"MAIL FROM:<a\xc0\xaeb@client.example> SMTPUTF8\r\n"),
    Dialogue("utf8_surrogate", EHLO, b"MAIL FROM:<a\xed\xa0\x80@client.example> SMTPUTF8\r\n"),
    Dialogue("utf8_right_to_left", EHLO, "MAIL FROM:<a\u202eb@client.example> SMTPUTF8\r\n".encode()),
    Dialogue("utf8_bidi_domain", EHLO, "MAIL FROM:<a@\u05d0b.example> SMTPUTF8\r\n".encode()),
    Dialogue("utf8_with_helo", HELO, "MAIL FROM:<müller@client.example> SMTPUTF8\r\n".encode()),
]

DIALOGUES = (
    ORDINARY
    + GREETINGS
    + WRONG_STATES
    + COMMANDS
    + SENDERS
    + RECIPIENTS
    + PARAMETERS
    + TEXTS
    + SMUGGLERS
    + PIPELINES
    + TLS_ORDERS
    + LONG_LINES
    + LIMITS
    + CHUNKS
    + UTF8
)

#!/usr/bin/env python3
"""Clients in Python against a server of their own: smtplib and poplib of the standard library, and aiosmtplib.

They prove what programs in Python rely on: the extensions by name, partial refusals, octets that come back as they went.
aiosmtplib is found by PYTHONPATH.
"""

import asyncio
import email.message
import email.parser
import email.policy
import poplib
import smtplib
import ssl
import sys
import tempfile
import traceback

import aiosmtplib
from server import PASSWORD, Server


def smtp(server):
    return smtplib.SMTP("127.0.0.1", server.ports["mx"], local_hostname="client.example", timeout=60)


def maildrop(server, name, context=None):
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    if context:
        client.stls(context)
    client.user(f"{name}@example.org")
    client.pass_(PASSWORD)
    return client


def letter(subject, body="body\n"):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = "a@client.example", "alice@example.org", subject
    message.set_content(body)
    return message


def wait_for(server, name, messages):
    for _ in range(3000):
        client = maildrop(server, name)
        found = client.stat()[0]
        client.quit()
        if found == messages:
            return
    raise AssertionError(f"{name} has {found} messages, not {messages}")


def sends(server):
    with smtp(server) as client:
        assert client.ehlo()[0] == 250
        assert all(client.has_extn(name) for name in ("size", "pipelining", "8bitmime", "enhancedstatuscodes"))
        assert client.verify("alice@example.org")[0] == 252
        assert client.send_message(letter("in clear")) == {}
        assert client.send_message(letter("again", ".dots\n..\n.\n")) == {}
        assert client.noop()[0] == 250 and client.rset()[0] == 250


def sends_under_tls(server):
    with smtp(server) as client:
        # The certificate of the development profile is for the name, not for the address.
        client._host = "localhost"
        assert client.starttls(context=server.tls)[0] == 220
        assert client.send_message(letter("under TLS")) == {}


def sends_eight_bits(server):
    message = letter("Grüße", "Ä, ö und ü\n")
    with smtp(server) as client:
        text = message.as_bytes(policy=email.policy.SMTP.clone(cte_type="8bit"))
        assert client.sendmail("a@client.example", "alice@example.org", text, ["BODY=8BITMIME"]) == {}


def sends_much(server):
    with smtp(server) as client:
        assert client.send_message(letter("much", "a line of a long text\n" * 100_000)) == {}


def sends_at_once(server):
    async def send():
        options = {"hostname": "localhost", "port": server.ports["mx"], "start_tls": True, "tls_context": server.tls}
        sending = (aiosmtplib.send(letter(f"at once {number}"), **options) for number in range(5))
        return await asyncio.gather(*sending)

    assert all(refused == {} for refused, _ in asyncio.run(send()))


def submits(server):
    for log_in in ("auth_plain", "auth_login"):
        with smtplib.SMTP_SSL("localhost", server.ports["submissions"], context=server.tls, timeout=60) as client:
            client.ehlo()
            client.user, client.password = "alice@example.org", PASSWORD
            name = log_in.removeprefix("auth_").upper()
            assert client.auth(name, getattr(client, log_in))[0] == 235
            assert client.sendmail("alice@example.org", "bob@example.org", "Subject: submitted\n\nbody\n") == {}
            try:
                client.sendmail("bob@example.org", "bob@example.org", "Subject: not mine\n\nbody\n")
            except smtplib.SMTPSenderRefused as why:
                assert why.smtp_code == 553
            else:
                raise AssertionError("mail of somebody else was taken")


def submits_at_once(server):
    async def send():
        message = letter("submitted")
        message.replace_header("From", "alice@example.org")
        options = {"hostname": "localhost", "port": server.ports["submission"], "start_tls": True}
        options |= {"tls_context": server.tls, "username": "alice@example.org", "password": PASSWORD}
        sending = (aiosmtplib.send(message, recipients=["bob@example.org"], **options) for _ in range(5))
        return await asyncio.gather(*sending)

    assert all(refused == {} for refused, _ in asyncio.run(send()))
    wait_for(server, "bob", 7)


def is_refused(server):
    with smtp(server) as client:
        refused = client.sendmail("a@client.example", ["alice@example.org", "x@elsewhere.example"], "Subject: one\n")
        assert refused["x@elsewhere.example"][0] == 550
        try:
            client.sendmail("a@client.example", ["nobody@example.org"], "Subject: none\n")
        except smtplib.SMTPRecipientsRefused as why:
            assert why.recipients["nobody@example.org"][0] == 550
        else:
            raise AssertionError("mail for nobody was taken")


def reads(server):
    wait_for(server, "alice", 11)
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    assert {"UIDL", "TOP", "USER", "PIPELINING", "STLS"} <= set(client.capa())
    client.quit()
    client = maildrop(server, "alice")
    _, listed, _ = client.list()
    assert len(listed) == 11
    assert len({row.split()[1] for row in client.uidl()[1]}) == 11
    parser = email.parser.BytesParser(policy=email.policy.default)
    found = {}
    for row in listed:
        number, octets = (int(word) for word in row.split())
        text = b"".join(line + b"\r\n" for line in client.retr(number)[1])
        assert len(text) == octets, (number, len(text), octets)
        message = parser.parsebytes(text)
        found[message["Subject"]] = message.get_content().replace("\r\n", "\n")
    assert found["in clear"] == "body\n"
    assert found["again"] == ".dots\n..\n.\n", found["again"]
    assert found["Grüße"] == "Ä, ö und ü\n", found["Grüße"]
    assert found["much"] == "a line of a long text\n" * 100_000
    assert sorted(found) == sorted(
        ["in clear", "again", "under TLS", "Grüße", "much", "one"] + [f"at once {number}" for number in range(5)]
    )
    assert b"" in client.top(1, 0)[1]
    client.quit()


def removes(server):
    # The certificate of the development profile is for the name, not for the address.
    context = ssl.create_default_context(cafile=server.data / "development-certificate.pem")
    context.check_hostname = False
    client = maildrop(server, "alice", context)
    client.dele(1)
    client.rset()
    client.dele(2)
    assert client.stat()[0] == 10
    client.quit()
    wait_for(server, "alice", 10)


def keeps_others_out(server):
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    client.user("alice@example.org")
    try:
        client.pass_("guess")
    except poplib.error_proto as why:
        assert b"[AUTH]" in why.args[0]
    else:
        raise AssertionError("a guess was right")


def ends(server):
    assert server.end() == 0


def main():
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} PATH-OF-ANGARIUM")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        server = Server(
            sys.argv[1],
            directory,
            ["alice@example.org", "bob@example.org"],
            listeners=("mx", "submission", "submissions", "pop3"),
        )
        try:
            for check in (
                sends,
                sends_under_tls,
                sends_eight_bits,
                sends_much,
                sends_at_once,
                submits,
                submits_at_once,
                is_refused,
                reads,
                removes,
                keeps_others_out,
                ends,
            ):
                try:
                    check(server)
                    passed += 1
                    print("ok    ", check.__name__)
                except Exception as why:  # one failure must not hide the others
                    failed += 1
                    print("FAILED", check.__name__, repr(why))
                    traceback.print_exc(file=sys.stdout)
        finally:
            server.end()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

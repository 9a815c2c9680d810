"""Log-ins a second over SMTP: logins.py HOST:PORT MECHANISM SESSIONS SECONDS [--tls] [--users N]

Each log-in is a connection of its own: greeting, EHLO, STARTTLS and EHLO again with --tls, AUTH, QUIT. MECHANISM is PLAIN or
SCRAM-SHA-256; the accounts are u0@bench.test and so on, with the password pw. A SCRAM client that has logged in once keeps what
it derived from the password, as RFC 5802 §5.1 lets it, so that the server's work is what is measured.
"""

import argparse
import base64
import hashlib
import hmac
import multiprocessing
import os
import socket
import ssl
import time


class Failed(Exception):
    """A reply that was not what it had to be."""


class Line:
    def __init__(self, address):
        self.socket = socket.create_connection(address, 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def ask(self, line, code):
        if line is not None:
            self.socket.sendall(line + b"\r\n")
        while True:
            while b"\n" not in self.unread:
                octets = self.socket.recv(4096)
                if not octets:
                    raise Failed("closed")
                self.unread += octets
            reply, self.unread = self.unread.split(b"\n", 1)
            if reply[3:4] != b"-":
                if reply[:3] != code:
                    raise Failed(reply.decode())
                return reply[4:].strip()


def plain(line, user, _derived):
    response = base64.b64encode(b"\0" + user.encode() + b"\0pw")
    line.ask(b"AUTH PLAIN " + response, b"235")


def scram(line, user, derived):
    """RFC 5802 and RFC 7677, without channel binding."""
    nonce = base64.b64encode(os.urandom(18))
    bare = b"n=" + user.encode() + b",r=" + nonce
    challenge = line.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,," + bare), b"334")
    server_first = base64.b64decode(challenge)
    fields = dict(field.split(b"=", 1) for field in server_first.split(b","))
    salt, rounds = fields[b"s"], int(fields[b"i"])
    if (user, salt, rounds) not in derived:
        derived[user, salt, rounds] = hashlib.pbkdf2_hmac("sha256", b"pw", base64.b64decode(salt), rounds)
    salted = derived[user, salt, rounds]
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = b"c=biws,r=" + fields[b"r"]
    message = b",".join([bare, server_first, without_proof])
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    final = without_proof + b",p=" + base64.b64encode(proof)
    # The server's proof comes as a challenge or with the reply; RFC 4954 §4 lets it be either.
    line.socket.sendall(base64.b64encode(final) + b"\r\n")
    while True:
        try:
            return line.ask(None, b"334") and line.ask(b"", b"235")
        except Failed as why:
            if str(why).startswith("235"):
                return None
            raise


def work(address, log_in, until, users, first, context, report):
    derived, done, failed, why = {}, 0, 0, ""
    number = first
    while time.monotonic() < until:
        number += 1
        try:
            line = Line(address)
            line.ask(None, b"220")
            line.ask(b"EHLO bench.test", b"250")
            if context:
                line.ask(b"STARTTLS", b"220")
                line.socket = context.wrap_socket(line.socket)
                line.ask(b"EHLO bench.test", b"250")
            log_in(line, f"u{number % users}@bench.test", derived)
            line.ask(b"QUIT", b"221")
            line.socket.close()
            done += 1
        except (Failed, OSError) as error:
            failed, why = failed + 1, str(error)
    report.put((done, failed, why))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("mechanism", choices=["PLAIN", "SCRAM-SHA-256"])
    parser.add_argument("sessions", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--users", type=int, default=20)
    arguments = parser.parse_args()
    host, port = arguments.address.rsplit(":", 1)
    context = None
    if arguments.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    log_in = plain if arguments.mechanism == "PLAIN" else scram
    report = multiprocessing.Queue()
    started = time.monotonic()
    until = started + arguments.seconds
    workers = [
        multiprocessing.Process(
            target=work, args=((host, int(port)), log_in, until, arguments.users, first * 7, context, report)
        )
        for first in range(arguments.sessions)
    ]
    for worker in workers:
        worker.start()
    reports = [report.get() for _ in workers]
    seconds = time.monotonic() - started
    done, failed = (sum(column) for column in list(zip(*reports, strict=True))[:2])
    reason = next((why for _, _, why in reports if why), "")
    print(f"{done / seconds:.0f} log-ins/s ({done} in {seconds:.1f} s, {failed} failed{': ' + reason if reason else ''})")


if __name__ == "__main__":
    main()

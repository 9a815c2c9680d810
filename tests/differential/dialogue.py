"""A dialogue: what a client sends, whatever it is answered, and what came of it in one line of words.

The client sends a step and waits for as many replies as an ordinary server gives to it; a step whose number of replies
is what is asked is sent without waiting, and whatever comes of it shows at the end. Behind the last step come QUIT and
everything that the server says until it closes.
"""

import itertools
import re
import socket
import ssl

TIMEOUT = 10
# Replies of a session at most: a server that says more has gone wrong.
MAX_REPLIES = 5_000

TLS = object()
"""The step that makes a TLS handshake."""


class Step:
    """Octets that are sent at once, and how many replies are waited for."""

    def __init__(self, octets, replies=1):
        self.octets, self.replies = octets, replies


def unanswered(octets):
    return Step(octets, 0)


def together(*commands):
    """Commands that are sent at once, each with one reply."""
    return Step(b"".join(commands), len(commands))


class Dialogue:
    """Steps with a name. With `exact` the codes of errors are compared, without it only their class."""

    def __init__(self, name, *steps, exact=False):
        self.name, self.exact = name, exact
        self.steps = [Step(step) if isinstance(step, bytes) else step for step in steps]

    def hold(self, port):
        """Holds it with the server at this port; gives the outcome and all that was said."""
        line = Line(port)
        try:
            line.hear(1)
            for step in self.steps:
                if step is TLS:
                    line.secure()
                else:
                    line.send(step.octets)
                    line.hear(step.replies)
            line.send(b"QUIT\r\n")
            line.hear(MAX_REPLIES)
        finally:
            line.close()
        return " ".join(shortened(self.word(code) for code in line.outcome)), "\n".join(line.said)

    def word(self, code):
        """What of a reply is compared: of an error that leaves the session open its class, else the code."""
        is_error = re.fullmatch("[45][0-9][0-9]", code)
        return code if self.exact or not is_error or code == "421" else f"{code[0]}xx"


class Line:
    """A connection, the replies heard on it, and all that was said."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.unread, self.outcome, self.said, self.is_open = b"", [], [], True

    def send(self, octets):
        if not self.is_open:
            return
        self.said.append(f"C: {shown(octets)}")
        try:
            self.socket.sendall(octets)
        except OSError:
            # The server has closed, which the next reading says with what it said before.
            pass

    def hear(self, replies):
        """So many replies of any number of lines, or what there is until the end."""
        heard = 0
        while self.is_open and heard < replies:
            line = self.line()
            if line is None:
                return
            self.said.append(f"S: {shown(line)}")
            if re.match(rb"[0-9]{3} ", line + b" "):
                self.outcome.append(line[:3].decode())
                heard += 1
            elif not re.match(rb"[0-9]{3}-", line):
                self.outcome.append("nonsense")
                heard += 1

    def line(self):
        while b"\n" not in self.unread:
            try:
                octets = self.socket.recv(65536)
            except TimeoutError:
                return self.ended("silence")
            except OSError:
                # Closed while something of ours was unread there: an end like any other.
                octets = b""
            if not octets:
                return self.ended("end" if not self.unread else "broken")
            self.unread += octets
        line, self.unread = self.unread.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def ended(self, word):
        self.outcome.append(word)
        self.said.append(f"@{word}")
        self.is_open = False

    def secure(self):
        if not self.is_open:
            return
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if self.unread:
            # What was said in clear behind 220 must not be taken for what is said under TLS.
            self.outcome.append("injected")
        try:
            self.socket = context.wrap_socket(self.socket)
        except OSError as why:
            self.said.append(f"@tls: {why}")
            self.ended("tls-failed")
            return
        self.outcome.append("tls")
        self.said.append("@tls")

    def close(self):
        self.socket.close()


def shortened(words):
    """Many of the same in a row as one, with their number."""
    for word, run in itertools.groupby(words):
        count = len(list(run))
        yield from [f"{word}*{count}"] if count > MANY else [word] * count


# From how many on they are counted.
MANY = 8


def shown(octets):
    text = octets.decode("latin-1").encode("unicode_escape").decode()
    return text if len(text) <= 200 else f"{text[:120]}… ({len(octets)} octets) …{text[-40:]}"

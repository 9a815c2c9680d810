#!/usr/bin/env python3
"""What arrives at a real StatsD daemon, and what the dashboards in docs/dashboards ask for, hold to each other.

Every protocol is driven against a server that sends to the daemon of npm (found by NODE_PATH), which writes to a Graphite of
this script. Every name that arrives must be in docs/metrics.md, every name in there must arrive, and every target of every board
must find something.
"""

import glob
import json
import os
import pathlib
import re
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from server import PASSWORD, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX, NODE = "mail.angarium", "7"
DEADLINE = 120


# What is driven here must have been counted, not only named.
COUNTED = """
smtp.connections.opened smtp.messages.accepted smtp.messages.refused smtp.recipients.accepted smtp.recipients.refused
pop3.connections.opened pop3.maildrops.opened pop3.maildrops.in_use pop3.messages.sent pop3.messages.removed
tls.handshakes.made tls.handshakes.failed auth.logins.succeeded auth.logins.failed
security.offences.passwords security.offences.unknown_commands security.offences.unknown_recipients
security.strangers.xclient security.strangers.proxy security.senders.forged
queue.recipients.delivered store.commands.committed store.syncs.made http.requests.answered shell.requests.done
actors.smtp_session.started actors.smtp_session.handled process.cpu.milliseconds statsd.lines.sent
store.compactions.made
""".split()
NOT_COUNTED = ["statsd.lines.dropped", "statsd.values.dropped", "store.records.quarantined", "http.readiness.failed"]


class Graphite:
    """Takes what the daemon writes and keeps the names with their values."""

    def __init__(self):
        # The last value of each name, and the greatest.
        self.values, self.most = {}, {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            connection, _ = self.listener.accept()
            with connection, connection.makefile() as lines:
                for line in lines:
                    name, value, _ = line.split()
                    self.values[name] = float(value)
                    self.most[name] = max(self.most.get(name, 0.0), float(value))

    def ours(self):
        """The names below prefix and node, as the server sent them."""
        kinds = {"counters": r"\.(rate|count)", "gauges": "", "timers": r"\.\w+"}
        names = set()
        for name in list(self.values):
            for kind, suffix in kinds.items():
                found = re.fullmatch(rf"stats\.{kind}\.{re.escape(PREFIX)}\.{NODE}\.(.+?){suffix}", name)
                if found:
                    names.add(found[1])
        return names


class Daemon:
    """StatsD, as docs/operating.md sets it up."""

    def __init__(self, directory, graphite):
        modules = next(path for path in os.environ["NODE_PATH"].split(":") if (pathlib.Path(path) / "statsd").exists())
        self.port = free_port(socket.SOCK_DGRAM)
        config = {
            "port": self.port,
            "address": "127.0.0.1",
            "mgmt_address": "127.0.0.1",
            "mgmt_port": free_port(socket.SOCK_STREAM),
            "flushInterval": 1000,
            "percentThreshold": [50, 90, 99],
            "backends": ["./backends/graphite"],
            "graphiteHost": "127.0.0.1",
            "graphitePort": graphite.port,
            "graphite": {"legacyNamespace": False},
        }
        path = pathlib.Path(directory) / "statsd.js"
        path.write_text(json.dumps(config))
        log = open(pathlib.Path(directory) / "statsd.log", "w")
        self.process = subprocess.Popen(
            ["node", pathlib.Path(modules) / "statsd/stats.js", path], stdout=log, stderr=log, cwd=pathlib.Path(modules) / "statsd"
        )


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, is_so):
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"in vain: {what}")
        time.sleep(0.05)


def said(port, *lines, tls=None):
    """Says these lines one after the other, and gives everything that was answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        stream = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        answers = stream.makefile("r", newline="\r\n")
        heard = [answers.readline()]
        for line in lines:
            try:
                stream.sendall(line.encode() + b"\r\n")
                heard.append(answers.readline())
            except OSError:
                break
        return "".join(heard)


MESSAGE = "From: {}\r\nTo: alice@example.org\r\nSubject: x\r\n\r\nbody\r\n"


def drive_smtp(server):
    with smtplib.SMTP("localhost", server.ports["mx"], timeout=30) as client:
        client.sendmail("a@client.example", ["alice@example.org"], MESSAGE.format("a@client.example"))
        try:
            client.sendmail("a@client.example", ["nobody@example.org"], MESSAGE.format("a@client.example"))
            raise SystemExit("mail for nobody was accepted")
        except smtplib.SMTPRecipientsRefused:
            pass
        client.starttls(context=server.tls)
        client.ehlo()
        client.sendmail("a@client.example", ["alice@example.org"], MESSAGE.format("a@client.example"))
    # A handshake that fails: no TLS at all behind STARTTLS.
    said(server.ports["mx"], "EHLO x", "STARTTLS", "this is no TLS")
    said(server.ports["mx"], "EHLO x", "XCLIENT ADDR=192.0.2.1")
    said(server.ports["mx"], "NONSENSE", "QUIT")
    # A header of the PROXY protocol, version 2: LOCAL, of nobody.
    with socket.create_connection(("127.0.0.1", server.ports["mx"]), timeout=30) as stranger:
        stranger.sendall(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")
        assert stranger.makefile("rb").read().count(b"\r\n") <= 1


def drive_lmtp(server):
    with smtplib.LMTP("127.0.0.1", server.ports["lmtp"], timeout=30) as client:
        client.sendmail("a@client.example", ["alice@example.org"], MESSAGE.format("a@client.example"))


def drive_submission(server):
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=30, context=server.tls) as client:
        try:
            client.login("alice@example.org", "wrong")
            raise SystemExit("a wrong password was taken")
        except smtplib.SMTPAuthenticationError:
            pass
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=30, context=server.tls) as client:
        client.login("alice@example.org", PASSWORD)
        client.sendmail("alice@example.org", ["alice@example.org"], MESSAGE.format("alice@example.org"))
        try:
            client.sendmail("alice@example.org", ["alice@example.org"], MESSAGE.format("bob@example.org"))
            raise SystemExit("a forged sender was taken")
        except smtplib.SMTPDataError:
            pass


def drive_pop3(server):
    login = ("USER alice@example.org", f"PASS {PASSWORD}")

    def opened(*lines):
        """A session of its own; the one before may still be on its way out."""
        heard = []

        def is_in():
            heard[:] = [said(server.ports["pop3"], *login, *lines, "QUIT")]
            return "-ERR" not in heard[0]

        until("the mailbox", is_in)
        return heard[0]

    until("four messages", lambda: re.search(r"^\+OK 4 ", opened("STAT"), re.M))
    opened("RETR 1")
    opened("DELE 1")
    with socket.create_connection(("127.0.0.1", server.ports["pop3"]), timeout=30) as first:
        lines = first.makefile("rw", newline="")
        lines.readline()
        for line in login:
            lines.write(line + "\r\n")
            lines.flush()
            assert lines.readline().startswith("+OK"), line
        assert "-ERR" in said(server.ports["pop3"], *login)


def drive_http(server):
    for path, expected in (("healthz", "ok"), ("readyz", "ready"), ("startupz", "started"), ("metrics", "# HELP")):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.ports['http']}/{path}", timeout=30) as answer:
            assert expected in answer.read().decode(), path


def drive_shell(server, program):
    for verb in (["tree"], ["space", "reclaim"]):
        subprocess.run([program, *verb, "--data", server.data], check=True, capture_output=True, timeout=60)


def drive_reload(server, graphite):
    count = f"stats.counters.{PREFIX}.{NODE}.reload.requests"
    server.process.send_signal(signal.SIGHUP)
    until("a reload", lambda: any(graphite.most.get(f"{count}.{how}.count") for how in ("done", "planned", "failed")))


def documented():
    """The patterns of all names in docs/metrics.md, and the classes of actors."""
    text = (ROOT / "docs/metrics.md").read_text()
    names = re.findall(r"^\| `([a-z0-9_.<>]+)` \| `angarium_", text, re.M)
    classes = re.findall(r"^\* `(\w+)`$", text, re.M)
    expanded = {name.replace("<class>", one) for name in names for one in (classes if "<class>" in name else [""])}
    assert len(names) > 50 and len(classes) > 10, (len(names), len(classes))
    return expanded


def paths(target):
    """The paths in a target of Graphite, with every choice in braces on its own."""
    for path in re.findall(r"\$stats(?:\{[^}]*\}|[\w.$*-])*", target):
        choices = [""]
        for piece in re.split(r"(\{[^}]*\})", path):
            options = piece[1:-1].split(",") if piece.startswith("{") else [piece]
            choices = [before + option for before in choices for option in options]
        yield from choices


def finds(path, names):
    values = {"stats": "stats", "prefix": PREFIX, "node": "*", "class": "*"}
    path = re.sub(r"\$(\w+)", lambda found: values[found[1]], path)
    pattern = re.compile(re.escape(path).replace(r"\*", r"[^.]+"))
    return any(pattern.fullmatch(name) for name in names)


def folders(names):
    """Everything that a variable can be asked for: names and what they begin with."""
    return {".".join(parts[:n]) for parts in (name.split(".") for name in names) for n in range(1, len(parts) + 1)}


def complaints_of_boards(names):
    boards = sorted(glob.glob(str(ROOT / "docs/dashboards/*.json")))
    assert len(boards) == 5, boards
    seen = set()
    for path in boards:
        board, name = json.loads(pathlib.Path(path).read_text()), pathlib.Path(path).name
        if board["uid"] in seen:
            yield f"{name}: its uid is another's"
        seen.add(board["uid"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                for asked in paths(variable["query"]):
                    if not finds(asked, folders(names)):
                        yield f"{name}: the variable {variable['name']} finds nothing"
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            yield f"{name}: two panels have one id"
        for panel in board["panels"]:
            if panel["type"] == "row":
                continue
            where = f"{name}: {panel['title']}"
            if not panel["description"] or not panel["fieldConfig"]["defaults"]["unit"]:
                yield f"{where}: has no description or no unit"
            for target in panel["targets"]:
                asked = list(paths(target["target"]))
                if not asked:
                    yield f"{where}: asks for nothing"
                for one in asked:
                    if not finds(one, names):
                        yield f"{where}: {one} finds nothing"


def uncounted(graphite):
    """What was driven and has not been told yet: the tree is sampled, so that the last of it comes late."""
    return (name for name in COUNTED if not graphite.most.get(f"stats.counters.{PREFIX}.{NODE}.{name}.count"))


def main(program, directory):
    graphite = Graphite()
    daemon = Daemon(directory, graphite)
    settings = [
        f"statsd.address=127.0.0.1:{daemon.port}",
        f"statsd.prefix={PREFIX}",
        "statsd.interval=1s",
        f"server.node={NODE}",
        "http.bind=127.0.0.1:0",
        "auth.failure_delay=0s",
        "listeners.lmtp.protocol=lmtp",
    ]
    try:
        until("the daemon", lambda: graphite.values)
        server = Server(program, directory, ["alice@example.org", "bob@example.org"], *settings, listeners=("mx", "pop3", "lmtp"))
        try:
            drive_smtp(server)
            drive_lmtp(server)
            drive_submission(server)
            drive_pop3(server)
            drive_http(server)
            drive_shell(server, program)
            drive_reload(server, graphite)
            expected = documented()
            deadline = time.monotonic() + DEADLINE
            while (expected - graphite.ours() or list(uncounted(graphite))) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            server.end()
    finally:
        daemon.process.terminate()
        daemon.process.wait(30)
    arrived = graphite.ours()
    complaints = [f"{name}: in the documents, but never sent" for name in sorted(expected - arrived)]
    complaints += [f"{name}: sent, but not in the documents" for name in sorted(arrived - expected)]
    complaints += complaints_of_boards(set(graphite.values))
    complaints += [f"{name}: was never counted" for name in uncounted(graphite)]
    complaints += [f"{name}: was counted" for name in NOT_COUNTED if graphite.most.get(f"stats.counters.{PREFIX}.{NODE}.{name}.count")]
    for complaint in complaints:
        print(complaint)
    print(f"{len(arrived)} names arrived, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(os.path.realpath(sys.argv[1]), temporary))

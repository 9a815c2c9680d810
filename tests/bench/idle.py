"""Says what an idle connection costs in memory: idle.py HOST:PORT PID COUNT [plain|starttls|implicit].

Opens COUNT connections, each behind an EHLO, and divides what the proportional set size of PID has grown by. The first
hundred are not counted: they pay for what all share.
"""
import socket
import ssl
import sys

host, port = sys.argv[1].rsplit(":", 1)
pid, count = sys.argv[2], int(sys.argv[3])
mode = sys.argv[4] if len(sys.argv) > 4 else "starttls"
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def proportional():
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def ask(connection, line):
    connection.sendall(line + b"\r\n")
    reply = connection.recv(4096)
    assert reply[:1] == b"2", reply


def connect():
    connection = socket.create_connection((host, int(port)))
    if mode == "implicit":
        connection = context.wrap_socket(connection)
    connection.recv(4096)
    ask(connection, b"EHLO idle.test")
    if mode == "starttls":
        ask(connection, b"STARTTLS")
        connection = context.wrap_socket(connection)
        ask(connection, b"EHLO idle.test")
    return connection


shared = [connect() for _ in range(100)]
before = proportional()
idle = [connect() for _ in range(count)]
after = proportional()
print(f"{mode}\t{(after - before) / count:.1f} KiB a connection\t{before} KiB before\t{after} KiB after")

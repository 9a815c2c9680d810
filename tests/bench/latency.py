"""Times NOOP, MAIL and RCPT on one connection while others keep the server busy: latency.py HOST:PORT ROUNDS RECIPIENT."""
import socket
import sys
import time

host, port = sys.argv[1].rsplit(":", 1)
rounds, recipient = int(sys.argv[2]), sys.argv[3]
connection = socket.create_connection((host, int(port)))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def ask(line):
    started = time.perf_counter()
    connection.sendall(line.encode() + b"\r\n")
    reply = connection.recv(4096)
    assert reply[:1] == b"2", reply
    return (time.perf_counter() - started) * 1000


connection.recv(4096)
ask("EHLO latency.test")
taken = {"NOOP": [], "MAIL": [], "RCPT": []}
for _ in range(rounds):
    # A session that never sends a message is ended after a hundred commands.
    if len(taken["NOOP"]) % 20 == 19:
        connection.close()
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(4096)
        ask("EHLO latency.test")
    taken["NOOP"].append(ask("NOOP"))
    taken["MAIL"].append(ask("MAIL FROM:<latency@peer.test>"))
    taken["RCPT"].append(ask(f"RCPT TO:<{recipient}>"))
    ask("RSET")
for command, times in taken.items():
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{command}\tp50 {p50:.3f} ms\tp99 {p99:.3f} ms\tmax {times[-1]:.3f} ms")

"""Memory of idle connections: hold.py HOST:PORT CONNECTIONS PID [--tls]

Opens so many, with EHLO said, and with --tls behind STARTTLS; prints what the process and those it started have gained, as PSS.
"""

import os
import pathlib
import resource
import socket
import ssl
import sys
import time


def family(process):
    """The process and all below it."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def pss(process):
    total = 0
    for member in family(process):
        try:
            rows = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total


def open_one(address, context):
    line = socket.create_connection(address, 60)
    line.recv(4096)
    line.sendall(b"EHLO bench.test\r\n")
    line.recv(4096)
    if context:
        line.sendall(b"STARTTLS\r\n")
        assert line.recv(4096).startswith(b"220"), "no TLS"
        line = context.wrap_socket(line)
        line.sendall(b"EHLO bench.test\r\n")
        line.recv(4096)
    return line


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    connections, process = int(sys.argv[2]), int(sys.argv[3])
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    context = None
    if "--tls" in sys.argv:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # What is allocated once, by the first few, is not of a connection.
    held = [open_one((host, int(port)), context) for _ in range(20)]
    time.sleep(1)
    before = pss(process)
    held += [open_one((host, int(port)), context) for _ in range(connections)]
    time.sleep(1)
    after = pss(process)
    print(f"{before} KiB, then {after} KiB: {(after - before) / connections:.1f} KiB each of {connections}")
    os._exit(0)


if __name__ == "__main__":
    main()

"""Connections that the server refuses: flood.py HOST:PORT TOTAL RATE [SOURCE]

Opens TOTAL connections from SOURCE (127.0.0.2), RATE a second, each closed as soon as the server has said something or hung up,
and prints what it said. Meanwhile somebody else measures what is left for those who bring mail.
"""

import collections
import selectors
import socket
import sys
import time

OPEN_AT_ONCE = 500


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    total, rate = int(sys.argv[2]), float(sys.argv[3])
    source = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.2"
    outcomes = collections.Counter()
    waiting = selectors.DefaultSelector()
    started = time.monotonic()
    begun = ended = 0
    while ended < total:
        now = time.monotonic()
        due = min(total, int((now - started) * rate), ended + OPEN_AT_ONCE)
        while begun < due:
            line = socket.socket()
            line.setblocking(False)
            line.bind((source, 0))
            line.connect_ex((host, int(port)))
            waiting.register(line, selectors.EVENT_READ)
            begun += 1
        for key, _ in waiting.select(0.001):
            try:
                said = key.fileobj.recv(256)[:3].decode() or "closed"
            except OSError as why:
                said = type(why).__name__
            outcomes[said] += 1
            ended += 1
            waiting.unregister(key.fileobj)
            key.fileobj.close()
    seconds = time.monotonic() - started
    print(f"{total / seconds:.0f}/s for {seconds:.1f} s: {dict(outcomes)}")


if __name__ == "__main__":
    main()

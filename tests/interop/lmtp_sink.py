#!/usr/bin/env python3
"""Takes mail by LMTP and appends it to a file: lmtp_sink.py FILE. Prints its port."""

import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink.example LMTP")
        recipients = 0
        for line in self.rfile:
            verb = line.strip().split(b" ")[0].split(b":")[0].upper()
            recipients = recipients + 1 if verb == b"RCPT" else 0 if verb in (b"RSET", b"LHLO") else recipients
            if verb == b"DATA":
                self.say("354 go on")
                self.take()
                self.say(*["250 taken"] * recipients)
                recipients = 0
            elif verb == b"QUIT":
                return self.say("221 bye")
            else:
                self.say("250 sink.example")

    def take(self):
        with open(sys.argv[1], "ab") as out:
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                out.write(line[1:] if line.startswith(b".") else line)

    def say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()

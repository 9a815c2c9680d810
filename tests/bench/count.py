"""Prints how many messages u0@bench.test to u19@bench.test have, over POP3: count.py HOST:PORT."""
import poplib
import sys

host, port = sys.argv[1].rsplit(":", 1)
total = 0
for number in range(20):
    mailbox = poplib.POP3(host, int(port))
    mailbox.user(f"u{number}@bench.test")
    mailbox.pass_("pw")
    total += mailbox.stat()[0]
    mailbox.quit()
print(total)

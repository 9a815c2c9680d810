"""Postfix of its own: private configuration, queue and data directories, one loopback port, ended by its own id.

It is the package of the system as it comes, in the role that Angarium has in this test: the mail exchanger of
example.org with a few mailboxes, no relay. What was changed beside that has its reason here.
"""

import os
import pathlib
import shutil
import socket
import subprocess

MAIN = """
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
myorigin = example.org
mydestination =
# The clients of this test are strangers, although they come from here.
mynetworks = 192.0.2.0/24
alias_maps =
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_transport = discard:
# For good: the default is to defer.
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = {directory}/chain.pem
# No name server is asked: there is none, and what is compared is the protocol.
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
# The limits that Angarium has, so that their answers can be compared and not their numbers.
message_size_limit = {max_message_size}
hopcount_limit = 100
smtpd_recipient_limit = {max_recipients}
smtpd_client_connection_count_limit = 0
# A reply that is held back says the same.
smtpd_error_sleep_time = 0
in_flow_delay = 0
"""

MASTER = """
127.0.0.1:{port} inet n - n - 20 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postfix:
    """A running Postfix that takes mail for these addresses."""

    def __init__(self, directory, addresses, max_message_size, max_recipients):
        self.directory = pathlib.Path(directory)
        self.program = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not self.program or os.getuid() != 0:
            raise SystemExit("postfix must be installed, and only root can start it")
        for name in ("etc", "data", "spool"):
            (self.directory / name).mkdir()
        # Its daemons run as a user of its own and come in from above.
        self.directory.chmod(0o755)
        shutil.chown(self.directory / "data", "postfix")
        self.certify()
        self.port = free_port()
        postconf = subprocess.run(["postconf", "-hd", "daemon_directory"], capture_output=True, text=True, check=True)
        main = MAIN.format(
            directory=self.directory,
            daemons=postconf.stdout.strip(),
            mailboxes=", ".join(f"{{{address} = here}}" for address in addresses),
            max_message_size=max_message_size,
            max_recipients=max_recipients,
        )
        (self.directory / "etc/main.cf").write_text(main)
        (self.directory / "etc/master.cf").write_text(MASTER.format(port=self.port))
        self.run("start")

    def certify(self):
        chain = self.directory / "chain.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", "/CN=mx.example.org", "-keyout", chain, "-out", self.directory / "certificate.pem"],
            check=True,
            capture_output=True,
        )
        with open(chain, "a") as out:
            out.write((self.directory / "certificate.pem").read_text())

    def run(self, command):
        done = subprocess.run(
            [self.program, "-c", self.directory / "etc", command], capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            log = self.directory / "log"
            raise SystemExit(f"postfix {command}: {done.stderr}\n{log.read_text() if log.exists() else ''}")

    def version(self):
        done = subprocess.run(["postconf", "-hd", "mail_version"], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def end(self):
        # Waits until the master, known by the lock of its own queue, has ended.
        self.run("stop")

"""A server of its own for a script with clients: on ports that the system chooses, ended by its own id."""

import pathlib
import re
import select
import ssl
import subprocess

PASSWORD = "secret"


class Server:
    """The program with these accounts; `ports` has the port of every listener by its name."""

    def __init__(self, program, directory, accounts, *settings, listeners=("mx", "pop3")):
        self.data = pathlib.Path(directory) / "data"
        for account in accounts:
            arguments = [program, "account", "add", account, "--data", self.data]
            subprocess.run(arguments, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
        names = {*listeners, "submission", "submissions"}
        bind = [f"--set=listeners.{name}.bind=127.0.0.1:0" for name in sorted(names)]
        bind += [f"--set={setting}" for setting in settings]
        self.log_path = pathlib.Path(directory) / "log"
        self.log = open(self.log_path, "w+")
        self.process = subprocess.Popen(
            [program, "serve", "--data", self.data, *bind], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        if not select.select([self.process.stdout], [], [], 60)[0]:
            raise SystemExit("the server is not ready")
        ready = self.process.stdout.readline()
        self.ports = {name: int(port) for name, port in re.findall(r"(\w+)=127\.0\.0\.1:(\d+)", ready)}
        if not set(listeners) <= set(self.ports):
            raise SystemExit(f"the server did not come up: {ready!r}\n{self.log_path.read_text()}")
        # The certificate of the development profile is for the name, not for the address.
        self.tls = ssl.create_default_context(cafile=self.data / "development-certificate.pem")

    def end(self):
        self.process.terminate()
        return self.process.wait(60)

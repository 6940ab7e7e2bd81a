"""nginx from Debian with the configuration of packaging/nginx.conf: free ports, a certificate of the test's own."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from certificates import self_signed
from switchboard import DEADLINE, wait_until

EXAMPLE = Path(__file__).parents[2] / "packaging" / "nginx.conf"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Nginx:
    """A running nginx in front of two ports. Where the example says 443 it has `port`; `replacements` are made in its text."""

    def __init__(self, directory, broker, tickets, **replacements):
        directory.mkdir()
        self.port = free_port()
        self.certificate, key = self_signed(directory)
        text = EXAMPLE.read_text()
        for old, new in ({
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl", "server 127.0.0.1:6001": f"server 127.0.0.1:{broker}",
            "server 127.0.0.1:8000": f"server 127.0.0.1:{tickets}",
            "/etc/ssl/realtime.example.com/fullchain.pem": str(self.certificate),
            "/etc/ssl/realtime.example.com/privkey.pem": str(key),
        } | replacements).items():
            assert old in text, f"{old} does not stand in {EXAMPLE}"
            text = text.replace(old, new)
        (directory / "example.conf").write_text(text)
        # Everything that Debian's nginx would keep in /var or write as root lies in the test's directory.
        paths = "".join(
            f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log info;"
            f"events {{ worker_connections 256; }} http {{ access_log off; {paths} include {directory}/example.conf; }}")
        self.log = directory / "error.log"
        self.log.touch()
        self.process = subprocess.Popen(
            [binary(), "-e", str(self.log), "-p", str(directory), "-c", str(directory / "nginx.conf")],
            stdin=subprocess.DEVNULL)
        wait_until(self._listens, "nginx")

    def _listens(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=DEADLINE)


def binary():
    # Debian keeps it out of the path of ordinary users.
    return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "/usr/sbin/nginx"

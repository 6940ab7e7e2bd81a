"""`switchboard` as a process: start it, learn its ports, stop it, kill it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import requests

BINARY = os.path.abspath(os.environ.get("SWITCHBOARD_BIN", ".build/debug/switchboard"))

# No condition that these tests wait for takes this long; a test that waits this long has failed.
DEADLINE = 60.0


def wait_until(condition, what, deadline=DEADLINE):
    """The first truthy value of `condition`, asked again and again until the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.01)


def listens(port):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except ConnectionRefusedError:
        return False


def clean_environment(**settings):
    """An environment without settings of ours, but with those given. The port for operators is any free one."""
    ours = ("BROKER_", "TICKETS_", "PUSHER_", "LOG_", "TLS_", "TRUSTED_", "OPS_", "EVENT_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in ("DATA_DIR", "DEMO", "DRAIN")}
    return kept | {"OPS_PORT": "0"} | {key: str(value) for key, value in settings.items()}


class Server:
    """A running `switchboard serve`. Ports are free ones unless the settings say otherwise; the log leaves nothing out."""

    # Of all servers that were started.
    logs = []

    def __init__(self, directory, *arguments, **settings):
        self.directory = Path(directory)
        self.data = Path(settings.get("DATA_DIR", self.directory / "data"))
        defaults = {"BROKER_PORT": 0, "TICKETS_PORT": 0, "DATA_DIR": self.data}
        if "--config" not in arguments:
            defaults["LOG_LEVEL"] = "trace"
        self.log = self.directory / "stderr.log"
        self.logs.append(self.log)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=clean_environment(**(defaults | settings)), cwd=self.directory,
            )
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._settings = settings
        self.secret = None

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    @property
    def output(self):
        return "\n".join(self.lines)

    def errors(self):
        return self.log.read_text(errors="replace")

    def ready(self):
        """Waits for the greeting, which comes once everything listens."""
        def greeted():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.errors()}")
            return any(line.startswith("  app secret") for line in self.lines)

        wait_until(greeted, "the greeting")
        self.broker = self._port("broker")
        self.tickets = self._port("ticket API")
        self.ops = self._port("metrics")
        self.app_id = self._said("app id")
        self.key = self._said("app key")
        self.secret = self._settings.get("PUSHER_APP_SECRET")
        if not self.secret and "--config" not in self.process.args and (self.data / "credentials.json").exists():
            self.secret = self.credentials()["secret"]
        return self

    def _said(self, what):
        return re.search(rf"^  {what} +(\S+)$", self.output, re.MULTILINE).group(1)

    def _port(self, what):
        found = re.search(rf"^  {what} +\w+://\S+:(\d+)", self.output, re.MULTILINE)
        return int(found.group(1)) if found else None

    def credentials(self):
        return json.loads((self.data / "credentials.json").read_text())

    def ask(self, path):
        """What the port for operators answers: status and text."""
        answer = requests.get(f"http://127.0.0.1:{self.ops}{path}", timeout=DEADLINE)
        return answer.status_code, answer.text

    def stop(self):
        """Asks it to end and gives back the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def pause(self):
        """Stops it; none of its threads runs on when this returns."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")

        def stopped():
            # The state follows the name, which is in parentheses.
            states = (task.joinpath("stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir())
            return all(state == "T" for state in states)

        wait_until(stopped, "the stop of every thread")

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self):
        code = self.process.wait(timeout=DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stdout.close()
        return code

    @property
    def alive(self):
        return self.process.poll() is None


def run(*arguments, stdin="", cwd=None, **settings):
    """Runs `switchboard` to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=DEADLINE, cwd=cwd,
        env=clean_environment(**settings),
    )

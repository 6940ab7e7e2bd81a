"""`switchboard serve broker` as a child with one event loop, and what it has cost so far."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

KEY, SECRET, APP = "growth-key", "growth-secret", "growth"
DEADLINE = 120.0


class Server:
    def __init__(self, binary: str):
        self._directory = tempfile.TemporaryDirectory()
        directory = pathlib.Path(self._directory.name)
        configuration = directory / "switchboard.yaml"
        # Silent connections are not pinged meanwhile: every frame that comes was asked for.
        configuration.write_text(json.dumps({
            "broker_port": 0, "ops_port": 0, "broker_event_loops": 1, "broker_activity_timeout": 3600,
            "data_dir": str(directory / "data"),
            "apps": [{"id": APP, "key": KEY, "secret": SECRET, "max_client_events_per_connection": 0}]}))
        configuration.chmod(0o600)
        self._log = directory / "log"
        ours = ("BROKER_", "TICKETS_", "OPS_", "PUSHER_", "LOG_", "TLS_", "TRUSTED_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._process = subprocess.Popen(
            [binary, "serve", "broker", "--config", str(configuration)], stdout=subprocess.PIPE,
            stderr=open(self._log, "wb"), text=True, env=environment)
        self.port = None
        for line in self._process.stdout:
            if found := re.match(r"  broker +\w+://\S+:(\d+)", line):
                self.port = int(found.group(1))
            if line.startswith("  app secret"):
                break
        if self.port is None:
            raise SystemExit(f"growth: the broker did not start: {self._log.read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(DEADLINE)
        self._directory.cleanup()

    @property
    def cpu(self) -> float:
        """CPU seconds of all its threads, by the scheduler's clock."""
        tasks = pathlib.Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    @property
    def memory(self) -> int:
        """Resident bytes."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024

    def reload(self) -> None:
        """Has it read its file again, and waits until it has."""
        before = self._log.read_text().count("reloaded")
        self._process.send_signal(signal.SIGHUP)
        end = time.monotonic() + DEADLINE
        while self._log.read_text().count("reloaded") == before:
            if time.monotonic() > end:
                raise SystemExit(f"growth: no reload: {self._log.read_text()}")
            time.sleep(0.005)


class Cost:
    """Server CPU of what is done inside `with`, in microseconds, once the server has come to rest."""

    def __init__(self, server: Server):
        self._server = server

    def __enter__(self):
        self._begin = self._server.cpu
        return self

    def __exit__(self, *_):
        # It may have something to do behind the last byte that it sent.
        last = self._server.cpu
        while True:
            time.sleep(0.02)
            now = self._server.cpu
            if now - last < 0.0005:
                break
            last = now
        self.microseconds = (now - self._begin) * 1e6

"""What every scenario has: a server of its own, a healthy neighbour, and an eye on the process."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SWITCHBOARD_BIN", str(ROOT / ".build/release/switchboard"))
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from switchboard import BINARY, Server, wait_until  # noqa: E402, F401

APP = {"PUSHER_APP_ID": "1001", "PUSHER_APP_KEY": "abuse-key", "PUSHER_APP_SECRET": "abuse-secret-4711"}
# What a process may keep of what it needed meanwhile.
MEMORY_FACTOR = 1.10


class Skipped(Exception):
    """The machine lacks something that the scenario needs."""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Process:
    """What /proc says of a server."""

    def __init__(self, pid):
        self.pid = pid
        self.peak = 0

    @property
    def memory(self):
        """Resident kilobytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])
        self.peak = max(self.peak, kilobytes)
        return kilobytes

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def watched(self):
        """Keeps the peak of the memory meanwhile."""
        is_over = threading.Event()

        def watch():
            while not is_over.wait(0.1):
                try:
                    self.memory
                except (OSError, StopIteration):
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        yield
        is_over.set()
        thread.join()


class Healthy:
    """A client that gets a numbered event every 20 ms, in a process of its own, while others misbehave."""

    def __init__(self, port, prefix=(), host="127.0.0.1"):
        program = str(Path(__file__).with_name("healthy.py"))
        self.process = subprocess.Popen(
            [*prefix, sys.executable, program, host, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | APP)
        expect(self.process.stdout.readline() == b"ready\n", "the healthy client is there")

    def finish(self, may_refuse=False):
        """Its figures; everything that was accepted has come, in order."""
        self.process.stdin.close()
        figures = json.loads(self.process.stdout.readline())
        expect(self.process.wait(30) == 0, "the healthy client ended well")
        expect(figures["lost"] == 0 and figures["in order"], f"nothing is lost to a healthy client: {figures}")
        expect(figures["published"] > 0, "the healthy client got something")
        expect(may_refuse or figures["refused"] == 0, f"no publish of a healthy publisher is refused: {figures}")
        return figures


class Stage:
    """Where one scenario takes place."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.servers = []
        self.figures = {}

    def server(self, *arguments, prefix=(), **settings):
        """A server of its own. Its app is APP, unless a file says so."""
        directory = self.directory / f"server{len(self.servers)}"
        directory.mkdir()
        settings = {"LOG_LEVEL": "warning"} | ({} if "--config" in arguments else APP) | settings
        real = subprocess.Popen
        with mock.patch("subprocess.Popen", lambda command, **options: real([*prefix, *command], **options)):
            server = Server(directory, *arguments, **settings)
        self.servers.append(server)
        server.ready()
        server.eye = Process(server.process.pid)
        return server

    def abused(self, server, abuse, rounds=1, warm=1):
        """Runs `abuse(scale)` beside a healthy client: small to warm up, then at full size; memory and descriptors are back
        afterwards. The figures go into the table."""
        eye = server.eye
        neighbour = Healthy(server.broker)
        for _ in range(warm):
            abuse(0.25)
        time.sleep(1)
        descriptors, before = eye.descriptors, eye.memory
        eye.peak = before
        with eye.watched():
            for _ in range(rounds):
                abuse(1)
        self.settled(eye, descriptors, before)
        self.neighbour(neighbour)

    def settled(self, eye, descriptors, before):
        wait_until(lambda: eye.descriptors <= descriptors, "the end of all abusive connections", deadline=60)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: eye.memory <= before * MEMORY_FACTOR, "memory", deadline=20)
        after = eye.memory
        self.figures |= {"RSS before": before, "peak": eye.peak, "after": after}
        expect(after <= before * MEMORY_FACTOR, f"memory is back: {before} kB before, {eye.peak} at most, {after} after")

    def neighbour(self, healthy, **options):
        figures = healthy.finish(**options)
        self.figures |= {"delivered": figures["published"], "lost": figures["lost"], "latest ms": figures["max ms"]}

    def end(self):
        for server in self.servers:
            if server.alive:
                server.stop()
            expect("Fatal error" not in server.errors(), f"no trap: {server.errors()[-2000:]}")


def run(scenario):
    """`scenario(stage)` in a directory of its own: (outcome, figures, seconds)."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="abuse-") as directory:
        stage = Stage(directory)
        try:
            scenario(stage)
            stage.end()
            outcome = "ok"
        except Skipped as reason:
            outcome = f"skipped: {reason}"
        except Exception as failure:  # the table shows it, and the exit code
            outcome = f"FAILED: {type(failure).__name__}: {failure}"
        finally:
            for server in stage.servers:
                if server.alive:
                    server.kill()
        return outcome, stage.figures, time.monotonic() - begun

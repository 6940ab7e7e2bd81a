"""The conformance suite against this server, with every app and server that its rules ask for."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from certificates import self_signed
from conformance.registry import checks
from conformance.target import FIXTURES
from switchboard import BINARY, Server, clean_environment

SPECIFICATION = Path(__file__).parents[2] / "protocol-spec"
HOST = "127.0.0.1"
LOOPS = 4
"""Event loops of the main server: two clients of a rule are rarely on the same one (P79, P80, P103, P140; decision 9)."""
SHORT = 5
"""The activity_timeout of the server on whose pings the suite waits, in seconds."""


def credentials(name):
    """Made for these tests; they protect nothing."""
    return {"id": f"id-{name}", "key": f"key-{name}", "secret": f"secret-of-{name}"}


def free_port():
    with socket.socket() as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


def hooks(port, path, batch):
    return [{"url": f"http://{HOST}:{port}/{path}", "batch": batch}]


class Setup:
    """The servers, their apps, and the fixtures that tell the suite of them."""

    def __init__(self, directory):
        self.directory = directory
        self.servers = []
        self.receiver = free_port()
        certificate, key = self_signed(directory)
        self.apps = {
            "main": {},
            "disabled": {"enabled": False},
            "quota": {"max_connections": 1},
            "origins": {"allowed_origins": ["allowed.example"]},
            "no_client_events": {"client_events": False},
            "counts": {"subscription_counts": True},
            "watchlist": {"watchlist": True},
            "authorization": {"authorization_timeout": 2},
            "tls_only": {"require_tls": True},
            "rate_limited": {"max_publishes_per_second": 5},
            "cache_short": {"cache_seconds": 1},
            "two_secrets": {"next_secret": "the-next-secret-of-all"},
            "webhooks": {"webhooks": hooks(self.receiver, "each", False)},
            "webhooks_counts": {"subscription_counts": True, "webhooks": hooks(self.receiver, "each", False)},
            "webhooks_retried": {"webhooks": hooks(self.receiver, "retried", False)},
            "webhooks_batched": {"webhooks": hooks(self.receiver, "batched", True)},
        }
        self.main = self.start("main", self.apps, tls_certificate=certificate, tls_key=key, broker_event_loops=LOOPS)
        said = {role: {"port": self.main.broker} | credentials(role) for role in self.apps if role != "main"}
        said["no_counts"] = said["no_watchlist"] = {}
        said["origins"]["origin"] = "https://allowed.example:8443"
        said["authorization"]["seconds"] = 2
        said["tls_only"] |= {"tls_port": self.main.broker, "ca_file": str(certificate)}
        said["rate_limited"]["per_second"] = 5
        said["cache_short"]["seconds"] = 1
        said["two_secrets"]["next_secret"] = self.apps["two_secrets"]["next_secret"]
        for role in ("webhooks", "webhooks_counts", "webhooks_retried", "webhooks_batched"):
            said[role] |= {"receiver_host": HOST, "receiver_port": self.receiver}
        said["full"] = self.server_of_its_own("full", broker_max_connections=1)
        said["keep_alive"] = self.server_of_its_own("keep_alive", broker_activity_timeout=SHORT)
        said["stoppable"] = self.server_of_its_own("stoppable")
        said["stoppable"]["pid"] = self.servers[-1].process.pid
        assert set(said) == set(FIXTURES)
        self.fixtures = directory / "fixtures.json"
        self.fixtures.write_text(json.dumps(said))

    def server_of_its_own(self, role, **settings):
        return {"port": self.start(role, {role: {}}, **settings).broker} | credentials(role)

    def start(self, name, apps, **settings):
        directory = self.directory / name
        directory.mkdir()
        file = directory / "switchboard.yaml"
        listed = [credentials(role) | {"name": role} | members for role, members in apps.items()]
        # JSON is YAML.
        file.write_text(json.dumps({key: str(value) for key, value in settings.items()} | {"apps": listed}))
        file.chmod(0o600)
        server = Server(directory, "broker", "--config", str(file))
        self.servers.append(server)
        return server.ready()

    def end(self):
        for server in self.servers:
            if server.alive:
                assert server.stop() == 0, server.errors()
            assert "Fatal error" not in server.errors()
            for role in self.apps:
                assert credentials(role)["secret"] not in server.errors() + server.output


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the suite says of each rule."""
    directory = tmp_path_factory.mktemp("conformance")
    setup = Setup(directory)
    try:
        main = credentials("main")
        command = [
            sys.executable, "-m", "conformance", "--host", HOST, "--port", str(setup.main.broker), "--app-id", main["id"],
            "--app-key", main["key"], "--fixtures", str(setup.fixtures), "--slow", "--json",
        ]
        done = subprocess.run(
            command, cwd=SPECIFICATION, env=clean_environment(APP_SECRET=main["secret"]), capture_output=True, text=True,
            timeout=600)
        assert done.stderr == "", done.stderr
        yield {line["rule"]: line for line in map(json.loads, done.stdout.splitlines())}
    finally:
        setup.end()


@pytest.mark.parametrize("rule", [check.rule for check in checks()])
def test_rule(results, rule):
    result = results[rule]
    if result["outcome"] == "skip" and "file descriptors" in result["detail"]:
        pytest.skip(result["detail"])
    assert result["outcome"] == "ok", f"{result['text']}: {result['detail']}"


def test_the_secret_is_asked_for_in_the_environment():
    assert os.access(BINARY, os.X_OK)
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "--port", "1", "--app-id", "1", "--app-key", "k"], cwd=SPECIFICATION,
        env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "APP_SECRET" in done.stderr

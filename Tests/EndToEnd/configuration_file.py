"""A `switchboard.yaml` with a list of apps, written as a test needs it and read again by a running server."""

import json
import signal

from switchboard import wait_until


def app(number, **more):
    """An app's entry; credentials follow from its number. The official SDK takes an id of digits only."""
    return {"id": f"100{number}", "key": f"key{number:017}", "secret": f"secret{number:014}"} | more


class ConfigurationFile:
    def __init__(self, path, *apps, **settings):
        self.path = path
        self.write(*apps, **settings)

    def write(self, *apps, **settings):
        # JSON is YAML.
        self.path.write_text(json.dumps(settings | {"apps": list(apps)}))
        self.path.chmod(0o600)

    @property
    def arguments(self):
        return ("--config", str(self.path))


def reload(server, expected):
    """Sends SIGHUP and waits for one more line of the log with `expected` in it."""
    before = server.errors().count(expected)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.errors().count(expected) > before, f"{expected!r} in the log")
    return server.errors()

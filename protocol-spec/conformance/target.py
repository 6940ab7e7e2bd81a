"""The server that is tried, and what it was set up with for the rules that need it."""

import asyncio
import itertools
import secrets
import ssl

from conformance.client import Client
from conformance.registry import Skip

FIXTURES = {
    "disabled": "an app that is disabled",
    "quota": "an app that may have one connection",
    "origins": "an app with a list of origins, one of which is in 'origin'",
    "no_client_events": "an app with client events turned off",
    "no_counts": "an app with subscription counts turned off",
    "counts": "an app with subscription counts turned on",
    "no_watchlist": "an app without watchlists",
    "watchlist": "an app with watchlists",
    "authorization": "an app with an authorization timeout of 'seconds'",
    "tls_only": "an app that demands TLS, with 'tls_port' and perhaps 'ca_file'",
    "rate_limited": "an app that may publish 'per_second' events in a second",
    "cache_short": "an app whose cached events live for 'seconds'",
    "two_secrets": "an app with another live secret in 'next_secret'",
    "webhooks": "an app that posts webhooks, one event each, to 'receiver_port' at 'receiver_host', path /each",
    "webhooks_counts": "as webhooks, with subscription counts turned on",
    "webhooks_retried": "another app as webhooks, path /retried; what it posts is refused at first",
    "webhooks_batched": "an app that posts webhooks in batches to 'receiver_port' at 'receiver_host', path /batched",
    "keep_alive": "a server whose activity_timeout is at most 15 seconds",
    "full": "a server that takes one connection in all",
    "stoppable": "a server of its own with its process id in 'pid'",
}


class App:
    """One app of one server: where it is and what signs for it."""

    def __init__(self, description):
        self.id = str(description["id"])
        self.key = description["key"]
        self.secret = description["secret"]
        self.host = description["host"]
        self.port = int(description["port"])
        self.prefix = description.get("prefix", "")
        self.description = description
        self.tls = self.tls_context() if description.get("tls") else None

    def tls_context(self):
        context = ssl.create_default_context(cafile=self.description.get("ca_file"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def __getitem__(self, name):
        return self.description[name]

    def variant(self, **changes):
        """The same app with something else in its description."""
        return App(self.description | changes)


class Target:
    def __init__(self, app, fixtures=None, slow=False):
        self.app = app
        self.slow = slow
        self.receiver = None
        # What a fixture does not say is as in the app that is tried.
        self.fixtures = {role: App(app.description | said) for role, said in (fixtures or {}).items()}
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def fixture(self, role):
        if role not in self.fixtures:
            raise Skip(FIXTURES[role])
        return self.fixtures[role]

    def name(self, prefix="", suffix=""):
        """A channel, user or key that nobody else uses."""
        return f"{prefix}{self._run}-{next(self._numbers)}{suffix}"


class Session:
    """What one rule works with: the target, and clients that end with the rule."""

    def __init__(self, target):
        self.target = target
        self.app = target.app
        self.clients = []

    def __getattr__(self, name):
        return getattr(self.target, name)

    async def client(self, app=None, **options):
        client = await Client.connect(app or self.app, **options)
        self.clients.append(client)
        return client

    async def opened(self, app=None, **options):
        """A client of which nothing has been read yet."""
        client = await Client.open(app or self.app, **options)
        self.clients.append(client)
        return client

    async def clients_of(self, count, app=None):
        return [await self.client(app) for _ in range(count)]

    async def end(self):
        for client in self.clients:
            await client.close()
        await asyncio.sleep(0)

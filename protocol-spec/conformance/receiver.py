"""The other end of webhooks: an HTTP server that keeps what it gets, and fails when told to."""

import asyncio
import json
import time
from dataclasses import dataclass

from conformance.registry import Failure


@dataclass(frozen=True)
class Delivery:
    method: str
    path: str
    headers: dict
    """By their names as they were spelled."""
    body: bytes
    at: float

    @property
    def events(self):
        return json.loads(self.body)["events"]


class Receiver:
    def __init__(self):
        self.deliveries = []
        self.changed = asyncio.Condition()
        self.failures = {}
        """How many more deliveries that name a channel are answered with 500."""
        self.servers = []
        self.connections = {}

    @classmethod
    def of(cls, target):
        target.receiver = cls()
        target.receiver.addresses = {
            (app["receiver_host"] if "receiver_host" in app.description else "127.0.0.1", int(app["receiver_port"]))
            for role, app in target.fixtures.items() if role.startswith("webhooks")
        }
        return target.receiver

    async def __aenter__(self):
        for host, port in self.addresses:
            self.servers.append(await asyncio.start_server(self._serve, host, port))
        return self

    async def __aexit__(self, *_):
        for server in self.servers:
            server.close()
        for writer in self.connections.values():
            writer.close()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.connections[task] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                length = next((value for name, value in headers.items() if name.lower() == "content-length"), 0)
                body = await reader.readexactly(int(length))
                method, path, _ = head[0].split()
                status = await self._take(Delivery(method, path, headers, body, time.monotonic()))
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            del self.connections[task]
            writer.close()

    async def _take(self, delivery):
        async with self.changed:
            self.deliveries.append(delivery)
            self.changed.notify_all()
        for channel, left in self.failures.items():
            if left and channel.encode() in delivery.body:
                self.failures[channel] = left - 1
                return 500
        return 200

    def about(self, channel, path="/each"):
        """The deliveries so far that name the channel."""
        return [d for d in self.deliveries if d.path == path and any(e.get("channel") == channel for e in d.events)]

    def names(self, channel, path="/each"):
        return [e["name"] for d in self.about(channel, path) for e in d.events if e.get("channel") == channel]

    async def until(self, condition, what, deadline):
        """The first truthy value of `condition`, asked after each delivery."""
        try:
            async with asyncio.timeout(deadline), self.changed:
                while not (value := condition()):
                    await self.changed.wait()
                return value
        except TimeoutError:
            raise Failure(f"{what} did not come within {deadline:g} s") from None

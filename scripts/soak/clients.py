"""Many clients in one process: clients.py PORT STABLE CHURNING ROOMS

Client N joins room N modulo ROOMS. The stable ones stay and look at the number in every event of their room: none may be missing,
none may come twice. The churning ones leave and come back all the time. Prints "ready", then a line of JSON a second, and the last
one once standard input ends.
"""

import json
import os
import re
import select
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "abuse"))

from connections import frame, subscribe, upgraded  # noqa: E402

PORT, STABLE, CHURNING, ROOMS = map(int, sys.argv[1:])
NUMBER = re.compile(rb'\\"n\\":(\d+)\}')
CHURN_PER_SECOND = 50


class Client:
    def __init__(self, number):
        self.number = number
        self.socket = upgraded(PORT, number)
        self.socket.sendall(subscribe(f"room-{number % ROOMS}"))
        received = b""
        while b"subscription_succeeded" not in received:
            received += self.socket.recv(4096)
        self.socket.setblocking(False)
        self.rest = received.rpartition(b"subscription_succeeded")[2]
        self.last = None


def ended():
    """Whether standard input has ended."""
    try:
        return os.read(0, 1) == b""
    except BlockingIOError:
        return False


class Crowd:
    def __init__(self):
        self.poll = select.epoll()
        self.clients = {}
        self.received = self.missing = self.closed = self.comings = 0

    def add(self, number):
        client = Client(number)
        self.clients[client.socket.fileno()] = client
        self.poll.register(client.socket.fileno(), select.EPOLLIN)
        return client

    def drop(self, client):
        del self.clients[client.socket.fileno()]
        self.poll.unregister(client.socket.fileno())
        client.socket.close()

    def read(self, client):
        try:
            data = client.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed += 1
            self.drop(client)
            return
        if b"pusher:ping" in data:
            client.socket.send(frame('{"event":"pusher:pong","data":{}}'))
        text = client.rest + data
        end = 0
        for match in NUMBER.finditer(text):
            number, end = int(match[1]), match.end()
            self.received += 1
            if client.last is not None and number != client.last + 1:
                self.missing += 1
            client.last = number
        client.rest = text[end:][-300:]

    def run(self):
        for number in range(STABLE):
            self.add(number)
        churning = [self.add(STABLE + number) for number in range(CHURNING)]
        print("ready", flush=True)
        os.set_blocking(0, False)
        turn, told, churned = 0, time.monotonic(), time.monotonic()
        is_over = False
        while not is_over:
            for descriptor, _ in self.poll.poll(0.05):
                if descriptor in self.clients:
                    self.read(self.clients[descriptor])
            now = time.monotonic()
            while churning and now - churned > 1 / CHURN_PER_SECOND:
                churned += 1 / CHURN_PER_SECOND
                place = turn % len(churning)
                turn += 1
                old = churning[place]
                if old.socket.fileno() in self.clients:
                    self.drop(old)
                churning[place] = self.add(old.number)
                self.comings += 1
            if now - told >= 1:
                told = now
                is_over = ended()
                self.tell()
        # What is still on its way.
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for descriptor, _ in self.poll.poll(0.05):
                if descriptor in self.clients:
                    self.read(self.clients[descriptor])
        self.tell(last={
            room: sorted({client.last for client in self.clients.values() if client.number < STABLE
                          and client.number % ROOMS == room and client.last is not None})
            for room in range(ROOMS)})

    def tell(self, **more):
        print(json.dumps({
            "connections": len(self.clients), "received": self.received, "missing": self.missing, "closed": self.closed,
            "comings": self.comings} | more), flush=True)


Crowd().run()

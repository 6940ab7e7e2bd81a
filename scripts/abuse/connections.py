"""Clients that come too often, too slowly, or never read."""

import json
import resource
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from harness import APP, Skipped, expect, wait_until

KEY = APP["PUSHER_APP_KEY"]
UPGRADE = (
    f"GET /app/{KEY}?protocol=7&client=abuse HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()


def frame(text, mask=b"\0\0\0\0"):
    """A client's text frame, masked by zeros."""
    data = text.encode()
    head = b"\x81" + (bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data)))
    return head + mask + data


def subscribe(channel, event="pusher:subscribe"):
    return frame(json.dumps({"event": event, "data": {"channel": channel}}))


def dial(port, number=0):
    """A connection from one of many loopback addresses: one alone has too few ports."""
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    connection.bind((f"127.0.{1 + number // 250 % 250}.{1 + number % 250}", 0))
    connection.settimeout(30)
    connection.connect(("127.0.0.1", port))
    return connection


def upgraded(port, number=0):
    connection = dial(port, number)
    connection.sendall(UPGRADE)
    received = b""
    while b"connection_established" not in received:
        more = connection.recv(4096)
        if not more:
            raise ConnectionError(received[:200])
        received += more
    return connection


def slowloris(stage):
    """500 clients send a head one byte a second: each is answered 408 and closed within the 10 seconds that a head has."""
    server = stage.server("broker")

    def abuse(scale):
        clients = [dial(server.broker, n) for n in range(int(500 * scale))]
        begun = time.monotonic()
        answers = 0
        for byte in UPGRADE[:30]:
            for client in list(clients):
                try:
                    client.sendall(bytes([byte]))
                    client.settimeout(0)
                    answer = client.recv(4096)
                except BlockingIOError:
                    continue
                except OSError:
                    answer = b""
                answers += answer.startswith(b"HTTP/1.1 408")
                client.close()
                clients.remove(client)
            if not clients:
                break
            time.sleep(max(0, 1 - (time.monotonic() - begun) % 1))
        took = time.monotonic() - begun
        expect(not clients, f"{len(clients)} slow clients are still there after {took:.0f} s")
        stage.figures |= {"closed after s": round(took), "answered 408": answers}

    stage.abused(server, abuse)


def connect_storm(stage):
    """30,000 clients connect, are greeted and go again, as fast as two processes can, 3,000 a second on an idle machine."""
    server = stage.server("broker")
    program = str(Path(__file__).with_name("storm.py"))

    def abuse(scale):
        begun = time.monotonic()
        storms = [
            subprocess.Popen(
                [sys.executable, program, str(server.broker), str(int(15_000 * scale)), seed], stdout=subprocess.PIPE)
            for seed in "01"
        ]
        failures = sum(int(storm.communicate(timeout=300)[0]) for storm in storms)
        expect(failures == 0, f"{failures} clients were not greeted")
        stage.figures["connections/s"] = round(30_000 * scale / (time.monotonic() - begun))

    stage.abused(server, abuse)


def subscribe_storm(stage):
    """100 clients join and leave 500 channels each, over and over, one channel for all among them."""
    server = stage.server("broker")

    def abuse(scale):
        clients = [upgraded(server.broker, n) for n in range(int(100 * scale))]
        begun = time.monotonic()
        for turn in range(4):
            event = "pusher:unsubscribe" if turn % 2 else "pusher:subscribe"
            names = ["everybody"] + [f"room-{n}" for n in range(499)]
            for number, client in enumerate(clients):
                client.sendall(b"".join(subscribe(f"{name}-{number % 50}", event) for name in names))
                if turn % 2:
                    continue
                received = b""
                while received.count(b"subscription_succeeded") < len(names):
                    more = client.recv(1 << 16)
                    expect(more, "a client that subscribes is not closed")
                    received += more
        stage.figures["subscriptions/s"] = round(1000 * len(clients) / (time.monotonic() - begun))
        for client in clients:
            client.close()

    stage.abused(server, abuse)


def never_reads(stage):
    """20 clients join the busiest channel and never read: each is closed once a megabyte waits for it."""
    import pusher

    server = stage.server("broker")
    publisher = pusher.Pusher(
        APP["PUSHER_APP_ID"], KEY, APP["PUSHER_APP_SECRET"], host="127.0.0.1", port=server.broker, ssl=False)

    def abuse(scale):
        count = max(2, int(20 * scale))
        # The publisher's connection is there from its first call.
        publisher.channels_info()
        usual = server.eye.descriptors
        clients = []
        for number in range(count):
            client = upgraded(server.broker, number)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(subscribe("firehose"))
            clients.append(client)
        wait_until(lambda: publisher.channel_info("firehose", ["subscription_count"])["subscription_count"] == count, "all")
        data = "x" * 10_000
        # 30 MB for each: more than the kernel's buffers and ours take together.
        for _ in range(300):
            publisher.trigger_batch([{"channel": "firehose", "name": "flood", "data": data}] * 10)
        begun = time.monotonic()
        wait_until(lambda: server.eye.descriptors <= usual, "the close of all who do not read", deadline=20)
        stage.figures["closed after s"] = round(time.monotonic() - begun, 1)
        for client in clients:
            client.close()

    stage.abused(server, abuse)


def file_limit(stage):
    """500 clients come to a server that may have 256 descriptors: those who are in are served, the CPU rests, and when some go
    others come in."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1024:
        raise Skipped("this shell may not open 1,024 files")
    server = stage.server("broker", prefix=["prlimit", "--nofile=256:256"])

    def abuse(scale):
        clients = []
        for number in range(int(500 * max(scale, 0.8))):
            client = dial(server.broker, number)
            client.sendall(UPGRADE)
            client.setblocking(False)
            clients.append(client)
        time.sleep(1)
        begun, used = time.monotonic(), server.eye.cpu_seconds
        time.sleep(3)
        share = (server.eye.cpu_seconds - used) / (time.monotonic() - begun)
        expect(share < 0.5, f"a server without descriptors uses {share:.0%} of a core")
        expect(server.eye.descriptors >= 250, "the limit was reached")
        stage.figures["CPU at the limit"] = f"{share:.0%}"
        greeted = [client for client in clients if _greeted(client)]
        expect(150 <= len(greeted) <= 256, f"{len(greeted)} were let in")
        for client in greeted:
            client.close()
        waiting = [client for client in clients if client not in greeted]
        wait_until(lambda: sum(_greeted(client) for client in waiting) >= 100, "those who waited come in", deadline=30)
        for client in clients:
            client.close()

    stage.abused(server, abuse)


def _greeted(client):
    """Whether the connection has got its greeting; looks without taking."""
    try:
        return b"connection_established" in client.recv(4096, socket.MSG_PEEK)
    except OSError:
        return False

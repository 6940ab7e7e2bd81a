"""Holds thousands of connections under load and watches the server: scripts/soak [--seconds 1800] [--connections 5000]

A tenth of the connections leaves and comes back all the time. The load is half of what the server and its clients manage together
on this machine, which is measured first. A line of CSV every five seconds goes to .build/soak/soak.csv. Expected: no event is
missing, the memory does not grow and the descriptors are as many as at the start. The exit code is 1 otherwise.
"""

import argparse
import csv
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/abuse"))

from harness import APP, BINARY, Stage  # noqa: E402

ROOMS = 100
BATCH = 10
COLUMNS = ["seconds", "rss_kb", "descriptors", "cpu_seconds", "connections", "comings", "published", "delivered", "missing"]
# The memory's slope over the whole run may look like so much of it: the kernel counts pages, and the load is not even.
NOISE = 0.01


class Publisher:
    """Publishes numbered events to all rooms in turn, ten at a time."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.numbers = [0] * ROOMS
        self.room = 0

    def batch(self):
        events = []
        for _ in range(BATCH):
            self.numbers[self.room] += 1
            data = json.dumps({"n": self.numbers[self.room]}, separators=(",", ":"))
            events.append({"channel": f"room-{self.room}", "name": "e", "data": data})
            self.room = (self.room + 1) % ROOMS
        body = json.dumps({"batch": events}).encode()
        path = f"/apps/{APP['PUSHER_APP_ID']}/batch_events"
        query = (
            f"auth_key={APP['PUSHER_APP_KEY']}&auth_timestamp={int(time.time())}&auth_version=1.0"
            f"&body_md5={hashlib.md5(body).hexdigest()}")
        signature = hmac.new(
            APP["PUSHER_APP_SECRET"].encode(), f"POST\n{path}\n{query}".encode(), hashlib.sha256).hexdigest()
        self.connection.request(
            "POST", f"{path}?{query}&auth_signature={signature}", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"soak: a publish was answered {answer.status}: {text[:200]}")

    @property
    def published(self):
        return sum(self.numbers)


class Clients:
    """The process of the clients, and what it said last."""

    def __init__(self, port, stable, churning):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("clients.py")), *map(str, (port, stable, churning, ROOMS))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ)
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit("soak: the clients did not get their connections")
        self.state = {"connections": stable + churning, "received": 0, "missing": 0, "closed": 0, "comings": 0}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.state = json.loads(line)

    def finish(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.reader.join(60)
        return self.state


def capacity(publisher, clients, per_event):
    """Deliveries a second when nobody waits, measured for fifteen seconds: what was published and has come."""
    begun, published = time.monotonic(), publisher.published
    received = clients.state["received"]
    while time.monotonic() - begun < 15:
        publisher.batch()
        # Not further ahead than a second of what has come so far.
        while publisher.published * per_event - clients.state["received"] > 200_000:
            time.sleep(0.01)
    time.sleep(3)
    return (clients.state["received"] - received) / (time.monotonic() - begun)


def slope(samples):
    """Kilobytes of memory a minute, by least squares."""
    count = len(samples)
    mean_x = sum(s["seconds"] for s in samples) / count
    mean_y = sum(s["rss_kb"] for s in samples) / count
    above = sum((s["seconds"] - mean_x) * (s["rss_kb"] - mean_y) for s in samples)
    below = sum((s["seconds"] - mean_x) ** 2 for s in samples)
    return 60 * above / below


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--connections", type=int, default=5000)
    options = parser.parse_args()
    if not os.access(BINARY, os.X_OK):
        print(f"soak: {BINARY} is missing: 'make build' makes it, SWITCHBOARD_BIN names another", file=sys.stderr)
        return 69
    out = ROOT / ".build/soak"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as directory, open(out / "soak.csv", "w", newline="") as file:
        stage = Stage(directory)
        try:
            return soak(stage, options, csv.DictWriter(file, COLUMNS), file)
        finally:
            for server in stage.servers:
                if server.alive:
                    server.stop()


def soak(stage, options, table, file):
    churning = options.connections // 10
    stable = options.connections - churning
    server = stage.server("broker")
    clients = Clients(server.broker, stable, churning)
    publisher = Publisher(server.broker)
    per_event = options.connections / ROOMS
    most = capacity(publisher, clients, per_event)
    batches = most / 2 / per_event / BATCH
    print(f"soak: {options.connections} connections; {most:.0f} deliveries/s at most; half of it for {options.seconds} s")
    table.writeheader()
    samples, begun, sent = [], time.monotonic(), 0
    while (now := time.monotonic() - begun) < options.seconds:
        if sent < now * batches:
            publisher.batch()
            sent += 1
        else:
            time.sleep(0.002)
        if now >= 5 * len(samples):
            state = clients.state
            samples.append({
                "seconds": round(now), "rss_kb": server.eye.memory, "descriptors": server.eye.descriptors,
                "cpu_seconds": round(server.eye.cpu_seconds, 2), "connections": state["connections"],
                "comings": state["comings"], "published": publisher.published, "delivered": state["received"],
                "missing": state["missing"]})
            table.writerow(samples[-1])
            file.flush()
            if len(samples) % 12 == 0:
                print(f"soak: {samples[-1]}", flush=True)
    state = clients.finish()
    warm = samples[len(samples) // 5:]
    growth = slope(warm)
    lost = sum(last != [number] for last, number in zip(state["last"].values(), publisher.numbers))
    descriptors = sorted({sample["descriptors"] for sample in warm})
    total = growth * options.seconds / 60
    print(
        f"soak: {state['received']} delivered, {state['missing']} missing, {lost} rooms without their last event, "
        f"{state['closed']} closed by the server; {state['comings']} came back\n"
        f"soak: memory {warm[0]['rss_kb']} to {warm[-1]['rss_kb']} kB, {growth:+.1f} kB/min after the warm-up; "
        f"descriptors {descriptors[0]} to {descriptors[-1]}")
    is_well = (
        state["missing"] == 0 and lost == 0 and state["closed"] == 0 and total < NOISE * warm[0]["rss_kb"]
        and descriptors[-1] - descriptors[0] <= churning // 10)
    print("soak: ok" if is_well else "soak: FAILED")
    return 0 if is_well else 1


sys.exit(main())

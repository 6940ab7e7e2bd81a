"""A machine that fails the server: its clock jumps, its disk is full, its database is locked or damaged."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import threading
import time

from harness import BINARY, Healthy, Skipped, expect, wait_until
from pusher_socket import PusherSocket
from switchboard import run
from ticket_client import TicketClient

PASSWORD = "an admin's password"


def with_ticket(server):
    """An admin who hears everything, a customer, and their ticket."""
    made = run(
        "user", "create", "--email", "admin@example.org", "--role", "admin", stdin=PASSWORD + "\n", DATA_DIR=server.data)
    expect(made.returncode == 0, made.stderr)
    customer = TicketClient.register(server.tickets, "ada@example.org")
    return customer, customer.open_ticket()["id"]


def post(customer, ticket, text, timeout=90):
    return customer.request("POST", f"/tickets/{ticket}/chat/messages", {"content": text}, timeout=timeout).status_code


class Listener:
    """Keeps the texts of all messages of one ticket."""

    def __init__(self, server, ticket):
        import json

        self.texts = []
        self.socket = PusherSocket(server.broker, server.key, server.secret)
        self.socket.subscribe(f"private-chat.{ticket}")

        def listen():
            with contextlib.suppress(Exception):
                while True:
                    frame = self.socket.frame(deadline=3600)
                    if frame["event"] == "NewMessage":
                        self.texts.append(json.loads(frame["data"])["message"]["content"])

        threading.Thread(target=listen, daemon=True).start()

    def wait_for(self, texts):
        wait_until(lambda: set(texts) <= set(self.texts), "every message that was answered 201", deadline=60)
        expect(list(dict.fromkeys(self.texts)) == texts, "messages come in order")


def clock_jumps(stage):
    """The wall clock jumps an hour ahead, then back two: connections stay; publishes are refused while the clocks of both ends
    are 600 seconds apart, and no longer."""
    library = next(
        (path for path in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                           "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1") if os.path.exists(path)), None)
    if not library:
        raise Skipped("there is no libfaketime (Debian's faketime)")
    offset = stage.directory / "offset"
    offset.write_text("+0")
    server = stage.server(prefix=[
        "env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={offset}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        # The first program that faketime is loaded into starts again and loses its arguments; that is nice's part.
        "nice", "-n", "0"])
    import pusher

    publisher = pusher.Pusher(
        server.app_id, server.key, server.secret, host="127.0.0.1", port=server.broker, ssl=False)
    customer, ticket = with_ticket(server)
    listener = Listener(server, ticket)
    texts, refused = [], 0
    with PusherSocket(server.broker, server.key, server.secret) as socket:
        socket.subscribe("orders")
        for number, jump in enumerate(["+0", "+3600", "-3600", "+0"]):
            offset.write_text(jump)
            expect(post(customer, ticket, f"at {number}") == 201, "the ticket API goes on")
            texts.append(f"at {number}")
            try:
                publisher.trigger("orders", "tick", {"n": number})
                expect(jump == "+0", "a signature of another hour is refused")
                socket.expect("tick", "orders")
            except pusher.errors.PusherBadAuth:
                expect(jump != "+0", "a signature of this hour is accepted")
                refused += 1
            # Whoever was connected is: a ping is answered.
            socket.send("pusher:ping")
            socket.expect("pusher:pong")
            listener.wait_for(texts)
    expect(refused == 2, f"{refused} refused")
    stage.figures |= {"jumps": 3, "messages": len(texts), "lost": 0}


@contextlib.contextmanager
def small_disk(directory, megabytes):
    directory.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "abuse", str(directory)], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skipped(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=False)


def disk_full(stage):
    """The data directory's disk is full: posting is refused with 507, reading and the broker go on; with room again, posting is
    accepted, and everything that was ever answered 201 has come."""
    with small_disk(stage.directory / "disk", 24) as disk:
        server = stage.server(DATA_DIR=disk / "data")
        customer, ticket = with_ticket(server)
        listener = Listener(server, ticket)
        neighbour = Healthy(server.broker)
        texts, statuses = [], []

        def say(text):
            statuses.append(post(customer, ticket, text))
            if statuses[-1] == 201:
                texts.append(text)

        say("before")
        with open(disk / "ballast", "wb") as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"\0" * 65536)
                ballast.flush()
        # What the files had reserved is used up first.
        for number in range(400):
            say(f"{number} " + "x" * 3000)
            if statuses[-1] != 201:
                break
        expect(statuses[-1] == 507, f"a full disk is answered {statuses[-1]}")
        expect(len(customer.history(ticket)) == len(texts), "reading goes on, and nothing refused was kept")
        os.remove(disk / "ballast")
        say("after")
        expect(statuses[-1] == 201, f"with room again posting is answered {statuses[-1]}")
        listener.wait_for(texts)
        stage.figures |= {"accepted": len(texts), "refused": statuses.count(507)}
        stage.neighbour(neighbour)
        server.stop()


def database_busy(stage):
    """Another process holds the database for five seconds: posting waits and is then accepted, nobody else waits."""
    server = stage.server()
    customer, ticket = with_ticket(server)
    listener = Listener(server, ticket)
    # The first message opens the chat.
    expect(post(customer, ticket, "before") == 201, "posting")
    neighbour = Healthy(server.broker)
    other = sqlite3.connect(server.data / "tickets.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(5, lambda: other.execute("COMMIT"))
    release.start()
    begun = time.monotonic()
    expect(len(customer.history(ticket)) == 1, "reading goes on")
    expect(time.monotonic() - begun < 4, "reading does not wait")
    expect(post(customer, ticket, "held up") == 201, "posting waits for its turn")
    stage.figures["posting took s"] = round(time.monotonic() - begun, 1)
    listener.wait_for(["before", "held up"])
    release.join()
    other.close()
    stage.neighbour(neighbour)


def database_damaged(stage):
    """The database is overwritten: a running server answers 500 and lives on, the broker does not notice; a new one refuses to
    start, or says what is wrong, and changes nothing."""
    server = stage.server()
    customer, ticket = with_ticket(server)
    for number in range(50):
        expect(post(customer, ticket, f"{number}") == 201, "before the damage")
    neighbour = Healthy(server.broker)
    # Emptied first, so that the file holds it all.
    with contextlib.closing(sqlite3.connect(server.data / "tickets.sqlite")) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = server.data / "tickets.sqlite"
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    statuses = {post(customer, ticket, "damaged") for _ in range(5)}
    statuses |= {customer.request("GET", f"/tickets/{ticket}/chat").status_code for _ in range(5)}
    expect(server.alive and statuses <= {200, 201, 401, 500, 503}, f"a damaged database is answered {statuses}")
    stage.neighbour(neighbour)
    server.kill()
    before = path.read_bytes()
    again = subprocess.run(
        [BINARY, "serve"], capture_output=True, text=True, timeout=60,
        env=os.environ | {"DATA_DIR": str(server.data), "BROKER_PORT": "0", "TICKETS_PORT": "0", "OPS_PORT": "0"})
    expect(again.returncode == 69 and len(again.stderr.strip().splitlines()) == 1, f"{again.returncode}: {again.stderr}")
    expect(path.read_bytes() == before, "the file is left for its repair")
    stage.figures |= {"answers": sorted(statuses), "restart": again.returncode}
    shutil.rmtree(server.data)

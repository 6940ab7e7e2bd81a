"""The healthy neighbour: publishes a number every 20 ms and receives it. Ends when its standard input does."""

import hashlib
import hmac
import http.client
import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests/EndToEnd"))

from pusher_socket import PusherSocket  # noqa: E402

HOST, PORT = sys.argv[1], int(sys.argv[2])
CHANNEL = f"healthy-{os.getpid()}"
ID, KEY, SECRET = (os.environ[f"PUSHER_APP_{name}"] for name in ("ID", "KEY", "SECRET"))


def publish(connection, number, now):
    body = json.dumps({"name": "n", "channels": [CHANNEL], "data": json.dumps([number, now])}).encode()
    path = f"/apps/{ID}/events"
    query = (
        f"auth_key={KEY}&auth_timestamp={int(time.time())}&auth_version=1.0&body_md5={hashlib.md5(body).hexdigest()}")
    signature = hmac.new(SECRET.encode(), f"POST\n{path}\n{query}".encode(), hashlib.sha256).hexdigest()
    connection.request(
        "POST", f"{path}?{query}&auth_signature={signature}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def receive(socket, received, latencies):
    while True:
        try:
            number, sent = json.loads(json.loads(socket.ws.recv())["data"])
        except (ValueError, KeyError, TypeError):
            continue
        except Exception:
            return
        latencies.append((time.monotonic() - sent) * 1000)
        received.append(number)


def main():
    socket = PusherSocket(PORT, KEY, SECRET, host=HOST)
    socket.subscribe(CHANNEL)
    received, latencies, accepted, refused = [], [], [], []
    threading.Thread(target=receive, args=(socket, received, latencies), daemon=True).start()
    connection = http.client.HTTPConnection(HOST, PORT, timeout=60)
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    print("ready", flush=True)
    number = 0
    while not is_over.wait(0.02):
        number += 1
        try:
            status = publish(connection, number, time.monotonic())
        except OSError as failure:
            sys.exit(f"the healthy publisher's connection broke: {failure}")
        (accepted if status == 200 else refused).append(number)
    end = time.monotonic() + 30
    while len(received) < len(accepted) and time.monotonic() < end:
        time.sleep(0.01)
    print(json.dumps({
        "published": len(accepted), "refused": len(refused), "lost": len(set(accepted) - set(received)),
        "in order": received == accepted, "max ms": round(max(latencies, default=0)),
    }), flush=True)


main()

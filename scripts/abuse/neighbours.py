"""What the server depends on fails: the broker behind the ticket API, a webhook's target."""

import json
import socket
import threading
import time

from configuration_file import ConfigurationFile, app
from harness import APP, Healthy, expect, wait_until
from machine import Listener, post, with_ticket
from pusher_socket import PusherSocket
from webhook_receiver import WebhookReceiver


def broker_away(stage):
    """The broker is killed and started again, five times, while a customer posts: posting stays quick, and all of it comes."""
    broker = stage.server("broker")
    port = broker.broker
    server = stage.server("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=port, EVENT_STYLE="plain")
    customer, ticket = with_ticket(server)
    seen, texts, slowest = [], [], 0.0
    for turn in range(5):
        broker.key, broker.secret = APP["PUSHER_APP_KEY"], APP["PUSHER_APP_SECRET"]
        listener = Listener(broker, ticket)
        server.resume()
        for number in range(20):
            begun = time.monotonic()
            expect(post(customer, ticket, f"{turn}.{number}") == 201, "posting goes on")
            slowest = max(slowest, time.monotonic() - begun)
            texts.append(f"{turn}.{number}")
            if number == 9:
                wait_until(lambda: texts[-1] in listener.texts, "what was posted before", deadline=60)
                broker.kill()
        seen += listener.texts
        # It listens before anybody has joined: the relay is held until the listener is there.
        server.pause()
        broker = stage.server("broker", BROKER_PORT=port)
    broker.key, broker.secret = APP["PUSHER_APP_KEY"], APP["PUSHER_APP_SECRET"]
    listener = Listener(broker, ticket)
    server.resume()
    wait_until(lambda: texts[-1] in listener.texts, "the last message", deadline=60)
    seen += listener.texts
    expect(list(dict.fromkeys(seen)) == texts, "all messages came, in order")
    expect(slowest < 5, f"the slowest post took {slowest:.1f} s")
    stage.figures |= {"messages": len(texts), "repeated": len(seen) - len(set(seen)), "slowest post ms": round(slowest * 1000)}


def webhook_hangs(stage):
    """A webhook's target takes connections and never answers; another gets every event, and clients notice nothing."""
    hanging = socket.create_server(("127.0.0.1", 0), backlog=128)
    taken = []

    def take():
        while True:
            try:
                taken.append(hanging.accept()[0])
            except OSError:
                return

    threading.Thread(target=take, daemon=True).start()
    receiver = WebhookReceiver()
    entry = app(1) | {"id": APP["PUSHER_APP_ID"], "key": APP["PUSHER_APP_KEY"], "secret": APP["PUSHER_APP_SECRET"], "webhooks": [
        {"url": f"http://127.0.0.1:{hanging.getsockname()[1]}/hook", "event_types": ["channel_occupied"]},
        {"url": receiver.url, "event_types": ["channel_occupied"]},
    ]}
    file = ConfigurationFile(stage.directory / "switchboard.yaml", entry)
    server = stage.server("broker", *file.arguments)
    neighbour = Healthy(server.broker)
    names = {f"room-{number}" for number in range(300)}
    with PusherSocket(server.broker, APP["PUSHER_APP_KEY"]) as client:
        time.sleep(1)
        before, descriptors = server.eye.memory, server.eye.descriptors
        for name in sorted(names):
            client.subscribe(name)

        def told():
            return {event["channel"] for _, body in receiver.requests for event in json.loads(body)["events"]}

        wait_until(lambda: names <= told(), "every event at the other target", deadline=60)
        expect(len(taken) >= 1, "the hanging target was tried")
        stage.figures |= {"told": len(names), "connections to the one that hangs": len(taken)}
        stage.settled(server.eye, descriptors + 8, before)
    stage.neighbour(neighbour)
    server.kill()
    hanging.close()
    receiver.close()

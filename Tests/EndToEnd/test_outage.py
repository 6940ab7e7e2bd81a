"""The broker goes away and comes back: posting stays quick, and nothing is lost or disordered."""

import json
import time

from pusher_socket import PusherSocket
from ticket_client import TicketClient


def test_messages_wait_for_a_broker_that_is_away(start, create_admin):
    broker = start("broker")
    server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=broker.broker, EVENT_STYLE="plain")
    create_admin(server)
    customer = TicketClient.register(server.tickets, "ada@example.org")
    tickets = [customer.open_ticket()["id"] for _ in range(3)]
    port = broker.broker

    with PusherSocket(port, broker.key, broker.secret) as socket:
        for ticket in tickets:
            socket.subscribe(f"private-chat.{ticket}")
        before = customer.say(tickets[0], "before")
        assert json.loads(socket.expect("NewMessage", f"private-chat.{tickets[0]}")["data"]) == {"message": before}

    broker.kill()
    posted = {ticket: [] for ticket in tickets}
    slowest = 0.0
    for number in range(30):
        ticket = tickets[number % len(tickets)]
        begun = time.monotonic()
        posted[ticket].append(customer.say(ticket, f"while it is away {number}"))
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 1.0, "a broker that is away makes posting slow"
    assert customer.request("GET", "/up").status_code == 200

    # The broker listens before it is joined: what is published in between has no subscriber. So the ticket API is
    # held back until the subscriber is there.
    server.pause()
    broker = start("broker", BROKER_PORT=port)
    with PusherSocket(port, broker.key, broker.secret) as socket:
        for ticket in tickets:
            socket.subscribe(f"private-chat.{ticket}")
        server.resume()
        seen = {ticket: [] for ticket in tickets}
        while any(len(seen[ticket]) < len(posted[ticket]) for ticket in tickets):
            frame = socket.frame(deadline=60)
            message = json.loads(frame["data"])["message"]
            if message not in seen[message["ticket_id"]]:
                seen[message["ticket_id"]].append(message)
        assert seen == posted
        after = customer.say(tickets[1], "after")
        frame = socket.frame()
        while json.loads(frame["data"])["message"] != after:
            frame = socket.frame()

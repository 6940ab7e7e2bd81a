"""kill -9 in the middle of posting: what was answered 201 is neither lost, nor doubled, nor disordered."""

import json
import random
import threading

import requests
from websockets.exceptions import ConnectionClosed

from pusher_socket import PusherSocket
from switchboard import wait_until
from ticket_client import TicketClient

CLIENTS = 8
SEED = 20261122


class Poster(threading.Thread):
    """One customer who posts numbered messages to a ticket of theirs until the server is gone."""

    def __init__(self, client, ticket, prefix):
        super().__init__(daemon=True)
        self.client, self.ticket, self.prefix = client, ticket, prefix
        self.acknowledged = []
        self.refused = None
        self.start()

    def run(self):
        number = 0
        while True:
            number += 1
            try:
                answer = self.client.request(
                    "POST", f"/tickets/{self.ticket}/chat/messages", {"content": f"{self.prefix}.{number}"})
            except requests.RequestException:
                return
            if answer.status_code != 201:
                self.refused = answer.text
                return
            message = answer.json()["data"]
            self.acknowledged.append((message["id"], message["content"]))


class Subscriber(threading.Thread):
    """Listens to the channels of all tickets and keeps, by ticket, every plain NewMessage as it comes."""

    def __init__(self, broker, tickets):
        super().__init__(daemon=True)
        self.socket = PusherSocket(broker.broker, broker.key, broker.secret)
        for ticket in tickets:
            self.socket.subscribe(f"private-chat.{ticket}")
        self.seen = {ticket: [] for ticket in tickets}
        self.start()

    def run(self):
        try:
            while True:
                frame = self.socket.frame(deadline=3600)
                if frame["event"] == "NewMessage":
                    message = json.loads(frame["data"])["message"]
                    self.seen[message["ticket_id"]].append((message["id"], message["content"]))
        except ConnectionClosed:
            pass


class Conversation:
    """Eight customers with a ticket each, and what they were told about their messages."""

    def __init__(self, server, admin):
        self.admin = admin
        self.customers = [TicketClient.register(server.tickets, f"c{n}@example.org", f"C{n}") for n in range(CLIENTS)]
        self.tickets = [customer.open_ticket()["id"] for customer in self.customers]
        self.acknowledged = {ticket: [] for ticket in self.tickets}

    def post_until_killed(self, server, name, amount):
        posters = [
            Poster(customer.at(server.tickets), ticket, f"{name}.{ticket}")
            for customer, ticket in zip(self.customers, self.tickets)
        ]
        wait_until(
            lambda: any(p.refused for p in posters) or sum(len(p.acknowledged) for p in posters) >= amount,
            "acknowledged messages")
        server.kill()
        for poster in posters:
            poster.join(60)
            assert not poster.is_alive() and poster.refused is None, poster.refused
            self.acknowledged[poster.ticket] += poster.acknowledged

    def check_history(self, server):
        """Gives back the history by ticket, in which everything acknowledged stands once, in order, with its id."""
        admin = self.admin.at(server.tickets)
        histories = {}
        for ticket in self.tickets:
            history = [(message["id"], message["content"]) for message in admin.history(ticket)]
            ids = [identifier for identifier, _ in history]
            assert ids == sorted(set(ids))
            assert len({content for _, content in history}) == len(history), "a message is there twice"
            acknowledged = self.acknowledged[ticket]
            assert [message for message in history if message in set(acknowledged)] == acknowledged
            # The answer to one message in each round may have been cut off after it was stored.
            histories[ticket] = history
        return histories


def test_ten_kills_of_the_ticket_api(start, create_admin):
    dice = random.Random(SEED)
    broker = start("broker")
    server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=broker.broker)
    talk = Conversation(server, create_admin(server))
    subscriber = Subscriber(broker, talk.tickets)
    for number in range(10):
        if number:
            server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=broker.broker)
        talk.post_until_killed(server, f"r{number}", dice.randrange(CLIENTS, 20 * CLIENTS))

    server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=broker.broker)
    histories = talk.check_history(server)
    wait_until(
        lambda: all(set(histories[ticket]) <= set(subscriber.seen[ticket]) for ticket in talk.tickets),
        "every stored message at the subscriber")
    for ticket in talk.tickets:
        # Repeated ones carry the same id and text, and what is seen first is seen in order.
        assert list(dict.fromkeys(subscriber.seen[ticket])) == histories[ticket]
    print(f"acknowledged {sum(map(len, talk.acknowledged.values()))}, seed {SEED}")
    subscriber.socket.close()


def test_kills_of_both_in_one_process(start, create_admin):
    dice = random.Random(SEED)
    server = start()
    talk = Conversation(server, create_admin(server))
    for number in range(3):
        if number:
            server = start()
        talk.post_until_killed(server, f"r{number}", dice.randrange(CLIENTS, 10 * CLIENTS))
    talk.check_history(start())

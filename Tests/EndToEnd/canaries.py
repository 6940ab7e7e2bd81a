"""People who work with tickets by chance, and keep every byte that they get."""

import contextlib
import json
import re
import sqlite3

from websockets.exceptions import ConnectionClosed

from pusher_socket import PusherSocket
from switchboard import run, wait_until
from ticket_client import TicketClient

CANARY = re.compile("canary[0-9a-f]{12}")
PASSWORD = "a long password"


class Listener:
    """A connection that joins what it may, without a secret, and keeps every frame."""

    def __init__(self, server, keep):
        self.socket, self.keep = PusherSocket(server.broker, server.key), keep
        self.keep(json.dumps(self.socket.first))

    def send(self, channel, grant):
        self.socket.send("pusher:subscribe", {"channel": channel} | grant)

    def drain(self):
        """Everything that was sent before this ping comes before its pong."""
        self.socket.send("pusher:ping")
        with contextlib.suppress(ConnectionClosed):
            while True:
                text = self.socket.ws.recv(timeout=30)
                self.keep(text)
                if json.loads(text)["event"] == "pusher:pong":
                    return


class Person:
    def __init__(self, world, name, role):
        self.world, self.name, self.role = world, name, role
        # What is this person's own, and of all customers for this one only.
        self.canary = world.canary(self)
        self.email = f"{world.canary(self)}@example.org"
        self.heard, self.heard_live, self.listener = set(), set(), None
        port = world.server.tickets
        if role == "admin":
            made = run(
                "user", "create", "--email", self.email, "--role", role, "--name", name, stdin=PASSWORD + "\n",
                DATA_DIR=world.server.data)
            assert made.returncode == 0, made.stderr
            self.client = TicketClient.login(port, self.email, PASSWORD)
        else:
            self.client = TicketClient.register(port, self.email, name, PASSWORD)
        self.id = self.client.user["id"]
        self.listen()

    def keep(self, text, where):
        """Looks at what came: a customer gets no canary but the own ones."""
        found = set(CANARY.findall(text))
        self.heard |= found
        if self.role == "customer":
            strange = {word for word in found if self.world.owners[word] is not self}
            assert not strange, f"{self.name} got {strange} in {where}: {text}"

    def keep_frame(self, text):
        self.keep(text, "a frame")
        self.heard_live |= set(CANARY.findall(text))

    def call(self, method, path, body=None):
        answer = self.client.request(method, path, body)
        assert answer.status_code < 500, (method, path, answer.text)
        self.keep(f"{answer.status_code} {answer.reason} {dict(answer.headers)}\n{answer.text}", f"{method} {path}")
        return answer

    def listen(self):
        self.listener = Listener(self.world.server, self.keep_frame)
        self.join(self.world.channels())

    def join(self, channels):
        refused = []
        for channel in channels:
            answer = self.client.channel_auth(self.listener.socket.socket_id, channel)
            self.keep(answer.text, channel)
            if answer.status_code == 200:
                self.listener.send(channel, answer.json())
            else:
                assert answer.status_code == 403
                refused.append(channel)
        if refused:
            self.intrude(refused)

    def intrude(self, channels):
        """Joins without a signature, and with one for another channel."""
        intruder = Listener(self.world.server, self.keep_frame)
        grant = self.client.channel_auth(intruder.socket.socket_id, f"private-App.Models.User.{self.id}").json()
        for channel in channels:
            intruder.send(channel, {})
            intruder.send(channel, grant)
        intruder.drain()
        intruder.socket.close()

    def hang_up(self):
        self.listener.drain()
        self.listener.socket.close()


class World:
    """Some customers, some admins, their tickets. `chance` decides everything."""

    def __init__(self, server, chance):
        self.server, self.chance = server, chance
        # Who may get a canary beside staff; None for nobody.
        self.owners = {}
        self.tickets, self.messages = {}, []
        # Of internal notes: the words on each ticket, and those that fit into an event.
        self.notes, self.short_notes = set(), set()
        self.people = []
        for name, role in [("Ada", "customer"), ("Bob", "customer"), ("Eve", "customer"), ("Root", "admin"), ("Max", "admin")]:
            self.people.append(Person(self, name, role))
        for person in self.people:
            if person.role == "customer":
                self.open(person)

    def canary(self, owner):
        word = f"canary{self.chance.getrandbits(48):012x}"
        self.owners[word] = owner
        return word

    def channels(self):
        chats = [f"{kind}-chat.{ticket}" for ticket in self.tickets for kind in ("private", "presence")]
        users = [f"private-App.Models.User.{person.id}" for person in self.people]
        return ["private-tickets", "presence-tickets", *chats, *users]

    def some(self, role):
        return self.chance.choice([person for person in self.people if person.role == role])

    def writer(self):
        """A ticket, its owner, and somebody who may write to it."""
        ticket, owner = self.chance.choice(list(self.tickets.items()))
        return ticket, owner, self.chance.choice([owner, self.some("admin")])

    # What may happen.

    def open(self, owner=None):
        owner = owner or self.chance.choice(self.people)
        body = {
            "subject": f"{owner.canary} is mine", "description": f"{owner.canary} " + "x" * self.chance.choice([1, 6000]),
            "category": self.chance.choice(["Technical", "Billing", "General"]),
            "priority": self.chance.choice(["Low", "Medium", "High"]), "internal": True,
        }
        ticket = owner.call("POST", "/tickets", body).json()["data"]["id"]
        self.tickets[ticket] = owner
        for person in self.people:
            person.join([f"private-chat.{ticket}", f"presence-chat.{ticket}"])

    def update(self):
        ticket, owner, person = self.writer()
        fields = {
            "subject": f"{owner.canary} {self.chance.random()}", "description": f"{owner.canary} {self.chance.random()}",
            "priority": self.chance.choice(["Low", "High"]),
        }
        if person.role == "admin":
            fields["status"] = self.chance.choice(["Open", "In Progress", "Resolved", "Closed"])
            fields["assigned_to"] = self.chance.choice([None, self.some("admin").id])
        field = self.chance.choice(list(fields))
        person.call("PATCH", f"/tickets/{ticket}", {field: fields[field]})

    def comment(self):
        ticket, owner, person = self.writer()
        internal = person.role == "customer" and self.chance.choice([True, "yes"])
        person.call("POST", f"/tickets/{ticket}/comments", {"content": f"{owner.canary}!", "internal": internal})

    def note(self):
        ticket = self.chance.choice(list(self.tickets))
        word = self.canary(None)
        text = word
        if self.chance.random() < 0.2:
            text += "😀" * 4000
        else:
            self.short_notes.add(word)
        answer = self.some("admin").call("POST", f"/tickets/{ticket}/comments", {"content": text, "internal": True})
        assert answer.status_code == 201 and answer.json()["data"]["internal"]
        self.notes.add((ticket, word))

    def message(self):
        ticket, owner, person = self.writer()
        answer = person.call("POST", f"/tickets/{ticket}/chat/messages", {"content": f"{owner.canary}?"})
        if answer.status_code == 201:
            self.messages.append(answer.json()["data"]["id"])

    def read(self):
        if self.messages:
            ticket = self.chance.choice(list(self.tickets))
            self.chance.choice(self.people).call(
                "POST", f"/tickets/{ticket}/chat/read", {"message_id": self.chance.choice(self.messages)})

    def delete(self):
        if len(self.tickets) > 3:
            ticket = self.chance.choice(list(self.tickets))
            assert self.some("admin").call("DELETE", f"/tickets/{ticket}").status_code == 204
            del self.tickets[ticket]
            self.notes = {(on, word) for on, word in self.notes if on != ticket}

    def change_role(self):
        actor, person = self.some("admin"), self.chance.choice(self.people)
        role = self.chance.choice(["admin", "customer"])
        customers = [other for other in self.people if other.role == "customer"]
        if person is actor or (role == "admin" and customers == [person]):
            return
        self.settle()
        person.hang_up()
        actor.call("PATCH", f"/users/{person.id}", {"role": role})
        # What comes from now on, the person gets in the new role.
        person.role = "admin"
        person.role = person.call("GET", "/user").json()["role"]
        person.listen()

    def look(self):
        self.look_as(self.chance.choice(self.people))

    def look_as(self, person):
        for path in ["/tickets?per_page=100", "/tickets?sort=-updated_at&page=2&per_page=2", "/tickets?q=mine", "/tickets?status=No",
                     "/user", "/user/tokens", "/users?per_page=100", "/users?q=root", "/stats", "/up", "/nothing"]:
            person.call("GET", path)
        for ticket in self.tickets:
            for path in ["", "/comments?per_page=100", "/comments?per_page=1&page=2", "/comments?page=x",
                         "/activity?per_page=100", "/activity?per_page=2&page=2", "/chat?limit=200"]:
                person.call("GET", f"/tickets/{ticket}{path}")

    def intrude(self):
        person, ticket = self.some("customer"), self.chance.choice(list(self.tickets))
        for method, path, body in [
            ("PATCH", "", {"status": "Closed"}), ("PATCH", "", {"priority": "No"}), ("DELETE", "", None),
            ("PUT", "/comments", {}), ("POST", "/comments", {"content": ""}), ("POST", "/chat/messages", {}),
            ("POST", "/chat/read", {"message_id": 0}), ("POST", "/activity", {}),
        ]:
            assert person.call(method, f"/tickets/{ticket}{path}", body).status_code in (403, 404, 405, 422)
        person.call("PATCH", f"/users/{person.id}", {"role": "admin"})
        assert person.call("GET", "/user").json()["role"] == "customer"

    def settle(self):
        """Until the broker has taken everything; then each connection is read to the last of it."""
        def empty():
            with contextlib.closing(sqlite3.connect(f"file:{self.server.data}/tickets.sqlite?mode=ro", uri=True)) as database:
                return database.execute("SELECT count(*) FROM outbox").fetchone() == (0,)

        wait_until(empty, "an empty outbox")
        for person in self.people:
            person.listener.drain()

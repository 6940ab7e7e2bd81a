"""The main job: from POST /tickets/{id}/chat/messages to a Pusher client's screen."""

import json
import re
import time

import pytest

from pusher_socket import PusherSocket
from switchboard import run
from ticket_client import TicketClient

NAMES = ["NewMessage", "App\\Events\\NewMessage"]


@pytest.fixture
def people(switchboard, create_admin):
    port = switchboard.tickets
    return (
        create_admin(switchboard), TicketClient.register(port, "ada@example.org"),
        TicketClient.register(port, "eve@example.org", "Eve"))


def subscribe(socket, client, channel):
    """Joins a channel the way Echo does: the signature comes from /broadcasting/auth."""
    answer = client.channel_auth(socket.socket_id, channel)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    return socket.subscribe(channel, given["auth"], given.get("channel_data"))


def listen(server):
    # No secret: whatever it joins, the ticket API has signed.
    return PusherSocket(server.broker, server.key)


def test_a_customers_message_reaches_the_admin_and_not_the_customer(switchboard, people):
    admin, customer, stranger = people
    ticket = customer.open_ticket()["id"]
    channel = f"private-chat.{ticket}"
    with listen(switchboard) as admins, listen(switchboard) as customers:
        subscribe(admins, admin, channel)
        subscribe(customers, customer, channel)

        begun = time.monotonic()
        message = customer.say(ticket, "  Hello, is anybody there? \u2603  ", socket_id=customers.socket_id)
        frames = [admins.frame(), admins.frame()]
        assert time.monotonic() - begun < 1.0

        assert [frame["event"] for frame in frames] == NAMES
        for frame in frames:
            assert frame["channel"] == channel
            assert json.loads(frame["data"]) == {"message": message}
        assert message == {
            "id": message["id"], "chat_id": message["chat_id"], "ticket_id": ticket,
            "content": "Hello, is anybody there? \u2603", "attachments": [], "created_at": message["created_at"],
            "sender": {"id": customer.user["id"], "name": "Ada", "role": "customer"},
            "receiver_id": admin.user["id"],
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", message["created_at"])

        # The customer's own socket was left out: the next thing it hears is the answer.
        answer = admin.say(ticket, "Yes.")
        for name in NAMES:
            frame = customers.expect(name, channel)
            assert json.loads(frame["data"]) == {"message": answer}
        assert answer["receiver_id"] == customer.user["id"]
        assert [m["id"] for m in customer.history(ticket)] == [message["id"], answer["id"]]


def test_an_alias_is_one_more_name(start, create_admin):
    server = start(EVENT_STYLE="plain", EVENT_ALIASES="NewMessage=message.sent")
    admin, customer = create_admin(server), TicketClient.register(server.tickets, "ada@example.org")
    ticket = customer.open_ticket()["id"]
    channel = f"private-chat.{ticket}"
    with listen(server) as socket:
        subscribe(socket, admin, channel)
        message = customer.say(ticket, "Hello?")
        for name in ("NewMessage", "message.sent"):
            assert json.loads(socket.expect(name, channel)["data"]) == {"message": message}


def test_another_customer_is_refused(switchboard, people):
    admin, customer, stranger = people
    ticket = customer.open_ticket()["id"]
    with listen(switchboard) as socket:
        for channel in (f"private-chat.{ticket}", f"presence-chat.{ticket}", "private-tickets"):
            answer = stranger.channel_auth(socket.socket_id, channel)
            assert answer.status_code == 403, channel
            assert "auth" not in answer.json()
        anonymous = TicketClient(switchboard.tickets).channel_auth(socket.socket_id, f"private-chat.{ticket}")
        assert anonymous.status_code == 401
    stranger.get(f"/tickets/{ticket}/chat", status=404)
    stranger.post(f"/tickets/{ticket}/chat/messages", {"content": "me too"}, status=404)
    assert customer.history(ticket) == []


def test_both_see_each_other_in_the_presence_channel(switchboard, people):
    admin, customer, _ = people
    ticket = customer.open_ticket()["id"]
    channel = f"presence-chat.{ticket}"
    with listen(switchboard) as first, listen(switchboard) as second:
        assert subscribe(first, customer, channel)["presence"]["count"] == 1
        members = subscribe(second, admin, channel)["presence"]
        assert members["hash"] == {
            str(customer.user["id"]): {"name": "Ada", "role": "customer"},
            str(admin.user["id"]): {"name": "Root", "role": "admin"},
        }
        added = json.loads(first.expect("pusher_internal:member_added", channel)["data"])
        assert added["user_id"] == str(admin.user["id"])
        second.send("client-typing", {"on": True}, channel=channel)
        assert first.expect("client-typing", channel)["user_id"] == str(admin.user["id"])


@pytest.mark.parametrize("style, names", [("plain", NAMES[:1]), ("laravel", NAMES[1:])])
def test_the_style_of_event_names_can_be_chosen(start, create_admin, style, names):
    server = start(EVENT_STYLE=style)
    admin = create_admin(server)
    customer = TicketClient.register(server.tickets, "ada@example.org")
    ticket = customer.open_ticket()["id"]
    with listen(server) as socket:
        subscribe(socket, admin, f"private-chat.{ticket}")
        first, second = customer.say(ticket, "one"), customer.say(ticket, "two")
        seen = [socket.frame() for _ in range(2 * len(names))]
        assert [frame["event"] for frame in seen] == names * 2
        assert [json.loads(frame["data"])["message"]["id"] for frame in seen] == [first["id"], second["id"]]


def test_an_account_can_be_made_while_the_server_runs_and_only_once(switchboard):
    arguments = ("user", "create", "--email", "root@example.org", "--role", "admin")
    assert run(*arguments, stdin="a long password\n", DATA_DIR=switchboard.data).returncode == 0
    again = run(*arguments, stdin="a long password\n", DATA_DIR=switchboard.data)
    assert again.returncode >= 64 and len(again.stderr.splitlines()) == 1 and again.stderr.startswith("switchboard: ")
    assert TicketClient.login(switchboard.tickets, "root@example.org").user["role"] == "admin"

"""Pysher in every form it has: TLS, its ways to authorize a channel, coming again after a restart, refusals."""

import base64
import contextlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nacl.secret
import pusher
import pysher
import pytest

from certificates import self_signed
from pysher_listener import DEADLINE, Listener
from switchboard import wait_until
from ticket_client import TicketClient

MASTER_KEY = "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U="


@pytest.fixture
def connect():
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(contextlib.closing(Listener(*arguments, **options)))


def sdk_of(broker):
    return pusher.Pusher(
        broker.app_id, broker.key, broker.secret, ssl=False, host="127.0.0.1", port=broker.broker, timeout=DEADLINE,
        encryption_master_key_base64=MASTER_KEY)


def subscribers(sdk, channel):
    return sdk.channel_info(channel, ["subscription_count"])["subscription_count"]


def joined(sdk, channel, count=1):
    wait_until(lambda: subscribers(sdk, channel) == count, f"{count} in {channel}", DEADLINE)


# Transports

def tls_settings(tmp_path, monkeypatch):
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(certificate))
    return {"TLS_CERTIFICATE": certificate, "TLS_KEY": key}


def test_everything_by_tls(start, connect, tmp_path, monkeypatch):
    broker = start("broker", **tls_settings(tmp_path, monkeypatch))
    sdk = sdk_of(broker)
    ada, bob = connect(broker, "ada", secure=True), connect(broker, "bob", secure=True)
    assert ada.client.connection.url.startswith("wss://")
    rooms = []
    for count, listener in enumerate((ada, bob), 1):
        listener.subscribe("orders", "shipped")
        rooms.append(listener.subscribe("presence-room", "client-typing"))
        joined(sdk, "presence-room", count)
    rooms[1].trigger("client-typing", {"on": True})
    assert json.loads(ada.next_of("client-typing")[2]) == {"on": True}
    for number in range(50):
        sdk.trigger("orders", "shipped", {"id": number, "text": "x" * 9_000})
    for listener in (ada, bob):
        assert [json.loads(listener.next_of("shipped")[2])["id"] for _ in range(50)] == list(range(50))


def test_an_untrusted_certificate_is_refused_by_the_client(start, tmp_path, monkeypatch):
    broker = start("broker", **tls_settings(tmp_path, monkeypatch))
    monkeypatch.delenv("WEBSOCKET_CLIENT_CA_BUNDLE")
    client = pysher.Pusher(broker.key, custom_host="127.0.0.1", port=broker.broker)
    failures = []
    client.connection._on_error = lambda *arguments: failures.append(arguments[-1])
    client.connect()
    client.connection.join(DEADLINE)
    assert not client.connection.is_alive()
    assert "CERTIFICATE_VERIFY_FAILED" in str(failures[0]) and not client.connection.socket_id


# Authorization

def test_the_ticket_apis_endpoint_authorizes_a_customer(switchboard, create_admin, connect):
    """The main job, with Pysher as the screen."""
    admin = create_admin(switchboard)
    ada, eve = (TicketClient.register(switchboard.tickets, f"{name}@example.org") for name in ("ada", "eve"))
    ticket = ada.open_ticket()["id"]
    channel = f"private-chat.{ticket}"

    def screen(user):
        return connect(
            switchboard, secret="", auth_endpoint=f"http://127.0.0.1:{switchboard.tickets}/broadcasting/auth",
            auth_endpoint_headers={"Authorization": f"Bearer {user.token}", "Accept": "application/json"})

    listener, admins, stranger = screen(ada), screen(admin), screen(eve)
    for one in (listener, admins):
        one.subscribe(channel, "NewMessage", "App\\Events\\NewMessage", "client-typing")
    joined(sdk_of(switchboard), channel, 2)
    message = admin.say(ticket, "How can I help? \u2603", socket_id=admins.socket_id)
    for name in ("NewMessage", "App\\Events\\NewMessage"):
        assert json.loads(listener.next_of(name)[2]) == {"message": message}
    answer = ada.say(ticket, "It is broken.")
    # The admin's own was left out there: its first is the answer.
    assert json.loads(admins.next_of("NewMessage")[2]) == {"message": answer}
    admins.client.channel(channel).trigger("client-typing", {"on": True})
    assert json.loads(listener.next_of("client-typing")[2]) == {"on": True}
    with pytest.raises(AssertionError, match="Failed to get auth token"):
        stranger.subscribe(channel)
    assert subscribers(sdk_of(switchboard), channel) == 2


def test_an_endpoint_of_the_application_authorizes_presence(start, connect):
    """Pysher announces its own `user_data` whatever the endpoint says: the endpoint has to sign the same text."""
    broker = start("broker")
    sdk, user = sdk_of(broker), {"user_id": "ada", "user_info": {"name": "Ada"}}

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            body = json.dumps(sdk.authenticate(form["channel_name"], form["socket_id"], user)).encode()
            self.send_response(200 if self.headers["X-Team"] == "support" else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        listener = connect(
            broker, "ada", secret=None, user_data=user, auth_endpoint=f"http://127.0.0.1:{server.server_port}/auth",
            auth_endpoint_headers={"X-Team": "support"})
        listener.subscribe("presence-room")
        joined(sdk, "presence-room")
        assert sdk.users_info("presence-room") == {"users": [{"id": "ada"}]}
        server.shutdown()


def test_a_token_from_elsewhere_and_an_encrypted_channel(start, connect):
    """Pysher knows nothing of encryption; it hands over what a client with the shared secret can open."""
    broker = start("broker")
    sdk, listener = sdk_of(broker), connect(broker, secret="")
    given = sdk.authenticate("private-encrypted-ops", listener.socket_id)
    listener.subscribe("private-encrypted-ops", "hidden", auth=given["auth"])
    joined(sdk, "private-encrypted-ops")
    sdk.trigger("private-encrypted-ops", "hidden", {"text": "hush"})
    box = json.loads(listener.next_of("hidden")[2])
    opened = nacl.secret.SecretBox(base64.b64decode(given["shared_secret"])).decrypt(
        base64.b64decode(box["ciphertext"]), base64.b64decode(box["nonce"]))
    assert json.loads(opened) == {"text": "hush"}


def test_credentials_may_be_bytes(start, connect):
    broker = start("broker")
    listener = connect(broker, secret=broker.secret.encode())
    listener.subscribe("private-orders")
    joined(sdk_of(broker), "private-orders")


# Life of a connection

def test_what_is_left_is_heard_no_more(start, connect):
    broker = start("broker")
    sdk = sdk_of(broker)
    listener = connect(broker, "ada")
    for channel in ("orders", "private-orders", "presence-orders", "marker"):
        listener.subscribe(channel, "e")
        joined(sdk, channel)
    for channel in ("orders", "private-orders", "presence-orders"):
        listener.client.unsubscribe(channel)
        joined(sdk, channel, 0)
    assert sdk.channels_info() == {"channels": {"marker": {}}}
    sdk.trigger(["orders", "private-orders", "presence-orders", "marker"], "e", {})
    assert listener.next_of("e")[1] == "marker"
    listener.subscribe("orders", "e")
    joined(sdk, "orders")
    sdk.trigger("orders", "e", {})
    assert listener.next_of("e")[1] == "orders"
    listener.close()
    joined(sdk, "marker", 0)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_comes_again_after_a_restart_with_its_public_channels(start, connect, end):
    """P19, P164: a broker that stops closes with 4200; one that is killed says nothing. Private channels are for the
    application to subscribe to again: Pysher asks for them without a signature, which is refused."""
    first = start("broker")
    listener = connect(first, auto_sub=True, reconnect_interval=0.1)
    listener.subscribe("orders", "e")
    listener.subscribe("private-orders", "e")
    joined(sdk_of(first), "private-orders")
    before = listener.socket_id
    getattr(first, end)()
    wait_until(lambda: not listener.connected, "the end of the connection", DEADLINE)
    again = start("broker", BROKER_PORT=first.broker)
    wait_until(lambda: listener.connected and listener.socket_id != before, "another connection", DEADLINE)
    sdk = sdk_of(again)
    joined(sdk, "orders")
    sdk.trigger("orders", "e", {"n": 1})
    assert listener.next_of("e")[1:] == ("orders", '{"n": 1}')
    assert subscribers(sdk, "private-orders") == 0
    listener.subscribe("private-orders", "e")
    joined(sdk, "private-orders")
    sdk.trigger("private-orders", "e", {"n": 2})
    assert listener.next_of("e")[1:] == ("private-orders", '{"n": 2}')


def test_without_auto_sub_it_comes_again_with_nothing(start, connect):
    first = start("broker")
    listener = connect(first, reconnect_interval=0.1)
    listener.subscribe("orders", "e")
    joined(sdk_of(first), "orders")
    first.kill()
    wait_until(lambda: not listener.connected, "the end of the connection", DEADLINE)
    again = start("broker", BROKER_PORT=first.broker)
    wait_until(lambda: listener.connected, "another connection", DEADLINE)
    # A subscription would have come before the one that follows it.
    listener.subscribe("marker")
    joined(sdk_of(again), "marker")
    assert sdk_of(again).channels_info() == {"channels": {"marker": {}}}


def test_silence_is_broken_by_pings_both_ways(start, connect):
    """P19: after the activity timeout the broker asks, and Pysher answers; Pysher's own ping is answered."""
    broker = start("broker", BROKER_ACTIVITY_TIMEOUT=5)
    listener = connect(broker)
    connection, before = listener.client.connection, listener.socket_id
    pings = []
    connection.bind("pusher:ping", pings.append)
    wait_until(lambda: connection.pong_received, "the answer to the ping it sends at the start", DEADLINE)
    wait_until(lambda: pings, "a ping of the broker", DEADLINE)
    connection.pong_received = False
    connection.send_ping()
    wait_until(lambda: connection.pong_received, "the answer to another", DEADLINE)
    assert listener.connected and listener.socket_id == before


# Refusals

def test_a_wrong_key_is_not_tried_again(start):
    """4001: the event comes before the close, and Pysher gives up for good upon it."""
    broker = start("broker")
    client = pysher.Pusher(
        "0123456789abcdef0123", secure=False, custom_host="127.0.0.1", port=broker.broker, reconnect_interval=0)
    errors = []
    client.connection.bind("pusher:error", errors.append)
    client.connect()
    client.connection.join(DEADLINE)
    assert not client.connection.is_alive() and client.connection.disconnect_called
    assert [error["code"] for error in errors] == [4001] and not client.connection.socket_id


def test_an_event_over_the_rate_is_told_and_ends_nothing(start, connect):
    """4301: below 4000 to 4299, so Pysher only reports it."""
    broker = start("broker", PUSHER_APP_CLIENT_EVENTS_PER_SECOND=1)
    listener = connect(broker)
    errors = []
    listener.client.connection.bind("pusher:error", errors.append)
    channel = listener.subscribe("private-orders", "e")
    for number in range(20):
        channel.trigger("client-n", number)
    wait_until(lambda: errors, "the refusal", DEADLINE)
    assert {error["code"] for error in errors} == {4301}
    sdk_of(broker).trigger("private-orders", "e", {})
    assert listener.next_of("e") and listener.connected

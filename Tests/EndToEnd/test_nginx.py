"""wss and https through nginx, set up as packaging/nginx.conf says."""

import json
import ssl
import time

import pusher
import pytest
import requests
from websockets.exceptions import ConnectionClosed

from configuration_file import ConfigurationFile, app
from nginx import Nginx
from pusher_socket import PusherSocket
from ticket_client import TicketClient

SILENCE = 5
# More than the silence after which a client pings, and less than three of them.
READ_TIMEOUT = 8


@pytest.fixture
def server(start):
    return start(TRUSTED_PROXIES="127.0.0.1", BROKER_ACTIVITY_TIMEOUT=SILENCE)


@pytest.fixture
def nginx(tmp_path):
    started = []

    def start_one(broker, tickets, **replacements):
        started.append(Nginx(tmp_path / f"nginx{len(started)}", broker, tickets, **replacements))
        return started[-1]

    yield start_one
    for proxy in started:
        proxy.stop()


@pytest.fixture
def proxy(nginx, server):
    return nginx(
        server.broker, server.tickets, **{"proxy_read_timeout 180s": f"proxy_read_timeout {READ_TIMEOUT}s"})


def listen(proxy, key, secret=None, **options):
    context = ssl.create_default_context(cafile=proxy.certificate)
    return PusherSocket(proxy.port, key, secret, scheme="wss", ssl=context, **options)


def test_a_publish_reaches_a_client_and_the_ticket_api_is_there(server, proxy, create_admin, monkeypatch):
    # The SDK brings its own authorities, and has no setting for others.
    monkeypatch.setattr("pusher.requests.CERT_PATH", str(proxy.certificate))
    with listen(proxy, server.key, server.secret) as socket:
        socket.subscribe("private-orders")
        client = pusher.Pusher(
            server.app_id, server.key, server.secret, host="127.0.0.1", port=proxy.port, ssl=True)
        client.trigger("private-orders", "shipped", {"id": 42})
        assert json.loads(socket.expect("shipped", "private-orders")["data"]) == {"id": 42}

    create_admin(server)
    url = f"https://127.0.0.1:{proxy.port}"
    with requests.Session() as http:
        http.trust_env, http.verify = False, str(proxy.certificate)
        assert http.get(f"{url}/up").status_code == 200
        # A file as large as one may be, and a form larger than nginx's own limit of a megabyte.
        customer = TicketClient.register(server.tickets, "ada@example.org")
        made = http.post(
            f"{url}/tickets", headers={"Authorization": f"Bearer {customer.token}"},
            data={"subject": "No sound", "description": "None.", "category": "Technical", "priority": "High"},
            files=[("attachments[]", (f"{n}.pdf", b"%PDF-1.4\n" + bytes(2 * 1024 * 1024 - 9))) for n in range(5)])
        assert made.status_code == 201, made.text
        assert len(made.json()["data"]["attachments"]) == 5


def test_pings_keep_a_silent_connection_and_nothing_else_does(server, proxy):
    with listen(proxy, server.key) as kept, listen(proxy, server.key) as silent:
        begun = time.monotonic()
        assert json.loads(kept.first["data"])["activity_timeout"] == SILENCE
        kept.subscribe("orders")
        # As pusher-js does: a ping after the silence that the handshake named.
        while time.monotonic() - begun < 2 * READ_TIMEOUT:
            with pytest.raises(TimeoutError):
                kept.frame(deadline=SILENCE)
            kept.send("pusher:ping")
            kept.expect("pusher:pong")
        # nginx's own time-out is real: it has ended the one that did not ping.
        with pytest.raises(ConnectionClosed) as closed:
            silent.ws.recv(timeout=0)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1006
        kept.send("pusher:subscribe", {"channel": "still-here"})
        kept.expect("pusher_internal:subscription_succeeded", "still-here")


def test_the_client_is_who_nginx_says_and_not_who_it_says_itself(start, nginx, tmp_path):
    # An app that wants TLS takes a client that came to nginx by TLS, and nobody else.
    entry = app(1) | {"require_tls": True}
    file = ConfigurationFile(tmp_path / "switchboard.yaml", entry)
    server = start("broker", *file.arguments, TRUSTED_PROXIES="127.0.0.1")
    claims = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.7"}
    with listen(nginx(server.broker, server.broker), entry["key"], additional_headers=claims) as socket:
        assert socket.first["event"] == "pusher:connection_established"
    with PusherSocket(server.broker, entry["key"]) as plain:
        assert plain.close_code()[0] == 4000

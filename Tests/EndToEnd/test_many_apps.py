"""Many apps in one process, and what SIGHUP changes in them."""

import json
import signal
import socket
import subprocess
import time

import pusher
import pytest
import requests
from pusher.errors import PusherBadAuth, PusherForbidden

from configuration_file import ConfigurationFile, app, reload
from pusher_socket import PusherSocket, channel_signature
from switchboard import Server, run, wait_until
from ticket_client import TicketClient
from webhook_receiver import WebhookReceiver

# `Host` and `Origin` are what they are; the clock of a rate is real.
ONE, TWO, THREE = app(1), app(2), app(3)


def sdk(server, entry, secret=None):
    return pusher.Pusher(
        entry["id"], entry["key"], secret or entry["secret"], host="127.0.0.1", port=server.broker, ssl=False)


def listener(server, entry, **options):
    return PusherSocket(server.broker, entry["key"], entry["secret"], **options)


@pytest.fixture
def file(tmp_path):
    return ConfigurationFile(tmp_path / "switchboard.yaml", ONE, TWO)


@pytest.fixture
def broker(start, file):
    """The broker alone with two apps; none of their secrets is ever told."""
    server = start("broker", *file.arguments)
    yield server
    for entry in (ONE, TWO, THREE):
        assert entry["secret"] not in server.errors() + server.output


@pytest.fixture
def receiver():
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


# Isolation

def test_apps_share_nothing_but_the_port(broker):
    presence = json.dumps({"user_id": "u-1"})
    with listener(broker, ONE) as first, listener(broker, TWO) as second:
        for client in (first, second):
            client.subscribe("orders")
            client.subscribe("private-orders")
            joined = client.subscribe("presence-orders", channel_data=presence)
            assert joined["presence"]["count"] == 1
        sdk(broker, ONE).trigger(["orders", "private-orders"], "one", {})
        first.send("client-n", {}, channel="private-orders")
        sdk(broker, TWO).trigger("orders", "two", {})
        # What had crossed over would have come before this.
        second.expect("two", "orders")
        first.expect("one", "orders")
        first.expect("one", "private-orders")
    assert sdk(broker, ONE).channels_info() == sdk(broker, TWO).channels_info()


def test_credentials_of_one_app_are_of_no_use_in_another(broker):
    """P119: a valid signature of another app's key is refused for this app's path."""
    mixed = pusher.Pusher(ONE["id"], TWO["key"], TWO["secret"], host="127.0.0.1", port=broker.broker, ssl=False)
    with pytest.raises(PusherBadAuth):
        mixed.trigger("orders", "crossed", {})
    with listener(broker, ONE) as client:
        for key, secret in ((TWO["key"], TWO["secret"]), (ONE["key"], TWO["secret"])):
            auth = channel_signature(key, secret, client.socket_id, "private-orders")
            client.send("pusher:subscribe", {"channel": "private-orders", "auth": auth})
            client.send("pusher:ping")
            answers = [client.frame()["event"]]
            while answers[-1] != "pusher:pong":
                answers.append(client.frame()["event"])
            assert "pusher:error" in answers and "pusher_internal:subscription_succeeded" not in answers
        client.subscribe("private-orders")


# Reload

def test_a_disabled_app_loses_its_sockets_and_nobody_else_does(broker, file):
    """P11."""
    with listener(broker, ONE) as first, listener(broker, TWO) as second:
        second.subscribe("orders")
        file.write(ONE | {"enabled": False}, TWO)
        reload(broker, "reloaded")
        code, frames = first.close_code()
        assert code == 4003 and frames[-1]["data"]["code"] == 4003
        with listener(broker, ONE) as late:
            assert late.first["data"]["code"] == 4003
        with pytest.raises(PusherForbidden):
            sdk(broker, ONE).trigger("orders", "late", {})
        sdk(broker, TWO).trigger("orders", "alive", {})
        second.expect("alive", "orders")
        file.write(ONE, TWO)
        reload(broker, "reloaded")
        with listener(broker, ONE) as back:
            assert back.socket_id
        sdk(broker, TWO).trigger("orders", "still alive", {})
        second.expect("still alive", "orders")


def test_apps_come_and_go(broker, file):
    with listener(broker, ONE) as first, listener(broker, TWO) as second:
        second.subscribe("orders")
        file.write(TWO | {"name": "renamed"}, THREE)
        log = reload(broker, "reloaded")
        assert f"reloaded {file.path}: 2 apps (1 new, 1 changed, 0 disabled, 1 removed)" in log
        assert first.close_code()[0] == 4001
        with listener(broker, THREE) as third:
            third.subscribe("orders")
            sdk(broker, THREE).trigger("orders", "hello", {})
            third.expect("hello", "orders")
        sdk(broker, TWO).trigger("orders", "marker", {})
        second.expect("marker", "orders")
        file.write(TWO, THREE | {"enabled": False})
        assert "2 apps (0 new, 1 changed, 1 disabled, 0 removed)" in reload(broker, "reloaded")


def test_a_secret_is_rotated_without_a_refused_request(broker, file):
    new = "a-new-secret-of-this-app"
    old_sdk, new_sdk = sdk(broker, ONE), sdk(broker, ONE, new)
    with listener(broker, ONE) as client:
        client.subscribe("private-orders")
        with pytest.raises(PusherBadAuth):
            new_sdk.trigger("private-orders", "early", {})
        file.write(ONE | {"next_secret": new}, TWO)
        reload(broker, "reloaded")
        for number, one in enumerate((old_sdk, new_sdk)):
            one.trigger("private-orders", f"n{number}", {})
            client.expect(f"n{number}", "private-orders")
        with PusherSocket(broker.broker, ONE["key"], new) as other:
            other.subscribe("private-orders")
        file.write(ONE | {"secret": new}, TWO)
        reload(broker, "reloaded")
        with pytest.raises(PusherBadAuth):
            old_sdk.trigger("private-orders", "late", {})
        new_sdk.trigger("private-orders", "marker", {})
        client.expect("marker", "private-orders")
    assert new not in broker.errors()


@pytest.mark.parametrize("broken, reason", [
    ("apps: [", "is not YAML"), ("apps: []\n", "0 entries"), ("", "the list of apps is gone"),
    ("apps: [{id: '1', key: one, secret: short}]\n", "apps[0].secret is not shown"),
    ("apps: [{id: '1', key: one, secret: 1234567890}]\nlog_level: loud\n", 'log_level in'),
])
def test_a_bad_file_changes_nothing(broker, file, broken, reason):
    with listener(broker, ONE) as client:
        client.subscribe("orders")
        file.path.write_text(broken)
        log = reload(broker, "reload refused, everything stays as it was")
        assert reason in log
        (line,) = [line for line in log.splitlines() if "refused" in line]
        assert " error switchboard: " in line
        sdk(broker, ONE).trigger("orders", "marker", {})
        client.expect("marker", "orders")
        file.path.unlink()
        reload(broker, "No such file")
        sdk(broker, TWO).trigger("orders", "other", {})
        # The repaired file is taken.
        file.write(ONE, TWO, THREE)
        assert "3 apps (1 new, 0 changed" in reload(broker, "reloaded")


def test_settings_that_need_a_restart_are_named(broker, file):
    file.write(ONE, TWO, log_level="debug", broker_event_loops=1)
    log = reload(broker, "in force only after a restart")
    assert "after a restart: broker_event_loops, log_level" in log
    file.write(ONE, TWO)
    reload(broker, "reloaded")
    assert broker.errors().count("after a restart") == 1


def test_many_signals_are_taken_one_after_the_other(broker, file):
    for _ in range(50):
        broker.process.send_signal(signal.SIGHUP)
    file.write(ONE, TWO, THREE)
    assert "3 apps" in reload(broker, "3 apps")
    with listener(broker, THREE) as client:
        assert client.socket_id


def test_without_a_file_there_is_nothing_to_reload(start):
    server = start("broker")
    reload(server, "nothing to reload: there is no configuration file")
    with PusherSocket(server.broker, server.key) as client:
        assert client.socket_id


def test_a_file_without_apps_says_so(start, tmp_path):
    file = tmp_path / "switchboard.yaml"
    file.write_text("log_level: info\n")
    server = start("broker", "--config", str(file))
    file.write_text("log_level: debug\n")
    log = reload(server, "lists no apps")
    wait_until(lambda: "after a restart: log_level" in server.errors(), "the warning")
    file.write_text(json.dumps({"apps": [ONE]}))
    reload(server, "a list of apps is new in")


def test_a_signal_during_the_start_does_not_end_it(tmp_path, file):
    """SIGHUP again and again from the first moment that the program itself runs."""
    server = Server(tmp_path, "broker", *file.arguments)
    with open(f"/proc/{server.process.pid}/status") as status:
        assert status.read()

    def ignores_or_catches():
        with open(f"/proc/{server.process.pid}/status") as status:
            masks = dict(line.split(":\t") for line in status.read().splitlines() if line.startswith("Sig"))
        return any(int(masks[mask], 16) & 1 for mask in ("SigIgn", "SigCgt", "SigBlk"))

    wait_until(ignores_or_catches, "SIGHUP's own treatment")
    while not any(line.startswith("  app secret") for line in server.lines):
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.001)
        assert server.process.poll() is None, server.errors()
    assert server.ready().stop() == 0, server.errors()


# Limits and features of each app

def test_a_quota_of_connections_is_the_apps_own(start, tmp_path):
    """P12."""
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"max_connections": 1}, TWO)
    broker = start("broker", *file.arguments)
    with listener(broker, ONE) as first:
        first.subscribe("orders")
        with listener(broker, ONE) as second, listener(broker, TWO) as other:
            assert second.first["data"]["code"] == 4004 and second.close_code()[0] == 4004
            assert other.socket_id
        sdk(broker, ONE).trigger("orders", "marker", {})
        first.expect("marker", "orders")

    def admitted():
        with listener(broker, ONE) as client:
            return client.socket_id

    wait_until(admitted, "a place for another")


def test_a_limit_of_connections_of_all_apps(start, file):
    broker = start("broker", *file.arguments, BROKER_MAX_CONNECTIONS=1)
    with listener(broker, ONE) as first:
        with listener(broker, TWO) as second:
            assert first.socket_id and second.first["data"]["code"] == 4100


def test_a_rate_of_publishes(start, tmp_path):
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"max_publishes_per_second": 5}, TWO)
    broker = start("broker", *file.arguments)
    answers = []
    for _ in range(30):
        path, query, body = signed(ONE, "events", {"name": "n", "channel": "orders", "data": "1"})
        answers.append(requests.post(f"http://127.0.0.1:{broker.broker}{path}?{query}", data=body, timeout=10))
    codes = [answer.status_code for answer in answers]
    assert codes[:5] == [200] * 5 and 429 in codes
    assert int(answers[codes.index(429)].headers["Retry-After"]) >= 1
    sdk(broker, TWO).trigger("orders", "other app", {})


def test_rates_of_client_events(start, tmp_path):
    file = ConfigurationFile(
        tmp_path / "switchboard.yaml", ONE | {"max_client_events_per_connection": 2},
        TWO | {"max_client_events_per_second": 3, "max_client_events_per_connection": 0},
        THREE | {"client_events": False})
    broker = start("broker", *file.arguments)
    for entry, burst in ((ONE, 2), (TWO, 3)):
        with listener(broker, entry) as sender, listener(broker, entry) as receiver:
            for client in (sender, receiver):
                client.subscribe("private-orders")
            for number in range(20):
                sender.send("client-n", {"n": number}, channel="private-orders")
            assert sender.frame()["data"]["code"] == 4301
            for number in range(burst):
                assert json.loads(receiver.expect("client-n", "private-orders")["data"]) == {"n": number}
    with listener(broker, THREE) as client:
        client.subscribe("private-orders")
        client.send("client-n", {}, channel="private-orders")
        assert client.frame()["event"] == "pusher:error"


def signed(entry, path, body):
    """Path, query and body of a signed POST; the official SDK hides the headers of answers."""
    from pusher.signature import sign
    import hashlib

    text = json.dumps(body)
    path = f"/apps/{entry['id']}/{path}"
    parameters = {
        "auth_key": entry["key"], "auth_timestamp": str(int(time.time())), "auth_version": "1.0",
        "body_md5": hashlib.md5(text.encode()).hexdigest()}
    query = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    return path, f"{query}&auth_signature={sign(entry['secret'], f'POST{chr(10)}{path}{chr(10)}{query}')}", text


def test_origins_are_of_each_app(start, tmp_path):
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"allowed_origins": ["shop.example.com"]}, TWO)
    broker = start("broker", *file.arguments)
    with listener(broker, ONE, origin="https://shop.example.com") as client:
        assert client.socket_id
    with listener(broker, ONE, origin="https://evil.example.com") as client:
        assert client.first["data"]["code"] == 4009
    with listener(broker, TWO, origin="https://evil.example.com") as client:
        assert client.socket_id


# The ticket API among many apps

def message_reaches(server, entry, ticket, customer, secret=None):
    with PusherSocket(server.broker, entry["key"], secret or entry["secret"]) as client:
        channel = f"private-chat.{ticket}"
        answer = customer.request(
            "POST", "/broadcasting/auth", {"socket_id": client.socket_id, "channel_name": channel})
        client.subscribe(channel, auth=answer.json()["auth"])
        sent = customer.say(ticket, "Hello?")
        assert json.loads(client.frame()["data"])["message"]["id"] == sent["id"]


def test_the_ticket_api_uses_its_app_and_follows_its_secret(start, tmp_path):
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE, TWO, tickets_app=TWO["id"], event_style="plain")
    server = start(*file.arguments)
    assert (server.app_id, server.key) == (TWO["id"], TWO["key"])
    ada = TicketClient.register(server.tickets, "ada@example.org")
    ticket = ada.open_ticket()["id"]
    message_reaches(server, TWO, ticket, ada)
    new = TWO | {"secret": "another-secret-of-app-2", "key": "another-key"}
    file.write(ONE, new, tickets_app=TWO["id"], event_style="plain")
    reload(server, "reloaded")
    message_reaches(server, new, ticket, ada)
    file.write(ONE, tickets_app=ONE["id"], event_style="plain")
    assert "the ticket API uses app" in reload(server, "reload refused")
    message_reaches(server, new, ticket, ada)


def test_the_first_app_stays_the_ticket_apis_when_the_list_is_sorted_anew(start, tmp_path):
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE, TWO, event_style="plain")
    server = start(*file.arguments)
    file.write(TWO, ONE, event_style="plain")
    reload(server, "2 apps (0 new, 0 changed, 0 disabled, 0 removed)")
    ada = TicketClient.register(server.tickets, "ada@example.org")
    message_reaches(server, ONE, ada.open_ticket()["id"], ada)


# Webhooks

def test_webhooks_are_signed_and_filtered(start, tmp_path, receiver):
    hook = {"url": receiver.url, "event_types": ["channel_occupied"], "channel_name_starts_with": "orders",
            "headers": {"X-Team": "support"}}
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"webhooks": [hook]}, TWO)
    broker = start("broker", *file.arguments)
    with listener(broker, ONE) as client, listener(broker, TWO) as other:
        other.subscribe("orders-0")
        client.subscribe("lobby")
        client.subscribe("orders-1")
        headers, body = receiver.request(0)
        assert headers["X-Team"] == "support"
        told = sdk(broker, ONE).validate_webhook(headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body)
        assert told["events"] == [{"name": "channel_occupied", "channel": "orders-1"}]
        assert sdk(broker, TWO).validate_webhook(headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body) is None
        # A webhook of the other app, by reload.
        file.write(ONE, TWO | {"webhooks": [hook]})
        reload(broker, "reloaded")
        client.subscribe("orders-2")
        other.subscribe("orders-3")
        headers, body = receiver.request(1)
        told = sdk(broker, TWO).validate_webhook(headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body)
        assert [event["channel"] for event in told["events"]] == ["orders-3"]


def test_dead_letters_are_listed_replayed_and_dropped(start, tmp_path, receiver):
    hook = {"url": f"{receiver.url}?token=t0ken", "event_types": ["channel_occupied"]}
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"webhooks": [hook]})
    broker = start("broker", *file.arguments)
    receiver.status = 500
    with listener(broker, ONE) as client:
        client.subscribe("orders-1")
        receiver.request(0)
        client.subscribe("orders-2")
        client.subscribe("orders-3")
        assert client.socket_id
    # What cannot be delivered before the end is kept.
    assert broker.stop() == 0, broker.errors()

    def webhooks(*arguments):
        return run("webhooks", *arguments, "--config", file.path, "--data-dir", broker.data)

    letters = json.loads(webhooks("list", "--json").stdout)
    channels = [event["channel"] for letter in letters for event in json.loads(letter["body"])["events"]]
    assert set(channels) >= {"orders-1", "orders-2", "orders-3"}
    ids = [letter["id"] for letter in letters]
    table = webhooks("list").stdout
    assert table.splitlines()[0].split() == ["ID", "APP", "GIVEN", "UP", "TRIES", "ADDRESS", "FAILURE"]
    assert [line.split()[0] for line in table.splitlines()[1:]] == ids
    assert receiver.url in table and "t0ken" not in table

    failed = webhooks("replay", "--all")
    assert failed.returncode == 69 and "they are still there" in failed.stderr
    assert ONE["secret"] not in failed.stderr and "t0ken" not in failed.stderr
    assert webhooks("replay").returncode == 64 and webhooks("drop", ids[0], "--all").returncode == 64
    unknown = webhooks("replay", "1700000000000-00000000")
    assert unknown.returncode == 64 and '"1700000000000-00000000"' in unknown.stderr
    assert run("webhooks", "replay", "--all", DATA_DIR=broker.data).returncode == 78

    receiver.status = 200
    before = len(receiver.requests)
    done = webhooks("replay", ids[0])
    assert (done.returncode, done.stdout) == (0, f"Replayed {ids[0]}.\n"), done.stderr
    headers, body = receiver.request(before)
    assert sdk(broker, ONE).validate_webhook(headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body)
    rest = [letter["id"] for letter in json.loads(webhooks("list", "--json").stdout)]
    assert rest == ids[1:]
    if rest:
        assert webhooks("drop", rest[0]).stdout == f"Dropped {rest[0]}.\n"
        assert webhooks("drop", rest[0]).returncode == 64
    assert webhooks("drop", "--all").returncode == 0
    assert webhooks("list").stdout == "No dead letters.\n"
    assert json.loads(webhooks("list", "--json").stdout) == []


def test_dead_letters_of_a_place_without_a_server(tmp_path):
    for command in (["list"], ["drop", "--all"]):
        elsewhere = run("webhooks", *command, "--data-dir", tmp_path / "elsewhere")
        assert elsewhere.returncode == 69 and elsewhere.stdout == ""
        assert f"there is no data directory {tmp_path / 'elsewhere'}" in elsewhere.stderr


# TLS

def certificate(directory, name):
    """A new self-signed certificate in the same two files."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key.pem", "-out",
         directory / "cert.pem"], check=True, capture_output=True)
    return {"TLS_CERTIFICATE": directory / "cert.pem", "TLS_KEY": directory / "key.pem"}


def served_name(port):
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], input=b"", capture_output=True, timeout=30)
    return [line for line in shown.stdout.decode().splitlines() if line.startswith("subject=")][0]


def test_tls_beside_plain_and_read_again_at_sighup(start, tmp_path):
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"require_tls": True}, TWO, event_style="plain")
    files = certificate(tmp_path, "first")
    server = start(*file.arguments, **files)
    assert f"wss://127.0.0.1:{server.broker}" in server.output
    assert "first" in served_name(server.broker)
    with listener(server, ONE) as plain:
        assert plain.first["data"]["code"] == 4000
    # The ticket API publishes as the app that demands TLS of its clients.
    ada = TicketClient.register(server.tickets, "ada@example.org")
    ada.say(ada.open_ticket()["id"], "Hello?")
    certificate(tmp_path, "second")
    reload(server, "read the TLS certificate")
    assert "second" in served_name(server.broker)
    (tmp_path / "cert.pem").write_text("nonsense")
    file.write(ONE, TWO, THREE)
    assert "cert.pem" in reload(server, "reload refused")
    assert "second" in served_name(server.broker)
    with listener(server, THREE) as client:
        assert client.first["data"]["code"] == 4001

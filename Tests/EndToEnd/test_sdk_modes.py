"""The official server SDK in every form it has: its constructors, its three backends, plain and by TLS, its options."""

import asyncio
import base64
import decimal
import inspect
import json
import ssl as tls

import aiohttp
import nacl.secret
import pusher
import pytest
import requests
import tornado.httpclient
from pusher.aiohttp import AsyncIOBackend
from pusher.errors import PusherBadAuth, PusherBadRequest, PusherBadStatus, PusherForbidden
from pusher.requests import RequestsBackend
from pusher.tornado import TornadoBackend

from certificates import self_signed
from configuration_file import ConfigurationFile, app
from pusher_socket import PusherSocket
from webhook_receiver import WebhookReceiver

ONE, DISABLED = app(1), app(2, enabled=False)
MASTER_KEY = "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U="
DEADLINE = 30

# Tornado sends no body with a GET unless told that an empty one is meant: the SDK gives it one always.
BACKENDS = {
    "requests": (RequestsBackend, {}),
    "aiohttp": (AsyncIOBackend, {}),
    "tornado": (TornadoBackend, {"allow_nonstandard_methods": True}),
}


@pytest.fixture
def certificate(tmp_path):
    return self_signed(tmp_path)


@pytest.fixture
def broker(start, tmp_path, certificate):
    """Plain and TLS at the same port."""
    file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE, DISABLED)
    return start("broker", *file.arguments, TLS_CERTIFICATE=certificate[0], TLS_KEY=certificate[1])


def sdk(broker, backend="requests", entry=ONE, **options):
    kind, more = BACKENDS[backend]
    options = {"host": "127.0.0.1", "port": broker.broker, "ssl": False, "timeout": DEADLINE} | more | options
    return pusher.Pusher(options.pop("app_id", entry["id"]), entry["key"], entry["secret"], backend=kind, **options)


def listener(broker):
    return PusherSocket(broker.broker, ONE["key"], ONE["secret"])


def hang_up(client):
    """Ends the kept connections of the default backend: by TLS the broker's stop would wait 3 s for their answer."""
    backend = client._pusher_client.http
    if isinstance(backend, RequestsBackend):
        backend.session.close()


async def settled(answer):
    return await asyncio.wait_for(answer, DEADLINE) if inspect.isawaitable(answer) else answer


@pytest.fixture
def trust(monkeypatch, certificate):
    """Makes a backend trust the certificate; gives back what options that takes."""
    def trusted(backend):
        if backend == "tornado":
            return {"ca_certs": str(certificate[0])}
        # The other two take no option for it: one has a bundle of its own, one loads the machine's when imported.
        monkeypatch.setattr("pusher.requests.CERT_PATH", str(certificate[0]))
        context = tls.create_default_context(cafile=certificate[0])
        monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", context)
        return {}

    return trusted


# Backends

@pytest.mark.parametrize("ssl", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_method_by_every_backend(broker, trust, backend, ssl):
    options = trust(backend) if ssl else {}

    async def scenario():
        client = sdk(broker, backend, ssl=ssl, encryption_master_key_base64=MASTER_KEY, **options)
        with listener(broker) as socket, listener(broker) as user:
            socket.subscribe("orders")
            for name in ("private-ops", "private-encrypted-ops"):
                given = client.authenticate(name, socket.socket_id)
                socket.subscribe(name, given["auth"])
            secret = base64.b64decode(given["shared_secret"])
            given = client.authenticate(
                "presence-lab", socket.socket_id, {"user_id": "u-1", "user_info": {"name": "Ad\u00e4"}})
            joined = socket.subscribe("presence-lab", given["auth"], given["channel_data"])
            assert joined["presence"]["hash"] == {"u-1": {"name": "Ad\u00e4"}}

            for channels, data in (("orders", "text \u2603"), (["orders", "private-ops"], {"n": [1, None]}),
                                   (("presence-lab",), [1, 2])):
                assert await settled(client.trigger(channels, "sent", data)) == {}
                for channel in [channels] if isinstance(channels, str) else channels:
                    got = socket.expect("sent", channel)["data"]
                    assert (got if isinstance(data, str) else json.loads(got)) == data
            await settled(client.trigger("orders", "left out", {}, socket.socket_id))
            await settled(client.trigger("private-encrypted-ops", "hidden", {"text": "hush"}))
            box = json.loads(socket.expect("hidden", "private-encrypted-ops")["data"])
            opened = nacl.secret.SecretBox(secret).decrypt(
                base64.b64decode(box["ciphertext"]), base64.b64decode(box["nonce"]))
            assert json.loads(opened) == {"text": "hush"}

            batch = [{"channel": "orders", "name": "one", "data": {"n": 1}},
                     {"channel": "private-ops", "name": "two", "data": "2", "info": "subscription_count"}]
            assert await settled(client.trigger_batch(batch)) == {"batch": [{}, {"subscription_count": 1}]}
            encoded = [{"channel": "orders", "name": "three", "data": '{"n": 3}'}]
            assert await settled(client.trigger_batch(encoded, already_encoded=True)) == {}
            for name, channel in (("one", "orders"), ("two", "private-ops"), ("three", "orders")):
                socket.expect(name, channel)

            assert len((await settled(client.channels_info()))["channels"]) == 4
            told = await settled(client.channels_info("presence-", ["user_count", "subscription_count"]))
            assert told == {"channels": {"presence-lab": {"user_count": 1, "subscription_count": 1}}}
            assert await settled(client.channel_info("orders", ["subscription_count"])) == {
                "occupied": True, "subscription_count": 1}
            assert await settled(client.channel_info("of=all@kinds,.;", [])) == {"occupied": False}
            assert await settled(client.users_info("presence-lab")) == {"users": [{"id": "u-1"}]}

            user.send("pusher:signin", client.authenticate_user(user.socket_id, {"id": "u-2", "name": "Bob"}))
            assert user.frame()["event"] == "pusher:signin_success"
            await settled(client.send_to_user("u-2", "hello", {}))
            user.expect("hello", "#server-to-user-u-2")
            assert await settled(client.terminate_user_connections("u-2")) == {}
            assert user.close_code()[0] == 4009
        hang_up(client)

    asyncio.run(scenario())


@pytest.mark.parametrize("backend", BACKENDS)
def test_refusals_are_the_sdks_own_errors(broker, backend):
    async def refusal(call):
        if backend != "tornado":
            with pytest.raises(Exception) as refused:
                await settled(call())
            return refused.value
        # This adapter raises where only the loop hears it, and its future never ends.
        loop = asyncio.get_running_loop()
        heard = loop.create_future()
        loop.set_exception_handler(lambda _, context: heard.set_result(context["exception"]))
        call()
        return await asyncio.wait_for(heard, DEADLINE)

    async def scenario():
        client = sdk(broker, backend)
        thief = sdk(broker, backend, ONE | {"secret": "0" * 20})
        for call, kind, text in (
            (lambda: client.trigger("orders", "pusher:error", {}), PusherBadRequest, "reserved"),
            (lambda: client.users_info("orders"), PusherBadRequest, "presence"),
            (lambda: thief.trigger("orders", "forged", {}), PusherBadAuth, "Invalid signature"),
            (lambda: thief.channels_info(), PusherBadAuth, "Invalid signature"),
            (lambda: sdk(broker, backend, DISABLED).trigger("orders", "e", {}), PusherForbidden, "disabled"),
            (lambda: sdk(broker, backend, app_id="99").trigger("orders", "e", {}), PusherBadStatus, "404: "),
            (lambda: client.trigger("orders", "large", "x" * 10_241), PusherBadStatus, "413: "),
        ):
            refused = await refusal(call)
            assert type(refused) is kind and text in str(refused), repr(refused)
            assert ONE["secret"] not in str(refused)

    asyncio.run(scenario())


@pytest.mark.parametrize("backend, failures", [
    ("requests", requests.exceptions.SSLError), ("aiohttp", aiohttp.ClientConnectorCertificateError),
    ("tornado", tls.SSLCertVerificationError)])
def test_an_untrusted_certificate_is_refused_by_the_sdk(broker, backend, failures):
    async def scenario():
        with pytest.raises(failures):
            await settled(sdk(broker, backend, ssl=True).trigger("orders", "e", {}))

    asyncio.run(scenario())


@pytest.mark.parametrize("backend, failure", [
    ("requests", requests.exceptions.ReadTimeout), ("aiohttp", TimeoutError),
    ("tornado", tornado.httpclient.HTTPError)])
def test_a_server_that_hangs_ends_in_a_timeout_and_then_serves_again(broker, backend, failure):
    async def scenario():
        hasty, patient = sdk(broker, backend, timeout=0.2), sdk(broker, backend)
        assert await settled(patient.channels_info()) == {"channels": {}}
        broker.pause()
        try:
            with pytest.raises(failure):
                await settled(hasty.channels_info())
        finally:
            broker.resume()
        assert await settled(patient.channels_info()) == {"channels": {}}

    asyncio.run(scenario())


def test_the_default_backend_keeps_its_connection_and_survives_a_restart(start):
    first = start("broker")
    client = pusher.Pusher(
        first.app_id, first.key, first.secret, host="127.0.0.1", port=first.broker, ssl=False, timeout=DEADLINE)
    for number in range(20):
        client.trigger("orders", "e", number)
        client.channels_info()
    pools = client._pusher_client.http.session.get_adapter("http://").poolmanager.pools
    (pool,) = (pools[key] for key in pools.keys())
    assert (pool.num_requests, pool.num_connections) == (40, 1)
    assert first.stop() == 0
    again = start("broker", BROKER_PORT=first.broker)
    with PusherSocket(again.broker, again.key) as socket:
        socket.subscribe("orders")
        client.trigger("orders", "marker", {})
        socket.expect("marker", "orders")


# Constructors

def test_the_constructors(broker, trust, monkeypatch, tmp_path):
    trust("requests")
    url = "{}://" + f"{ONE['key']}:{ONE['secret']}@127.0.0.1/apps/{ONE['id']}"
    monkeypatch.setenv("PUSHER_URL", url.format("http"))
    monkeypatch.setenv("OTHER_URL", url.format("https"))
    # A cluster is a name of Pusher's own hosts, which a proxy may take to any other: here to the broker itself.
    proxies = {"http": f"http://127.0.0.1:{broker.broker}"}
    at_home = {"port": broker.broker, "timeout": DEADLINE}
    named = {"app_id": ONE["id"], "key": ONE["key"], "secret": ONE["secret"]}
    clients = {
        "from_url": pusher.Pusher.from_url(url.format("http"), **at_home),
        "from_url by TLS": pusher.Pusher.from_url(url.format("https").encode(), **at_home),
        "from_env": pusher.Pusher.from_env(**at_home),
        "from_env of a name": pusher.Pusher.from_env("OTHER_URL", **at_home),
        "bytes": pusher.Pusher(
            *(ONE[name].encode() for name in ("id", "key", "secret")), host=b"127.0.0.1", ssl=False, **at_home),
        "host before cluster": pusher.Pusher(**named, host="127.0.0.1", cluster="eu", ssl=False, **at_home),
        "cluster": pusher.Pusher(**named, cluster="eu", ssl=False, proxies=proxies),
        "neither": pusher.Pusher(**named, ssl=False, proxies=proxies),
    }
    with listener(broker) as socket:
        socket.subscribe("orders")
        for name, client in clients.items():
            client.trigger("orders", name, {})
            socket.expect(name, "orders")
            assert client.channels_info() == {"channels": {"orders": {}}}, name
            hang_up(client)


# Options

class PlainDecimals(json.JSONEncoder):
    def default(self, value):
        return str(value) if isinstance(value, decimal.Decimal) else super().default(value)


class WholeNumbersAsFloats(json.JSONDecoder):
    def __init__(self):
        super().__init__(parse_int=float)


def test_encoders_and_the_older_form_of_the_master_key(broker):
    with pytest.warns(UserWarning, match="deprecated"):
        client = sdk(broker, json_encoder=PlainDecimals, encryption_master_key="key" * 10 + "ke")
    price = decimal.Decimal("1.10")
    with listener(broker) as socket:
        given = client.authenticate("presence-lab", socket.socket_id, {"user_id": "u-1", "user_info": {"price": price}})
        joined = socket.subscribe("presence-lab", given["auth"], given["channel_data"])
        assert joined["presence"]["hash"] == {"u-1": {"price": "1.10"}}
        client.trigger("presence-lab", "priced", {"price": price})
        assert json.loads(socket.expect("priced", "presence-lab")["data"]) == {"price": "1.10"}
        client.trigger_batch([{"channel": "presence-lab", "name": "again", "data": [price]}])
        assert json.loads(socket.expect("again", "presence-lab")["data"]) == ["1.10"]
        # The key is the same as the one that the other form spells in base64.
        one, other = (
            some.authenticate("private-encrypted-ops", socket.socket_id)
            for some in (client, sdk(broker, encryption_master_key_base64=MASTER_KEY)))
        assert one == other
        user = client.authenticate_user(socket.socket_id, {"id": "u-1", "price": price})
        socket.send("pusher:signin", user)
        answer = socket.expect("pusher:signin_success")["data"]
        assert json.loads(answer["user_data"]) == {"id": "u-1", "price": "1.10"}


def test_webhooks_of_every_kind_of_channel_are_valid_for_their_app_only(start, tmp_path):
    receiver = WebhookReceiver()
    try:
        hook = {"url": receiver.url, "event_types": ["channel_occupied", "member_added", "cache_miss", "client_event"]}
        file = ConfigurationFile(tmp_path / "switchboard.yaml", ONE | {"webhooks": [hook]})
        broker = start("broker", *file.arguments)
        client = sdk(broker, json_decoder=WholeNumbersAsFloats)
        wanted = {
            ("channel_occupied", "private-encrypted-ops"), ("channel_occupied", "presence-lab"),
            ("member_added", "presence-lab"), ("channel_occupied", "cache-orders"), ("cache_miss", "cache-orders"),
            ("client_event", "presence-lab")}
        with listener(broker) as socket:
            socket.subscribe("private-encrypted-ops")
            socket.subscribe("presence-lab", channel_data=json.dumps({"user_id": "u-1"}))
            socket.send("client-n", {"text": "\u2603"}, channel="presence-lab")
            socket.subscribe("cache-orders")
            seen, number = set(), 0
            while not seen >= wanted:
                headers, body = receiver.request(number)
                key, signature = headers["X-Pusher-Key"], headers["X-Pusher-Signature"]
                told = client.validate_webhook(key, signature, body)
                assert isinstance(told["time_ms"], float)
                assert client.validate_webhook(key.encode(), signature.encode(), body.encode()) == told
                assert client.validate_webhook(key, signature, body + " ") is None
                assert client.validate_webhook("0" * 20, signature, body) is None
                seen |= {(event["name"], event["channel"]) for event in told["events"]}
                number += 1
    finally:
        receiver.close()

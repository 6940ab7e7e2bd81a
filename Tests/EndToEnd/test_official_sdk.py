"""The broker through the official server SDK (`pusher`), watched by a bare client."""

import json

import pusher
import pytest
from pusher.errors import PusherBadAuth, PusherBadRequest, PusherBadStatus

from pusher_socket import PusherSocket


@pytest.fixture
def broker(start):
    return start("broker")


@pytest.fixture
def sdk(broker):
    return pusher.Pusher(
        app_id=broker.app_id, key=broker.key, secret=broker.secret, ssl=False, host="127.0.0.1", port=broker.broker)


def listener(broker):
    return PusherSocket(broker.broker, broker.key, broker.secret)


def test_handshake_and_keep_alive(broker):
    with listener(broker) as client:
        hello = json.loads(client.first["data"])
        assert client.first["event"] == "pusher:connection_established" and "channel" not in client.first
        left, right = hello["socket_id"].split(".")
        assert left.isdigit() and right.isdigit() and hello["activity_timeout"] > 0
        client.send("pusher:ping")
        assert client.frame()["event"] == "pusher:pong"


def test_trigger_reaches_each_kind_of_channel_unchanged(broker, sdk):
    data = {"text": "schön \u2603 \"quoted\" \\ \n", "n": [1, 2.5, None]}
    member = json.dumps({"user_id": "u-1", "user_info": {"name": "Ada"}})
    with listener(broker) as client:
        client.subscribe("orders")
        client.subscribe("private-ops")
        client.subscribe("presence-lab", channel_data=member)
        for channel in ("orders", "private-ops", "presence-lab"):
            assert sdk.trigger(channel, "order.shipped", data) == {}
            frame = client.expect("order.shipped", channel)
            assert isinstance(frame["data"], str) and json.loads(frame["data"]) == data
            assert set(frame) == {"event", "channel", "data"}


def test_trigger_to_many_channels_leaves_the_named_socket_out(broker, sdk):
    with listener(broker) as left_out, listener(broker) as client:
        for socket in (left_out, client):
            socket.subscribe("a")
            socket.subscribe("b")
        sdk.trigger(["a", "b"], "first", "1", left_out.socket_id)
        sdk.trigger(["a", "b"], "marker", "2")
        assert [(f["event"], f["channel"]) for f in (client.frame() for _ in range(4))] == [
            ("first", "a"), ("first", "b"), ("marker", "a"), ("marker", "b")]
        # What was left out would have come before the marker.
        left_out.expect("marker", "a")
        left_out.expect("marker", "b")


def test_batch(broker, sdk):
    with listener(broker) as client, listener(broker) as left_out:
        for socket in (client, left_out):
            socket.subscribe("a")
            socket.subscribe("private-b")
        sdk.trigger_batch([
            {"channel": "a", "name": "one", "data": "x"},
            {"channel": "private-b", "name": "two", "data": {"k": "v"}, "socket_id": left_out.socket_id},
            {"channel": "a", "name": "three", "data": ""},
        ])
        assert client.expect("one", "a")["data"] == "x"
        assert json.loads(client.expect("two", "private-b")["data"]) == {"k": "v"}
        assert client.expect("three", "a")["data"] == ""
        left_out.expect("one", "a")
        left_out.expect("three", "a")


def test_limits_of_a_publication(broker, sdk):
    with listener(broker) as client:
        client.subscribe("orders")
        largest = "\u00e9" * 5120  # 10,240 bytes
        sdk.trigger("orders", "n" * 200, largest)
        assert client.expect("n" * 200, "orders")["data"] == largest
        with pytest.raises(PusherBadStatus, match="413: The data content of this event exceeds the allowed maximum"):
            sdk.trigger("orders", "large", largest + "x")
        sdk.trigger([f"c-{number}" for number in range(99)] + ["orders"], "wide", "1")
        client.expect("wide", "orders")
        batch = [{"channel": "orders", "name": f"e{number}", "data": "1"} for number in range(10)]
        sdk.trigger_batch(batch)
        for event in batch:
            client.expect(event["name"], "orders")
        with pytest.raises(PusherBadRequest):
            sdk.trigger_batch(batch + batch[:1])
        sdk.trigger("orders", "marker", "1")
        client.expect("marker", "orders")


def test_queries(broker, sdk):
    assert sdk.channels_info() == {"channels": {}}
    with listener(broker) as first, listener(broker) as second:
        first.subscribe("orders")
        for socket, user in ((first, "u-1"), (second, "u-2")):
            socket.subscribe("presence-lab", channel_data=json.dumps({"user_id": user}))
        assert sdk.channels_info() == {"channels": {"orders": {}, "presence-lab": {}}}
        assert sdk.channels_info("presence-", ["user_count"]) == {"channels": {"presence-lab": {"user_count": 2}}}
        assert sdk.channel_info("presence-lab", ["user_count"]) == {"occupied": True, "user_count": 2}
        assert sdk.channel_info("nobody") == {"occupied": False}
        users = sdk.users_info("presence-lab")["users"]
        assert sorted(users, key=lambda user: user["id"]) == [{"id": "u-1"}, {"id": "u-2"}]
        assert sdk.channels_info(attributes=["subscription_count"]) == {
            "channels": {"orders": {"subscription_count": 1}, "presence-lab": {"subscription_count": 2}}}
        assert sdk.channel_info("orders", ["subscription_count"]) == {"occupied": True, "subscription_count": 1}
        assert sdk.users_info("presence-nobody") == {"users": []}
        assert sdk.channels_info("private-") == {"channels": {}}
        for refused in (
            lambda: sdk.users_info("orders"), lambda: sdk.channels_info(None, ["user_count"]),
            lambda: sdk.channel_info("orders", ["user_count"]), lambda: sdk.channel_info("orders", ["unheard_of"]),
        ):
            with pytest.raises(PusherBadRequest):
                refused()


def test_the_cached_event_of_a_channel(broker, sdk):
    assert sdk.channel_info("cache-orders", ["cache"]) == {"occupied": False, "cache": None}
    sdk.trigger("cache-orders", "order.shipped", {"id": 42})
    info = sdk.channel_info("cache-orders", ["cache", "subscription_count"])
    assert json.loads(info["cache"]["data"]) == {"id": 42} and 0 < info["cache"]["ttl"] <= 1800
    assert info["occupied"] is False and info["subscription_count"] == 0
    with pytest.raises(PusherBadRequest):
        sdk.channel_info("orders", ["cache"])


def test_batch_events_may_ask_about_their_channels(broker, sdk):
    with listener(broker) as client:
        client.subscribe("orders")
        assert sdk.trigger_batch([
            {"channel": "orders", "name": "one", "data": "1"},
            {"channel": "orders", "name": "two", "data": "2", "info": "subscription_count"},
        ]) == {"batch": [{}, {"subscription_count": 1}]}
        assert sdk.trigger_batch([{"channel": "orders", "name": "three", "data": "3"}]) == {}


def test_an_encrypted_channel_delivers_what_only_clients_can_read(broker):
    sdk = pusher.Pusher(
        app_id=broker.app_id, key=broker.key, secret=broker.secret, ssl=False, host="127.0.0.1", port=broker.broker,
        encryption_master_key_base64="a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U=")
    with listener(broker) as client:
        client.subscribe("private-encrypted-ops")
        sdk.trigger("private-encrypted-ops", "secret", {"text": "hush"})
        frame = client.expect("secret", "private-encrypted-ops")
        assert set(json.loads(frame["data"])) == {"nonce", "ciphertext"} and "hush" not in frame["data"]


def sign_in(client, sdk, user):
    client.send("pusher:signin", sdk.authenticate_user(client.socket_id, {"id": user}))
    assert client.frame()["event"] == "pusher:signin_success"


def test_a_user_is_sent_events(broker, sdk):
    with listener(broker) as client, listener(broker) as stranger:
        sign_in(client, sdk, "u-17")
        sign_in(stranger, sdk, "u-18")
        sdk.send_to_user("u-17", "ping-me", {"hello": "w\u00f6rld"})
        frame = client.expect("ping-me", "#server-to-user-u-17")
        assert json.loads(frame["data"]) == {"hello": "w\u00f6rld"}
        sdk.send_to_user("u-18", "marker", "1")
        stranger.expect("marker", "#server-to-user-u-18")
        assert sdk.channels_info() == {"channels": {}}


def test_a_user_is_terminated_by_the_path_without_an_app(broker, sdk):
    with listener(broker) as first, listener(broker) as second, listener(broker) as stranger:
        for client in (first, second):
            sign_in(client, sdk, "u-17")
        sign_in(stranger, sdk, "u-18")
        assert sdk.terminate_user_connections("u-17") == {}
        for client in (first, second):
            assert client.frame()["data"]["code"] == 4009
            assert client.close_code()[0] == 4009
        assert sdk.terminate_user_connections("u-17") == {}
        sdk.send_to_user("u-18", "marker", "1")
        stranger.expect("marker", "#server-to-user-u-18")
        thief = pusher.Pusher(
            app_id=broker.app_id, key=broker.key, secret="0" * 20, ssl=False, host="127.0.0.1", port=broker.broker)
        with pytest.raises(PusherBadAuth):
            thief.terminate_user_connections("u-18")
        sdk.send_to_user("u-18", "marker", "2")
        stranger.expect("marker", "#server-to-user-u-18")


def test_a_wrong_secret_is_refused(broker):
    thief = pusher.Pusher(
        app_id=broker.app_id, key=broker.key, secret="0" * 20, ssl=False, host="127.0.0.1", port=broker.broker)
    with listener(broker) as client:
        client.subscribe("orders")
        with pytest.raises(PusherBadAuth) as refused:
            thief.trigger("orders", "forged", "1")
        assert broker.secret not in str(refused.value)
        assert str(refused.value).startswith("Invalid signature: you should have sent HmacSHA256Hex(")
        good = pusher.Pusher(
            app_id=broker.app_id, key=broker.key, secret=broker.secret, ssl=False, host="127.0.0.1",
            port=broker.broker)
        good.trigger("orders", "marker", "1")
        client.expect("marker", "orders")


def test_reserved_names_cannot_be_published(broker, sdk):
    with listener(broker) as client:
        client.subscribe("orders")
        for name in ("pusher:error", "pusher_internal:member_added"):
            with pytest.raises(PusherBadRequest):
                sdk.trigger("orders", name, {})
        sdk.trigger("orders", "marker", "1")
        client.expect("marker", "orders")


def test_an_unknown_key_gets_4001_twice(broker):
    with PusherSocket(broker.broker, "0123456789abcdef0123") as client:
        assert client.first["event"] == "pusher:error" and client.first["data"]["code"] == 4001
        assert client.close_code() == (4001, [])


@pytest.mark.parametrize("protocol, code", [("99", 4007), ("abc", 4006)])
def test_an_unknown_protocol_is_refused(broker, protocol, code):
    with PusherSocket(broker.broker, broker.key, protocol=protocol) as client:
        assert client.first["event"] == "pusher:error" and client.first["data"]["code"] == code
        assert client.close_code()[0] == code


def test_a_wrong_channel_signature_is_refused_and_the_socket_lives(broker, sdk):
    with listener(broker) as client:
        client.send("pusher:subscribe", {"channel": "private-ops", "auth": f"{broker.key}:{'0' * 64}"})
        frame = client.frame()
        assert frame["event"] in ("pusher:subscription_error", "pusher:error"), frame
        assert broker.secret not in json.dumps(frame)
        client.send("pusher:ping")
        seen = [client.frame()]
        while seen[-1]["event"] != "pusher:pong":
            seen.append(client.frame())
        assert all(frame["event"].startswith("pusher:") for frame in seen)
        client.subscribe("private-ops")
        sdk.trigger("private-ops", "marker", "1")
        client.expect("marker", "private-ops")


def test_presence_members_come_and_go(broker):
    with listener(broker) as first:
        joined = first.subscribe("presence-lab", channel_data=json.dumps({"user_id": "u-1", "user_info": {"n": 1}}))
        assert joined == {"presence": {"ids": ["u-1"], "hash": {"u-1": {"n": 1}}, "count": 1}}
        with listener(broker) as second:
            both = second.subscribe("presence-lab", channel_data=json.dumps({"user_id": "u-2"}))["presence"]
            assert both["count"] == 2 and set(both["ids"]) == {"u-1", "u-2"} and both["hash"]["u-1"] == {"n": 1}
            added = json.loads(first.expect("pusher_internal:member_added", "presence-lab")["data"])
            assert added["user_id"] == "u-2"
        removed = json.loads(first.expect("pusher_internal:member_removed", "presence-lab")["data"])
        assert removed == {"user_id": "u-2"}


def test_client_events_carry_the_senders_user_and_skip_the_sender(broker, sdk):
    with listener(broker) as first, listener(broker) as second:
        first.subscribe("presence-lab", channel_data=json.dumps({"user_id": "u-1"}))
        second.subscribe("presence-lab", channel_data=json.dumps({"user_id": "u-2"}))
        first.expect("pusher_internal:member_added", "presence-lab")
        for socket in (first, second):
            socket.subscribe("private-ops")
        second.send("client-typing", {"on": True}, channel="presence-lab", user_id="u-1")
        frame = first.expect("client-typing", "presence-lab")
        assert frame["user_id"] == "u-2" and json.loads(frame["data"]) == {"on": True}
        second.send("client-typing", "as it is", channel="private-ops")
        frame = first.expect("client-typing", "private-ops")
        assert frame["data"] == "as it is" and "user_id" not in frame
        sdk.trigger("presence-lab", "marker", "1")
        second.expect("marker", "presence-lab")
        first.expect("marker", "presence-lab")


def test_client_events_are_limited_to_ten_in_a_second(broker, sdk):
    with listener(broker) as sender, listener(broker) as receiver:
        for socket in (sender, receiver):
            socket.subscribe("private-ops")
        for number in range(40):
            sender.send("client-n", {"n": number}, channel="private-ops")
        assert sender.frame()["data"]["code"] == 4301
        sdk.trigger("private-ops", "marker", "1")
        received = []
        while (frame := receiver.frame())["event"] != "marker":
            received.append(json.loads(frame["data"])["n"])
        # Ten at once; a few more if sending took long enough for new ones to be allowed.
        assert received[:10] == list(range(10)) and len(received) < 40


def test_client_events_can_be_turned_off(start):
    broker = start("broker", PUSHER_APP_CLIENT_EVENTS="0")
    with listener(broker) as sender:
        sender.subscribe("private-ops")
        sender.send("client-n", {}, channel="private-ops")
        assert sender.frame()["event"] == "pusher:error"


def test_origins_can_be_limited(start):
    broker = start("broker", BROKER_ALLOWED_ORIGINS="app.example.com,admin.example.com")
    with PusherSocket(broker.broker, broker.key, origin="https://app.example.com") as client:
        assert client.socket_id
    with PusherSocket(broker.broker, broker.key) as client:
        assert client.socket_id
    with PusherSocket(broker.broker, broker.key, origin="https://evil.example.com") as client:
        assert client.first["event"] == "pusher:error" and client.first["data"]["code"] == 4009
        assert client.close_code()[0] == 4009

"""The broker through Pysher, a client library with a thread and timers of its own."""

import json

import pusher
import pytest

from pysher_listener import DEADLINE, Listener
from switchboard import wait_until


@pytest.fixture
def broker(start):
    return start("broker")


@pytest.fixture
def connect(broker):
    listeners = []

    def connect_one(user=None):
        listeners.append(Listener(broker, user))
        return listeners[-1]

    yield connect_one
    for listener in listeners:
        listener.close()


@pytest.fixture
def sdk(broker):
    return pusher.Pusher(
        app_id=broker.app_id, key=broker.key, secret=broker.secret, ssl=False, host="127.0.0.1", port=broker.broker)


@pytest.mark.parametrize("channel", ["orders", "private-orders", "presence-orders"])
def test_the_sdk_triggers_and_pysher_receives(broker, connect, sdk, channel):
    listener = connect("u-1")
    listener.subscribe(channel, "shipped")
    wait_until(lambda: channel in sdk.channels_info()["channels"], f"the subscription to {channel}", DEADLINE)
    for number in range(50):
        sdk.trigger(channel, "shipped", {"id": number})
    received = [json.loads(listener.next_of("shipped")[2])["id"] for _ in range(50)]
    assert received == list(range(50))


def test_members_and_client_events_between_two_clients(broker, connect, sdk):
    ada, bob = connect("ada"), connect("bob")
    ada.subscribe("presence-room", "pusher_internal:member_added", "client-typing")
    wait_until(lambda: "presence-room" in sdk.channels_info()["channels"], "ada's subscription", DEADLINE)
    room = bob.subscribe("presence-room", "client-typing")
    added = json.loads(ada.next_of("pusher_internal:member_added")[2])
    assert added == {"user_id": "bob", "user_info": {"name": "bob"}}
    room.trigger("client-typing", {"on": True})
    assert json.loads(ada.next_of("client-typing")[2]) == {"on": True}
    assert {user["id"] for user in sdk.users_info("presence-room")["users"]} == {"ada", "bob"}


def test_a_wrong_secret_hears_nothing(broker, connect, sdk):
    good = connect()
    bad = connect()
    bad.client.secret = "0" * 20
    for listener in (good, bad):
        listener.subscribe("private-orders", "shipped")
        listener.subscribe("open", "marker")
    wait_until(lambda: sdk.channel_info("open", ["subscription_count"]).get("subscription_count") == 2, "both", DEADLINE)
    sdk.trigger("private-orders", "shipped", {})
    sdk.trigger("open", "marker", {})
    assert good.next_of("shipped")
    seen = [bad.next()]
    while seen[-1][0] != "marker":
        seen.append(bad.next())
    assert all(channel == "open" for _, channel, _ in seen)

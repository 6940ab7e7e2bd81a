"""Client events: WS-82 to WS-94."""

import asyncio
import json

from conformance.api import publish
from conformance.registry import rule, same, that

RATE = 10


async def pair(t, channel, app=None):
    """Two connections on the channel, as two users where there are users."""
    sender, other = await t.clients_of(2, app)
    for number, client in enumerate((sender, other)):
        if channel.startswith("presence-"):
            await client.join(channel, f"u-{number}")
        else:
            await client.subscribe(channel)
    if channel.startswith("presence-"):
        await sender.expect("pusher_internal:member_added", channel)
    return sender, other


async def nothing_came(t, channel, *clients):
    marker = t.name("marker-")
    await publish(t.app, channel, marker)
    for client in clients:
        await client.expect(marker, channel)


@rule("WS-82")
async def on_private(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    await sender.send("client-typing", {"on": True}, channel=channel)
    frame = await other.expect("client-typing", channel)
    same(set(frame), {"event", "channel", "data"}, "the frame's members")
    await sender.silence()
    await nothing_came(t, channel, sender, other)


@rule("WS-83")
async def on_presence(t):
    channel = t.name("presence-ops-")
    sender, other = await pair(t, channel)
    await sender.send("client-typing", {"on": True}, channel=channel)
    frame = await other.expect("client-typing", channel)
    same(frame.get("user_id"), "u-0", "user_id")
    await sender.silence()


@rule("WS-84")
async def forged(t):
    for prefix, added in (("private-ops-", {}), ("presence-ops-", {"user_id": "u-0"})):
        channel = t.name(prefix)
        sender, other = await pair(t, channel)
        await sender.send("client-typing", {}, channel=channel, user_id="boss", socket_id=other.socket_id, extra=1)
        frame = await other.expect("client-typing", channel)
        same({k: v for k, v in frame.items() if k not in ("event", "channel", "data")}, added, "what was added")


@rule("WS-85")
async def on_public(t):
    for prefix in ("ops-", "cache-ops-"):
        channel = t.name(prefix)
        sender, other = await t.clients_of(2)
        for client in (sender, other):
            await client.subscribe(channel)
            await client.settled()
        await sender.send("client-typing", {}, channel=channel)
        await sender.expect_error(None)
        await nothing_came(t, channel, other)


@rule("WS-86")
async def not_joined(t):
    channel = t.name("private-ops-")
    member, stranger = await t.clients_of(2)
    await member.subscribe(channel)
    await stranger.send("client-typing", {}, channel=channel)
    await stranger.expect_error(None)
    await nothing_came(t, channel, member)


@rule("WS-87")
async def other_names(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    for name in ("typing", "Client-typing", "client", "clienttyping", "x-client-typing", ""):
        await sender.send(name, {}, channel=channel)
    await sender.settled()
    await nothing_came(t, channel, sender, other)


@rule("WS-88", needs="no_client_events")
async def turned_off(t):
    app = t.fixture("no_client_events")
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel, app)
    await sender.send("client-typing", {}, channel=channel)
    await sender.expect_error(None)
    await publish(app, channel, "marker")
    await other.expect("marker", channel)


@rule("WS-89")
async def rate(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    for number in range(RATE + 1):
        await sender.send("client-n", str(number), channel=channel)
    await sender.expect_error(4301)
    for number in range(RATE):
        same((await other.expect("client-n", channel))["data"], str(number), "the event")
    await nothing_came(t, channel, sender, other)
    # The rule itself speaks of a second.
    await asyncio.sleep(1.1)
    await sender.send("client-n", "again", channel=channel)
    same((await other.expect("client-n", channel))["data"], "again", "the event")
    await sender.silence()


@rule("WS-90")
async def forms(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    for sent in ({"a": [1, "ä", None]}, [1], 7, True):
        await sender.send("client-x", sent, channel=channel)
        data = (await other.expect("client-x", channel)).get("data")
        that(isinstance(data, str), f"{sent!r} came as {data!r}, not as a string")
        same(json.loads(data), sent, "what came")
    for sent in ('{"a": 1}', "", "plain", "5"):
        await sender.send("client-x", sent, channel=channel)
        same((await other.expect("client-x", channel)).get("data"), sent, "the string")


@rule("WS-91")
async def incomplete(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    await sender.send("client-x", {})
    await sender.expect_error(None)
    await sender.send("client-x", channel=channel)
    await sender.expect_error(None)
    await nothing_came(t, channel, sender, other)


@rule("WS-92")
async def same_user(t):
    channel = t.name("presence-ops-")
    one, two = await t.clients_of(2)
    for client in (one, two):
        await client.join(channel, "ada")
    await one.send("client-typing", {}, channel=channel)
    same((await two.expect("client-typing", channel)).get("user_id"), "ada", "user_id")
    await one.silence()


@rule("WS-93")
async def not_cached(t):
    channel = t.name("private-cache-ops-")
    await publish(t.app, channel, "kept", "1")
    sender, late = await t.clients_of(2)
    await sender.subscribe(channel)
    await sender.expect("kept", channel)
    await sender.send("client-typing", {}, channel=channel)
    await sender.silence()
    await late.subscribe(channel)
    same((await late.expect("kept", channel))["data"], "1", "the cached data")
    await late.silence()


@rule("WS-94")
async def too_big(t):
    channel = t.name("private-ops-")
    sender, other = await pair(t, channel)
    await sender.send("client-big", "x" * 10_241, channel=channel)
    await sender.expect_error(4301)
    await sender.send("client-big", "x" * 10_240, channel=channel)
    same(len((await other.expect("client-big", channel))["data"]), 10_240, "the length of what came")

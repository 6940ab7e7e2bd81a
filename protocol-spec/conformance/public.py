"""Public channels: WS-39 to WS-49."""

from conformance.api import get, publish
from conformance.client import CONFIRMED
from conformance.registry import rule, same, that


@rule("WS-39")
async def confirmation(t):
    client = await t.client()
    channel = t.name("orders-")
    await client.send("pusher:subscribe", {"channel": channel})
    frame = await client.expect(CONFIRMED, channel)
    same(frame.get("data"), "{}", "data")


@rule("WS-40")
async def empty_auth(t):
    client = await t.client()
    await client.subscribe(t.name("orders-"), auth="")


@rule("WS-41")
async def burst(t):
    client = await t.client()
    channels = [t.name("burst-") for _ in range(10)]
    for channel in channels:
        await client.ask(channel)
    same([(await client.expect(CONFIRMED, channel))["channel"] for channel in channels], channels, "the order")


@rule("WS-42")
async def bad_names(t):
    client = await t.client()
    for name in ("a b", "a/b", "a:b", "ä", "", "a*", "a\n", "a#b", "\u0000"):
        await client.ask(name)
        frames = await client.settled()
        that(any(frame["event"] == "pusher:error" for frame in frames), f"{name!r}: no error")
        that(not any(frame["event"] == CONFIRMED for frame in frames), f"{name!r} was confirmed")
    await client.subscribe(t.name("aZ09_-=@,.;"))


@rule("WS-43")
async def long_names(t):
    client = await t.client()
    name = t.name("long-").ljust(164, "x")
    await client.subscribe(name)
    await client.ask(name + "x")
    await client.expect_refused(name + "x", "ServerError", 400)


@rule("WS-44")
async def case(t):
    client = await t.client()
    lower = t.name("case-")
    await client.subscribe(lower)
    await publish(t.app, lower.upper(), "loud")
    await publish(t.app, lower, "quiet")
    await client.expect("quiet", lower)


@rule("WS-45")
async def hash_names(t):
    client = await t.client()
    for name in (t.name("#x-"), "#", t.name("#server-to-user-"), "#server-to-user-"):
        await client.ask(name)
        frames = await client.settled()
        that(any(frame["event"] == "pusher:error" for frame in frames), f"{name}: no error")
        that(not any(frame["event"] == CONFIRMED for frame in frames), f"{name} was confirmed")


@rule("WS-46")
async def unsubscribing(t):
    client = await t.client()
    left, kept = t.name("left-"), t.name("kept-")
    await client.subscribe(left)
    await client.subscribe(kept)
    await client.leave(left)
    await client.silence()
    await publish(t.app, [left, kept], "after")
    await client.expect("after", kept)
    await publish(t.app, kept, "marker")
    await client.expect("marker", kept)


@rule("WS-47")
async def unsubscribing_what_was_not_joined(t):
    client = await t.client()
    await client.leave(t.name("never-"))
    await client.expect_error(None)
    await client.silence()


@rule("WS-48")
async def twice(t):
    client = await t.client()
    channel = t.name("twice-")
    await client.subscribe(channel)
    await client.subscribe(channel)
    await publish(t.app, channel, "once")
    await publish(t.app, channel, "marker")
    await client.expect("once", channel)
    await client.expect("marker", channel)
    answer = (await get(t.app, f"/channels/{channel}", [("info", "subscription_count")])).expect(200)
    same(answer.json().get("subscription_count"), 1, "subscription_count")
    # One unsubscribe is enough.
    await client.leave(channel)
    await client.silence()
    same((await get(t.app, f"/channels/{channel}")).expect(200).json(), {"occupied": False}, "the channel")


@rule("WS-49")
async def prefixes(t):
    client = await t.client()
    for start in ("cacheable", "my-cache-x", "privateer", "presences", "private", "Private-"):
        name = t.name(f"{start}_" if start != "Private-" else start)
        await publish(t.app, name, "before")
        await client.send("pusher:subscribe", {"channel": name})
        await client.expect(CONFIRMED, name)
        await client.silence()

"""Cache channels: WS-109 to WS-114."""

import asyncio

from conformance.api import publish
from conformance.registry import rule, same, that

KINDS = ("cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-")
MISS = "pusher:cache_miss"


async def enter(client, channel):
    """Joins a channel of any kind; every connection is a user of its own."""
    if channel.startswith("presence-"):
        await client.join(channel, client.socket_id)
    else:
        await client.subscribe(channel)


@rule("WS-109")
async def miss(t):
    for kind in KINDS:
        client = await t.client()
        channel = t.name(kind)
        await enter(client, channel)
        frame = await client.expect(MISS, channel)
        that(frame.get("data") in (None, "{}"), f"data is {frame.get('data')!r}")
        await client.silence()


@rule("WS-110")
async def hit(t):
    for kind in KINDS:
        live, late = await t.clients_of(2)
        channel = t.name(kind)
        await enter(live, channel)
        await live.expect(MISS, channel)
        await publish(t.app, channel, "order.shipped", '{"id": 42, "t":"\\u00e9é"}', socket_id=late.socket_id)
        seen = await live.expect("order.shipped", channel)
        await enter(late, channel)
        same(await late.expect("order.shipped", channel), seen, "the replayed frame")
        await late.silence()


@rule("WS-111")
async def nobody_there(t):
    for kind in KINDS:
        channel = t.name(kind)
        await publish(t.app, channel, "early", "1")
        for _ in range(2):
            client = await t.client()
            await enter(client, channel)
            same((await client.expect("early", channel))["data"], "1", "data")
            await client.leave(channel)
            await client.silence()


@rule("WS-112")
async def last_only(t):
    channel = t.name("cache-")
    for number in range(3):
        await publish(t.app, channel, "n", str(number))
    client = await t.client()
    await client.subscribe(channel)
    same((await client.expect("n", channel))["data"], "2", "data")
    await client.silence()


@rule("WS-113", needs="cache_short")
async def life(t):
    app = t.fixture("cache_short")
    channel = t.name("cache-")
    await publish(app, channel, "short")
    # The rule itself speaks of time.
    await asyncio.sleep(float(app["seconds"]) + 0.5)
    client = await t.client(app)
    await client.subscribe(channel)
    await client.expect(MISS, channel)


@rule("WS-114")
async def others_hear_nothing(t):
    channel = t.name("cache-")
    await publish(t.app, channel, "early")
    first, second = await t.clients_of(2)
    await first.subscribe(channel)
    await first.expect("early", channel)
    await second.subscribe(channel)
    await second.expect("early", channel)
    await publish(t.app, channel, "marker")
    await first.expect("marker", channel)

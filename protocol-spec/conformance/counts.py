"""Subscription counts: WS-115 to WS-118."""

import asyncio
import json

from conformance.api import publish
from conformance.client import CONFIRMED
from conformance.registry import rule, same, that

COUNT = "pusher_internal:subscription_count"
INTERVAL = 5.0
"""Seconds between the counts of a large channel."""


async def count(client, channel):
    frame = await client.expect(COUNT, channel)
    that(isinstance(frame.get("data"), str), f"data is {frame.get('data')!r}, not a string")
    return json.loads(frame["data"])


@rule("WS-115", needs="counts")
async def counted(t):
    app = t.fixture("counts")
    for prefix in ("ops-", "private-ops-", "private-encrypted-ops-"):
        channel = t.name(prefix)
        first, second = await t.clients_of(2, app)
        await first.subscribe(channel)
        same(await count(first, channel), {"subscription_count": 1}, "the first count")
        await second.subscribe(channel)
        for client in (first, second):
            same(await count(client, channel), {"subscription_count": 2}, "the second count")
        await second.leave(channel)
        same(await count(first, channel), {"subscription_count": 1}, "the count after one left")
        await second.silence()
        third = await t.client(app)
        await third.subscribe(channel)
        same(await count(first, channel), {"subscription_count": 2}, "the count with a third")
        third.socket.cut()
        same(await count(first, channel), {"subscription_count": 1}, "the count after one broke")


@rule("WS-116", needs="counts")
async def presence(t):
    channel = t.name("presence-ops-")
    first, second = await t.clients_of(2, t.fixture("counts"))
    await first.join(channel, "u-1")
    await second.join(channel, "u-2")
    await first.expect("pusher_internal:member_added", channel)
    for client in (first, second):
        await client.silence()


@rule("WS-117", needs="counts")
async def seldom(t):
    app = t.fixture("counts")
    channel = t.name("ops-")
    clock = asyncio.get_running_loop().time
    watcher, *others = await asyncio.gather(*(t.client(app) for _ in range(130)))
    await watcher.subscribe(channel)
    above = []

    async def until(number):
        """Reads counts up to this one; those above 100 are kept with the time at which they came."""
        last = None
        while last != number:
            last = (await count(watcher, channel))["subscription_count"]
            if last > 100:
                above.append((clock(), last))

    watching = asyncio.create_task(until(130))
    for client in others:
        await client.ask(channel)
        while (await client.frame())["event"] != CONFIRMED:
            pass
    await watching
    watching = asyncio.create_task(until(125))
    for client in others[-5:]:
        await client.leave(channel)
        await client.settled()
    await watching
    gaps = [later - earlier for (earlier, _), (later, _) in zip(above, above[1:])]
    that(min(gaps) > INTERVAL - 1, f"counts above 100 came {min(gaps):.1f} s apart")
    that(max(gaps) < INTERVAL + 3, f"counts above 100 came {max(gaps):.1f} s apart")


@rule("WS-118", needs="no_counts")
async def turned_off(t):
    app = t.fixture("no_counts")
    channel = t.name("ops-")
    first, second = await t.clients_of(2, app)
    await first.subscribe(channel)
    await second.subscribe(channel)
    await publish(app, channel, "marker")
    for client in (first, second):
        await client.expect("marker", channel)

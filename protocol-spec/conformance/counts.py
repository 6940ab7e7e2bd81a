"""Subscription counts: WS-115 to WS-118."""

import asyncio
import json

from conformance.api import publish
from conformance.client import CONFIRMED
from conformance.registry import rule, same, that

COUNT = "pusher_internal:subscription_count"


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
    loop = asyncio.get_running_loop()
    clients = list(await asyncio.gather(*(t.client(app) for _ in range(130))))
    for client in clients:
        await client.ask(channel)
        while (await client.frame())["event"] != CONFIRMED:
            pass
    seen = []
    async with asyncio.timeout(30):
        while not seen or seen[-1][1] < len(clients):
            frame = await clients[0].frame(20)
            same(frame["event"], COUNT, "the event")
            seen.append((loop.time(), json.loads(frame["data"])["subscription_count"]))
    above = [number for _, number in seen if number > 100]
    that(len(above) <= 2, f"{len(above)} counts above 100 came at once: {above}")
    # One that leaves now is counted within five seconds, and not with the next.
    for client in clients[-5:]:
        await client.leave(channel)
        await client.settled()
    left = seen[-1][0]
    while seen[-1][1] != len(clients) - 5:
        frame = await clients[0].frame(20)
        seen.append((loop.time(), json.loads(frame["data"])["subscription_count"]))
        that(len(seen) - 1 == 0 or seen[-1][0] - seen[-2][0] > 0, "a count from the past")
    that(seen[-1][0] - left < 12, "the last count came late")


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

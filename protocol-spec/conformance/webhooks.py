"""Webhooks, seen by a receiver of our own."""

import asyncio
import json
import time

from conformance.api import publish
from conformance.registry import rule, same, that
from conformance.signing import hexdigest

DELAY = 3.0
"""How long a "gone" may be held back, in seconds."""


async def named(t, name, channel, count=1, path="/each"):
    """The first `count` events of that name about the channel."""
    def found():
        events = [e for d in t.receiver.about(channel, path) for e in d.events if e["name"] == name and e["channel"] == channel]
        return events if len(events) >= count else None
    return await t.receiver.until(found, f"{name} of {channel}")


async def nothing_more(t, app, channel, wanted):
    """A later hook of the same app has come, behind the longest delay, and the channel's are those that are wanted."""
    marker = t.name("marker-")
    await asyncio.sleep(DELAY + 0.2)
    client = await t.client(app)
    await client.subscribe(marker)
    await named(t, "channel_occupied", marker)
    same(t.receiver.names(channel), wanted, "the hooks of the channel")


@rule("WH-150", needs="webhooks")
async def signature(t):
    app = t.fixture("webhooks")
    channel = t.name("hooks-")
    client = await t.client(app)
    before = time.time()
    await client.subscribe(channel)
    await named(t, "channel_occupied", channel)
    (delivery,) = t.receiver.about(channel)
    same(delivery.headers.get("content-type"), "application/json", "Content-Type")
    same(delivery.headers.get("x-pusher-key"), app.key, "X-Pusher-Key")
    same(delivery.headers.get("x-pusher-signature"), hexdigest(app.secret, delivery.body), "X-Pusher-Signature")
    body = json.loads(delivery.body)
    that(isinstance(body["time_ms"], int) and abs(body["time_ms"] / 1000 - before) < 60, f"time_ms is {body['time_ms']!r}")
    same(body["events"], [{"name": "channel_occupied", "channel": channel}], "events")


@rule("WH-151", needs="webhooks")
async def occupied(t):
    app = t.fixture("webhooks")
    for prefix, join in (("hooks-", False), ("private-hooks-", False), ("presence-hooks-", True)):
        channel = t.name(prefix)
        one, two = await t.clients_of(2, app)
        for number, client in enumerate((one, two)):
            await (client.join(channel, f"u-{number}") if join else client.subscribe(channel))
        await named(t, "channel_occupied", channel)
        marker = t.name("marker-")
        await two.settled()
        await two.subscribe(marker)
        await named(t, "channel_occupied", marker)
        same(t.receiver.names(channel).count("channel_occupied"), 1, "how often the channel was occupied")


@rule("WH-152", needs="webhooks")
async def vacated(t):
    app = t.fixture("webhooks")
    gone, back = t.name("hooks-"), t.name("hooks-")
    client = await t.client(app)
    for channel in (gone, back):
        await client.subscribe(channel)
        await named(t, "channel_occupied", channel)
    for channel in (gone, back):
        await client.leave(channel)
    await client.subscribe(back)
    left = time.monotonic()
    await named(t, "channel_vacated", gone)
    that(time.monotonic() - left < DELAY + 2, f"channel_vacated came after {time.monotonic() - left:.1f} s")
    await nothing_more(t, app, back, ["channel_occupied"])


@rule("WH-153", needs="webhooks")
async def members(t):
    app = t.fixture("webhooks")
    channel = t.name("presence-hooks-")
    keeper, one, two = await t.clients_of(3, app)
    await keeper.join(channel, "keeper")
    for client in (one, two):
        await client.join(channel, 17)
    await one.leave(channel)
    await two.leave(channel)
    (removed,) = await named(t, "member_removed", channel)
    same(removed, {"name": "member_removed", "channel": channel, "user_id": "17"}, "member_removed")
    added = await named(t, "member_added", channel, 2)
    same([event["user_id"] for event in added], ["keeper", "17"], "the users that were added")
    await one.join(channel, "back")
    await named(t, "member_added", channel, 3)
    await one.leave(channel)
    await one.join(channel, "back")
    await nothing_more(t, app, channel, ["channel_occupied", "member_added", "member_added", "member_removed", "member_added"])


@rule("WH-154", needs="webhooks")
async def client_events(t):
    app = t.fixture("webhooks")
    private, presence = t.name("private-hooks-"), t.name("presence-hooks-")
    client = await t.client(app)
    await client.subscribe(private)
    await client.join(presence, 17)
    for channel, who in ((private, {}), (presence, {"user_id": "17"})):
        await client.send("client-typing", {"on": True}, channel=channel)
        (event,) = await named(t, "client_event", channel)
        that(event.get("data") in ('{"on":true}', '{"on": true}'), f"data is {event.get('data')!r}")
        del event["data"]
        same(event, {"name": "client_event", "channel": channel, "event": "client-typing", "socket_id": client.socket_id} | who, "client_event")


@rule("WH-155", needs="webhooks")
async def misses(t):
    app = t.fixture("webhooks")
    channel = t.name("cache-hooks-")
    for client in await t.clients_of(3, app):
        await client.subscribe(channel)
    same(await named(t, "cache_miss", channel), [{"name": "cache_miss", "channel": channel}], "cache_miss")
    marker = t.name("marker-")
    await (await t.client(app)).subscribe(marker)
    await named(t, "channel_occupied", marker)
    same(t.receiver.names(channel).count("cache_miss"), 1, "how often the miss was told")


@rule("WH-156", needs=("webhooks", "webhooks_batched"))
async def one_each(t):
    app, batched = t.fixture("webhooks"), t.fixture("webhooks_batched")
    client, other = await t.client(app), await t.client(batched)
    channels = [t.name("hooks-") for _ in range(8)]
    for each in (client, other):
        for channel in channels:
            await each.ask(channel)
    for path in ("/each", "/batched"):
        for channel in channels:
            await named(t, "channel_occupied", channel, path=path)
    same({len(d.events) for d in t.receiver.deliveries if d.path == "/each"}, {1}, "events of a request")
    that(any(len(d.events) > 1 for c in channels for d in t.receiver.about(c, "/batched")), "no batch has more than one event")


@rule("WH-157", needs="webhooks_retried")
async def retried(t):
    app = t.fixture("webhooks_retried")
    channel, marker = t.name("hooks-failing-"), t.name("marker-")
    t.receiver.failures[channel] = 3
    client = await t.client(app)
    await client.subscribe(channel)
    deliveries = await t.receiver.until(
        lambda: found if len(found := t.receiver.about(channel, "/retried")) >= 4 else None, "the fourth attempt", deadline=45)
    same(len({(d.body, d.headers.get("x-pusher-signature")) for d in deliveries}), 1, "the number of different requests")
    gaps = [later.at - earlier.at for earlier, later in zip(deliveries, deliveries[1:])]
    that(gaps[0] < gaps[1] < gaps[2], f"the gaps are {gaps}")
    await asyncio.sleep(gaps[-1])
    await client.subscribe(marker)
    await named(t, "channel_occupied", marker, path="/retried")
    same(len(t.receiver.about(channel, "/retried")), 4, "attempts after the success")


@rule("WH-158", needs="webhooks")
async def user_channels(t):
    app = t.fixture("webhooks")
    client = await t.client(app)
    user = t.name("u-")
    await client.sign_in(user)
    channel = f"#server-to-user-{user}"
    await client.subscribe(channel)
    await publish(app, channel, "n")
    await client.settled()
    await client.leave(channel)
    await nothing_more(t, app, channel, [])


@rule("WH-159", needs="webhooks_counts")
async def counts(t):
    app = t.fixture("webhooks_counts")
    channel = t.name("hooks-")
    one, two = await t.clients_of(2, app)
    await one.subscribe(channel)
    await named(t, "subscription_count", channel)
    await two.subscribe(channel)
    events = await named(t, "subscription_count", channel, 2)
    same(events, [{"name": "subscription_count", "channel": channel, "subscription_count": n} for n in (1, 2)], "subscription_count")
    presence = t.name("presence-hooks-")
    await one.settled()
    await one.join(presence, "u-17")
    marker = t.name("hooks-")
    await one.subscribe(marker)
    await named(t, "subscription_count", marker)
    that("subscription_count" not in t.receiver.names(presence), "a presence channel was counted")

"""Webhooks, seen by a receiver of our own: WH-1 to WH-23. What a receiver cannot see is shown by other tests."""

import asyncio
import json
import time

from conformance.api import publish
from conformance.registry import rule, same, that
from conformance.signing import hexdigest

DELAY = 3.0
"""How long a "gone" may be held back, in seconds."""


async def named(t, name, channel, count=1, path="/each", deadline=20.0):
    """The first `count` events of that name about the channel."""
    def found():
        events = [event for delivery in t.receiver.about(channel, path) for event in delivery.events]
        events = [event for event in events if event["name"] == name and event["channel"] == channel]
        return events if len(events) >= count else None
    return await t.receiver.until(found, f"{name} of {channel}", deadline)


async def nothing_more(t, app, channel, wanted):
    """A later hook of the same app has come, behind the longest delay, and the channel's are those that are wanted."""
    marker = t.name("marker-")
    await asyncio.sleep(DELAY + 0.2)
    client = await t.client(app)
    await client.subscribe(marker)
    await named(t, "channel_occupied", marker)
    same(t.receiver.names(channel), wanted, "the hooks of the channel")


async def first_delivery(t):
    """The hook of a channel's first subscription."""
    app = t.fixture("webhooks")
    channel = t.name("hooks-")
    await (await t.client(app)).subscribe(channel)
    await named(t, "channel_occupied", channel)
    return app, channel, t.receiver.about(channel)[0]


@rule("WH-1", needs="webhooks")
async def request(t):
    app, _, delivery = await first_delivery(t)
    same(delivery.method, "POST", "the method")
    same(delivery.headers.get("Content-Type"), "application/json", "Content-Type")
    same(delivery.headers.get("X-Pusher-Key"), app.key, "X-Pusher-Key")
    that(delivery.headers.get("X-Pusher-Signature"), "X-Pusher-Signature is missing, or spelled in another way")


@rule("WH-3", needs="webhooks")
async def signature(t):
    app, _, delivery = await first_delivery(t)
    same(delivery.headers.get("X-Pusher-Signature"), hexdigest(app.secret, delivery.body), "X-Pusher-Signature")


@rule("WH-4", needs="webhooks")
async def creation(t):
    before = time.time()
    _, channel, delivery = await first_delivery(t)
    body = json.loads(delivery.body)
    that(type(body["time_ms"]) is int and abs(body["time_ms"] / 1000 - before) < 60, f"time_ms is {body['time_ms']!r}")
    same(body["events"], [{"name": "channel_occupied", "channel": channel}], "events")


@rule("WH-6", needs=("webhooks", "webhooks_counts"))
async def members_of_events(t):
    app = t.fixture("webhooks")
    private, presence = t.name("private-hooks-"), t.name("presence-hooks-")
    client, counted = await t.client(app), await t.client(t.fixture("webhooks_counts"))
    await client.subscribe(private)
    await client.join(presence, 17)
    events = await named(t, "member_added", presence)
    same(events, [{"name": "member_added", "channel": presence, "user_id": "17"}], "member_added")
    for channel, who in ((private, {}), (presence, {"user_id": "17"})):
        await client.send("client-typing", {"on": True}, channel=channel)
        (event,) = await named(t, "client_event", channel)
        data = event.pop("data", None)
        that(isinstance(data, str) and json.loads(data) == {"on": True}, f"data is {data!r}, not a string of JSON")
        wanted = {"name": "client_event", "channel": channel, "event": "client-typing", "socket_id": client.socket_id}
        same(event, wanted | who, "client_event")
    channel = t.name("hooks-")
    await counted.subscribe(channel)
    events = await named(t, "subscription_count", channel)
    same(events, [{"name": "subscription_count", "channel": channel, "subscription_count": 1}], "subscription_count")


@rule("WH-9", needs="webhooks")
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


async def many_at_once(t, role, path):
    """The deliveries about channels that were all occupied at once."""
    client = await t.client(t.fixture(role))
    channels = [t.name("hooks-") for _ in range(30)]
    for channel in channels:
        await client.ask(channel)
    for channel in channels:
        await named(t, "channel_occupied", channel, path=path)
    return [delivery for delivery in t.receiver.deliveries if delivery.path == path]


@rule("WH-10", needs="webhooks")
async def one_each(t):
    deliveries = await many_at_once(t, "webhooks", "/each")
    same({len(delivery.events) for delivery in deliveries}, {1}, "the number of events of a request")


@rule("WH-11", needs="webhooks_batched")
async def batches(t):
    deliveries = await many_at_once(t, "webhooks_batched", "/batched")
    sizes = [len(delivery.events) for delivery in deliveries]
    that(max(sizes) > 1, "no request has more than one event")
    that(max(sizes) <= 20, f"a request has {max(sizes)} events")


@rule("WH-12", needs="webhooks_retried")
async def retried(t):
    app = t.fixture("webhooks_retried")
    channel, marker = t.name("hooks-failing-"), t.name("marker-")
    t.receiver.failures[channel] = 3
    client = await t.client(app)
    await client.subscribe(channel)
    await client.subscribe(marker)
    attempts = await named(t, "channel_occupied", channel, 4, path="/retried", deadline=45)
    deliveries = t.receiver.about(channel, "/retried")
    same(len(deliveries), len(attempts), "the number of requests")
    requests = {(delivery.body, delivery.headers.get("X-Pusher-Signature")) for delivery in deliveries}
    same(len(requests), 1, "the number of different requests")
    gaps = [later.at - earlier.at for earlier, later in zip(deliveries, deliveries[1:])]
    that(gaps[0] < gaps[1] < gaps[2], f"the gaps are {gaps}")
    # What came after it has waited, and is the next request now.
    await named(t, "channel_occupied", marker, path="/retried")
    same(t.receiver.names(channel, "/retried"), ["channel_occupied"] * 4, "the attempts")


@rule("WH-20", needs="webhooks")
async def comings_and_goings(t):
    app = t.fixture("webhooks")
    for prefix in ("hooks-", "private-hooks-", "presence-hooks-"):
        channel = t.name(prefix)
        one, two = await t.clients_of(2, app)
        for number, client in enumerate((one, two)):
            await (client.join(channel, f"u-{number}") if prefix.startswith("presence") else client.subscribe(channel))
        await named(t, "channel_occupied", channel)
        for client in (one, two):
            await client.leave(channel)
        await two.settled()
        left = time.monotonic()
        await named(t, "channel_vacated", channel)
        took = time.monotonic() - left
        that(took < DELAY + 2, f"channel_vacated came after {took:.1f} s")
        names = t.receiver.names(channel)
        wanted = ["channel_occupied", "channel_vacated"]
        if prefix.startswith("presence"):
            wanted += ["member_added"] * 2 + ["member_removed"] * 2
        same(sorted(names), sorted(wanted), "the hooks of the channel")
        same((names[0], names[-1]), ("channel_occupied", "channel_vacated"), "the first and the last hook")


@rule("WH-21", needs="webhooks")
async def reload(t):
    app = t.fixture("webhooks")
    channel, presence = t.name("hooks-"), t.name("presence-hooks-")
    keeper, page = await t.clients_of(2, app)
    await keeper.join(presence, "keeper")
    await page.subscribe(channel)
    await page.join(presence, "page")
    await named(t, "member_added", presence, 2)
    page.socket.cut()
    again = await t.client(app)
    await again.subscribe(channel)
    await again.join(presence, "page")
    await nothing_more(t, app, channel, ["channel_occupied"])
    wanted = ["channel_occupied", "member_added", "member_added"]
    same(t.receiver.names(presence), wanted, "the hooks of the presence channel")


@rule("WH-23", needs="webhooks")
async def not_held_back(t):
    app = t.fixture("webhooks")
    channel, gone = t.name("private-cache-hooks-"), t.name("hooks-")
    clients = await t.clients_of(3, app)
    await clients[0].subscribe(gone)
    await named(t, "channel_occupied", gone)
    await clients[0].leave(gone)
    await clients[0].silence()
    for client in clients:
        await client.subscribe(channel)
        await client.expect("pusher:cache_miss", channel)
    await clients[0].send("client-typing", {}, channel=channel)
    await named(t, "client_event", channel)
    same(t.receiver.names(gone), ["channel_occupied"], "the hooks of the channel that is held back")
    same(t.receiver.names(channel).count("cache_miss"), 1, "how often the miss was told")

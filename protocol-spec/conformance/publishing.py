"""Publishing: API-12 to API-30, and the deprecated API-44."""

import asyncio
import json

from conformance.api import get, post, publish
from conformance.registry import rule, same, that


async def listener(t, *channels):
    client = await t.client()
    for channel in channels:
        await client.subscribe(channel)
    return client


@rule("API-12")
async def channel_and_channels(t):
    one, other = t.name("one-"), t.name("other-")
    client = await listener(t, one, other)
    for body in ({"channels": [one]}, {"channel": one}, {"channels": [one], "channel": other}):
        answer = (await post(t.app, "/events", {"name": "n", "data": "{}"} | body)).expect(200)
        same(answer.headers.get("content-type"), "application/json", "Content-Type")
        same(answer.json(), {}, "the answer")
        await client.expect("n", one)
    await client.silence()


@rule("API-13")
async def unchanged(t):
    channel = t.name("orders-")
    client = await listener(t, channel)
    for data in ('{"id":42}', '{ "a" : "\u00e9\u2028\U0001f426" }', "plain", "7", '"', "\\u00e9 \n\t\u0000", "[]"):
        await publish(t.app, channel, "order.shipped", data)
        same(await client.frame(), {"event": "order.shipped", "channel": channel, "data": data}, "the frame")
    raw = json.dumps({"name": "n", "channel": channel, "data": "é☃"}, ensure_ascii=False).encode()
    (await post(t.app, "/events", raw)).expect(200)
    same((await client.expect("n", channel))["data"], "é☃", "data")


@rule("API-14")
async def left_out(t):
    a, b = t.name("a-"), t.name("b-")
    client, other = await listener(t, a, b), await listener(t, a, b)
    await publish(t.app, [a, b], "first", socket_id=client.socket_id)
    (await post(t.app, "/batch_events", {"batch": [
        {"name": "second", "channel": a, "data": "", "socket_id": client.socket_id}]})).expect(200)
    await publish(t.app, [a, b], "marker")
    for name, channels in (("first", (a, b)), ("second", (a,)), ("marker", (a, b))):
        for channel in channels:
            await other.expect(name, channel)
    for channel in (a, b):
        await client.expect("marker", channel)


@rule("API-15")
async def socket_ids(t):
    channel = t.name("orders-")
    client = await listener(t, channel)
    for socket_id in ("123.456", "99999999999999999999.1", "0.0"):
        await publish(t.app, channel, "n", socket_id=socket_id)
        await client.expect("n", channel)
    for socket_id in ("123", "123.", ".456", "a.b", "1.2.3", "1.2 ", "1.2\n", "", 12.5):
        answer = await post(t.app, "/events", {"name": "n", "channels": [channel], "data": "", "socket_id": socket_id})
        that(answer.status == 400, f"socket_id {socket_id!r}: {answer.status}")
    await client.silence()


@rule("API-16")
async def many_channels(t):
    channels = [t.name("many-") for _ in range(101)]
    client = await listener(t, channels[0], channels[99])
    await publish(t.app, channels[:100], "n")
    for channel in (channels[0], channels[99]):
        await client.expect("n", channel)
    (await post(t.app, "/events", {"name": "n", "channels": channels, "data": ""})).expect(400)
    (await post(t.app, "/events", {"name": "n", "channels": [], "data": ""})).expect(400)
    await client.silence()


@rule("API-17")
async def much_data(t):
    channel = t.name("much-")
    client = await listener(t, channel)
    for data in ("x" * 10_240, "é" * 5_120, '"' * 10_240):
        await publish(t.app, channel, "n", data)
        same((await client.expect("n", channel))["data"], data, "data")
    for data in ("x" * 10_241, "é" * 5_120 + "x"):
        (await post(t.app, "/events", {"name": "n", "channels": [channel], "data": data})).expect(413)
    await client.silence()


@rule("API-18")
async def long_names(t):
    channel = t.name("names-")
    client = await listener(t, channel)
    for name in ("n" * 200, "é" * 200):
        await publish(t.app, channel, name)
        await client.expect(name, channel)
    (await post(t.app, "/events", {"name": "n" * 201, "channels": [channel], "data": ""})).expect(400)


@rule("API-19")
async def bad_bodies(t):
    channel = t.name("bad-")
    good = {"name": "n", "channels": [channel], "data": ""}
    bodies = [{k: v for k, v in good.items() if k != left_out} for left_out in good]
    bodies += [good | change for change in (
        {"name": 7}, {"name": None}, {"name": ""}, {"data": {"a": 1}}, {"data": None}, {"data": 7}, {"channels": channel},
        {"channels": [7]}, {"channels": ["a b"]}, {"channels": [""]}, {"channels": ["x" * 201]}, {"channels": ["#x"]})]
    for body in bodies + [b"{", b"[]", b"null", b"\xff", b'"x"', b"{} {}"]:
        answer = await post(t.app, "/events", body)
        that(answer.status == 400, f"{body!r}: {answer.status}")
        that(answer.body.strip(), f"{body!r}: no word of explanation")


@rule("API-20")
async def empty_data(t):
    channel = t.name("empty-")
    client = await listener(t, channel)
    await publish(t.app, channel, "n", "")
    same((await client.expect("n", channel)).get("data"), "", "data")


@rule("API-21")
async def reserved(t):
    channel = t.name("reserved-")
    client = await listener(t, channel)
    names = ("pusher:error", "pusher_internal:member_added", "pusher:", "pusher_internal:", "\\u0070usher:error")
    for name in names:
        body = json.dumps({"name": "NAME", "channels": [channel], "data": "{}"}).replace("NAME", name).encode()
        (await post(t.app, "/events", body)).expect(400)
    await client.silence()
    await publish(t.app, channel, "pushers")
    await client.expect("pushers", channel)


@rule("API-22")
async def client_names(t):
    channel = t.name("private-client-")
    client = await listener(t, channel)
    await publish(t.app, channel, "client-typing")
    await client.expect("client-typing", channel)


@rule("API-23")
async def listed_twice(t):
    channel = t.name("twice-")
    client = await listener(t, channel)
    await publish(t.app, [channel, channel], "once")
    await publish(t.app, channel, "marker")
    await client.expect("once", channel)
    await client.expect("marker", channel)


@rule("API-24")
async def info(t):
    orders, ops, lab, empty = (t.name(prefix) for prefix in ("orders-", "presence-ops-", "private-lab-", "empty-"))
    client, other = await t.clients_of(2)
    for each in (client, other):
        await each.subscribe(orders)
        await each.join(ops, "ada")
    await client.subscribe(lab)
    answer = await publish(t.app, [orders, ops, lab, empty, orders], "n", info="subscription_count,user_count")
    same(answer, {"channels": {
        orders: {"subscription_count": 2}, ops: {"user_count": 1, "subscription_count": 2}, lab: {"subscription_count": 1},
        empty: {"subscription_count": 0}}}, "the answer")
    answer = await publish(t.app, [orders, ops], "n", info="user_count")
    same(answer, {"channels": {orders: {}, ops: {"user_count": 1}}}, "the answer")


@rule("API-25")
async def batch_size(t):
    channel = t.name("batch-")
    client = await listener(t, channel)
    events = [{"channel": channel, "name": f"n{number}", "data": str(number)} for number in range(11)]
    answer = (await post(t.app, "/batch_events", {"batch": events[:10]})).expect(200)
    same(answer.json(), {}, "the answer")
    for event in events[:10]:
        same((await client.expect(event["name"], channel))["data"], event["data"], "data")
    (await post(t.app, "/batch_events", {"batch": events})).expect(400)
    for body in ({}, {"batch": {}}, {"batch": None}, {"batch": [7]}, b"[]"):
        (await post(t.app, "/batch_events", body)).expect(400)
    await client.silence()


@rule("API-26")
async def bad_batch(t):
    channel = t.name("batch-")
    client = await listener(t, channel)
    good = {"channel": channel, "name": "n", "data": ""}
    for change, status in (
        ({"channel": "a b"}, 400), ({"name": "pusher:x"}, 400), ({"data": 7}, 400), ({"socket_id": "x"}, 400),
        ({"data": "x" * 10_241}, 413),
    ):
        (await post(t.app, "/batch_events", {"batch": [good, good | change, good]})).expect(status)
    await client.silence()
    await publish(t.app, channel, "marker")
    await client.expect("marker", channel)


@rule("API-27")
async def batch_answers(t):
    orders, ops = t.name("orders-"), t.name("presence-ops-")
    client = await t.client()
    await client.join(ops, "ada")
    events = [{"channel": orders, "name": "tick", "data": "1"}, {"channel": ops, "name": "tick", "data": "2"}]
    same((await post(t.app, "/batch_events", {"batch": events})).expect(200).json(), {}, "the answer without info")
    events[1]["info"] = "user_count"
    same(
        (await post(t.app, "/batch_events", {"batch": events})).expect(200).json(), {"batch": [{}, {"user_count": 1}]},
        "the answer with info")


@rule("API-28")
async def in_order(t):
    channels = [t.name("order-") for _ in range(3)]
    clients = [await listener(t, *channels) for _ in range(3)]
    for number in range(60):
        await publish(t.app, channels[number % 3], "n", str(number))
    for client in clients:
        for number in range(60):
            same((await client.expect("n", channels[number % 3]))["data"], str(number), "the event")


@rule("API-29", needs="rate_limited")
async def rate(t):
    app = t.fixture("rate_limited")
    for _ in range(int(app["per_second"]) * 3 + 1):
        answer = await post(app, "/events", {"name": "n", "channels": [t.name("rate-")], "data": ""})
        if answer.status != 200:
            break
    answer.expect(429)
    wait = answer.headers.get("retry-after", "")
    that(wait.isdigit() and 0 < int(wait) <= 60, f"Retry-After is {wait!r}")
    # The rule itself speaks of that time.
    await asyncio.sleep(int(wait))
    (await post(app, "/events", {"name": "n", "channels": [t.name("rate-")], "data": ""})).expect(200)
    (await get(app, "/channels")).expect(200)


@rule("API-30")
async def user_channels(t):
    (await post(t.app, "/events", {"name": "n", "channels": [t.name("#server-to-user-")], "data": ""})).expect(200)
    (await post(t.app, "/batch_events", {"batch": [
        {"name": "n", "channel": t.name("#server-to-user-"), "data": ""}]})).expect(200)


@rule("API-44")
async def deprecated(t):
    channel = t.name("old-")
    client, other = await listener(t, channel), await listener(t, channel)
    data = '{"id":42, "t":"é"}'
    answer = await post(
        t.app, f"/channels/{channel}/events", data.encode(), [("name", "order.shipped"), ("socket_id", other.socket_id)])
    same((answer.status, answer.body), (202, b""), "status and body")
    same(await client.frame(), {"event": "order.shipped", "channel": channel, "data": data}, "the frame")
    await publish(t.app, channel, "marker")
    await other.expect("marker", channel)
    (await post(t.app, f"/channels/{channel}/events", b"{}")).expect(400)
    (await post(t.app, f"/channels/{channel}/events", b"{}", [("name", "pusher:x")])).expect(400)

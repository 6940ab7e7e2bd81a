"""Malformed input: WS-31 to WS-38. Forms of frames: WS-119 and WS-120."""

import asyncio
import json

from conformance.api import publish
from conformance.client import CONFIRMED, brief
from conformance.registry import SPECIFICATION, rule, same, that


async def is_only_an_error(t, *texts):
    """Each text is answered with an error without a code, and the connection can go on."""
    client = await t.client()
    for text in texts:
        await client.socket.send(text)
        await client.expect_error(None)
    await client.subscribe(t.name("after-"))


@rule("WS-31")
async def no_json(t):
    await is_only_an_error(t, "hello", "{", "{'event':'pusher:ping'}", "", "\u0000")


@rule("WS-32")
async def no_object(t):
    await is_only_an_error(t, "[]", '["pusher:ping"]', "42", '"pusher:ping"', "null", "true")


@rule("WS-33")
async def no_event(t):
    await is_only_an_error(t, "{}", '{"data":{}}', '{"event":7}', '{"event":null}', '{"event":["pusher:ping"]}')


@rule("WS-34")
async def unknown_event(t):
    client = await t.client()
    for name in ("pusher:foo", "foo", "pusher:connection_established"):
        await client.send(name, {})
        message = await client.expect_error(None)
        that(message == f"Unsupported event received on socket: {name}", f"the message is {message!r}")
    await client.silence()


@rule("WS-35")
async def no_channel(t):
    client = await t.client()
    for data in ({}, {"channel": None}, {"channel": 7}, []):
        await client.send("pusher:subscribe", data)
        await client.expect_error(None)
    await client.send("pusher:subscribe")
    await client.expect_error(None)
    await client.subscribe(t.name("after-"))


@rule("WS-36")
async def data_as_text(t):
    client = await t.client()
    channel = t.name("private-text-")
    await client.send("pusher:subscribe", json.dumps({"channel": channel, "auth": client.auth(channel)}))
    await client.expect(CONFIRMED, channel)


@rule("WS-37")
async def too_large(t):
    loud, other = await t.client(), await t.client()
    # The answer may come, and the connection be over, before all of the message is sent.
    closed = asyncio.create_task(loud.expect_close(1009))
    await loud.socket.send(json.dumps({"event": "pusher:ping", "data": "x" * (1 << 20)}))
    await closed
    await other.silence()


@rule("WS-38")
async def internal_events(t):
    client, other = await t.clients_of(2)
    channel = t.name("private-internal-")
    for each in (client, other):
        await each.subscribe(channel)
    await client.send("pusher_internal:member_added", {"user_id": "x"}, channel=channel)
    await client.expect_error(None)
    await other.silence()


FORMS = json.loads((SPECIFICATION / "vectors/frame-forms.json").read_text())


@rule("WS-119")
async def forms(t):
    one, two = await t.clients_of(2)
    frames = [one.hello]

    async def seen(client, count=1):
        frames.extend([await client.frame() for _ in range(count)])

    await one.send("pusher:ping", {})
    await seen(one)
    await one.send("pusher:foo")
    await seen(one)
    channel = t.name("presence-cache-")
    await one.ask(channel, '{"user_id":"one"}', auth="x:y")
    await seen(one, 2)
    await one.ask(channel, '{"user_id":"one"}')
    await seen(one)
    frames += await one.settled()
    await two.ask(channel, '{"user_id":"two"}')
    frames += await two.settled()
    await two.send("client-typing", {"on": True}, channel=channel)
    await two.leave(channel)
    await two.silence()
    await publish(t.app, channel, "order.shipped")
    while frames[-1]["event"] != "order.shipped":
        await seen(one)
    await one.send("pusher:signin", one.sign_in_data({"id": t.name("u-")}))
    frames += await one.settled()
    names = {frame["event"] for frame in frames}
    for form in FORMS["server"]:
        if form["event"] not in names:
            continue
        for frame in (frame for frame in frames if frame["event"] == form["event"]):
            kind = {str: "string", dict: "object", type(None): "none"}.get(type(frame.get("data")), "something else")
            that(kind in form["data"], f"{brief(frame)}: data is {kind}, not {form['data']}")
            same("channel" in frame, form["has_channel"], f"{brief(frame)}: whether there is a channel")
    unknown = names - {form["event"] for form in FORMS["server"]}
    same(unknown, set(), "frames of other kinds")


@rule("WS-120")
async def clients_forms(t):
    client = await t.client()
    channel = t.name("orders-")
    for form in FORMS["client"]:
        await client.socket.send(form["text"].replace("orders", channel))
        answers = [await client.frame()] if form["answer"] == "pusher:pong" else await client.settled()
        answers = [frame["event"] for frame in answers]
        same(answers, [form["answer"]] if form["answer"] else [], f"what {form['id']} drew")

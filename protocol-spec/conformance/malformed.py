"""Malformed input: WS-31 to WS-38."""

import json

from conformance.client import CONFIRMED
from conformance.registry import rule, that


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
    await loud.socket.send(json.dumps({"event": "pusher:ping", "data": "x" * (4 << 20)}))
    await loud.expect_close(1009)
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

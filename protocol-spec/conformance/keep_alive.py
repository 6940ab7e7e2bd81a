"""Keep-alive: WS-21 to WS-30."""

import asyncio
import json

from conformance.api import publish
from conformance.client import DEADLINE
from conformance.registry import Failure, rule, same, that
from conformance.websocket import Closed

SLACK = 20.0
"""How much later than it says a server may ask."""
PATIENCE = 30.0
"""How long it waits for the answer."""


def quick(t):
    """The app of the server with short times, if there is one."""
    return t.fixtures.get("keep_alive") or t.app


async def asked(client, wait):
    """The server's ping, which must come after so long a silence."""
    client.answers_pings = False
    frame = await client.expect("pusher:ping", deadline=wait)
    client.answers_pings = True
    return frame


def wait_of(client):
    return json.loads(client.hello["data"])["activity_timeout"] + SLACK


async def ping_is_answered(t, *data):
    client = await t.client()
    await client.send("pusher:ping", *data)
    await client.expect("pusher:pong")


@rule("WS-21")
async def ping_with_an_object(t):
    await ping_is_answered(t, {})


@rule("WS-22")
async def ping_without_data(t):
    await ping_is_answered(t)


@rule("WS-23")
async def ping_with_a_text(t):
    await ping_is_answered(t, "")


@rule("WS-24")
async def ping_of_the_web_socket(t):
    client = await t.client()
    for payload in (b"", b"\x00\xff16 bytes or so", b"x" * 125):
        client.socket.send_frame(9, payload)
        await client.silence()
        same(client.socket.pongs.pop(), payload, "the pong's payload")


async def outlives(client):
    """The time within which an unanswered ping would have been the end has passed, and the connection is there."""
    client.answers_pings = True
    end = asyncio.get_running_loop().time() + PATIENCE + 2
    while asyncio.get_running_loop().time() < end:
        try:
            async with asyncio.timeout_at(end):
                frame = await client.frame(PATIENCE + 5)
        except TimeoutError:
            break
        that(False, f"{frame} came")
    await client.silence()


@rule("WS-25", patient=True)
async def who_answers_stays(t):
    client = await t.client(quick(t))
    await client.subscribe(t.name("alive-"))
    await asked(client, wait_of(client))
    await client.send("pusher:pong", {})
    await outlives(client)


async def is_given_up(client):
    await asked(client, wait_of(client))
    await client.expect_refusal(4201, deadline=PATIENCE + SLACK)


@rule("WS-26", patient=True)
async def who_is_silent_goes(t):
    client = await t.client(quick(t))
    await client.subscribe(t.name("silent-"))
    await is_given_up(client)


@rule("WS-27", patient=True)
async def who_only_listens_stays(t):
    app = quick(t)
    client = await t.client(app)
    channel = t.name("listener-")
    await client.subscribe(channel)
    client.answers_pings = False
    wait = wait_of(client)
    loop = asyncio.get_running_loop()
    end, number = None, 0
    late = loop.time() + wait
    # Until a ping that was answered can no longer have been the end.
    while end is None or loop.time() < end:
        that(end or loop.time() < late, f"no ping in {wait:g} s")
        await publish(app, channel, "tick", str(number))
        while (frame := await client.frame())["event"] == "pusher:ping":
            end = end or loop.time() + PATIENCE + 2
            await client.send("pusher:pong", {})
        same(frame["data"], str(number), "the event")
        number += 1
        await asyncio.sleep(0.5)


@rule("WS-28")
async def pong_is_not_answered(t):
    client = await t.client()
    await client.send("pusher:pong", {})
    await client.silence()


@rule("WS-29", patient=True)
async def who_never_subscribed(t):
    await is_given_up(await t.client(quick(t)))


@rule("WS-30", slow=True, alone=True)
async def who_does_not_read(t):
    channel = t.name("slow-")
    slow = await t.client()
    await slow.subscribe(channel)
    reader = await t.client()
    await reader.subscribe(channel)
    data = "x" * 10_000

    async def publish_some():
        # More than a server and two kernels will hold for one client.
        for number in range(1500):
            await publish(t.app, channel, f"n{number}", data)

    async def read():
        for number in range(1500):
            await reader.expect(f"n{number}", channel)

    publishing = asyncio.create_task(publish_some())
    try:
        await read()
        await publishing
    finally:
        publishing.cancel()
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                await slow.socket.receive()
    except Closed as closed:
        that(closed.code in (4100, None), f"closed with {closed.code}")
    except TimeoutError:
        raise Failure("it was not closed") from None

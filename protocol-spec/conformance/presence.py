"""Presence: WS-62 to WS-81."""

import asyncio
import json

from conformance.api import publish
from conformance.client import CONFIRMED
from conformance.registry import rule, same, that

ADDED, REMOVED = "pusher_internal:member_added", "pusher_internal:member_removed"


async def told(client, event, channel):
    """The data of a member event, which is a string of JSON."""
    frame = await client.expect(event, channel)
    that(isinstance(frame.get("data"), str), f"data is {frame.get('data')!r}, not a string")
    return json.loads(frame["data"])


async def no_member_event(t, *clients, channel):
    """Whatever came to the clients of the channel has come before this marker."""
    marker = t.name("marker-")
    await publish(t.app, channel, marker)
    for client in clients:
        await client.expect(marker, channel)


@rule("WS-62")
async def alone(t):
    client = await t.client()
    presence = await client.join(t.name("presence-ops-"), "u-17", {"name": "Ada"})
    same(presence, {"ids": ["u-17"], "hash": {"u-17": {"name": "Ada"}}, "count": 1}, "presence")


@rule("WS-63")
async def shapes(t):
    client = await t.client()
    presence = await client.join(t.name("presence-ops-"), "0")
    same((type(presence["ids"]), type(presence["hash"])), (list, dict), "the types of ids and hash")


@rule("WS-64")
async def no_info(t):
    client = await t.client()
    presence = await client.join(t.name("presence-ops-"), "u-17")
    same(presence["hash"], {"u-17": None}, "hash")


@rule("WS-65")
async def added(t):
    ada, bob = await t.clients_of(2)
    channel = t.name("presence-ops-")
    await ada.join(channel, "ada", {"name": "Ada"})
    await bob.join(channel, "bob", {"name": "Bob", "n": [1, None]})
    same(await told(ada, ADDED, channel), {"user_id": "bob", "user_info": {"name": "Bob", "n": [1, None]}}, "member_added")
    await no_member_event(t, ada, bob, channel=channel)


@rule("WS-66")
async def everybody(t):
    ada, bob = await t.clients_of(2)
    channel = t.name("presence-ops-")
    await ada.join(channel, "ada", {"name": "Ada"})
    presence = await bob.join(channel, "bob", {"name": "Bob"})
    same(presence["count"], 2, "count")
    same(sorted(presence["ids"]), ["ada", "bob"], "ids")
    same(presence["hash"], {"ada": {"name": "Ada"}, "bob": {"name": "Bob"}}, "hash")


@rule("WS-67")
async def second_connection(t):
    watcher, first, second = await t.clients_of(3)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    await first.join(channel, "ada")
    await told(watcher, ADDED, channel)
    presence = await second.join(channel, "ada")
    same((presence["count"], sorted(presence["ids"])), (2, ["ada", "watcher"]), "count and ids")
    await no_member_event(t, watcher, first, second, channel=channel)


@rule("WS-68")
async def one_of_two_leaves(t):
    watcher, first, second = await t.clients_of(3)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    await first.join(channel, "ada")
    await told(watcher, ADDED, channel)
    await second.join(channel, "ada")
    await first.leave(channel)
    await first.silence()
    await no_member_event(t, watcher, second, channel=channel)


@rule("WS-69")
async def last_leaves(t):
    watcher, ada = await t.clients_of(2)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    await ada.join(channel, "ada", {"name": "Ada"})
    await told(watcher, ADDED, channel)
    await ada.leave(channel)
    same(await told(watcher, REMOVED, channel), {"user_id": "ada"}, "member_removed")


@rule("WS-70")
async def breaks(t):
    watcher, ada = await t.clients_of(2)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    await ada.join(channel, "ada")
    await told(watcher, ADDED, channel)
    ada.socket.cut()
    same(await told(watcher, REMOVED, channel), {"user_id": "ada"}, "member_removed")
    same((await (await t.client()).join(channel, "bob"))["count"], 2, "count afterwards")


@rule("WS-71")
async def who_leaves(t):
    watcher, ada = await t.clients_of(2)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    await ada.join(channel, "ada")
    await told(watcher, ADDED, channel)
    await ada.leave(channel)
    await told(watcher, REMOVED, channel)
    await ada.silence()


@rule("WS-72")
async def numeric_id(t):
    watcher, ada, again = await t.clients_of(3)
    channel = t.name("presence-ops-")
    await watcher.join(channel, "watcher")
    presence = await ada.join(channel, 17, {"name": "Ada"})
    same(sorted(presence["ids"]), ["17", "watcher"], "ids")
    that("17" in presence["hash"], f"hash is {presence['hash']}")
    same((await told(watcher, ADDED, channel))["user_id"], "17", "user_id")
    same((await again.join(channel, "17"))["count"], 2, "count with the same id as a text")
    await ada.leave(channel)
    await ada.silence()
    await again.leave(channel)
    same(await told(watcher, REMOVED, channel), {"user_id": "17"}, "member_removed")


@rule("WS-73")
async def raw_text(t):
    client = await t.client()
    text = '{ "user_info" :{"name":"Ad\\u00e4",  "x":1.50},\n"user_id":\t"u-17" }'
    presence = (await client.subscribe(t.name("presence-ops-"), text))["presence"]
    same(presence["hash"], {"u-17": {"name": "Adä", "x": 1.5}}, "hash")


@rule("WS-74")
async def changed_text(t):
    client = await t.client()
    channel = t.name("presence-ops-")
    await client.ask(channel, '{"user_id": "u-17"}', auth=client.auth(channel, '{"user_id":"u-17"}'))
    await client.expect_refused(channel)


@rule("WS-75")
async def no_channel_data(t):
    client = await t.client()
    channel = t.name("presence-ops-")
    await client.ask(channel)
    await client.expect_refused(channel)


@rule("WS-76")
async def bad_channel_data(t):
    client = await t.client()
    channel = t.name("presence-ops-")
    for text in ("", "u-17", "[]", "{}", '{"user_info":{}}', '{"user_id":null}', '{"user_id":', '"u-17"', '{"user_id":{}}'):
        await client.ask(channel, text)
        await client.expect_refused(channel)
    await client.join(channel, "u-17")


@rule("WS-77")
async def sizes(t):
    client = await t.client()
    await client.join(t.name("presence-ops-"), "u" * 128)
    channel = t.name("presence-ops-")
    for member in ({"user_id": "u" * 129}, {"user_id": "u-17", "user_info": "x" * 1024}):
        await client.ask(channel, json.dumps(member))
        await client.expect_refused(channel)
    await client.join(channel, "u-17", "x" * 900)


@rule("WS-78")
async def full(t):
    channel = t.name("presence-ops-")
    clients = await asyncio.gather(*(t.client() for _ in range(102)))
    members = list(clients[:100])
    for number, client in enumerate(members):
        await client.ask(channel, json.dumps({"user_id": f"u-{number}"}))
        while (await client.frame())["event"] != CONFIRMED:
            pass
    await clients[100].ask(channel, '{"user_id":"one-too-many"}')
    await clients[100].expect_refused(channel, "LimitReached", 4100)
    same((await clients[101].join(channel, "u-0"))["count"], 100, "count")


@rule("WS-79")
async def confirmation_first(t):
    channel = t.name("presence-ops-")
    stop = asyncio.Event()

    async def noise():
        while not stop.is_set():
            await publish(t.app, channel, "noise")

    noises = [asyncio.create_task(noise()) for _ in range(2)]
    try:
        for number in range(20):
            client = await t.client()
            await client.ask(channel, json.dumps({"user_id": f"u-{number}"}))
            await client.expect(CONFIRMED, channel)
    finally:
        stop.set()
        await asyncio.gather(*noises)


@rule("WS-80")
async def signed_in(t):
    watcher, ada = await t.clients_of(2)
    channel, user = t.name("presence-ops-"), t.name("u-")
    await watcher.join(channel, "watcher")
    await ada.sign_in(user, user_info={"name": "Ada"})
    presence = (await ada.subscribe(channel))["presence"]
    same(presence["hash"].get(user), {"name": "Ada"}, "the member's info")
    same(await told(watcher, ADDED, channel), {"user_id": user, "user_info": {"name": "Ada"}}, "member_added")


@rule("WS-81")
async def explicit_wins(t):
    client = await t.client()
    await client.sign_in(t.name("u-"), user_info={"name": "Ada"})
    presence = await client.join(t.name("presence-ops-"), "other", {"name": "Bob"})
    same(presence["hash"], {"other": {"name": "Bob"}}, "hash")

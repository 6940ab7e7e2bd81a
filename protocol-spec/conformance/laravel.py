"""What Laravel and Echo need, shown on the wire: LV-1 to LV-7."""

import json

from conformance.api import post, publish
from conformance.private import OTHER_SECRET, decrypts
from conformance.registry import rule, same, that

NAME = "App\\Events\\OrderShipped"


def broadcast(channel, **members):
    """The body of Laravel's broadcaster."""
    return {"name": NAME, "data": json.dumps({"order": {"id": 1}}), "channels": [channel]} | members


@rule("LV-1")
async def listen(t):
    client = await t.client()
    channel = t.name("private-orders.")
    await client.subscribe(channel)
    (await post(t.app, "/events", broadcast(channel))).expect(200)
    frame = await client.expect(NAME, channel)
    same(json.loads(frame["data"]), {"order": {"id": 1}}, "data")


@rule("LV-2")
async def to_others(t):
    sender, other = await t.clients_of(2)
    channel = t.name("private-orders.")
    for client in (sender, other):
        await client.subscribe(channel)
    (await post(t.app, "/events", broadcast(channel, socket_id=sender.socket_id))).expect(200)
    await publish(t.app, channel, "marker")
    await other.expect(NAME, channel)
    await other.expect("marker", channel)
    await sender.expect("marker", channel)


@rule("LV-3")
async def here(t):
    one, two, three = await t.clients_of(3)
    channel = t.name("presence-room.")
    await one.join(channel, "1", {"name": "Ada"})
    same(list((await two.join(channel, "1", {"name": "Ada"}))["hash"].values()), [{"name": "Ada"}], "here")
    presence = await three.join(channel, "2", True)
    same(sorted(map(json.dumps, presence["hash"].values())), ["true", '{"name": "Ada"}'], "here with a second user")
    for client in (one, two):
        joining = json.loads((await client.expect("pusher_internal:member_added", channel))["data"])
        same(joining, {"user_id": "2", "user_info": True}, "joining")
    await three.leave(channel)
    for client in (one, two):
        leaving = json.loads((await client.expect("pusher_internal:member_removed", channel))["data"])
        same(leaving["user_id"], "2", "leaving")


@rule("LV-4")
async def whisper(t):
    one, two = await t.clients_of(2)
    channel = t.name("private-chat.")
    for client in (one, two):
        await client.subscribe(channel)
    for sender, other in ((one, two), (two, one)):
        await sender.send("client-typing", {"name": "Ada"}, channel=channel)
        frame = await other.expect("client-typing", channel)
        same(json.loads(frame["data"]), {"name": "Ada"}, "the whisper")
        await sender.silence()


@rule("LV-5")
async def encrypted(t):
    client = await t.client()
    channel = t.name("private-encrypted-orders.")
    await client.subscribe(channel)
    await decrypts(t, client, channel, NAME)


@rule("LV-6")
async def coming_back(t):
    private, presence, user = t.name("private-orders."), t.name("presence-room."), t.name("u-")
    before = await t.client()
    await before.subscribe(private)
    await before.close()
    after = await t.client()
    that(after.socket_id != before.socket_id, "the socket id is the same")
    await after.ask(private, auth=before.auth(private))
    await after.expect_refused(private)
    await after.sign_in(user)
    await after.subscribe(private)
    await after.join(presence, "1")
    await publish(t.app, [private, presence, f"#server-to-user-{user}"], "back")
    for channel in (private, presence, f"#server-to-user-{user}"):
        await after.expect("back", channel)


@rule("LV-7")
async def error(t):
    client = await t.client()
    channel = t.name("private-orders.")
    await client.ask(channel, auth=client.auth(channel, secret=OTHER_SECRET))
    frames = await client.settled()
    told = [frame for frame in frames if frame["event"] == "pusher:subscription_error"]
    same([frame.get("channel") for frame in told], [channel], "the channels of the errors")
    that(isinstance(told[0].get("data"), dict), f"data is {told[0].get('data')!r}")

"""Signed-in users: WS-95 to WS-108."""

import json

from conformance.api import post, publish
from conformance.client import CONFIRMED
from conformance.registry import rule, same, that

WATCHED = "pusher_internal:watchlist_events"


def channel_of(user):
    return f"#server-to-user-{user}"


async def terminate(app, user):
    return (await post(app, f"/users/{user}/terminate_connections", {})).expect(200)


@rule("WS-95")
async def success(t):
    client = await t.client()
    sent = client.sign_in_data('{ "id":"' + t.name("u-") + '","user_info":{"name":"Ad\\u00e4"}, "watchlist":["u-18"]}')
    await client.send("pusher:signin", sent)
    data = (await client.expect("pusher:signin_success")).get("data")
    that(isinstance(data, dict), f"data is {data!r}, not an object")
    same(data.get("user_data"), sent["user_data"], "user_data")
    # A string in place of the object, as for a subscription.
    again = await t.client()
    await again.send("pusher:signin", json.dumps(again.sign_in_data(sent["user_data"])))
    await again.expect("pusher:signin_success")


@rule("WS-96")
async def user_events(t):
    client = await t.client()
    user = t.name("u-")
    await client.sign_in(user)
    await publish(t.app, channel_of(user), "before", '{"n":1}')
    frame = await client.expect("before", channel_of(user))
    same(frame, {"event": "before", "channel": channel_of(user), "data": '{"n":1}'}, "the frame")
    await client.send("pusher:subscribe", {"auth": "", "channel": channel_of(user)})
    await client.expect(CONFIRMED, channel_of(user))
    await publish(t.app, channel_of(user), "subscribed")
    await client.expect("subscribed", channel_of(user))
    await client.silence()
    await client.leave(channel_of(user))
    await client.settled()
    await publish(t.app, channel_of(user), "after")
    await client.expect("after", channel_of(user))
    await client.silence()


@rule("WS-97")
async def wrong_signature(t):
    client, other = await t.clients_of(2)
    data = {"id": t.name("u-")}
    wrong = client.sign_in_data(data, secret="0123456789abcdef")
    for sent in (wrong, other.sign_in_data(data), {"user_data": json.dumps(data)}, {}):
        await client.send("pusher:signin", sent)
        await client.expect_error(None)
    await client.sign_in(data["id"])


@rule("WS-98")
async def bad_user_data(t):
    client = await t.client()
    for data in ({}, {"id": ""}, {"id": 17}, {"id": None}, {"id": ["u"]}, "[]", "no json", '"u-17"'):
        await client.send("pusher:signin", client.sign_in_data(data))
        await client.expect_error(None)
    await client.sign_in(t.name("u-"))


@rule("WS-99")
async def another_user(t):
    client = await t.client()
    user, other = t.name("u-"), t.name("u-")
    await client.sign_in(user)
    await client.send("pusher:signin", client.sign_in_data({"id": other}))
    await client.expect_error(None)
    await publish(t.app, channel_of(other), "for-other")
    await publish(t.app, channel_of(user), "for-user")
    await client.expect("for-user", channel_of(user))
    await client.sign_in(user, user_info={"again": True})
    await publish(t.app, channel_of(user), "once")
    await client.expect("once", channel_of(user))
    await client.silence()


@rule("WS-100")
async def another_users_channel(t):
    client, stranger = await t.clients_of(2)
    user, marker = t.name("u-"), t.name("marker-")
    await client.sign_in(user)
    for _ in range(2):
        await client.send("pusher:subscribe", {"channel": channel_of(other := t.name("u-"))})
        await client.expect_refused(channel_of(other))
        await stranger.send("pusher:subscribe", {"auth": stranger.auth(channel_of(user)), "channel": channel_of(user)})
        await stranger.expect_refused(channel_of(user))
    await stranger.subscribe(marker)
    await publish(t.app, [channel_of(user), marker], "private")
    await stranger.expect("private", marker)
    await stranger.silence()
    await client.expect("private", channel_of(user))


@rule("WS-101")
async def two_connections(t):
    clients = await t.clients_of(2)
    user = t.name("u-")
    for client in clients:
        await client.sign_in(user)
    await publish(t.app, channel_of(user), "once")
    for client in clients:
        await client.expect("once", channel_of(user))
        await client.silence()


@rule("WS-102")
async def termination(t):
    one, two, other, nobody = await t.clients_of(4)
    user = t.name("u-")
    for client in (one, two):
        await client.sign_in(user)
    await other.sign_in(t.name("u-"))
    await terminate(t.app, user)
    for client in (one, two):
        await client.expect_refusal(4009, deadline=2)
    await other.silence()
    await nobody.silence()


@rule("WS-103")
async def members_stay(t):
    member = await t.client()
    user = t.name("u-")
    await member.join(t.name("presence-ops-"), user)
    await terminate(t.app, user)
    await member.silence()


@rule("WS-104", needs="authorization")
async def authorization_timeout(t):
    app = t.fixture("authorization")
    idle, public, joined, present, signed_in = await t.clients_of(5, app)
    await public.subscribe(t.name("ops-"))
    await joined.subscribe(t.name("private-ops-"))
    await present.join(t.name("presence-ops-"), "u-17")
    await signed_in.sign_in(t.name("u-"))
    for client in (idle, public):
        await client.expect_refusal(4009, deadline=float(app["seconds"]) + 10)
    for client in (joined, present, signed_in):
        await client.silence()


async def statuses(client):
    """The next watchlist frame as pairs of a user and what is said of it."""
    frame = await client.expect(WATCHED)
    same(set(frame), {"event", "data"}, "the frame's members")
    that(isinstance(frame["data"], str), f"data is {frame['data']!r}, not a string")
    events = json.loads(frame["data"]).get("events")
    that(isinstance(events, list), f"events is {events!r}, not a list")
    return {user: event["name"] for event in events for user in event["user_ids"]}


@rule("WS-105", needs="watchlist")
async def watchlist(t):
    online, watcher = await t.clients_of(2, t.fixture("watchlist"))
    ada, bob = t.name("u-"), t.name("u-")
    await online.sign_in(ada)
    await watcher.sign_in(t.name("u-"), watchlist=[ada, bob])
    same(await statuses(watcher), {ada: "online", bob: "offline"}, "what is said of the watched")
    await online.silence()


@rule("WS-106", needs="watchlist")
async def comings_and_goings(t):
    app = t.fixture("watchlist")
    ada = t.name("u-")
    watcher, first, second = await t.clients_of(3, app)
    await watcher.sign_in(t.name("u-"), watchlist=[ada])
    same(await statuses(watcher), {ada: "offline"}, "the first word")
    await first.sign_in(ada)
    same(await statuses(watcher), {ada: "online"}, "after the first sign-in")
    await second.sign_in(ada)
    await first.close()
    # The end of the first is known once the user has no other way to be reached than the second.
    await second.silence()
    await watcher.silence()
    second.socket.cut()
    same(await statuses(watcher), {ada: "offline"}, "after the last end")
    await watcher.silence()


@rule("WS-107", needs="watchlist")
async def long_watchlist(t):
    app = t.fixture("watchlist")
    watcher = await t.client(app)
    watched = [t.name("u-") for _ in range(101)]
    await watcher.sign_in(t.name("u-"), watchlist=watched)
    frames = [await watcher.frame(), await watcher.frame()]
    (error,) = [frame for frame in frames if frame["event"] == "pusher:error"]
    same(error["data"].get("code"), 4302, "the error's code")
    (first,) = [frame for frame in frames if frame["event"] == WATCHED]
    said = {user for event in json.loads(first["data"])["events"] for user in event["user_ids"]}
    same(said, set(watched[:100]), "the watched users")
    last, hundredth = await t.clients_of(2, app)
    await last.sign_in(watched[100])
    await hundredth.sign_in(watched[99])
    same(await statuses(watcher), {watched[99]: "online"}, "what is said of the hundredth")
    await watcher.silence()


@rule("WS-108", needs="no_watchlist")
async def no_watchlist(t):
    app = t.fixture("no_watchlist")
    watcher, ada = await t.clients_of(2, app)
    user = t.name("u-")
    await watcher.sign_in(t.name("u-"), watchlist=[user])
    await watcher.silence()
    await ada.sign_in(user)
    await watcher.silence()

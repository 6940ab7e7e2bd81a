"""Queries and the other calls: API-31 to API-43, API-45."""

from conformance.api import call, get, post, publish
from conformance.registry import rule, same, that


async def channels(app, **parameters):
    return (await get(app, "/channels", list(parameters.items()))).expect(200).json()


@rule("API-31")
async def occupied(t):
    prefix = t.name("list-")
    same(await channels(t.app, filter_by_prefix=prefix), {"channels": {}}, "no channels")
    client = await t.client()
    names = [prefix + "-a", prefix + "-b"]
    for name in names:
        await client.subscribe(name)
    same(await channels(t.app, filter_by_prefix=prefix), {"channels": {name: {} for name in names}}, "the channels")
    that(names[0] in (await channels(t.app))["channels"], "without a prefix the channel is not there")
    await client.leave(names[0])
    await client.silence()
    same(await channels(t.app, filter_by_prefix=prefix), {"channels": {names[1]: {}}}, "the channels after one emptied")
    user = t.name("u-")
    await client.sign_in(user)
    await client.subscribe(f"#server-to-user-{user}")
    same(await channels(t.app, filter_by_prefix="#"), {"channels": {}}, "the user channels")


@rule("API-32")
async def user_counts(t):
    prefix = t.name("presence-")
    one, two, three = await t.clients_of(3)
    await one.join(prefix + "-a", "ada")
    await two.join(prefix + "-a", "ada")
    await three.join(prefix + "-b", "bob")
    same(
        await channels(t.app, filter_by_prefix=prefix, info="user_count"),
        {"channels": {prefix + "-a": {"user_count": 1}, prefix + "-b": {"user_count": 1}}}, "the channels")
    of_all = (await channels(t.app, filter_by_prefix="presence-", info="user_count"))["channels"]
    same(of_all.get(prefix + "-a"), {"user_count": 1}, "the channel among all presence channels")
    same(
        (await channels(t.app, filter_by_prefix=prefix, info="subscription_count"))["channels"][prefix + "-a"],
        {"subscription_count": 2}, "subscription_count")


@rule("API-33")
async def user_count_of_all(t):
    (await get(t.app, "/channels", [("info", "user_count")])).expect(400)
    (await get(t.app, "/channels", [("info", "user_count"), ("filter_by_prefix", "private-")])).expect(400)


@rule("API-34")
async def unoccupied(t):
    for prefix in ("orders-", "private-ops-", "presence-ops-", "cache-x-"):
        same((await get(t.app, f"/channels/{t.name(prefix)}")).expect(200).json(), {"occupied": False}, "the channel")
    client = await t.client()
    channel = t.name("orders-")
    await client.subscribe(channel)
    same((await get(t.app, f"/channels/{channel}")).expect(200).json(), {"occupied": True}, "the occupied channel")
    (await get(t.app, "/channels/a%20b")).expect(400)


@rule("API-35")
async def wrong_attributes(t):
    for prefix, attribute in (
        ("orders-", "user_count"), ("private-x-", "user_count"), ("orders-", "cache"), ("presence-x-", "cache"),
    ):
        (await get(t.app, f"/channels/{t.name(prefix)}", [("info", attribute)])).expect(400)


@rule("API-36")
async def cache(t):
    for prefix in ("cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"):
        channel = t.name(prefix)
        answer = (await get(t.app, f"/channels/{channel}", [("info", "cache")])).expect(200).json()
        same(answer, {"occupied": False, "cache": None}, "the empty channel")
        await publish(t.app, channel, "n", '{"id":42}')
        answer = (await get(t.app, f"/channels/{channel}", [("info", "cache,subscription_count")])).expect(200).json()
        cached = answer.get("cache")
        that(isinstance(cached, dict) and cached.get("data") == '{"id":42}', f"cache is {cached!r}")
        that(isinstance(cached.get("ttl"), int) and 0 < cached["ttl"] <= 3600, f"ttl is {cached.get('ttl')!r}")
        same(answer.get("subscription_count"), 0, "subscription_count")


@rule("API-37")
async def subscription_count(t):
    one, two = await t.clients_of(2)
    orders, ops = t.name("orders-"), t.name("presence-ops-")
    for client in (one, two):
        await client.subscribe(orders)
        await client.join(ops, "ada")
    for channel, info, wanted in (
        (orders, "subscription_count", {"occupied": True, "subscription_count": 2}),
        (ops, "user_count,subscription_count", {"occupied": True, "user_count": 1, "subscription_count": 2}),
        (t.name("orders-"), "subscription_count", {"occupied": False, "subscription_count": 0}),
    ):
        same((await get(t.app, f"/channels/{channel}", [("info", info)])).expect(200).json(), wanted, channel)


@rule("API-38")
async def users(t):
    channel = t.name("presence-ops-")
    same((await get(t.app, f"/channels/{channel}/users")).expect(200).json(), {"users": []}, "nobody")
    one, two, three = await t.clients_of(3)
    await one.join(channel, "ada")
    await two.join(channel, "ada")
    await three.join(channel, 17)
    found = (await get(t.app, f"/channels/{channel}/users")).expect(200).json()
    same(set(found), {"users"}, "the answer's members")
    same(sorted(user["id"] for user in found["users"]), ["17", "ada"], "the ids")


@rule("API-39")
async def users_of_others(t):
    for prefix in ("orders-", "private-ops-", "presences_", "cache-x-"):
        (await get(t.app, f"/channels/{t.name(prefix)}/users")).expect(400)


@rule("API-40")
async def extraneous(t):
    channel = t.name("presence-ops-")
    for path, name in (("/channels", "x"), (f"/channels/{channel}", "filter_by_prefix"), (f"/channels/{channel}/users", "info")):
        answer = (await get(t.app, path, [(name, "1")])).expect(400)
        same(answer.text, f"The following query string parameters are extraneous: {name}", "the text")


@rule("API-41")
async def terminate(t):
    answer = (await post(t.app, f"/users/{t.name('u-')}/terminate_connections", {})).expect(200)
    same(answer.json(), {}, "the answer")


@rule("API-42")
async def terminate_without_app(t):
    client, other = await t.clients_of(2)
    user = t.name("u-")
    await client.sign_in(user)
    await other.sign_in(t.name("u-"))
    answer = (await call(t.app, "POST", f"//users/{user}/terminate_connections", {})).expect(200)
    same(answer.json(), {}, "the answer")
    await client.expect_refusal(4009)
    await other.silence()
    (await call(t.app, "POST", f"//users/{user}/terminate_connections", {}, key=t.name("k"))).expect(401)


@rule("API-43")
async def wrong_methods(t):
    channel = t.name("presence-ops-")
    for method, path, allowed in (
        ("GET", "/events", "POST"), ("GET", "/batch_events", "POST"), ("POST", "/channels", "GET"),
        ("DELETE", f"/channels/{channel}", "GET"), ("PUT", f"/channels/{channel}/users", "GET"), ("GET", "/users/u/terminate_connections", "POST"),
    ):
        answer = (await call(t.app, method, path)).expect(405)
        that(allowed in answer.headers.get("allow", ""), f"{method} {path}: Allow is {answer.headers.get('allow')!r}")


@rule("API-45")
async def stats(t):
    channel, empty = t.name("presence-ops-"), t.name("presence-ops-")
    one, two = await t.clients_of(2)
    for client in (one, two):
        await client.join(channel, "ada")
    answer = (await get(t.app, f"/channels/{channel}/stats")).expect(200).json()
    same(answer, {"occupied": True, "user_count": 1, "connection_count": 2}, "the answer")
    answer = (await get(t.app, f"/channels/{empty}/stats")).expect(200).json()
    same(answer, {"occupied": False, "user_count": 0, "connection_count": 0}, "the answer for an empty channel")

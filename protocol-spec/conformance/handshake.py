"""Handshake: WS-1 to WS-20."""

import asyncio
import json
import os
import re
import resource
import signal

from conformance.client import brief
from conformance.registry import Skip, rule, same, that

CONNECTIONS = 10_000


async def is_served(t, app=None, **options):
    """A client is told its socket id and can subscribe."""
    client = await t.client(app, **options)
    await client.subscribe(t.name("served-"))
    return client


@rule("WS-1")
async def first_frame(t):
    client = await t.opened()
    frame = await client.frame()
    same(frame.get("event"), "pusher:connection_established", "the first frame's event")
    that("channel" not in frame, f"{brief(frame)} has a channel")


@rule("WS-2")
async def data_is_a_string(t):
    frame = await (await t.opened()).frame()
    that(isinstance(frame.get("data"), str), f"data is {frame.get('data')!r}")


@rule("WS-3")
async def socket_id_and_timeout(t):
    data = json.loads((await (await t.opened()).frame())["data"])
    that(re.fullmatch(r"\d+\.\d+", data.get("socket_id", "")), f"socket_id is {data.get('socket_id')!r}")
    timeout = data.get("activity_timeout")
    that(type(timeout) in (int, float) and timeout > 0, f"activity_timeout is {timeout!r}")


@rule("WS-4", slow=True, alone=True)
async def ids_are_distinct(t):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < CONNECTIONS + 200:
        raise Skip(f"{CONNECTIONS + 200} file descriptors ('ulimit -n' is {most})")
    ids = []

    async def some(count):
        for _ in range(count):
            ids.append((await t.client()).socket_id)

    await asyncio.gather(*(some(CONNECTIONS // 50) for _ in range(50)))
    same((len(ids), len(set(ids))), (CONNECTIONS, CONNECTIONS), "the number of connections and of distinct ids")


@rule("WS-5")
async def other_parameters(t):
    await is_served(t, query="protocol=7")
    await is_served(t, query="x=1&protocol=7&flash=true&client=%F0%9F%90%A6&version=&y[]=2")


@rule("WS-6")
async def no_version(t):
    await is_served(t, query="")
    await is_served(t, query="client=js")


@rule("WS-7")
async def older_versions(t):
    for version in (5, 6):
        await is_served(t, query=f"protocol={version}")


@rule("WS-8")
async def other_versions(t):
    for version in ("99", "0", "-7", "8"):
        await (await t.opened(query=f"protocol={version}")).expect_refusal(4007)


@rule("WS-9")
async def no_number(t):
    for version in ("abc", "", "7x", "7.0"):
        await (await t.opened(query=f"protocol={version}")).expect_refusal(4006)


@rule("WS-10")
async def unknown_key(t):
    await (await t.opened(key=t.name("nobodys-"))).expect_refusal(4001)


@rule("WS-11")
async def refusals_are_first_and_numbered(t):
    refused = [({"key": t.name("nobodys-")}, range(4000, 4100)), ({"query": "protocol=1"}, range(4000, 4100))]
    for options, codes in refused:
        client = await t.opened(**options)
        frame = await client.frame()
        same(frame.get("event"), "pusher:error", "the first frame's event")
        code = frame["data"].get("code")
        that(isinstance(code, int) and code in codes, f"the code {code!r} would not keep pusher-js away")
        await client.expect_close(code)


@rule("WS-12", needs="disabled")
async def disabled(t):
    await (await t.opened(t.fixture("disabled"))).expect_refusal(4003)


@rule("WS-13", needs="quota")
async def quota(t):
    app = t.fixture("quota")
    first = await t.client(app)
    await (await t.opened(app)).expect_refusal(4004)
    await first.subscribe(t.name("quota-"))
    await first.close()
    # When the server has noticed is its own affair; a client that is refused until then may come again.
    for _ in range(100):
        client = await t.opened(app)
        frame = await client.frame()
        if frame["event"] == "pusher:connection_established":
            return
        same(frame["data"]["code"], 4004, "the error's code")
        await client.expect_close(4004)
        await asyncio.sleep(0.05)
    that(False, "the place of one that left was never given to another")


@rule("WS-14", needs="tls_only")
async def plain_where_tls_is_demanded(t):
    await (await t.opened(t.fixture("tls_only"))).expect_refusal(4000)


@rule("WS-15", needs="tls_only")
async def tls(t):
    app = t.fixture("tls_only")
    client = await is_served(t, app.variant(port=app["tls_port"], tls=True))
    version = client.socket.writer.get_extra_info("ssl_object").version()
    that(version in ("TLSv1.2", "TLSv1.3"), f"the connection has {version}")


@rule("WS-16")
async def no_subprotocol(t):
    client = await t.client()
    that("sec-websocket-protocol" not in client.socket.headers, client.socket.headers.get("sec-websocket-protocol"))


@rule("WS-17")
async def no_origin(t):
    await is_served(t)
    if "origins" in t.fixtures:
        await is_served(t, t.fixture("origins"))


@rule("WS-18", needs="origins")
async def origins(t):
    app = t.fixture("origins")
    await is_served(t, app, headers=[("Origin", app["origin"])])
    await (await t.opened(app, headers=[("Origin", "https://elsewhere.example")])).expect_refusal(4009)


@rule("WS-19", needs="full")
async def full(t):
    app = t.fixture("full")
    first = await t.client(app)
    await (await t.opened(app)).expect_refusal(4100)
    await first.silence()


@rule("WS-20", needs="stoppable")
async def shutdown(t):
    clients = await t.clients_of(3, t.fixture("stoppable"))
    os.kill(int(t.fixture("stoppable")["pid"]), signal.SIGTERM)
    for client in clients:
        await client.expect_refusal(4200)

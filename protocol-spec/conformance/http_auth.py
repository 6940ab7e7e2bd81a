"""Signed requests: API-1 to API-11."""

import json
import time
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from conformance import signing
from conformance.api import call, exchange, get, post, query, signed
from conformance.registry import SPECIFICATION, rule, that

EVENT = {"name": "x", "channels": ["api"], "data": "{}"}


def vectors():
    return json.loads((SPECIFICATION / "vectors/request-signatures.json").read_text())["requests"]


def resigned(app, vector, raw, spoiled=False):
    """The vector's request for this app and time, in the spelling of `raw`; the signature is made anew."""
    old = vectors_app()
    path = vector["path"].replace(f"/apps/{old['id']}/", f"/apps/{app.id}/")
    raw = raw.replace(old["key"], app.key).replace("1700000000", str(int(time.time())))
    head, _, tail = raw.partition("auth_signature=")
    pairs = {}
    for name, value in parse_qsl(raw.replace("+", "%2B"), keep_blank_values=True):
        name = name.lower()
        base = name.partition("[")[0]
        pairs[base] = f"{pairs[base]},{value}" if base in pairs and base != name else value
    signature = signing.hexdigest(app.secret, signing.request_text(vector["method"], path, list(pairs.items())))
    if spoiled:
        signature = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    return path, head + "auth_signature=" + signature + tail[64:]


def vectors_app():
    return json.loads((SPECIFICATION / "vectors/request-signatures.json").read_text())["app"]


@rule("API-1")
async def vectors_are_accepted(t):
    for vector in vectors():
        body = (vector.get("body") or "").encode()
        for raw in vector["queries"]:
            for spoiled in (False, True):
                path, text = resigned(t.app, vector, raw, spoiled)
                answer = await exchange(t.app, vector["method"], f"{path}?{text}", body)
                if spoiled:
                    that(answer.status == 401, f"{vector['id']} with a wrong digit: {answer.status}")
                else:
                    that(answer.status != 401, f"{vector['id']}: 401 {answer.text}")


@rule("API-2")
async def clock(t):
    # By the server's own clock, which may have gone on by a second when it looks.
    answer = (await get(t.app, "/channels")).expect(200)
    now = int(parsedate_to_datetime(answer.headers["date"]).timestamp() if "date" in answer.headers else time.time())
    for timestamp in (now - 599, now + 599):
        (await get(t.app, "/channels", timestamp=timestamp)).expect(200)
    for timestamp in (now - 601, now + 602, 0, -1, 10**30, "now", ""):
        (await get(t.app, "/channels", timestamp=timestamp)).expect(401)


@rule("API-3")
async def body(t):
    path, sent = f"/apps/{t.app.id}/events", json.dumps(EVENT).encode()
    pairs = signed(t.app, "POST", path, sent)
    (await exchange(t.app, "POST", f"{path}?{query(pairs)}", sent.replace(b"api", b"apj"))).expect(401)
    (await post(t.app, "/events", EVENT, digest=False)).expect(401)
    (await post(t.app, "/events", EVENT)).expect(200)


@rule("API-4")
async def other_key(t):
    (await post(t.app, "/events", EVENT, key=t.name("k"), secret="0123456789abcdef")).expect(401)
    others = [app for app in t.fixtures.values() if app.key != t.app.key and app.port == t.app.port]
    for app in others[:1]:
        (await post(t.app, "/events", EVENT, key=app.key, secret=app.secret)).expect(401)


@rule("API-5")
async def order(t):
    path, sent = f"/apps/{t.app.id}/events", json.dumps(EVENT).encode()
    pairs = signed(t.app, "POST", path, sent)
    for arranged in (pairs[::-1], sorted(pairs), pairs[2:] + pairs[:2]):
        (await exchange(t.app, "POST", f"{path}?{query(arranged)}", sent)).expect(200)


@rule("API-6")
async def digest_of_nothing(t):
    nothing = [("body_md5", signing.body_md5(b""))]
    channel = t.name("presence-ops-")
    for path in ("/channels", f"/channels/{channel}", f"/channels/{channel}/users"):
        (await get(t.app, path, nothing)).expect(200)


@rule("API-7")
async def commas(t):
    channel = t.name("presence-room_1@a=b,c.d;e-")
    path = f"/apps/{t.app.id}/channels/{channel}"
    text = query(signed(t.app, "GET", path, b"", [("info", "user_count,subscription_count")]))
    for spelled in (text, text.replace("count,", "count%2C")):
        (await exchange(t.app, "GET", f"{path}?{spelled}")).expect(200)


@rule("API-8")
async def left_out(t):
    for name in ("auth_key", "auth_timestamp", "auth_version", "auth_signature"):
        (await post(t.app, "/events", EVENT, left_out=(name,))).expect(401)
    (await exchange(t.app, "GET", f"/apps/{t.app.id}/channels")).expect(401)


@rule("API-9")
async def unknown_app(t):
    (await call(t.app, "GET", f"//apps/{t.name('nobodys-')}/channels")).expect(404)


@rule("API-10", needs="disabled")
async def disabled(t):
    app = t.fixture("disabled")
    (await post(app, "/events", EVENT)).expect(403)
    (await get(app, "/channels")).expect(403)


@rule("API-11", needs="two_secrets")
async def two_secrets(t):
    app = t.fixture("two_secrets")
    for secret in (app.secret, app["next_secret"]):
        (await post(app, "/events", EVENT, secret=secret)).expect(200)
    (await post(app, "/events", EVENT, secret="0123456789abcdef")).expect(401)

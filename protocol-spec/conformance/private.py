"""Private and encrypted channels: WS-50 to WS-61."""

import base64
import json

from conformance.api import publish
from conformance.registry import SPECIFICATION, Skip, rule, same
from conformance.signing import shared_secret

OTHER_SECRET = "0123456789abcdef0123"


@rule("WS-50")
async def refusal(t):
    client = await t.client()
    channel = t.name("private-ops-")
    await client.ask(channel, auth=client.auth(channel, secret=OTHER_SECRET))
    await client.expect_refused(channel)


@rule("WS-51")
async def signature(t):
    client = await t.client()
    same(await client.subscribe(t.name("private-ops-")), {}, "the confirmation's data")
    channel = t.name("private-ops-")
    auth = client.auth(channel, '{"x":1}')
    await client.subscribe(channel, '{"x":1}', auth=auth)


@rule("WS-52")
async def other_secret(t):
    client = await t.client()
    channel, marker = t.name("private-ops-"), t.name("marker-")
    await client.ask(channel, auth=client.auth(channel, secret=OTHER_SECRET))
    await client.expect_refused(channel)
    await client.subscribe(marker)
    await publish(t.app, [channel, marker], "secret")
    await client.expect("secret", marker)
    await client.silence()


@rule("WS-53")
async def other_socket(t):
    client, other = await t.clients_of(2)
    channel = t.name("private-ops-")
    await client.ask(channel, auth=other.auth(channel))
    await client.expect_refused(channel)


@rule("WS-54")
async def other_channel(t):
    client = await t.client()
    channel = t.name("private-ops-")
    await client.ask(channel, auth=client.auth(channel + "x"))
    await client.expect_refused(channel)


@rule("WS-55")
async def malformed_auth(t):
    client = await t.client()
    channel = t.name("private-ops-")
    right = client.auth(channel)
    foreign = client.auth(channel, key="0123456789abcdef0123")
    for auth in ("", ":", right.replace(":", ""), foreign, ":" + right.split(":")[1], right + "0", right[:-1]):
        await client.ask(channel, auth=auth)
        await client.expect_refused(channel)
    await client.send("pusher:subscribe", {"channel": channel})
    await client.expect_refused(channel)


@rule("WS-56")
async def upper_case(t):
    client = await t.client()
    channel = t.name("private-ops-")
    key, signature = client.auth(channel).split(":")
    await client.ask(channel, auth=f"{key}:{signature.upper()}")
    await client.expect_refused(channel)


@rule("WS-57")
async def after_a_refusal(t):
    client = await t.client()
    channel = t.name("private-ops-")
    await client.ask(channel, auth=client.auth(channel, secret=OTHER_SECRET))
    await client.expect_refused(channel)
    await client.subscribe(channel)
    await publish(t.app, channel, "now")
    await client.expect("now", channel)


@rule("WS-58")
async def encrypted(t):
    client = await t.client()
    channel = t.name("private-encrypted-ops-")
    await client.ask(channel, auth="")
    await client.expect_refused(channel)
    same(await client.subscribe(channel), {}, "the confirmation's data")


async def decrypts(t, client, channel, name):
    """A payload made for the channel arrives as it was made, and its text comes out."""
    try:
        from nacl.secret import SecretBox
    except ImportError:
        raise Skip("the package pynacl") from None
    vector = json.loads((SPECIFICATION / "vectors/encryption.json").read_text())["payloads"][0]
    box = SecretBox(shared_secret(channel, vector["master_key"]))
    sealed = box.encrypt(vector["plain_text"].encode(), base64.b64decode(vector["nonce"]))
    payload = json.dumps({
        "nonce": vector["nonce"], "ciphertext": base64.b64encode(sealed.ciphertext).decode()}, separators=(",", ":"))
    await publish(t.app, channel, name, payload)
    frame = await client.expect(name, channel)
    same(frame.get("data"), payload, "data")
    arrived = json.loads(frame["data"])
    text = box.decrypt(base64.b64decode(arrived["ciphertext"]), base64.b64decode(arrived["nonce"]))
    same(text.decode(), vector["plain_text"], "the decrypted text")


@rule("WS-59")
async def payload(t):
    client = await t.client()
    channel = t.name("private-encrypted-ops-")
    await client.subscribe(channel)
    await decrypts(t, client, channel, "sealed")
    for odd in ('{"nonce":"a\\/b","ciphertext":"c=="}', '{ "ciphertext" : "" , "nonce" : "" }'):
        await publish(t.app, channel, "odd", odd)
        same((await client.expect("odd", channel)).get("data"), odd, "data")


@rule("WS-60")
async def guarded_caches(t):
    client = await t.client()
    for prefix in ("private-cache-", "private-encrypted-cache-", "presence-cache-"):
        channel = t.name(prefix)
        data = '{"user_id":"u-17"}' if prefix.startswith("presence") else None
        await client.ask(channel, data, auth=client.auth(channel, data, secret=OTHER_SECRET))
        await client.expect_refused(channel)


@rule("WS-61", needs="two_secrets")
async def two_secrets(t):
    app = t.fixture("two_secrets")
    client = await t.client(app)
    for secret in (app.secret, app["next_secret"]):
        channel = t.name("private-ops-")
        await client.subscribe(channel, auth=client.auth(channel, secret=secret))
    channel = t.name("private-ops-")
    await client.ask(channel, auth=client.auth(channel, secret=OTHER_SECRET))
    await client.expect_refused(channel)

"""pusher-http-python (PyPI's `pusher`): what `Tests/EndToEnd` does not do with it; run by sdk.cjs."""

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request

import pusher

sdk = pusher.Pusher(
    os.environ["PUSHER_APP_ID"], os.environ["PUSHER_APP_KEY"], os.environ["PUSHER_APP_SECRET"], ssl=False,
    host=os.environ["BROKER_HOST"], port=int(os.environ["BROKER_PORT"]),
    encryption_master_key_base64=os.environ["ENCRYPTION_KEY"])


def call(name, /, **argument):
    try:
        url = f"{os.environ['LISTENER']}/control/{name}"
        with urllib.request.urlopen(url, json.dumps(argument).encode()) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from None


def check(name):
    def run(body):
        try:
            body()
            call("report", name=name, outcome="ok")
        except Exception as error:
            detail = f"{type(error).__name__}: {error}".replace("\n", " ")[:250]
            call("report", name=name, outcome="FAIL", detail=detail)
    return run


ada, bob = call("connect"), call("connect")
KEY = os.environ["PUSHER_APP_KEY"]
SUCCESS = "pusher_internal:subscription_succeeded"


@check("P141 P121 channels_info when there are none")
def _():
    assert sdk.channels_info() == {"channels": {}}


@check("authenticate: private, encrypted and presence are accepted")
def _():
    for client, user in ((ada, "ada"), (bob, "bob")):
        for channel in ("private-ops", "private-encrypted-x", "presence-room"):
            member = {"user_id": user, "user_info": {"name": user}} if channel.startswith("presence-") else None
            auth = sdk.authenticate(channel, client["socket_id"], member)
            auth.pop("shared_secret", None)
            assert call("subscribe", client=client["client"], channel=channel, **auth)["event"] == SUCCESS


@check("P59 an encrypted event travels as it was made")
def _():
    sdk.trigger("private-encrypted-x", "secret", {"a": 1})
    assert set(json.loads(call("next", client=bob["client"], event="secret")["data"])) == {"nonce", "ciphertext"}


@check("P121 channel_info and users_info")
def _():
    assert sdk.channel_info("presence-room", ["user_count", "subscription_count"]) == {
        "occupied": True, "user_count": 2, "subscription_count": 2}
    assert sorted(user["id"] for user in sdk.users_info("presence-room")["users"]) == ["ada", "bob"]


@check("authenticate_user is accepted; send_to_user arrives")
def _():
    auth = sdk.authenticate_user(ada["socket_id"], {"id": "u-17", "user_info": {"name": "Ada"}})
    assert call("signin", client=ada["client"], **auth)["event"] == "pusher:signin_success"
    sdk.send_to_user("u-17", "note", {"hello": "wörld"})
    assert json.loads(call("next", client=ada["client"], event="note")["data"]) == {"hello": "wörld"}


@check("P103 terminate_user_connections, by this SDK's path without /apps/{id}")
def _():
    sdk.terminate_user_connections("u-17")
    assert call("next", client=ada["client"], event="close")["close"] == 4009


@check("P150 validate_webhook: a fresh body is valid, a changed or an old one is not")
def _():
    for body, signature in json.loads(os.environ["HOOK_VECTORS"]):
        assert sdk.validate_webhook(KEY, signature, body) is None, "from 2023"
    body = json.dumps({"time_ms": int(time.time() * 1000), "events": []})
    signature = hmac.new(os.environ["PUSHER_APP_SECRET"].encode(), body.encode(), hashlib.sha256).hexdigest()
    assert sdk.validate_webhook(KEY, signature, body) == json.loads(body)
    assert sdk.validate_webhook(KEY, signature, body + " ") is None


@check("P150 validate_webhook: one of the broker is valid")
def _():
    hook = call("hook", name="channel_occupied")
    headers = hook["headers"]
    assert sdk.validate_webhook(headers["x-pusher-key"], headers["x-pusher-signature"], hook["body"])

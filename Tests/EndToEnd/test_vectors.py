"""The vectors of `protocol-spec`, computed by implementations other than the server's."""

import base64
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import nacl.secret
import pytest
from conformance import signing

FOLDER = Path(__file__).parents[2] / "protocol-spec/vectors"


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def rows(name, member):
    return [pytest.param(row, id=row["id"]) for row in load(name)[member]]


@pytest.mark.parametrize("vector", rows("channel-signatures", "channels"))
def test_channel_signatures(vector):
    file = load("channel-signatures")
    text = signing.channel_text(file["socket_id"], vector["channel"], vector["channel_data"])
    assert text == vector["string_to_sign"]
    assert f"{file['app']['key']}:{signing.hexdigest(file['app']['secret'], text)}" == vector["auth"]


def test_user_signature():
    file = load("channel-signatures")
    text = signing.user_text(file["socket_id"], file["user"]["user_data"])
    assert text == file["user"]["string_to_sign"]
    assert f"{file['app']['key']}:{signing.hexdigest(file['app']['secret'], text)}" == file["user"]["auth"]


@pytest.mark.parametrize("vector", rows("request-signatures", "requests"))
def test_request_signatures(vector):
    app = load("request-signatures")["app"]
    for query in vector["queries"]:
        pairs = {}
        for name, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=True):
            base, bracket, _ = name.lower().partition("[")
            # The elements of a list are signed as one value.
            pairs[base] = f"{pairs[base]},{value}" if bracket and base in pairs else value
        text = signing.request_text(vector["method"], vector["path"], list(pairs.items()))
        assert signing.hexdigest(app["secret"], text) == pairs["auth_signature"]
        if "body_md5" in pairs:
            assert hashlib.md5((vector.get("body") or "").encode()).hexdigest() == pairs["body_md5"]


@pytest.mark.parametrize("example", rows("documentation-examples", "examples"))
def test_examples_of_the_official_documentation(example):
    if "channel" in example:
        text = signing.channel_text(example["socket_id"], example["channel"], example["channel_data"])
    elif "user_data" in example:
        text = signing.user_text(example["socket_id"], example["user_data"])
    else:
        assert hashlib.md5(example["body"].encode()).hexdigest() == example["body_md5"]
        text = signing.request_text(example["method"], example["path"], parse_qsl(example["query"]))
    assert text == example["string_to_sign"]
    assert signing.hexdigest(load("documentation-examples")["secret"], text) == example["signature"]


@pytest.mark.parametrize("vector", rows("encryption", "payloads"))
def test_encryption(vector):
    key = signing.shared_secret(vector["channel"], vector["master_key"])
    assert key.hex() == vector["shared_secret_hex"]
    assert base64.b64encode(key).decode() == vector["shared_secret"]
    box = nacl.secret.SecretBox(key)
    nonce = base64.b64decode(vector["nonce"])
    sealed = box.encrypt(vector["plain_text"].encode(), nonce).ciphertext
    assert base64.b64encode(sealed).decode() == vector["ciphertext"]
    assert json.loads(vector["data"]) == {"nonce": vector["nonce"], "ciphertext": vector["ciphertext"]}


@pytest.mark.parametrize("vector", rows("webhooks", "requests"))
def test_webhooks(vector):
    body = vector["body"]
    assert signing.hexdigest(load("webhooks")["app"]["secret"], body) == vector["signature"]
    assert json.loads(body)["time_ms"] == vector["time_ms"]
    assert len(json.loads(body)["events"]) == len(vector["events"])


def test_frames_have_the_form_of_their_event():
    forms = {form["event"]: form for form in load("frame-forms")["server"]}
    for vector in load("server-frames")["frames"]:
        frame = json.loads(vector["bytes"])
        # What is published under any name has the form of what is published under one.
        form = forms.get(frame["event"], forms["order.shipped"])
        kind = {str: "string", dict: "object"}[type(frame["data"])] if "data" in frame else "none"
        assert kind in form["data"] and ("channel" in frame) == form["has_channel"], vector["bytes"]


def test_channel_names():
    names = load("channel-names")
    user = "#server-to-user-"
    legal = re.compile(rf"({user})?[-a-zA-Z0-9_=@,.;]+\Z")

    def is_name(text):
        # A user's id may have 200 characters, as with the SDKs.
        limit = len(user) + 200 if text.startswith(user) else names["limit"]
        return bool(legal.match(text)) and len(text) <= limit

    assert [vector["name"] for vector in names["accepted"] if not is_name(vector["name"])] == []
    assert [name for name in names["refused"] if is_name(name)] == []

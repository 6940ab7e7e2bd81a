"""Signatures, made apart from the server's own code so that one checks the other."""

import base64
import hashlib
import hmac


def hexdigest(secret, text):
    data = text if isinstance(text, bytes) else text.encode()
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def channel_text(socket_id, channel, channel_data=None):
    return f"{socket_id}:{channel}" if channel_data is None else f"{socket_id}:{channel}:{channel_data}"


def user_text(socket_id, user_data):
    return f"{socket_id}::user::{user_data}"


def request_text(method, path, parameters):
    """The text of an HTTP request; `parameters` are pairs of a name and a decoded value."""
    signed = sorted((name.lower(), value) for name, value in parameters if name.lower() != "auth_signature")
    return "\n".join((method, path, "&".join(f"{name}={value}" for name, value in signed)))


def body_md5(body):
    return hashlib.md5(body).hexdigest()


def shared_secret(channel, master_key):
    """The key of an encrypted channel's payloads, 32 bytes."""
    return hashlib.sha256(channel.encode() + base64.b64decode(master_key)).digest()

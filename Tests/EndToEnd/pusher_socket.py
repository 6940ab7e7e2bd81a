"""A bare Pusher client: every frame is seen as it came."""

import hashlib
import hmac
import json
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from secrecy import SECRETS

DEADLINE = 30.0


def channel_signature(key, secret, socket_id, channel, channel_data=None):
    text = f"{socket_id}:{channel}" + (f":{channel_data}" if channel_data is not None else "")
    return f"{key}:{hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"


class PusherSocket:
    def __init__(self, port, key, secret=None, protocol=7, scheme="ws", host="127.0.0.1", **options):
        self.key, self.secret = key, secret
        url = f"{scheme}://{host}:{port}/app/{key}?protocol={protocol}&client=js&version=8.6.0&flash=false"
        # Frames that no test reads must not keep the close frame from being read.
        self.ws = connect(
            url, open_timeout=DEADLINE, close_timeout=5, compression=None, proxy=None, legacy=True, max_queue=None,
            **options)
        self.first = self.frame()
        self.socket_id = None
        if self.first["event"] == "pusher:connection_established":
            self.socket_id = json.loads(self.first["data"])["socket_id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ws.close()

    def send(self, event, data=None, **members):
        if isinstance(data, dict):
            SECRETS.keep_from_logs(str(data.get("auth")).rpartition(":")[2], str(data.get("channel_data")))
        self.ws.send(json.dumps({"event": event, "data": {} if data is None else data} | members))

    def frame(self, deadline=DEADLINE):
        """The next frame, decoded; the broker's pings are answered on the way."""
        end = time.monotonic() + deadline
        while True:
            frame = json.loads(self.ws.recv(timeout=max(0.0, end - time.monotonic())))
            if frame.get("event") != "pusher:ping":
                return frame
            self.send("pusher:pong")

    def expect(self, event, channel=None, deadline=DEADLINE):
        """The next frame, which must be this event."""
        frame = self.frame(deadline)
        assert frame["event"] == event and frame.get("channel") == channel, frame
        return frame

    def subscribe(self, channel, auth=None, channel_data=None):
        """Subscribes, with a signature of our own when none is given, and gives back the decoded confirmation."""
        data = {"channel": channel}
        if auth is None and channel.startswith(("private-", "presence-")):
            auth = channel_signature(self.key, self.secret, self.socket_id, channel, channel_data)
        if auth is not None:
            data["auth"] = auth
        if channel_data is not None:
            data["channel_data"] = channel_data
        self.send("pusher:subscribe", data)
        return json.loads(self.expect("pusher_internal:subscription_succeeded", channel)["data"])

    def close_code(self, deadline=DEADLINE):
        """Reads to the end and gives back the close code and the frames before it."""
        frames = []
        end = time.monotonic() + deadline
        try:
            while True:
                frames.append(json.loads(self.ws.recv(timeout=max(0.0, end - time.monotonic()))))
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else None), frames

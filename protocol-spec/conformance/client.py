"""A Pusher client that sees every frame as it came."""

import asyncio
import json

from conformance.registry import Failure, same, that
from conformance.signing import channel_text, hexdigest, user_text
from conformance.websocket import Closed, WebSocket

CONFIRMED = "pusher_internal:subscription_succeeded"
GUARDED = ("private-", "presence-")
DEADLINE = 15.0
"""Seconds within which a server has to do what a rule says."""


class Client:
    def __init__(self, app, socket):
        self.app, self.socket = app, socket
        self.socket_id = None
        self.hello = None
        self.answers_pings = True

    # Connecting

    @classmethod
    async def open(cls, app, *, query="protocol=7&client=js&version=8.6.0&flash=false", key=None, headers=()):
        """A client whose upgrade succeeded; nothing has been read from it."""
        path = f"{app.prefix}/app/{app.key if key is None else key}" + (f"?{query}" if query else "")
        async with asyncio.timeout(DEADLINE):
            socket = await WebSocket.connect(
                app.host, app.port, path, tls=app.tls, headers=headers)
        same(socket.status, 101, "the status of the upgrade")
        return cls(app, socket)

    @classmethod
    async def connect(cls, app, **options):
        """A client that was told its socket id."""
        client = await cls.open(app, **options)
        frame = await client.frame()
        same(frame.get("event"), "pusher:connection_established", "the first frame's event")
        client.hello = frame
        client.socket_id = json.loads(frame["data"])["socket_id"]
        return client

    async def close(self):
        await self.socket.close()

    # Frames

    async def send(self, event, data=None, **members):
        frame = {"event": event} | ({} if data is None else {"data": data}) | members
        await self.socket.send(json.dumps(frame))

    async def frame(self, deadline=DEADLINE):
        """The next frame; the server's pings are answered on the way unless `answers_pings` is off."""
        try:
            async with asyncio.timeout(deadline):
                while True:
                    text = await self.socket.receive()
                    if text is None:
                        continue
                    frame = json.loads(text)
                    if frame.get("event") == "pusher:ping" and self.answers_pings:
                        await self.send("pusher:pong", {})
                        continue
                    return frame
        except TimeoutError:
            raise Failure(f"nothing came within {deadline:g} s") from None
        except Closed as closed:
            raise Failure(str(closed)) from None

    async def expect(self, event, channel=None, deadline=DEADLINE):
        """The next frame, which must be this event."""
        frame = await self.frame(deadline)
        that(frame.get("event") == event and frame.get("channel") == channel, f"{brief(frame)} instead of {event}")
        return frame

    async def expect_error(self, code=None, deadline=DEADLINE):
        """The next frame, which must be a `pusher:error` with this code; its message."""
        data = (await self.expect("pusher:error", deadline=deadline))["data"]
        that(isinstance(data, dict), f"the error's data is {data!r}, not an object")
        same(data.get("code"), code, "the error's code")
        message = data.get("message")
        that(isinstance(message, str) and message, f"the error's message is {message!r}")
        return message

    async def expect_close(self, code, deadline=DEADLINE):
        """The end of the connection, with this code; whatever comes before is passed over. The reason."""
        try:
            async with asyncio.timeout(deadline):
                while True:
                    await self.socket.receive()
        except TimeoutError:
            raise Failure(f"not closed within {deadline:g} s") from None
        except Closed as closed:
            same(closed.code, code, "the close code")
            return closed.reason

    async def expect_refusal(self, code, deadline=DEADLINE):
        """An error and then a close with the same code: how a connection is refused or ended."""
        await self.expect_error(code, deadline)
        that(await self.expect_close(code, deadline), "the close has no reason")

    async def silence(self):
        """What this connection sent has been dealt with, and nothing has come but the answer to a ping."""
        await self.send("pusher:ping", {})
        frame = await self.frame()
        that(frame["event"] == "pusher:pong", f"{brief(frame)} came")

    async def settled(self):
        """What this connection sent has been dealt with; the frames that came meanwhile."""
        await self.send("pusher:ping", {})
        frames = []
        while (frame := await self.frame())["event"] != "pusher:pong":
            frames.append(frame)
        return frames

    # Channels and users

    def auth(self, channel, channel_data=None, secret=None, socket_id=None, key=None):
        text = channel_text(socket_id or self.socket_id, channel, channel_data)
        return f"{key or self.app.key}:{hexdigest(secret or self.app.secret, text)}"

    async def ask(self, channel, channel_data=None, **members):
        """Sends a subscription, signed if the channel wants it and no `auth` is given."""
        data = {"channel": channel} | members
        if "auth" not in members and channel.startswith(GUARDED):
            data["auth"] = self.auth(channel, channel_data)
        if channel_data is not None:
            data["channel_data"] = channel_data
        await self.send("pusher:subscribe", data)

    async def subscribe(self, channel, channel_data=None, **members):
        """Subscribes, and gives back the confirmation's decoded data."""
        await self.ask(channel, channel_data, **members)
        frame = await self.expect(CONFIRMED, channel)
        that(isinstance(frame.get("data"), str), f"the confirmation's data is {frame.get('data')!r}, not a string")
        return json.loads(frame["data"])

    async def join(self, channel, user_id, user_info=None):
        """Joins a presence channel, and gives back what it was told of its members."""
        member = {"user_id": user_id} | ({} if user_info is None else {"user_info": user_info})
        return (await self.subscribe(channel, json.dumps(member)))["presence"]

    async def leave(self, channel):
        await self.send("pusher:unsubscribe", {"channel": channel})

    async def expect_refused(self, channel, kind="AuthError", status=401):
        """A subscription that was sent is refused, on the connection and on the channel; the connection stays."""
        frames = await self.settled()
        errors = [frame for frame in frames if frame["event"] == "pusher:error"]
        told = [frame for frame in frames if frame["event"] == "pusher:subscription_error"]
        that(len(frames) == 2 and len(errors) == 1 and len(told) == 1, f"the refusal is {brief(frames)}")
        same(errors[0]["data"].get("code"), None, "the error's code")
        same(told[0].get("channel"), channel, "the subscription error's channel")
        data = told[0].get("data")
        that(isinstance(data, dict), f"the subscription error's data is {data!r}")
        same((data.get("type"), data.get("status")), (kind, status), "the subscription error's type and status")
        that(data.get("error"), "the subscription error has no text")

    def sign_in_data(self, user_data, secret=None):
        text = user_data if isinstance(user_data, str) else json.dumps(user_data)
        signature = hexdigest(secret or self.app.secret, user_text(self.socket_id, text))
        return {"auth": f"{self.app.key}:{signature}", "user_data": text}

    async def sign_in(self, user_id, **members):
        """Signs in, and gives back the success."""
        await self.send("pusher:signin", self.sign_in_data({"id": user_id} | members))
        return await self.expect("pusher:signin_success")


def brief(frames):
    text = json.dumps(frames, ensure_ascii=False)
    return text if len(text) < 300 else text[:300] + "…"

"""A Pusher-compatible server that does wrong on purpose, and says how often it did."""

import asyncio
import base64
import hashlib
import json
import threading


class FaultyServer:
    """Serves on a free port of the loopback interface. `fault` is what it does wrong, with the first subscriber, to every
    tenth event; `done` counts how often."""

    def __init__(self, fault=None):
        self.fault = fault
        self.done = 0
        self.events = 0
        self._subscribers = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _accept(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                if "Upgrade" in fields:
                    await self._client(fields["Sec-WebSocket-Key"], reader, writer)
                    return
                body = await reader.readexactly(int(fields.get("Content-Length", 0)))
                status = self._request(head.split(" ")[1].split("?")[0], body)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _client(self, key, reader, writer):
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        writer.write(
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        self._send(writer, "pusher:connection_established", data=json.dumps({"socket_id": "1.2", "activity_timeout": 120}))
        while True:
            first, length = await reader.readexactly(2)
            if first != 0x81:
                return
            length &= 127
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2))
            mask = await reader.readexactly(4)
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(length)))
            message = json.loads(payload)
            if message["event"] == "pusher:subscribe":
                channel = message["data"]["channel"]
                self._subscribers.setdefault(channel, []).append(writer)
                self._send(writer, "pusher_internal:subscription_succeeded", channel=channel, data="{}")

    def _request(self, path, body):
        if path.endswith("/channels"):
            return 200
        events = json.loads(body)
        events = events.get("batch", [events])
        self.events += len(events)
        is_tenth = self.events // len(events) % 10 == 0
        if is_tenth and self.fault == "refuse":
            self.done += len(events)
            return 429
        for event in events:
            event["channels"] = event.get("channels") or [event["channel"]]
        for channel in events[0]["channels"]:
            for index, writer in enumerate(list(self._subscribers.get(channel, []))):
                self._deliver(writer, channel, events, self.fault if is_tenth and index == 0 else None)
        return 200

    def _deliver(self, writer, channel, events, fault):
        if fault:
            self.done += 1
        if fault == "drop":
            return
        if fault == "close":
            writer.close()
            self._subscribers[channel].remove(writer)
            return
        ordered = events[::-1] if fault == "reorder" else events
        for event in ordered * (2 if fault == "duplicate" else 1):
            data = event["data"].replace("x", "y") if fault == "malform" else event["data"]
            self._send(writer, event["name"], channel=channel, data=data)

    @staticmethod
    def _send(writer, event, **members):
        payload = json.dumps({"event": event} | members).encode()
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
        writer.write(b"\x81" + length + payload)

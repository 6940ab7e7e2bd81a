"""A WebSocket client that hides nothing: the upgrade's answer, each frame, the close's code and reason."""

import asyncio
import base64
import hashlib
import os
import secrets
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The connection is over: with the code of the server's close frame, or None without one."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason!r}" if code else "the connection ended without a close frame")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, reader, writer, status, headers):
        self.reader, self.writer, self.status, self.headers = reader, writer, status, headers
        self.pongs = []

    @classmethod
    async def connect(cls, host, port, path, *, tls=None, headers=()):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
        key = base64.b64encode(os.urandom(16))
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key.decode()}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answered = {}
        for line in head[1:]:
            if line:
                name, _, value = line.partition(":")
                answered[name.strip().lower()] = value.strip()
        status = int(head[0].split()[1])
        if status == 101:
            wanted = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
            if answered.get("sec-websocket-accept") != wanted:
                raise ConnectionError("Sec-WebSocket-Accept is wrong")
        return cls(reader, writer, status, answered)

    def send_frame(self, opcode, payload=b""):
        mask = secrets.token_bytes(4)
        count = len(payload)
        if count < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | count)
        elif count < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, count)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, count)
        stream = (mask * (count // 4 + 1))[:count]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(count, "big")
        self.writer.write(head + mask + masked)

    async def send(self, text):
        self.send_frame(1, text.encode())
        try:
            await self.writer.drain()
        except ConnectionError:
            pass  # The reader tells how the connection ended.

    async def receive(self):
        """The next text; pings of the WebSocket layer are answered, pongs kept."""
        whole = b""
        while True:
            try:
                first, second = await self.reader.readexactly(2)
                count = second & 0x7F
                if count == 126:
                    (count,) = struct.unpack("!H", await self.reader.readexactly(2))
                elif count == 127:
                    (count,) = struct.unpack("!Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(count)
            except (asyncio.IncompleteReadError, ConnectionError):
                raise Closed(None) from None
            opcode = first & 0x0F
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if payload else None
                self.send_frame(8, payload[:2])
                raise Closed(code, payload[2:].decode())
            if opcode == 9:
                self.send_frame(10, payload)
            elif opcode == 10:
                self.pongs.append(payload)
                return None
            else:
                whole += payload
                if first & 0x80:
                    return whole.decode()

    async def close(self):
        """Says goodbye; the server's answer is not waited for."""
        if not self.writer.is_closing():
            self.send_frame(8, struct.pack("!H", 1000))
            self.writer.close()

    def cut(self):
        """Ends the connection without a word."""
        self.writer.transport.abort()

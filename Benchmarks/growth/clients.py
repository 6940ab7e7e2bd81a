"""Many bare Pusher clients on one epoll, and one publisher. Loopback only."""

import base64
import hashlib
import hmac
import json
import select
import socket
import time

from server import APP, DEADLINE, KEY, SECRET

UPGRADE = (f"GET /app/{KEY}?protocol=7&client=growth&version=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
           f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           f"Sec-WebSocket-Key: {base64.b64encode(b'0123456789abcdef').decode()}\r\n\r\n").encode()


def sign(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def frame(message: dict) -> bytes:
    """One masked text frame; the mask is zero, which the server unmasks like any other."""
    payload = json.dumps(message, separators=(",", ":")).encode()
    length = len(payload)
    head = bytes([0x81, 0x80 | length]) if length < 126 else bytes([0x81, 0xFE]) + length.to_bytes(2, "big")
    return head + bytes(4) + payload


class Client:
    def __init__(self, port: int, number: int):
        # From several addresses: the kernel takes long to find a free port when most of one address's are taken.
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.0.{2 + number % 8}", 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket_id = None
        self.pending = b""
        self.is_upgraded = False

    def read(self) -> int:
        """Takes what has come; returns how many whole frames that were."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise SystemExit("growth: the server has closed a connection")
        data = self.pending + data
        start = 0
        if not self.is_upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.pending = data
                return 0
            if not data.startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"growth: no upgrade: {data[:200]!r}")
            self.is_upgraded = True
            start = end + 4
        frames = 0
        while len(data) - start >= 2:
            length, head = data[start + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[start + 2:start + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(data[start + 2:start + 10], "big"), 10
            end = start + head + length
            if len(data) < max(end, start + head):
                break
            if self.socket_id is None:
                self.socket_id = json.loads(json.loads(data[start + head:end])["data"])["socket_id"]
            elif b'"pusher:error"' in data[start + head:start + head + 64]:
                raise SystemExit(f"growth: {data[start + head:end]!r}")
            frames += 1
            start = end
        self.pending = data[start:]
        return frames


class Swarm:
    """Clients, and how many frames all of them have received."""

    def __init__(self, port: int):
        self._port = port
        self._epoll = select.epoll()
        self._clients = {}

    def __len__(self):
        return len(self._clients)

    def connect(self, count: int) -> list[Client]:
        made = []
        while len(made) < count:
            # Not more at once than wait to be accepted.
            wave = [Client(self._port, index) for index in range(min(500, count - len(made)))]
            for client in wave:
                self._clients[client.socket.fileno()] = client
                self._epoll.register(client.socket, select.EPOLLIN)
                client.socket.sendall(UPGRADE)
            self.receive(len(wave))
            made += wave
        return made

    def subscribe(self, pairs, confirmations: int | None = None) -> None:
        """Subscribes clients to channels, `(client, channel)` or `(client, channel, channel_data)`."""
        pairs = list(pairs)
        for wave in (pairs[start:start + 500] for start in range(0, len(pairs), 500)):
            for client, channel, *data in wave:
                message = {"channel": channel}
                if data:
                    text = f"{client.socket_id}:{channel}:{data[0]}"
                    message |= {"channel_data": data[0], "auth": f"{KEY}:{sign(text)}"}
                client.socket.sendall(frame({"event": "pusher:subscribe", "data": message}))
            if confirmations is None:
                self.receive(len(wave))
        if confirmations is not None:
            self.receive(confirmations)

    def unsubscribe(self, pairs, news: int = 0) -> None:
        """Ends subscriptions, of which so many are told. A ping behind them is answered when they have ended."""
        pairs = list(pairs)
        for client, channel in pairs:
            client.socket.sendall(frame({"event": "pusher:unsubscribe", "data": {"channel": channel}}))
        clients = {id(client): client for client, _ in pairs}.values()
        for client in clients:
            client.socket.sendall(frame({"event": "pusher:ping", "data": {}}))
        self.receive(len(clients) + news)

    def receive(self, frames: int) -> None:
        """Reads until so many frames have come to anybody."""
        end = time.monotonic() + DEADLINE
        while frames > 0:
            for descriptor, _ in self._epoll.poll(1.0, 1024):
                frames -= self._clients[descriptor].read()
            if time.monotonic() > end:
                raise SystemExit(f"growth: {frames} frames never came")
        if frames < 0:
            raise SystemExit(f"growth: {-frames} frames too many came")

    def close(self, clients) -> None:
        for client in clients:
            del self._clients[client.socket.fileno()]
            client.socket.close()

    def close_all(self) -> None:
        self.close(list(self._clients.values()))


class Publisher:
    """One keep-alive connection to the HTTP API."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def request(self, method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
        path = f"/apps/{APP}{path}"
        parameters = [f"auth_key={KEY}", f"auth_timestamp={int(time.time())}", "auth_version=1.0"]
        parameters += [f"body_md5={hashlib.md5(body).hexdigest()}"] if body else []
        parameters = "&".join(sorted(parameters + ([query] if query else [])))
        signature = sign(f"{method}\n{path}\n{parameters}")
        head = f"{method} {path}?{parameters}&auth_signature={signature} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        head, _, content = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"growth: {method} {path}: {answer[:300]!r}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        parts = [content]
        missing = length - len(content)
        while missing > 0:
            parts.append(self._received())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _received(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise SystemExit("growth: the server has closed the publisher's connection")
        return data

    def publish(self, channel: str) -> None:
        body = json.dumps({"name": "tick", "channel": channel, "data": "x" * 64}).encode()
        self.request("POST", "/events", body)

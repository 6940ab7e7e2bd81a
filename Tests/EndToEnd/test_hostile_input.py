"""Whatever is sent, the server neither ends nor stalls: a neighbour keeps receiving."""

import json
import os
import random
import select
import socket
import struct
import time

import pusher
import pytest
import requests

from pusher_socket import PusherSocket
from switchboard import wait_until

SEED = 20261122
# The neighbour must hear within this time while the hostile sockets are still open.
PROMPT = 5.0


class Neighbour:
    """A well-behaved subscriber, and a publisher for it."""

    def __init__(self, server):
        self.sdk = pusher.Pusher(
            app_id=server.app_id, key=server.key, secret=server.secret, ssl=False, host="127.0.0.1",
            port=server.broker)
        self.socket = PusherSocket(server.broker, server.key, server.secret)
        self.socket.subscribe("private-neighbours")
        self.server = server
        self.count = 0

    def is_well(self):
        self.count += 1
        self.sdk.trigger("private-neighbours", "still.here", {"n": self.count})
        frame = self.socket.expect("still.here", "private-neighbours", PROMPT)
        assert json.loads(frame["data"]) == {"n": self.count}
        up = requests.get(f"http://127.0.0.1:{self.server.tickets}/up", timeout=PROMPT)
        assert up.status_code == 200
        assert self.server.alive


@pytest.fixture
def neighbour(switchboard):
    neighbour = Neighbour(switchboard)
    yield neighbour
    neighbour.is_well()
    neighbour.socket.close()


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def send_and_read(port, data, half_close=True):
    """Everything the server answers to these bytes until it closes, which it may do before it has read them all."""
    answer = b""
    end = time.monotonic() + 30
    with connect(port) as client:
        client.setblocking(False)
        while time.monotonic() < end:
            readable, writable, _ = select.select([client], [client] if data else [], [], 1)
            try:
                if writable:
                    data = data[client.send(data[:65536]):]
                    if not data and half_close:
                        client.shutdown(socket.SHUT_WR)
                if readable:
                    chunk = client.recv(65536)
                    if not chunk:
                        return answer
                    answer += chunk
            except (BrokenPipeError, ConnectionResetError):
                return answer
    raise AssertionError(f"the connection stayed open; the answer was {answer[:200]}")


def statuses(answer):
    return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize("part", ["broker", "tickets"])
def test_random_bytes(switchboard, neighbour, part):
    dice = random.Random(SEED)
    port = getattr(switchboard, part)
    starts = [
        b"", b"GET / HTTP/1.1\r\n", b"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
        b"GET /app/" + switchboard.key.encode() + b" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n", b"\x16\x03\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    for number in range(200):
        send_and_read(port, dice.choice(starts) + dice.randbytes(dice.randrange(1, 3000)))
        if number % 50 == 0:
            neighbour.is_well()


@pytest.mark.parametrize("part", ["broker", "tickets"])
def test_a_request_cut_off_at_every_byte(switchboard, neighbour, part):
    port = getattr(switchboard, part)
    request = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"email\": \"a@b\"}}"
    for length in range(1, len(request)):
        assert not [code for code in statuses(send_and_read(port, request[:length])) if code >= 500]


HOSTILE = {
    "length and chunks": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a negative length": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length with a sign": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
    "a huge length": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
    "a folded line": b"GET /up HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "a space before the colon": b"GET /up HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    "a bare CR": b"GET /up HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "a NUL": b"GET /up HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "a chunk size of no number": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk size that overflows": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "a chunk longer than it says": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "an unknown coding": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a space in the target": b"GET /up HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /up\r\n\r\n",
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_an_ambiguous_request_is_refused_by_the_broker(switchboard, neighbour, name):
    smuggled = b"GET /up HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    answer = send_and_read(switchboard.broker, HOSTILE[name] + smuggled)
    codes = statuses(answer)
    # One refusal and the end of the connection: what stands behind it is never taken for a request.
    assert len(codes) <= 1 and all(400 <= code < 600 and code != 500 for code in codes), answer
    send_and_read(switchboard.tickets, HOSTILE[name] + smuggled)


@pytest.mark.parametrize("part", ["broker", "tickets"])
def test_a_head_without_end(switchboard, neighbour, part):
    port = getattr(switchboard, part)
    answer = send_and_read(port, b"GET /up HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * (1 << 22), half_close=False)
    assert all(400 <= code < 500 for code in statuses(answer)), answer[:200]
    answer = send_and_read(port, b"GET /up HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200_000, half_close=False)
    assert all(400 <= code < 500 for code in statuses(answer)), answer[:200]
    send_and_read(port, b"G" * (1 << 22), half_close=False)


@pytest.mark.parametrize("part, statuses_allowed", [("broker", (401, 413)), ("tickets", (413,))])
def test_a_body_that_is_announced_too_large_is_refused_at_once(switchboard, neighbour, part, statuses_allowed):
    path = {"broker": f"/apps/{switchboard.app_id}/events", "tickets": "/login"}[part]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
    with connect(getattr(switchboard, part)) as client:
        client.sendall(head.encode())
        assert statuses(client.recv(65536))[0] in statuses_allowed


# WebSocket

def upgraded(server):
    """A socket after the handshake and the first frame."""
    client = connect(server.broker)
    client.sendall(
        f"GET /app/{server.key}?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    seen = b""
    while b"connection_established" not in seen or not seen.endswith(b"}"):
        seen += client.recv(4096)
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in seen
    return client


def frame(opcode, payload, fin=True, rsv=0, masked=True, length=None):
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    size = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = b"\x11\x22\x33\x44"
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def closing_code(client):
    """Reads frames until the server's close frame; None when the connection ends without one."""
    data = b""
    try:
        while chunk := client.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    while len(data) >= 2:
        opcode, size, start = data[0] & 0x0F, data[1] & 0x7F, 2
        if size == 126:
            size, start = struct.unpack("!H", data[2:4])[0], 4
        if opcode == 8:
            return struct.unpack("!H", data[start:start + 2])[0] if size >= 2 else None
        data = data[start + size:]
    return None


PING = b'{"event":"pusher:ping","data":{}}'
FRAMES = {
    "an unmasked frame": (frame(1, PING, masked=False), 1002),
    "RSV1 without an extension": (frame(1, PING, rsv=4), 1002),
    "RSV2": (frame(1, PING, rsv=2), 1002),
    "RSV3": (frame(1, PING, rsv=1), 1002),
    "a reserved opcode": (frame(3, b""), 1002),
    "a reserved control opcode": (frame(11, b""), 1002),
    "a fragmented ping": (frame(9, b"x", fin=False), 1002),
    "a ping of 126 bytes": (frame(9, b"x" * 126), 1002),
    "a continuation of nothing": (frame(0, b"x"), 1002),
    "a new message inside another": (frame(1, b"{", fin=False) + frame(1, b"}"), 1002),
    "text that is not UTF-8": (frame(1, b'"\xff\xfe"'), 1007),
    "text with a surrogate": (frame(1, b'"\xed\xa0\x80"'), 1007),
    "text that ends in half a character": (frame(1, b'"\xe2\x98', fin=False) + frame(0, b'"'), 1007),
    "a length with its top bit set": (frame(1, b"", length=1 << 63), (1002, 1009)),
    "a frame of a gigabyte": (frame(1, b"", length=1 << 30), 1009),
    "a message of many fragments": (
        frame(1, b"x" * 60000, fin=False) + b"".join(frame(0, b"x" * 60000, fin=False) for _ in range(40)), 1009),
    "a close frame of one byte": (frame(8, b"\x03"), 1002),
    "a close code that may not be sent": (frame(8, struct.pack("!H", 1005)), 1002),
    "a close reason that is not UTF-8": (frame(8, struct.pack("!H", 1000) + b"\xff"), 1007),
}


@pytest.mark.parametrize("name", list(FRAMES))
def test_a_frame_that_breaks_the_rules_closes_its_own_socket_only(switchboard, neighbour, name):
    data, expected = FRAMES[name]
    with upgraded(switchboard) as client:
        try:
            client.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        code = closing_code(client)
        assert code in (expected if isinstance(expected, tuple) else (expected,))


@pytest.mark.parametrize("text", [
    "", "null", "[]", "17", '"text"', "{", "{}", '{"event":17}', '{"event":"pusher:nothing"}', '{"event":"pusher:subscribe"}',
    '{"event":"pusher:subscribe","data":"not json"}', '{"event":"pusher:subscribe","data":{"channel":17}}',
    '{"event":"pusher:subscribe","data":{"channel":"a b"}}', '{"event":"pusher:subscribe","data":{"channel":""}}',
    '{"event":"pusher:unsubscribe","data":{"channel":"never-joined"}}', '{"event":"client-x"}',
    '{"event":"pusher_internal:member_added","channel":"private-neighbours","data":"{}"}',
    '{"event":"client-x","channel":"private-neighbours","data":{}}', "[" * 5000, '{"a":' * 2000,
    '{"event":"\\ud800"}', '{"event":"pusher:ping","event":"pusher:ping"}',
])
def test_nonsense_in_a_good_frame_leaves_the_socket_open(switchboard, neighbour, text):
    with PusherSocket(switchboard.broker, switchboard.key, switchboard.secret) as client:
        client.ws.send(text)
        client.send("pusher:subscribe", {"channel": "open"})
        seen = client.frame()
        while seen["event"] != "pusher_internal:subscription_succeeded":
            assert seen["event"] in ("pusher:error", "pusher:subscription_error", "pusher:pong"), seen
            seen = client.frame()


def test_random_frames(switchboard, neighbour):
    dice = random.Random(SEED)
    for number in range(150):
        with upgraded(switchboard) as client:
            try:
                for _ in range(dice.randrange(1, 6)):
                    client.sendall(frame(
                        dice.choice([0, 1, 1, 1, 2, 8, 9, 10, dice.randrange(16)]), dice.randbytes(dice.randrange(200)),
                        fin=dice.random() < 0.8, rsv=dice.choice([0, 0, 0, dice.randrange(8)]),
                        masked=dice.random() < 0.9))
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
        if number % 50 == 0:
            neighbour.is_well()


def test_sockets_that_say_nothing_keep_nobody_waiting(switchboard, neighbour):
    silent = [connect(switchboard.broker) for _ in range(200)]
    halves = [connect(switchboard.tickets) for _ in range(50)]
    for client in halves:
        client.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    neighbour.is_well()
    for client in silent + halves:
        client.close()


def test_a_consumer_that_does_not_read_is_closed_and_nobody_waits(switchboard, neighbour):
    deaf = [upgraded(switchboard) for _ in range(5)]
    for client in deaf:
        client.sendall(frame(1, b'{"event":"pusher:subscribe","data":{"channel":"loud"}}'))
    data = "x" * 10_000
    subscribed = len(deaf)
    published = 0
    while subscribed:
        # Far more than the buffers of the two kernels take for the deaf.
        assert published < 100_000_000, f"{subscribed} are still subscribed"
        for _ in range(100):
            neighbour.sdk.trigger("loud", "noise", data)
            published += len(data)
        neighbour.is_well()
        subscribed = neighbour.sdk.channel_info("loud", ["subscription_count"]).get("subscription_count", 0)
    for client in deaf:
        code = closing_code(client)
        assert code in (4100, None), code
        client.close()


def test_connections_do_not_leave_descriptors_behind(switchboard, neighbour):
    directory = f"/proc/{switchboard.process.pid}/fd"
    neighbour.is_well()
    before = len(os.listdir(directory))
    for _ in range(100):
        with upgraded(switchboard) as client:
            client.sendall(frame(1, PING))
    with connect(switchboard.broker) as client:
        client.sendall(b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_until(lambda: len(os.listdir(directory)) <= before + 2, "the descriptors' end", 30)

"""The signed HTTP API, called without a library that would tidy the request up."""

import asyncio
import json
import time
from dataclasses import dataclass
from urllib.parse import quote

from conformance.registry import Failure, same
from conformance.signing import body_md5, hexdigest, request_text

DEADLINE = 15.0
PLAIN = "-_.~=@,;:/#[]*"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failure(f"the answer is {self.text!r}, not JSON") from None

    @property
    def text(self):
        return self.body[:300].decode(errors="replace").strip()

    def expect(self, status):
        if self.status != status:
            raise Failure(f"the status is {self.status} ({self.text}), not {status}")
        return self


async def exchange(app, method, target, body=b"", headers=()):
    """One request, its target as it is given, and the answer."""
    lines = [f"{method} {app.prefix}{target} HTTP/1.1", f"Host: {app.host}:{app.port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    try:
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection(
                app.host, app.port, ssl=app.tls, server_hostname=app.host if app.tls else None)
            try:
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
    except TimeoutError:
        raise Failure(f"{method} {target.partition('?')[0]} was not answered within {DEADLINE:g} s") from None
    first, *fields = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 "):
        raise Failure(f"the answer begins with {first[:80]!r}")
    found = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    if found.get("transfer-encoding", "").lower() == "chunked":
        rest = _unchunked(rest)
    return Answer(int(first.split()[1]), found, rest)


def _unchunked(data):
    whole = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size.partition(b";")[0], 16)
        whole, data = whole + data[:count], data[count + 2:]
        if count == 0:
            break
    return whole


def signed(
    app, method, path, body=b"", parameters=(), *, timestamp=None, secret=None, key=None, left_out=(), digest=True,
):
    """The parameters of a signed request, decoded, in the order in which they are sent."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    pairs = [("auth_key", key or app.key), ("auth_timestamp", str(timestamp)), ("auth_version", "1.0")]
    if body and digest:
        pairs.append(("body_md5", body_md5(body)))
    pairs += list(parameters)
    pairs = [pair for pair in pairs if pair[0] not in left_out]
    if "auth_signature" not in left_out:
        pairs.append(("auth_signature", hexdigest(secret or app.secret, request_text(method, path, pairs))))
    return pairs


def query(pairs):
    return "&".join(f"{name}={quote(value, safe=PLAIN.replace('#', ''))}" for name, value in pairs)


async def call(app, method, path, body=None, parameters=(), **options):
    """A signed call of `path`, which begins behind `/apps/{id}` unless it begins with `//`."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    whole = path[1:] if path.startswith("//") else f"/apps/{app.id}{path}"
    pairs = signed(app, method, whole, data, parameters, **options)
    return await exchange(app, method, f"{whole}?{query(pairs)}", data)


async def get(app, path, parameters=(), **options):
    return await call(app, "GET", path, None, parameters, **options)


async def post(app, path, body, parameters=(), **options):
    return await call(app, "POST", path, body, parameters, **options)


async def publish(app, channels, name, data="{}", **members):
    """Publishes an event, which must succeed; the decoded answer."""
    body = {"name": name, "channels": [channels] if isinstance(channels, str) else channels, "data": data} | members
    answer = (await post(app, "/events", body)).expect(200)
    decoded = answer.json()
    same(type(decoded), dict, "the answer's type")
    return decoded

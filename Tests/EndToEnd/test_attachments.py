"""Uploads: what is left of them when the disk is full, the server is killed, or the form is hostile."""

import resource
import socket

import pytest
import requests

from switchboard import wait_until
from ticket_client import TicketClient

FIELDS = {"subject": "It is broken", "description": "Please help.", "category": "Technical", "priority": "Low"}
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"


@pytest.fixture
def ada(switchboard):
    return TicketClient.register(switchboard.tickets, "ada@example.org")


def upload(client, *files):
    return client.http.post(client.url + "/tickets", data=FIELDS, files=files, timeout=60)


def png(size, name="shot.png"):
    return ("attachments[]", (name, PNG + b"\1" * (size - len(PNG)), "image/png"))


def stored(server):
    return sorted(path.name for path in (server.data / "attachments").iterdir())


def test_a_full_disk_refuses_an_upload_and_leaves_nothing_of_it(switchboard, ada):
    """ATT-18: 507, no file, and the next upload that fits is taken."""
    kept = upload(ada, png(1000)).json()["data"]["attachments"][0]
    before = stored(switchboard)
    # A limit on the size of a file fails a write as a full disk does, and needs no disk of its own.
    limits = resource.prlimit(switchboard.process.pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    answer = upload(ada, png(100_000), png(1_500_000))
    assert (answer.status_code, answer.json()) == (507, {"message": "Insufficient Storage"})
    assert stored(switchboard) == before
    resource.prlimit(switchboard.process.pid, resource.RLIMIT_FSIZE, limits)
    assert upload(ada, png(1_500_000)).status_code == 201
    assert ada.http.get(ada.url + kept["url"], timeout=30).content == PNG + b"\1" * (1000 - len(PNG))


def test_a_kill_leaves_what_was_answered_and_nothing_else(start):
    """ATT-8, ATT-9: the files of a 201 are there after a kill; those of an upload that was under way are removed."""
    server = start()
    ada = TicketClient.register(server.tickets, "ada@example.org")
    kept = upload(ada, png(300_000)).json()["data"]["attachments"][0]
    names = stored(server)
    request = requests.Request("POST", ada.url + "/tickets", data=FIELDS, files=[png(900_000)], headers=ada.http.headers)
    body = request.prepare()
    head = "".join(f"{name}: {value}\r\n" for name, value in body.headers.items())
    with socket.create_connection(("127.0.0.1", server.tickets)) as client:
        client.sendall(f"POST /tickets HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body.body[:500_000])
        wait_until(lambda: len(stored(server)) == 2, "a file under way")
        server.kill()
    assert len(stored(server)) == 2
    again = start()
    assert stored(again) == names
    assert ada.at(again.tickets).http.get(
        f"http://127.0.0.1:{again.tickets}{kept['url']}", timeout=30).content == PNG + b"\1" * (300_000 - len(PNG))


def part(name, filename, body, more=""):
    return f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"{more}\r\n\r\n'.encode() + body + b"\r\n"


TICKET = b"".join(
    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in FIELDS.items())
END = b"--b--\r\n"
FORMS = {
    "nothing": (b"", 422), "another boundary": (TICKET.replace(b"--b\r\n", b"--c\r\n") + b"--c--\r\n", 400),
    "cut off": ((TICKET + part("attachment", "a.png", PNG) + END)[:-8], 400),
    "a huge head": (TICKET + part("attachment", "a" * 100_000, PNG) + END, 400),
    "many heads": (TICKET + part("attachment", "a", PNG, "".join(f"\r\nX-{n}: y" for n in range(2000))) + END, 400),
    "many parts": (TICKET + part("x", "a", b"") * 100_000 + END, (400, 413)),
    "many files": (TICKET + part("attachments[]", "a.png", PNG) * 500 + END, 422),
    "no end of a name": (TICKET + part("attachment", 'a.png"; x="', PNG) + b"--b", 400),
    "NUL in a name": (TICKET + part("attachment", "a\0.png", PNG) + END, 400),
    "a form in a form": (
        TICKET + part("attachment", "a.png", b"--c\r\n\r\n--c--", "\r\nContent-Type: multipart/mixed; boundary=c") + END, 422),
    "base64": (TICKET + part("attachment", "a.png", b"iVBORw0K", "\r\nContent-Transfer-Encoding: base64") + END, 400),
    "GIF and PNG": (TICKET + part("attachment", "a.png", b"GIF89a" + PNG) + END, 422),
    "HTML called PNG": (TICKET + part("attachment", "a.png", b"<script>alert(1)</script>") + END, 422),
    "a signature only": (TICKET + part("attachment", "a.png", PNG[:8]) + END, 422),
    "no bytes": (TICKET + part("attachment", "a.png", b"") + END, 422),
    "line feeds only": ((TICKET + END).replace(b"\r\n", b"\n"), 400),
    "noise": (bytes(range(256)) * 2000, 400),
}


@pytest.mark.parametrize("name", list(FORMS))
def test_a_hostile_form_is_answered_and_leaves_no_file(switchboard, ada, name):
    """HTTP-17, ATT-3: a clear 4xx, nothing stored, and the server is well."""
    body, expected = FORMS[name]
    answer = ada.http.post(
        ada.url + "/tickets", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"}, timeout=60)
    assert answer.status_code in (expected if isinstance(expected, tuple) else (expected,)), answer.text
    assert answer.json()["message"]
    assert stored(switchboard) == []
    assert ada.get("/tickets")["data"] == []


@pytest.mark.parametrize("name, shown", [
    ("../../../../tmp/evil.png", "evil.png"), ("..\\..\\evil.png", "evil.png"), ("/etc/passwd", "passwd"), ("..", "attachment.png"),
    ("a%0d%0aSet-Cookie: x=1", "a%0d%0aSet-Cookie: x=1"), ("a%0D%0ASet-Cookie: x=1", "aSet-Cookie: x=1"),
])
def test_a_hostile_name_is_only_shown(switchboard, ada, name, shown):
    """ATT-5: a name is never part of a path, and no part of a header but the parameter."""
    answer = ada.http.post(
        ada.url + "/tickets", data=TICKET + part("attachment", name, PNG) + END,
        headers={"Content-Type": "multipart/form-data; boundary=b"}, timeout=30)
    (file,) = answer.json()["data"]["attachments"]
    assert file["name"] == shown
    download = ada.http.get(ada.url + file["url"], timeout=30)
    assert download.content == PNG and "Set-Cookie" not in download.headers
    assert download.headers["Content-Disposition"].startswith('attachment; filename="')
    (only,) = stored(switchboard)
    assert len(only) == 32 and only.isalnum()

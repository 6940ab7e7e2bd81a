"""Rules of the ticket API that show in its database, or when it is taken away."""

import base64
import hashlib
import sqlite3

import pytest
import requests

PASSWORD = "a password, or more"


@pytest.fixture
def api(start):
    return start()


def url(api, path):
    return f"http://127.0.0.1:{api.tickets}{path}"


def register(api):
    body = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "password_confirmation": PASSWORD}
    return requests.post(url(api, "/register"), json=body, timeout=30).json()["token"]


def rows(api, query):
    with sqlite3.connect(f"file:{api.data}/tickets.sqlite?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def test_only_the_digest_of_a_token_is_stored(api):
    """ACC-7: of a token the database has the SHA-256 of its secret, and its text stands nowhere."""
    token = register(api)
    number, secret = token.split("|")
    assert len(secret) == 48 and secret.isalnum()
    ((stored,),) = rows(api, f"SELECT secret_sha256 FROM tokens WHERE id = {number}")
    assert bytes(stored) == hashlib.sha256(secret.encode()).digest()
    assert api.stop() == 0
    for file in api.data.iterdir():
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_a_password_is_stored_as_a_scrypt_hash_that_names_its_cost(api):
    """ACC-9: a password is stored as its scrypt hash in the PHC format, cost included."""
    register(api)
    ((stored,),) = rows(api, "SELECT password_hash FROM users")
    empty, name, cost, salt, key = stored.split("$")
    assert (empty, name, cost) == ("", "scrypt", "ln=15,r=8,p=1")
    salt, key = (base64.b64decode(part + "=" * (-len(part) % 4)) for part in (salt, key))
    assert hashlib.scrypt(PASSWORD.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=len(key)) == key


def test_a_store_that_is_gone_is_503_and_500_and_says_no_more(api):
    """OPS-1, HTTP-12: without its tables the store does not answer: /up is 503, the rest 500, and neither tells why."""
    token = register(api)
    assert requests.get(url(api, "/up"), timeout=30).status_code == 200
    with sqlite3.connect(f"{api.data}/tickets.sqlite") as database:
        database.execute("PRAGMA foreign_keys = OFF")
        for (table,) in rows(api, "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            database.execute(f'ALTER TABLE "{table}" RENAME TO "lost_{table}"')
    answer = requests.get(url(api, "/up"), timeout=30)
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    answer = requests.get(url(api, "/tickets"), headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert (answer.status_code, answer.json()) == (500, {"message": "Server Error"})

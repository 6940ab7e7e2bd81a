"""Mistakes in the list of apps: one line that says where and what is allowed, and never a secret."""

import pytest

from switchboard import run
from test_command_line import refused

SECRET = "b7e2d94c1f60835ae4d2"
GOOD = f"""apps:
  - id: "1"
    key: one
    secret: {SECRET}
"""

BROKEN = [
    # What is added to, or stands in place of, the good file; words of the message.
    ("    secrt: x\n", ['unknown key "secrt" in apps[0]', 'did you mean "secret"?', "line 5"]),
    ("    colour: red\n", ['unknown key "colour" in apps[0]', "known keys: id, name, key"]),
    ("    enabled: perhaps\n", ['apps[0].enabled is "perhaps"', "1 or 0", "line 5"]),
    ("    max_connections: x\n", ['apps[0].max_connections is "x"', "0 to 1000000", "0 = any number", "line 5"]),
    ("    max_connections: -1\n", ['apps[0].max_connections is "-1"', "0 to 1000000"]),
    ("    max_connections: 1.5\n", ['apps[0].max_connections is "1.5"', "a whole number"]),
    ("    max_connections: [1]\n", ["apps[0].max_connections is a list", "a whole number"]),
    ("    max_channel_name: 201\n", ['apps[0].max_channel_name is "201"', "1 to 200"]),
    ("    cache_seconds: 0\n", ['apps[0].cache_seconds is "0"', "1 to 86400"]),
    ("    name: {a: b}\n", ["apps[0].name is a mapping", "1 to 100 printable"]),
    (f"    next_secret: {SECRET}\n", ["apps[0].next_secret is the same as its secret", "line 5"]),
    ("    next_secret: s3cr3t!\n", ["apps[0].next_secret is not shown", "8 to 128"]),
    ("    allowed_origins: example.com\n", ['apps[0].allowed_origins is "example.com"', "a list of host names"]),
    ("    allowed_origins: []\n", ["apps[0].allowed_origins is a list of 0"]),
    ("    allowed_origins: [a.example, 'https://b.example']\n",
     ['apps[0].allowed_origins[1] is "https://b.example"', "without scheme"]),
    ("    webhooks: {url: 'http://a.example'}\n", ["apps[0].webhooks is a mapping", "a list of at most 32"]),
    ("    webhooks: [{batch: true}]\n", ["apps[0].webhooks[0].url is missing", "http://HOST"]),
    ("    webhooks: [{url: 'ftp://a.example/s3cr3t!'}]\n", ["apps[0].webhooks[0].url must be http://HOST"]),
    ("    webhooks: [{url: 'http://a.example', event_types: [channel_ocupied]}]\n",
     ['apps[0].webhooks[0].event_types[0] is "channel_ocupied"', "channel_occupied, channel_vacated"]),
    ("    webhooks: [{url: 'http://a.example', urll: x}]\n",
     ['unknown key "urll" in apps[0].webhooks[0]', 'did you mean "url"?']),
    ("    webhooks: [{url: 'http://a.example', headers: {Host: s3cr3t!}}]\n", ["apps[0].webhooks[0].headers", "Host"]),
    ("    webhooks: [{url: 'http://a.example', headers: [s3cr3t!]}]\n",
     ["apps[0].webhooks[0].headers is a list", "a mapping of header names"]),
    ("    webhooks: [{url: 'http://a.example', channel_name_starts_with: 'a b'}]\n",
     ["apps[0].webhooks[0].channel_name_starts_with"]),
    ('  - {id: "1", key: two, secret: 9999999999}\n', ['apps[1].id is "1"', "which apps[0], line 2, has too", "line 5"]),
    ('  - {id: "2", key: one, secret: 9999999999}\n', ['apps[1].key is "one"', "which apps[0], line 3, has too"]),
    ('  - {id: "2", key: two}\n', ["apps[1].secret is missing", "8 to 128", "line 5"]),
    ("  - secret:s3cr3t!\n", ["apps[1] is not a mapping", "line 5"]),
    ("  - {secret:s3cr3t!}\n", ['unknown key "secret" in apps[1]']),
    ("    secret: other-secret\n", ["stands twice"]),
    ("    secret: s3cr3t!: x\n", ["is not YAML", "line 5"]),
    ("tickets_app: '3'\n", ['tickets_app in', 'is "3"', "none of the apps in"]),
    ("pusher_app_key: one\n", ["pusher_app_key in", "remove PUSHER_APP_KEY", "give key to the app in the list"]),
    ("broker_allowed_origins: a.example\n", ["broker_allowed_origins in", "remove", "allowed_origins"]),
    ("pusher_app_client_events: 0\n", ["pusher_app_client_events in", "remove", "client_events"]),
    ("tls_certificate: a.pem\n", ["TLS_KEY is missing", "tls_certificate in"]),
    ("tls_certificate: no.pem\ntls_key: no.pem\n", ["no.pem", "No such file"]),
    ("trusted_proxies: 10.0.0.0/33\n", ["trusted_proxies", '"10.0.0.0/33"', "10.0.0.0/8"]),
    ("broker_max_connections: lots\n", ["broker_max_connections", '"lots"', "0 = any number"]),
]


@pytest.mark.parametrize("more, words", BROKEN, ids=[words[0] for _, words in BROKEN])
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(tmp_path, more, words):
    file = tmp_path / "switchboard.yaml"
    file.write_text(GOOD + more)
    file.chmod(0o600)
    for command in ("check", "serve"):
        line = refused(run(command, "--config", file, cwd=tmp_path, BROKER_PORT=0, TICKETS_PORT=0), *words, code=78)
        assert "s3cr3t!" not in line and SECRET not in line
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("apps, word", [("5", '"5"'), ("[]", "0 entries"), ("{id: 1}", "a mapping")])
def test_apps_is_a_list(tmp_path, apps, word):
    file = tmp_path / "switchboard.yaml"
    file.write_text(f"# apps\napps: {apps}\n")
    refused(run("check", "--config", file), "line 2: apps", word, "allowed", code=78)


def test_ten_thousand_apps_and_not_one_more(tmp_path):
    file = tmp_path / "switchboard.yaml"
    entries = [f"  - {{id: a{n}, key: k{n}, secret: secret-of-{n}}}\n" for n in range(10_001)]
    file.write_text("apps:\n" + "".join(entries[:-1]))
    file.chmod(0o600)
    assert run("check", "--config", file).returncode == 0
    file.write_text("apps:\n" + "".join(entries))
    refused(run("check", "--config", file), "10001 entries", "1 to 10000", code=78)


def test_aliases_of_aliases_are_refused_at_once(tmp_path):
    lists = ["      - &x0 [q, q, q, q, q, q, q, q, q, q]"]
    lists += [f"      - &x{i} [{', '.join(10 * [f'*x{i - 1}'])}]" for i in range(1, 12)]
    file = tmp_path / "switchboard.yaml"
    file.write_text(GOOD + "    allowed_origins:\n" + "\n".join(lists) + "\n")
    refused(run("check", "--config", file), "apps[0].allowed_origins[0] is a list", code=78)


@pytest.mark.parametrize("name, value", [
    ("PUSHER_APP_ID", "1"), ("PUSHER_APP_KEY", "k"), ("PUSHER_APP_SECRET", SECRET), ("PUSHER_APP_CLIENT_EVENTS", "1"),
    ("PUSHER_APP_CLIENT_EVENTS_PER_SECOND", "5"), ("BROKER_ALLOWED_ORIGINS", "*"),
])
def test_the_single_apps_settings_are_refused_beside_a_list(tmp_path, name, value):
    credentials = {"PUSHER_APP_ID": "1", "PUSHER_APP_KEY": "k", "PUSHER_APP_SECRET": SECRET}
    given = credentials if name in credentials else {name: value}
    file = tmp_path / "switchboard.yaml"
    file.write_text(GOOD)
    line = refused(run("check", "--config", file, **given), "in the environment", "apps in", "remove PUSHER_APP_ID"
                   if name in credentials else f"remove {name}", code=78)
    assert SECRET not in line


def test_tickets_app_needs_a_list():
    refused(run("check", TICKETS_APP="1"), "TICKETS_APP", "no list of apps", code=78)


def test_check_shows_what_would_be_served_and_no_secret(tmp_path):
    file = tmp_path / "switchboard.yaml"
    file.write_text(GOOD + """    name: shop
    next_secret: 5a5a5a5a5a5a
    webhooks: [{url: "https://shop.example/hook?token=t0ken"}]
  - {id: 2, key: two, secret: 9999999999, enabled: false, require_tls: true}
tickets_app: 2
broker_port: 7001
""")
    file.chmod(0o600)
    result = run("check", "--config", file, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    for text in ("127.0.0.1:7001", "publishes as 2", "1 (shop); two secrets; webhooks to https://shop.example:443/hook",
                 "2; disabled; TLS only"):
        assert text in result.stdout, result.stdout
    for secret in (SECRET, "5a5a5a5a5a5a", "9999999999", "t0ken"):
        assert secret not in result.stdout
    assert list(tmp_path.iterdir()) == [file]


def test_check_without_a_file(tmp_path):
    result = run("check", cwd=tmp_path)
    assert result.returncode == 0 and "generated at the first start" in result.stdout
    assert list(tmp_path.iterdir()) == []

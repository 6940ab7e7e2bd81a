"""What an operator sees: help, mistakes and their one clear line, and where a secret never shows."""

import json
import os
import pty
import re
import socket
import sqlite3
import stat
import subprocess
import threading

import pytest

from pusher_socket import PusherSocket
from switchboard import BINARY, Server, clean_environment, run, wait_until
from ticket_client import TicketClient

APP = {"PUSHER_APP_ID": "4711", "PUSHER_APP_KEY": "f3c1a90b7d2e4586aa10", "PUSHER_APP_SECRET": "b7e2d94c1f60835ae4d2"}


def refused(result, *words, code=None):
    """One line on standard error, with these words in it, and a non-zero end."""
    assert result.returncode >= 64, result
    if code is not None:
        assert result.returncode == code, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("switchboard: "), result.stderr
    for word in words:
        assert word in lines[0], result.stderr
    return lines[0]


def settings_in(directory, **more):
    return {"DATA_DIR": directory / "data", "BROKER_PORT": 0, "TICKETS_PORT": 0} | more


# Help and version

def test_version():
    result = run("--version")
    assert result.returncode == 0 and re.fullmatch(r"switchboard \d+\.\d+\.\d+\n", result.stdout)


def test_help_shows_the_way_and_every_setting():
    first = run("--help")
    assert first.returncode == 0
    for word in ("serve --demo", "serve broker", "serve tickets", "user create", "help serve"):
        assert word in first.stdout
    serve = run("serve", "--help")
    assert serve.returncode == 0
    for name in (
        "BROKER_HOST", "BROKER_PORT", "BROKER_EVENT_LOOPS", "BROKER_ALLOWED_ORIGINS", "TICKETS_HOST", "TICKETS_PORT",
        "DATA_DIR", "EVENT_STYLE", "PUSHER_APP_ID", "PUSHER_APP_KEY", "PUSHER_APP_SECRET", "PUSHER_APP_CLIENT_EVENTS",
        "PUSHER_APP_CLIENT_EVENTS_PER_SECOND", "PUSHER_HOST", "PUSHER_PORT", "PUSHER_SCHEME", "DEMO", "LOG_LEVEL",
        "LOG_FORMAT", "OPS_HOST", "OPS_PORT", "DRAIN",
    ):
        assert name in serve.stdout, name
    assert "--pusher-app-secret" not in serve.stdout


def test_every_command_says_what_it_does():
    def walk(*command):
        result = run(*command, "--help")
        assert (result.returncode, result.stderr) == (0, ""), command
        overview, usage, rest = result.stdout.partition("\nUSAGE: ")
        assert overview.startswith("OVERVIEW: ") and rest.startswith(" ".join(("switchboard", *command))), command
        subcommands = re.findall(r"^  ([a-z][a-z-]*)(?: \(default\))?  +\S", rest.partition("\nSUBCOMMANDS:\n")[2], re.MULTILINE)
        for name in subcommands:
            walk(*command, name)
        return [" ".join(command)] + subcommands

    assert {"serve", "check", "webhooks", "user", "backup", "restore", "export", "erase"} <= set(walk())


def test_unknown_flags_and_commands_are_usage_errors():
    assert run("serve", "--brokr-port", "1").returncode == 64
    assert run("serve", "everything").returncode == 64
    assert run("frobnicate").returncode == 64
    # A secret on the command line could be read by every user of the machine.
    assert run("serve", "--pusher-app-secret", "b7e2d94c1f60835ae4d2").returncode == 64


# Values

BAD = [
    ("BROKER_PORT", "abc", "0 to 65535"), ("BROKER_PORT", "65536", "0 to 65535"), ("TICKETS_PORT", "-1", "0 to 65535"),
    ("BROKER_EVENT_LOOPS", "0", "1 to 64"), ("BROKER_HOST", "http://x", "host name"),
    ("BROKER_ALLOWED_ORIGINS", "https://a.example", "without scheme"), ("EVENT_STYLE", "fancy", "plain, laravel, both"),
    ("EVENT_ALIASES", "Nothing=x", "NewMessage=message.sent"), ("EVENT_ALIASES", "NewMessage=pusher:x", "events are"),
    ("PUSHER_SCHEME", "ftp", "http, https"), ("PUSHER_PORT", "0", "1 to 65535"),
    ("PUSHER_APP_CLIENT_EVENTS", "perhaps", "1 or 0"), ("PUSHER_APP_CLIENT_EVENTS_PER_SECOND", "many", "0 = any number"),
    ("OPS_PORT", "70000", "0 to 65535"), ("DRAIN", "1h", "like 90s or 2m"), ("LOG_LEVEL", "loud", "info"),
    ("LOG_FORMAT", "xml", "text, json"), ("PUSHER_APP_ID", "a/b", "letters"),
]


@pytest.mark.parametrize("name, value, allowed", BAD)
def test_a_bad_value_is_named_with_its_place_and_what_is_allowed(tmp_path, name, value, allowed):
    refused(run("serve", cwd=tmp_path, **{name: value}), name, f'"{value}"', "environment", allowed, code=78)
    flag = "--" + name.lower().replace("_", "-")
    refused(run("serve", f"{flag}={value}", cwd=tmp_path), flag, f'"{value}"', allowed, code=64)
    file = tmp_path / "switchboard.yaml"
    file.write_text(f"# a comment\n{name.lower()}: '{value}'\n")
    refused(
        # The port that all tests are given otherwise would win.
        run("serve", "--config", file, cwd=tmp_path, OPS_PORT=""), name.lower(), f'"{value}"', "switchboard.yaml", "line 2",
        allowed, code=78)
    assert list(tmp_path.iterdir()) == [file]


def test_demo_must_be_on_or_off(tmp_path):
    refused(run("serve", cwd=tmp_path, DEMO="maybe"), "DEMO", '"maybe"', "1 or 0", code=78)


def test_a_bad_secret_is_not_shown(tmp_path):
    line = refused(run("serve", cwd=tmp_path, **(APP | {"PUSHER_APP_SECRET": "s3cr3t!"})), "PUSHER_APP_SECRET", code=78)
    assert "s3cr3t!" not in line


def test_an_unknown_key_is_named_with_the_nearest_known_one(tmp_path):
    file = tmp_path / "switchboard.yaml"
    file.write_text("broker_port: 0\nbrocker_host: 127.0.0.1\n")
    refused(run("serve", "--config", file, cwd=tmp_path), '"brocker_host"', 'did you mean "broker_host"?', "line 2",
            code=78)
    file.write_text("colour: green\n")
    refused(run("serve", "--config", file, cwd=tmp_path), '"colour"', "known keys", "broker_port", code=78)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "broker_port: [1]\n", "{", "broker_port: 1\nbroker_port: 2\n"])
def test_a_file_that_is_not_a_flat_mapping_is_refused(tmp_path, text):
    file = tmp_path / "switchboard.yaml"
    file.write_text(text)
    refused(run("serve", "--config", file, cwd=tmp_path), "switchboard.yaml", code=78)


def test_a_missing_file_is_refused(tmp_path):
    refused(run("serve", "--config", tmp_path / "nowhere.yaml", cwd=tmp_path), "nowhere.yaml", "No such file", code=78)
    refused(run("serve", "--config", tmp_path, cwd=tmp_path), "not a file", code=78)


def test_flags_beat_the_environment_which_beats_the_file(start, tmp_path):
    file = tmp_path / "switchboard.yaml"
    file.write_text(
        "pusher_app_id: from-file\npusher_app_key: from-file\npusher_app_secret: b7e2d94c1f60835ae4d2\n"
        "log_level:\nbroker_port: 1\n")
    file.chmod(0o600)
    server = start(
        "broker", "--config", str(file), "--pusher-app-id", "from-flag", PUSHER_APP_KEY="from-environment",
        PUSHER_APP_ID="from-environment", PUSHER_APP_SECRET="", BROKER_HOST="")
    assert (server.app_id, server.key) == ("from-flag", "from-environment")
    assert server.broker != 1
    with PusherSocket(server.broker, server.key, "b7e2d94c1f60835ae4d2") as client:
        client.subscribe("private-a")
    assert "read by others" not in server.errors()


def test_a_readable_file_with_a_secret_draws_a_warning(start, tmp_path):
    file = tmp_path / "switchboard.yaml"
    file.write_text("pusher_app_id: '1'\npusher_app_key: k\npusher_app_secret: b7e2d94c1f60835ae4d2\n")
    file.chmod(0o644)
    server = start("broker", "--config", str(file))
    assert "read by others" in server.errors()
    assert "b7e2d94c1f60835ae4d2" not in server.errors() + server.output


# Credentials and the data directory

def test_credentials_are_made_once_and_kept_private(start):
    first = start()
    assert re.fullmatch(r"\d+", first.app_id) and re.fullmatch(r"[0-9a-f]{20}", first.key)
    assert re.fullmatch(r"[0-9a-f]{20}", first.secret)
    file = first.data / "credentials.json"
    assert str(file) in first.output
    assert stat.S_IMODE(first.data.stat().st_mode) == 0o700
    for entry in first.data.rglob("*"):
        assert stat.S_IMODE(entry.stat().st_mode) & 0o077 == 0, entry
    with open(f"/proc/{first.process.pid}/cmdline") as line, open(f"/proc/{first.process.pid}/environ") as environment:
        assert first.secret not in line.read() + environment.read()
    first.kill()
    second = start()
    assert (second.app_id, second.key, second.secret) == (first.app_id, first.key, first.secret)


def test_two_that_start_at_once_agree(start, tmp_path):
    results = []
    data = tmp_path / "shared"

    def one(number):
        directory = tmp_path / f"at-once-{number}"
        directory.mkdir()
        results.append(Server(directory, "broker", DATA_DIR=data).ready())

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    try:
        assert len({(server.app_id, server.key) for server in results}) == 1 and len(results) == 6
        assert [entry.name for entry in data.iterdir()] == ["credentials.json"]
    finally:
        for server in results:
            server.stop()


@pytest.mark.parametrize("left_out", list(APP))
def test_a_partly_given_app_is_refused(tmp_path, left_out):
    given = {name: value for name, value in APP.items() if name != left_out}
    line = refused(run("serve", cwd=tmp_path, **settings_in(tmp_path, **given)), left_out, "all of", code=78)
    assert APP["PUSHER_APP_SECRET"] not in line
    assert not (tmp_path / "data").exists()


def test_the_broker_alone_with_an_app_needs_no_data_directory(start, tmp_path):
    server = start("broker", **APP)
    assert (server.app_id, server.key) == (APP["PUSHER_APP_ID"], APP["PUSHER_APP_KEY"])
    assert not server.data.exists()
    assert "PUSHER_APP_SECRET in the environment" in server.output


def test_a_broken_credentials_file_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "credentials.json"
    file.write_text('{"id": "1"}')
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path)), "credentials.json", "remove it")
    assert file.read_text() == '{"id": "1"}'


def test_a_second_server_on_the_same_data_is_refused_until_the_first_is_gone(start, tmp_path):
    first = start()
    for arguments in (("serve",), ("serve", "tickets")):
        refused(
            run(*arguments, cwd=tmp_path, DATA_DIR=first.data, BROKER_PORT=0, TICKETS_PORT=0, PUSHER_PORT=first.broker),
            "Another ticket server", str(first.data))
    assert TicketClient(first.tickets).request("GET", "/up").status_code == 200
    first.kill()
    start()


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["BROKER_PORT", "TICKETS_PORT", "OPS_PORT"])
def test_a_port_in_use_leaves_no_trace(tmp_path, taken, name):
    refused(
        run("serve", cwd=tmp_path, **settings_in(tmp_path, **{name: taken})), str(taken), "127.0.0.1",
        "Address already in use", name)
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_another_machine_is_refused(tmp_path):
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path, BROKER_HOST="192.0.2.1")), "192.0.2.1")
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path, BROKER_HOST="no.such.host.invalid")), "no.such.host.invalid")


def test_a_data_directory_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "data").write_text("I am a file")
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path)), "data directory", "not a directory")
    refused(
        run("serve", cwd=tmp_path, **settings_in(tmp_path, DATA_DIR=tmp_path / "data" / "below")), "data directory",
        "Not a directory")
    assert (tmp_path / "data").read_text() == "I am a file"
    # Not even root can write here.
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path, DATA_DIR="/proc/switchboard")), "/proc/switchboard")


def database_of(data):
    (file,) = [entry for entry in data.iterdir() if entry.suffix in (".sqlite", ".sqlite3", ".db")]
    return file


def foreign_database(file):
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute("INSERT INTO recipes (name) VALUES ('soup')")
    database.close()


@pytest.mark.parametrize("make", [foreign_database, lambda file: file.write_bytes(b"not a database at all" * 500)])
def test_a_foreign_database_is_left_alone(start, tmp_path, make):
    first = start()
    name = database_of(first.data).name
    assert first.stop() == 0
    data = tmp_path / "other"
    data.mkdir()
    make(data / name)
    before = (data / name).read_bytes()
    refused(run("serve", cwd=tmp_path, **settings_in(tmp_path, DATA_DIR=data)), name)
    assert (data / name).read_bytes() == before


def test_tickets_alone_must_know_where_to_publish(tmp_path):
    refused(run("serve", "tickets", cwd=tmp_path, **settings_in(tmp_path)), "PUSHER_PORT", code=78)
    refused(
        run("serve", cwd=tmp_path, **settings_in(tmp_path, PUSHER_SCHEME="https")), "PUSHER_SCHEME", "PUSHER_HOST",
        code=78)


# The demo

@pytest.mark.parametrize("name", ["BROKER_HOST", "TICKETS_HOST"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_demo_is_refused_where_others_could_reach_it(tmp_path, name, host):
    refused(run("serve", "--demo", cwd=tmp_path, **settings_in(tmp_path, **{name: host})), name, host, "loopback", code=78)
    assert list(tmp_path.iterdir()) == []


def test_the_three_lines_of_the_demo_work_as_printed(start):
    server = start("--demo")
    wait_until(lambda: any(line.startswith("new Echo(") for line in server.lines), "the demo's lines")
    lines = server.lines[-3:]
    login = json.loads(subprocess.run(["bash", "-c", lines[0]], capture_output=True, check=True).stdout)
    assert login["user"]["role"] == "customer" and login["token"]
    with PusherSocket(server.broker, server.key, server.secret) as client:
        client.subscribe("private-chat.1")
        posted = json.loads(subprocess.run(["bash", "-c", lines[1]], capture_output=True, check=True).stdout)
        assert posted["data"]["content"] == "Hello"
        assert json.loads(client.frame()["data"])["message"]["id"] == posted["data"]["id"]
    for word in (f"key:'{server.key}'", f"wsPort:{server.broker}", f"http://127.0.0.1:{server.tickets}/broadcasting/auth"):
        assert word in lines[2]
    assert TicketClient.login(server.tickets, "admin@example.com", "password").user["role"] == "admin"
    # Planting again changes nothing.
    total = TicketClient.login(server.tickets, "admin@example.com", "password").get("/tickets")["meta"]["total"]
    assert server.stop() == 0
    again = start("--demo")
    assert TicketClient.login(again.tickets, "admin@example.com", "password").get("/tickets")["meta"]["total"] == total


# Logs

def test_json_logs_are_one_object_a_line(start):
    # Nobody listens there: the log says that events wait.
    server = start("tickets", LOG_FORMAT="json", PUSHER_HOST="127.0.0.1", PUSHER_PORT=1)
    TicketClient.register(server.tickets, "ada@example.org", password="a memorable password").open_ticket()
    wait_until(server.errors, "a line")
    assert server.stop() == 0
    lines = server.errors().splitlines()
    for line in lines:
        entry = json.loads(line)
        assert {"time", "level", "label", "message"} <= set(entry) and set(entry) <= {
            "time", "level", "label", "message", "metadata"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    assert "a memorable password" not in server.errors()


def test_the_quietest_level_says_nothing_when_all_is_well(start):
    server = start(LOG_LEVEL="critical")
    assert server.stop() == 0 and server.errors() == ""


# Accounts

def test_a_password_comes_from_standard_input(switchboard):
    result = run(
        "user", "create", "--email", "root@example.org", "--role", "admin", "--name", "Root", "--data-dir",
        switchboard.data, stdin="ein langes Paßwort\n")
    assert result.returncode == 0 and "root@example.org" in result.stdout and "Paßwort" not in result.stdout
    user = TicketClient.login(switchboard.tickets, "root@example.org", "ein langes Paßwort").user
    assert (user["role"], user["name"]) == ("admin", "Root")


def test_a_bad_account_is_refused(tmp_path):
    create = ("user", "create", "--data-dir", tmp_path / "data")
    refused(run(*create, "--email", "a@example.org", "--role", "emperor", stdin="a long password\n"), '"emperor"', "admin")
    refused(run(*create, "--email", "a@example.org", "--role", "admin", stdin=""), "password")
    refused(run(*create, "--email", "a@example.org", "--role", "admin", stdin="short\n"), "8")
    refused(run(*create, "--email", "nonsense", "--role", "admin", stdin="a long password\n"), "email")
    assert run(*create, "--role", "admin").returncode == 64
    assert run(*create, "--email", "a@example.org", "--role", "admin", "--password", "x").returncode == 64


def at_a_terminal(data, typed):
    """`user create` with a terminal as its standard input; what is typed goes in prompt by prompt."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "user", "create", "--email", "root@example.org", "--role", "admin", "--data-dir", str(data)],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=clean_environment())
    os.close(slave)
    shown = b""
    for prompt, text in typed:
        while not shown.endswith(prompt):
            shown += os.read(master, 1024)
        os.write(master, text)
    output, _ = process.communicate(timeout=60)
    try:
        while chunk := os.read(master, 1024):
            shown += chunk
    except OSError:
        pass
    os.close(master)
    return process.returncode, output, shown


def test_a_password_typed_at_a_terminal_is_not_shown(start, tmp_path):
    code, output, shown = at_a_terminal(
        tmp_path / "data", [(b"Password: ", b"a long pasx\x7fsword\r"), (b"Again: ", b"a long password\r")])
    assert code == 0 and b"long" not in shown and b"long" not in output
    TicketClient.login(start().tickets, "root@example.org", "a long password")


def test_two_different_passwords_and_ctrl_c_make_no_account(tmp_path):
    code, _, shown = at_a_terminal(
        tmp_path / "data", [(b"Password: ", b"a long password\r"), (b"Again: ", b"a wrong password\r")])
    assert code >= 64 and b"differ" in shown
    code, _, shown = at_a_terminal(tmp_path / "data", [(b"Password: ", b"half\x03")])
    assert code >= 64 and b"half" not in shown
    assert not (tmp_path / "data").exists()

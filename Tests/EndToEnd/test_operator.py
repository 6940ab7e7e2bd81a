"""The operator's commands: accounts, backup and restore, export and erasure, with and without a running server."""

import hashlib
import json
import os
import pty
import re
import secrets
import shutil
import sqlite3
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from switchboard import BINARY, clean_environment, run, wait_until
from ticket_client import TicketClient

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def command(data, *arguments, stdin=""):
    """Runs a command that must succeed, and gives back what it said."""
    done = run(*arguments, "--data-dir", data, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(data, *arguments, words=(), code=69, stdin=""):
    done = run(*arguments, "--data-dir", data, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, ""), done
    (line,) = done.stderr.splitlines()
    assert line.startswith("switchboard: ") and all(word in line for word in words), line


def create(data, email, role="customer", name=None):
    command(
        data, "user", "create", "--email", email, "--role", role, *(["--name", name] if name else []),
        stdin="a long password\n")


def users(data, *arguments):
    return json.loads(command(data, "user", "list", "--json", *arguments))


def bytes_below(directory):
    """Every file of a directory by its path, and its content."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


# Help

@pytest.mark.parametrize("words", [
    ("user", "list"), ("user", "set-role"), ("user", "reset-password"), ("backup",), ("restore",), ("export",), ("erase",),
])
def test_each_command_has_help_and_is_in_the_list(words):
    helped = run("help", *words)
    assert helped.returncode == 0 and "--data-dir" in helped.stdout and "USAGE" in helped.stdout
    assert words[-1] in run("--help").stdout


@pytest.mark.parametrize("words", [
    ("user", "list"), ("user", "set-role", "a@example.org", "admin"), ("user", "reset-password", "a@example.org"),
    ("backup", "b"), ("export", "--user", "a@example.org"), ("erase", "--user", "a@example.org", "--yes"),
])
def test_nothing_is_made_where_nothing_is(tmp_path, words):
    refused(tmp_path / "nowhere", *words, words=("there is no data directory", "nowhere"), stdin="a long password\n")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", *words, words=("no database",), stdin="a long password\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


# Accounts

def test_accounts_are_listed(data):
    create(data, "root@example.org", "admin", "Root\x1b[31m")
    create(data, "ada@example.org", name="Ada")
    lines = command(data, "user", "list").splitlines()
    assert lines[0].split() == ["ID", "ROLE", "CREATED", "EMAIL", "NAME"] and len(lines) == 3
    assert re.fullmatch(rf"1 +admin +{TIME} +root@example.org +Root\?\[31m", lines[1])
    assert [user["email"] for user in users(data)] == ["root@example.org", "ada@example.org"]
    (ada,) = users(data, "--role", "customer")
    assert set(ada) == {"id", "name", "email", "role", "created_at"} and re.fullmatch(TIME, ada["created_at"])
    assert "root@" not in command(data, "user", "list", "--role", "customer")
    refused(data, "user", "list", "--role", "emperor", words=('"emperor"', "admin, customer"), code=64)


def test_roles_change_beside_a_running_server(start, data):
    server = start()
    create(data, "root@example.org", "admin")
    ada = TicketClient.register(server.tickets, "ada@example.org")
    assert "already customer" in command(data, "user", "set-role", "ada@example.org", "customer")
    assert "now admin" in command(data, "user", "set-role", "ADA@example.org", "admin")
    assert ada.get("/user")["role"] == "admin"
    assert "now customer" in command(data, "user", "set-role", "root@example.org", "customer")
    refused(data, "user", "set-role", "ada@example.org", "customer", words=("last admin",))
    assert ada.get("/user")["role"] == "admin"
    refused(data, "user", "set-role", "nobody@example.org", "admin", words=("nobody@example.org",), code=64)
    refused(data, "user", "set-role", "ada@example.org", "emperor", words=('"emperor"',), code=64)


def test_a_new_password_ends_all_tokens(start, data):
    server = start()
    ada = TicketClient.register(server.tickets, "ada@example.org")
    bob = TicketClient.register(server.tickets, "bob@example.org")
    command(data, "user", "reset-password", "ada@example.org", stdin="ein neues Paßwort\n")
    assert ada.request("GET", "/user").status_code == 401 and bob.request("GET", "/user").status_code == 200
    assert ada.request("POST", "/login", {"email": "ada@example.org", "password": "a long password"}).status_code == 401
    TicketClient.login(server.tickets, "ada@example.org", "ein neues Paßwort")
    refused(data, "user", "reset-password", "ada@example.org", words=("at least 8",), stdin="short\n")
    refused(data, "user", "reset-password", "nobody@example.org", words=("nobody@",), code=64, stdin="a long password\n")
    TicketClient.login(server.tickets, "ada@example.org", "ein neues Paßwort")


# Backup and restore

PNG = b"\x89PNG\r\n\x1a\n"


class Attachments:
    """Files as the server stores them: bytes under a generated name, and a row that says what they are."""

    def __init__(self, data):
        self.data = data
        (data / "attachments").mkdir(mode=0o700, exist_ok=True)

    def add(self, ticket, content=None):
        content = content or PNG + secrets.token_bytes(5000)
        name = secrets.token_hex(16)
        (self.data / "attachments" / name).write_bytes(content)
        with sqlite3.connect(self.data / "tickets.sqlite", timeout=30) as database:
            database.execute(
                "INSERT INTO attachments (ticket_id, name, mime_type, size, sha256, file, created_at) "
                "VALUES (?, 'a.png', 'image/png', ?, ?, ?, 1)",
                (ticket, len(content), hashlib.sha256(content).digest(), name))
        database.close()
        return name, content

    def sweep(self):
        """Removes files whose rows are gone, once that is committed."""
        with sqlite3.connect(self.data / "tickets.sqlite", timeout=30) as database:
            names = [name for (name,) in database.execute("SELECT file FROM discarded_files")]
            for name in names:
                (self.data / "attachments" / name).unlink(missing_ok=True)
            database.executemany("DELETE FROM discarded_files WHERE file = ?", [(name,) for name in names])
        database.close()


class Talkers:
    """Customers who write without end; what was acknowledged is kept."""

    def __init__(self, server, data, admin):
        self.server, self.attachments, self.admin = server, Attachments(data), admin
        self.acknowledged, self.files, self.trouble = {}, {}, []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(role, n)) for n in range(4) for role in (self.talk, self.churn)]
        for thread in self.threads:
            thread.start()

    def run(self, role, number):
        try:
            role(number)
        except Exception as error:
            self.trouble.append(error)

    def talk(self, number):
        client = TicketClient.register(self.server.tickets, f"talker{number}@example.org")
        ticket = client.open_ticket()["id"]
        name, content = self.attachments.add(ticket)
        self.files[name] = content
        said = self.acknowledged.setdefault(ticket, [])
        while not self.ending.is_set():
            message = client.say(ticket, f"{ticket}.{len(said)}")
            said.append((message["id"], message["content"]))

    def churn(self, number):
        """Tickets with attachments that come and go."""
        client = TicketClient.register(self.server.tickets, f"churner{number}@example.org")
        admin = self.admin.at(self.server.tickets)
        while not self.ending.is_set():
            ticket = client.open_ticket()["id"]
            for _ in range(3):
                self.attachments.add(ticket)
            assert admin.request("DELETE", f"/tickets/{ticket}").status_code == 204
            self.attachments.sweep()

    def count(self):
        return sum(map(len, self.acknowledged.values()))

    def snapshot(self):
        return {ticket: list(said) for ticket, said in self.acknowledged.items()}, dict(self.files)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.trouble, self.trouble


def test_a_backup_under_load_holds_everything_acknowledged_before_it(start, data, tmp_path, create_admin):
    server = start()
    talkers = Talkers(server, data, create_admin(server))
    backups = []
    try:
        for number in range(4):
            wait_until(lambda: talkers.trouble or talkers.count() >= 300 * (number + 1), "messages")
            before = talkers.snapshot()
            said = command(data, "backup", tmp_path / f"backup{number}")
            assert re.search(r"messages +\d+\n", said) and "generated app's" in said
            backups.append(before)
    finally:
        talkers.stop()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("backup")) == [
        f"backup{n}" for n in range(4)]
    assert not (data / "backup.partial").exists()
    for number, (acknowledged, files) in enumerate(backups):
        restored = tmp_path / f"restored{number}"
        command(restored, "restore", tmp_path / f"backup{number}")
        again = start(DATA_DIR=restored)
        admin = talkers.admin.at(again.tickets)
        for ticket, said in acknowledged.items():
            history = [(message["id"], message["content"]) for message in admin.history(ticket)]
            assert history[:len(said)] == said
            # What came during the backup is in it or not, and without a hole.
            assert [content for _, content in history] == [f"{ticket}.{n}" for n in range(len(history))]
        for name, content in files.items():
            assert (restored / "attachments" / name).read_bytes() == content
        assert (again.app_id, again.key, again.secret) == (server.app_id, server.key, server.secret)
        assert again.stop() == 0
        # Every row has its file and every file its row.
        with sqlite3.connect(restored / "tickets.sqlite") as database:
            rows = dict(database.execute("SELECT file, sha256 FROM attachments"))
        database.close()
        lying = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in (restored / "attachments").iterdir()}
        assert lying == rows
    for path in [*tmp_path.glob("backup*"), *restored.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_backup_is_not_written_over(data, tmp_path):
    create(data, "root@example.org", "admin")
    file = tmp_path / "backup"
    file.write_text("something else")
    refused(data, "backup", file, words=("exists",))
    assert file.read_text() == "something else"
    command(data, "backup", file, "--force")
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT email FROM users").fetchall() == [("root@example.org",)]
    database.close()
    refused(data, "backup", tmp_path / "no such directory" / "backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]


def test_a_missing_attachment_is_told(data, tmp_path):
    ticket = one_ticket(data)
    name, _ = Attachments(data).add(ticket)
    (data / "attachments" / name).unlink()
    refused(data, "backup", tmp_path / "backup", words=(name, "missing"))
    (data / "attachments" / name).write_bytes(PNG)
    refused(data, "backup", tmp_path / "backup", words=("attachment 1",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def one_ticket(data):
    """A customer with a ticket, without a server."""
    create(data, "ada@example.org")
    with sqlite3.connect(data / "tickets.sqlite") as database:
        (user,) = database.execute("SELECT id FROM users WHERE email = 'ada@example.org'").fetchone()
        ticket = database.execute(
            "INSERT INTO tickets (user_id, subject, description, category, priority, status, created_at, updated_at) "
            "VALUES (?, 's', 'd', 0, 0, 0, 1, 1)", (user,)).lastrowid
    database.close()
    return ticket


@pytest.fixture
def backup(data, tmp_path):
    ticket = one_ticket(data)
    Attachments(data).add(ticket)
    file = tmp_path / "backup"
    command(data, "backup", file)
    return file


def spoil(file, change):
    content = bytearray(file.read_bytes())
    file.write_bytes(change(content))


@pytest.mark.parametrize("change, word", [
    (lambda content: content[:-1], "end is missing"),
    (lambda content: content[:len(content) // 2], "end is missing"),
    (lambda content: content[:50], "not a backup"),
    (lambda content: b"", "not a backup"),
    (lambda content: content + b"\n", "end is missing"),
    (lambda content: b"no database at all" * 1000, "not a backup"),
    (lambda content: content[:9000] + bytes([content[9000] ^ 1]) + content[9001:], "damaged"),
    # One letter of an address.
    (lambda content: content.replace(b"ada@example.org", b"bda@example.org"), "damaged"),
])
def test_what_is_no_whole_backup_is_refused(backup, tmp_path, change, word):
    spoil(backup, change)
    refused(tmp_path / "new", "restore", backup, words=("nothing was restored", word, str(backup)))
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_something_else_is_refused(data, backup, tmp_path):
    refused(tmp_path / "new", "restore", data / "tickets.sqlite", words=("not a backup",))
    refused(tmp_path / "new", "restore", tmp_path / "nothing", words=("no file",))
    with sqlite3.connect(tmp_path / "recipes") as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()
    refused(tmp_path / "new", "restore", tmp_path / "recipes", words=("not a backup",))
    # Nor does a server take a backup for its database.
    (tmp_path / "by hand").mkdir()
    shutil.copy(backup, tmp_path / "by hand" / "tickets.sqlite")
    refused(tmp_path / "by hand", "user", "list", words=("another application",))


def reseal(file, sql):
    """A backup as another version might have made it."""
    file.write_bytes(file.read_bytes().partition(b"\nswitchboard backup, sha256 ")[0])
    with sqlite3.connect(file) as database:
        database.executescript(sql)
    database.close()
    content = file.read_bytes()
    file.write_bytes(content + f"\nswitchboard backup, sha256 {hashlib.sha256(content).hexdigest()}\n".encode())


@pytest.mark.parametrize("sql, word", [
    ("UPDATE backup SET format = 2", "newer version"),
    ("INSERT INTO grdb_migrations VALUES ('99: the future')", "newer version"),
    ("DELETE FROM attachment_files", "attachment 1"),
    ("UPDATE attachment_files SET bytes = zeroblob(length(bytes))", "attachment 1"),
    ("PRAGMA foreign_keys = OFF; DELETE FROM users", "refer to others"),
    ("DROP TABLE backup", "damaged"),
    ("UPDATE attachments SET file = '../../../../../../../tmp/escaped'; "
     "UPDATE attachment_files SET file = '../../../../../../../tmp/escaped'", "impossible name"),
])
def test_a_backup_that_is_sealed_and_wrong_is_refused(backup, tmp_path, sql, word):
    reseal(backup, sql)
    refused(tmp_path / "new", "restore", backup, words=("nothing was restored", word))
    assert not (tmp_path / "new" / "tickets.sqlite").exists()


def test_data_that_is_there_is_kept_aside(start, data, backup):
    server = start()
    refused(data, "restore", backup, "--force", words=("Another ticket server",))
    bob = TicketClient.register(server.tickets, "bob@example.org")
    assert server.stop() == 0
    before = bytes_below(data)
    refused(data, "restore", backup, words=("has data already",))
    assert bytes_below(data) == before
    said = command(data, "restore", backup, "--force")
    (aside,) = data.glob("before-restore-*")
    assert str(aside) in said
    kept = bytes_below(aside)
    for path, content in before.items():
        # The app's credentials are not in that backup; nobody replaces them.
        if path.name not in ("tickets.lock", "credentials.json"):
            assert kept[aside / path.relative_to(data)] == content
    assert [user["email"] for user in users(data)] == ["ada@example.org"]
    assert bob.at(start().tickets).request("GET", "/user").status_code == 401


@pytest.mark.parametrize("crash", ["before the first", "after the credentials", "before the last", "after the last"])
def test_an_interrupted_restore_is_finished_by_whoever_comes_next(data, backup, tmp_path, crash):
    other = tmp_path / "other"
    create(other, "bob@example.org")
    command(other, "restore", backup, "--force")
    (aside,) = other.glob("before-restore-*")
    ready = other / aside.name.replace("before-restore", "restoring")
    ready.mkdir()
    if crash != "after the last":
        (other / "tickets.sqlite").rename(ready / "tickets.sqlite")
    if crash == "before the first":
        (other / "attachments").rename(ready / "attachments")
        shutil.copytree(aside, other, dirs_exist_ok=True)
        shutil.rmtree(aside)
        # The log of the former database must not meet the new one.
        (other / "tickets.sqlite-wal").write_bytes(b"a log")
    if crash == "after the credentials":
        (other / "attachments").rename(ready / "attachments")
    assert [user["email"] for user in users(other)] == ["ada@example.org"]
    assert not ready.exists() and (aside / "tickets.sqlite").exists()
    assert len(list((other / "attachments").iterdir())) == 1
    assert b"bob@example.org" in (aside / "tickets.sqlite").read_bytes()


def test_a_backup_behind_a_symbolic_link_is_copied_and_left_as_it_is(backup, tmp_path):
    before = backup.read_bytes()
    latest = tmp_path / "latest"
    latest.symlink_to(backup)
    for name in ("first", "second"):
        command(tmp_path / name, "restore", latest)
        file = tmp_path / name / "tickets.sqlite"
        assert not file.is_symlink() and file.stat().st_mode & 0o777 == 0o600
        assert [user["email"] for user in users(tmp_path / name)] == ["ada@example.org"]
    assert backup.read_bytes() == before


def test_events_of_another_time_are_not_published_again(start, data, tmp_path):
    """The broker is away when the backup is made; what was to be said then is old when the backup comes back."""
    server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=9)
    ada = TicketClient.register(server.tickets, "ada@example.org")
    ada.say(ada.open_ticket()["id"], "hello")
    command(data, "backup", tmp_path / "backup")
    with sqlite3.connect(f"file:{tmp_path / 'backup'}?mode=ro", uri=True) as database:
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (2,)
    database.close()
    command(tmp_path / "new", "restore", tmp_path / "backup")
    with sqlite3.connect(tmp_path / "new" / "tickets.sqlite") as database:
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
        assert database.execute("SELECT content FROM messages").fetchall() == [("hello",)]
    database.close()


MIGRATIONS = Path(__file__).parents[2] / "Sources/TicketAPI/Storage/Migrations"


def test_a_backup_of_the_first_version_is_migrated_at_the_next_start(start, data, tmp_path):
    create(data, "ada@example.org")
    old = tmp_path / "old"
    old.mkdir()
    with sqlite3.connect(old / "tickets.sqlite") as database:
        database.executescript((MIGRATIONS / "Migration1.swift").read_text().split('"""')[1])
        database.executescript(f"""
            PRAGMA application_id = 0x53574254;
            CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
            INSERT INTO grdb_migrations VALUES ('1: accounts, tickets, chats, outbox');
            ATTACH '{data / "tickets.sqlite"}' AS new;
            INSERT INTO users SELECT id, name, email, email_key, role, password_hash, created_at FROM new.users""")
    database.close()
    before = (old / "tickets.sqlite").read_bytes()
    # A backup can be made by a new program before the upgrade.
    command(old, "backup", tmp_path / "backup")
    assert (old / "tickets.sqlite").read_bytes() == before
    command(tmp_path / "new", "restore", tmp_path / "backup")
    server = start(DATA_DIR=tmp_path / "new")
    assert TicketClient.login(server.tickets, "ada@example.org").get("/tickets")["meta"]["total"] == 0


# Export and erasure

class Story:
    """Two customers and an admin, and what each of them wrote: texts that occur nowhere else."""

    def __init__(self, server, data, admin):
        self.server, self.admin = server, admin
        create(data, "carol@example.org", "admin", "Carol Canarycarol")
        self.carol = TicketClient.login(server.tickets, "carol@example.org")
        self.ada = TicketClient.register(server.tickets, "ada.canary@example.org", "Ada Canaryada")
        self.bob = TicketClient.register(server.tickets, "bob.canary@example.org", "Bob Canarybob")
        self.tickets = {}
        for client, name in ((self.ada, "ada"), (self.bob, "bob")):
            ticket = client.post("/tickets", {
                "subject": f"{name}canarysubject", "description": f"{name}canarydescription", "category": "Billing",
                "priority": "High"})["data"]["id"]
            self.tickets[name] = ticket
            client.post(
                f"/tickets/{ticket}/chat/messages", {"content": f"{name}canarymessage"},
                headers={"Idempotency-Key": f"{name}canarykey"})
            self.carol.say(ticket, f"carolcanaryanswer to{name}")
            client.request("PATCH", f"/tickets/{ticket}", {"subject": f"{name}canaryedited"})
        with sqlite3.connect(data / "tickets.sqlite", timeout=30) as database:
            for name in ("ada", "bob"):
                for user, text, internal in (
                    (getattr(self, name).user["id"], f"{name}canarycomment", 0),
                    (self.carol.user["id"], f"carolcanarynote on{name}", 1),
                ):
                    database.execute(
                        "INSERT INTO comments (ticket_id, user_id, content, internal, created_at) VALUES (?, ?, ?, ?, 1)",
                        (self.tickets[name], user, text, internal))
        database.close()
        self.files = {name: Attachments(data).add(self.tickets[name], PNG + f"{name}canaryfile".encode()) for name in self.tickets}


@pytest.fixture
def story(start, data, create_admin):
    server = start("tickets", PUSHER_HOST="127.0.0.1", PUSHER_PORT=9)
    return Story(server, data, create_admin(server))


def secrets_of(data):
    """Every secret of the data directory, in the spellings in which it could get out."""
    with sqlite3.connect(data / "tickets.sqlite") as database:
        found = [row[0] for row in database.execute("SELECT password_hash FROM users")]
        for (digest,) in database.execute("SELECT secret_sha256 FROM tokens UNION ALL SELECT key FROM keys"):
            found += [digest.hex(), digest.hex().upper()]
    database.close()
    return found


def without_moments(export):
    """An export without what a second one may have otherwise: a token's use is written up to two seconds after it."""
    return export | {
        "exported_at": None, "tokens": [token | {"last_used_at": None} for token in export["tokens"]]}


@pytest.mark.parametrize("is_running", [True, False])
def test_an_export_has_all_of_one_person_and_nothing_of_another(story, data, tmp_path, is_running):
    if not is_running:
        assert story.server.stop() == 0
    output = tmp_path / "ada"
    command(data, "export", "--user", "ADA.canary@example.org", "--output", output)
    document = (output / "data.json").read_text()
    export = json.loads(document)
    assert export["format"] == 1 and re.fullmatch(TIME, export["exported_at"])
    assert export["account"] == story.ada.user
    for word in ("Canaryada", "adacanaryedited", "adacanarydescription", "adacanarymessage", "adacanarykey",
                 "adacanarycomment", "carolcanaryanswer toada"):
        assert word in document, word
    for word in ("bob", "carolcanarynote"):
        assert word not in document.lower(), word
    assert [token["name"] for token in export["tokens"]] and set(export["tokens"][0]) == {
        "id", "kind", "name", "created_at", "last_used_at"}
    (attachment,) = export["tickets"][0]["attachments"]
    assert (output / attachment["file"]).read_bytes() == story.files["ada"][1]
    assert [path.name for path in (output / "attachments").iterdir()] == [os.path.basename(attachment["file"])]
    assert stat.S_IMODE(output.stat().st_mode) == 0o700
    # Without a directory, the document alone.
    printed = run("export", "--user", "ada.canary@example.org", "--data-dir", data)
    assert printed.returncode == 0 and "1 attachments" in printed.stderr
    assert without_moments(json.loads(printed.stdout)) == without_moments(export)
    # Whoever wrote a note may have it.
    carol = command(data, "export", "--user", "carol@example.org")
    assert "carolcanarynote onbob" in carol and "carolcanaryanswer toada" in carol
    assert "bobcanary" not in carol and "adacanary" not in carol
    for secret in secrets_of(data):
        assert secret not in document + carol + json.dumps(users(data))


def test_an_export_is_refused(story, data, tmp_path):
    refused(data, "export", "--user", "nobody@example.org", words=("nobody@example.org",), code=64)
    (tmp_path / "taken").mkdir()
    refused(data, "export", "--user", "ada.canary@example.org", "--output", tmp_path / "taken", words=("exists",))
    (data / "attachments" / story.files["ada"][0]).unlink()
    refused(data, "export", "--user", "ada.canary@example.org", "--output", tmp_path / "new", words=("nothing was exported",))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("new")]


def traces(data, *words):
    """Which words occur in which files."""
    return [
        (path.name, word) for path, content in bytes_below(data).items() for word in words
        if word.encode().lower() in content.lower()]


@pytest.mark.parametrize("is_running", [True, False])
def test_of_an_erased_customer_nothing_remains(story, data, is_running):
    assert traces(data, "adacanary", "ada.canary", "canaryada")
    if not is_running:
        assert story.server.stop() == 0
    said = command(data, "erase", "--user", "Ada.Canary@example.org", "--yes")
    assert "1 tickets, 1 attachments" in said and "Backups" in said and "traces" not in said
    assert traces(data, "adacanary", "ada.canary", "canaryada", "toada", "onada") == []
    assert [path.name for path in (data / "attachments").iterdir()] == [story.files["bob"][0]]
    assert "ada" not in json.dumps(users(data))
    # The others have lost nothing.
    server = story.server if is_running else None
    document = command(data, "export", "--user", "bob.canary@example.org")
    for word in ("bobcanaryedited", "bobcanarymessage", "bobcanarycomment", "carolcanaryanswer tobob"):
        assert word in document
    if server:
        assert story.ada.request("GET", "/user").status_code == 401
        assert story.bob.get(f"/tickets/{story.tickets['bob']}")["data"]["messages_count"] == 2
        TicketClient.register(server.tickets, "ada.canary@example.org")
    with sqlite3.connect(data / "tickets.sqlite") as database:
        gone = database.execute(
            "SELECT event, data FROM outbox WHERE ticket_id = ?", (story.tickets["ada"],)).fetchall()
    database.close()
    assert [event for event, _ in gone] == ["TicketDeleted"]
    assert json.loads(gone[0][1])["ticket"]["id"] == story.tickets["ada"]


def test_of_an_erased_admin_the_answers_remain(story, data):
    story.admin.request("PATCH", f"/tickets/{story.tickets['bob']}", {"assigned_to": story.carol.user["id"]})
    said = command(data, "erase", "--user", "carol@example.org", "--yes")
    assert "Deleted user" in said
    assert traces(data, "canarycarol", "carol@example.org") == []
    chat = story.bob.get(f"/tickets/{story.tickets['bob']}/chat")
    assert [message["content"] for message in chat["messages"]] == ["bobcanarymessage", "carolcanaryanswer tobob"]
    assert chat["messages"][1]["sender"] == {"id": story.carol.user["id"], "name": "Deleted user", "role": "customer"}
    assert story.bob.get(f"/tickets/{story.tickets['bob']}")["data"]["assignee"] is None
    assert story.carol.request("GET", "/user").status_code == 401
    for email in ("carol@example.org", f"deleted:{story.carol.user['id']}"):
        answer = story.bob.request("POST", "/login", {"email": email, "password": "a long password"})
        assert answer.status_code in (401, 422)
    (deleted,) = [user for user in users(data) if user["name"] == "Deleted user"]
    assert deleted["role"] == "customer" and "@" not in deleted["email"]


def test_the_last_admin_and_nobody_are_not_erased(data):
    create(data, "root@example.org", "admin")
    refused(data, "erase", "--user", "root@example.org", "--yes", words=("last admin",))
    refused(data, "erase", "--user", "nobody@example.org", "--yes", words=("nobody@",), code=64)
    create(data, "ada@example.org")
    refused(data, "erase", "--user", "ada@example.org", words=("--yes",), code=64, stdin="ada@example.org\n")
    assert len(users(data)) == 2


@pytest.mark.parametrize("typed, is_erased", [(b"ada@example.org\r", True), (b"yes\r", False), (b"\x04", False)])
def test_an_erasure_is_confirmed_by_the_address(data, typed, is_erased):
    create(data, "ada@example.org", name="Ada")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "erase", "--user", "ada@example.org", "--data-dir", str(data)], stdin=slave, stdout=subprocess.PIPE,
        stderr=slave, env=clean_environment())
    os.close(slave)
    shown = b""
    while not shown.endswith(b"go on: "):
        shown += os.read(master, 1024)
    assert b'"Ada", customer, ada@example.org' in shown
    os.write(master, typed)
    process.communicate(timeout=60)
    os.close(master)
    assert (process.returncode == 0) == is_erased and len(users(data)) == (0 if is_erased else 1)


def test_an_erasure_names_the_copies_that_remain(data, backup):
    command(data, "restore", backup, "--force")
    (aside,) = data.glob("before-restore-*")
    assert str(aside) in command(data, "erase", "--user", "ada@example.org", "--yes")

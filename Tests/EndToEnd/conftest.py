import os

import pytest

from secrecy import watched
from switchboard import BINARY, Server, run
from ticket_client import TicketClient

ADMIN = {"email": "admin@example.org", "password": "an admin's password"}


def pytest_sessionstart(session):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is missing: 'make build' makes it, SWITCHBOARD_BIN names another", returncode=2)


@pytest.fixture(scope="session", autouse=True)
def no_log_tells_a_secret():
    """HTTP-16: of all that the tests sent and got, no token, cookie, password, signature or message stands in any log."""
    with watched() as secrets:
        yield
    for log in Server.logs:
        assert not secrets.logged_in(log.read_text(errors="replace")), log


@pytest.fixture
def start(tmp_path):
    """Starts servers; at the end all of them must still be well, stop when asked, and have told no secret."""
    servers = []

    def start_one(*arguments, **settings):
        # One directory for the process, whose data directory may be shared with an earlier one.
        directory = tmp_path / f"server{len(servers)}"
        directory.mkdir()
        settings.setdefault("DATA_DIR", tmp_path / "data")
        server = Server(directory, *arguments, **settings)
        servers.append(server)
        return server.ready()

    yield start_one
    for server in servers:
        if server.alive:
            assert server.stop() == 0, server.errors()
        if server.secret:
            assert server.secret not in server.output
            assert server.secret not in server.errors()
        assert "Fatal error" not in server.errors()


@pytest.fixture
def switchboard(start):
    """Broker and ticket API in one process."""
    return start()


@pytest.fixture
def create_admin():
    def create(server):
        made = run(
            "user", "create", "--email", ADMIN["email"], "--role", "admin", "--name", "Root",
            stdin=ADMIN["password"] + "\n", DATA_DIR=server.data)
        assert made.returncode == 0, made.stderr
        return TicketClient.login(server.tickets, **ADMIN)

    return create

"""What the ticket API answers, held against its own description by schemathesis: all of its checks, with data that keep to the
description and data that do not, for each role."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from switchboard import Server
from ticket_client import TicketClient

HERE = Path(__file__).parent
CUSTOMER = ("test@gmail.com", "11223344")
ADMIN = ("admin@example.com", "password")
# They take the token that asks, so each is tried apart, with a token of its own.
ENDING = ["changePassword", "revokeToken", "logout"]
# From a customer, `internal` says nothing, whatever it is (COM-5).
FOR_CUSTOMERS = """
[[operations]]
include-operation-id = "addComment"
checks.negative_data_rejection.expected-statuses = [201, "4xx"]
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("schemathesis"), "--demo").ready()
    yield server
    assert server.stop() == 0


def tried(demo, directory, token, *options, configuration=""):
    """Runs schemathesis, which must find nothing."""
    file = directory / "schemathesis.toml"
    file.write_text((HERE / "schemathesis.toml").read_text() + configuration)
    # By the environment: a command line can be read by every user of the machine.
    environment = os.environ | {"PYTHONPATH": str(HERE), "ST_TOKEN": token}
    done = subprocess.run(
        [Path(sys.executable).with_name("st"), "--config-file", file, "run", f"http://127.0.0.1:{demo.tickets}/openapi.json",
         "--checks", "all", "--seed", "1", "--no-color", *options],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


@pytest.mark.parametrize("email, password, configuration", [(*CUSTOMER, FOR_CUSTOMERS), (*ADMIN, "")], ids=["customer", "admin"])
def test_the_description_is_true(demo, tmp_path, email, password, configuration):
    token = TicketClient.login(demo.tickets, email, password).token
    excluded = [option for operation in ENDING for option in ("--exclude-operation-id", operation)]
    tried(demo, tmp_path, token, "--max-examples", os.environ.get("SCHEMATHESIS_EXAMPLES", "5"), *excluded,
          configuration=configuration)
    # All of it was done by somebody who was known to the end.
    assert TicketClient(demo.tickets, token).get("/user")["email"] == email


@pytest.mark.parametrize("operation", ENDING)
def test_the_description_of_what_ends_tokens_is_true(demo, tmp_path, operation):
    # The password is the one of the description's examples.
    user = TicketClient.register(demo.tickets, f"{operation}@example.org".lower(), password="correct horse")
    tried(demo, tmp_path, user.token, "--max-examples", "10", "--include-operation-id", operation)

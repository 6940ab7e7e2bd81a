"""SIGTERM and SIGINT: clients are told to come back, requests are finished, and the process ends in time."""

import shutil
import signal
import socket
import threading
import time

import pytest

from pusher_socket import PusherSocket
from switchboard import listens, wait_until
from ticket_client import TicketClient


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sockets_are_closed_with_4200(switchboard, number):
    sockets = [PusherSocket(switchboard.broker, switchboard.key, switchboard.secret) for _ in range(20)]
    for client in sockets:
        client.subscribe("orders")
    begun = time.monotonic()
    switchboard.process.send_signal(number)
    assert [client.close_code()[0] for client in sockets] == [4200] * len(sockets)
    assert switchboard.wait() == 0, switchboard.errors()
    assert time.monotonic() - begun < 10


def test_the_port_is_free_again_at_once(start):
    first = start()
    with PusherSocket(first.broker, first.key):
        TicketClient(first.tickets).request("GET", "/up")
        assert first.stop() == 0
    again = start(BROKER_PORT=first.broker, TICKETS_PORT=first.tickets)
    assert (again.broker, again.tickets) == (first.broker, first.tickets)
    assert (again.app_id, again.key, again.secret) == (first.app_id, first.key, first.secret)


def test_the_database_file_alone_is_the_whole_database(start, tmp_path):
    server = start()
    ada = TicketClient.register(server.tickets, "ada@example.org")
    ticket = ada.open_ticket()["id"]
    message = ada.say(ticket, "Keep this.")
    assert server.stop() == 0
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    shutil.copy(server.data / "tickets.sqlite", copy)
    again = start(DATA_DIR=copy)
    assert ada.at(again.tickets).history(ticket) == [message]


def half_a_request(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
    return client


@pytest.mark.parametrize("part", ["broker", "tickets"])
def test_a_client_that_stalls_cannot_hold_it(switchboard, part):
    with half_a_request(getattr(switchboard, part)), half_a_request(getattr(switchboard, part)):
        # The first half has arrived once the same server has answered somebody else who came later.
        assert TicketClient(getattr(switchboard, part)).request("GET", "/up").status_code == 200
        begun = time.monotonic()
        assert switchboard.stop() == 0, switchboard.errors()
        assert time.monotonic() - begun < 10


def test_clients_that_stall_everywhere_cannot_hold_it(switchboard):
    with half_a_request(switchboard.tickets), half_a_request(switchboard.broker), deaf_client(switchboard):
        assert TicketClient(switchboard.tickets).request("GET", "/up").status_code == 200
        begun = time.monotonic()
        with PusherSocket(switchboard.broker, switchboard.key) as good:
            switchboard.process.send_signal(signal.SIGTERM)
            assert good.close_code()[0] == 4200
        assert switchboard.wait() == 0, switchboard.errors()
        assert time.monotonic() - begun < 10


def test_a_second_signal_ends_it_at_once(start):
    server = start()
    with half_a_request(server.tickets):
        assert TicketClient(server.tickets).request("GET", "/up").status_code == 200
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        # The listener is closed: it is on its way out, and waits for the rest of the request.
        wait_until(lambda: not listens(server.tickets), "the closed listener", 5)
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 75
        assert time.monotonic() - begun < 3
        assert "asked again" in server.errors()


def deaf_client(server):
    client = socket.create_connection(("127.0.0.1", server.broker), timeout=30)
    client.sendall(
        f"GET /app/{server.key}?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    assert b" 101 " in client.recv(4096)
    return client


def test_a_client_that_does_not_read_its_close_cannot_hold_it(switchboard):
    with deaf_client(switchboard):
        begun = time.monotonic()
        assert switchboard.stop() == 0, switchboard.errors()
        assert time.monotonic() - begun < 10


def test_requests_in_progress_are_answered(start, create_admin):
    """Many logins hash a password for a while; those that were accepted before SIGTERM get their answers."""
    server = start()
    create_admin(server)
    answers = []
    all_connected = threading.Barrier(8)

    def login(number):
        client = TicketClient(server.tickets)
        client.request("GET", "/up")
        all_connected.wait(30)
        try:
            body = {"email": f"nobody{number}@example.org", "password": "wrong password"}
            answers.append(client.request("POST", "/login", body).status_code)
        except OSError as failure:
            answers.append(type(failure).__name__)

    threads = [threading.Thread(target=login, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: answers, "the first answer")
    assert server.stop() == 0, server.errors()
    for thread in threads:
        thread.join(30)
    assert answers == [401] * 8

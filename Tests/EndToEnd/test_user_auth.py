"""Signing in at the broker with what the ticket API signs."""

import json

from pusher_socket import PusherSocket
from ticket_client import TicketClient


def test_a_user_signs_in_with_what_user_auth_answers(switchboard, create_admin):
    """CHN-4: pusher-js sends a form; the broker takes the answer, and the user is who the token says."""
    for client in (TicketClient.register(switchboard.tickets, "ada@example.org"), create_admin(switchboard)):
        with PusherSocket(switchboard.broker, switchboard.key) as socket:
            answer = client.http.post(
                client.url + "/broadcasting/user-auth", data={"socket_id": socket.socket_id}, timeout=30)
            assert answer.status_code == 200, answer.text
            signed = answer.json()
            socket.send("pusher:signin", signed)
            data = socket.expect("pusher:signin_success")["data"]
            assert data["user_data"] == signed["user_data"]
            assert json.loads(data["user_data"]) == {
                "id": str(client.user["id"]), "user_info": {"name": client.user["name"], "role": client.user["role"]}}


def test_another_connection_cannot_use_the_signature(switchboard):
    """CHN-4: what was signed for one connection signs in no other."""
    client = TicketClient.register(switchboard.tickets, "ada@example.org")
    with PusherSocket(switchboard.broker, switchboard.key) as first:
        signed = client.post("/broadcasting/user-auth", {"socket_id": first.socket_id}, status=200)
        with PusherSocket(switchboard.broker, switchboard.key) as second:
            second.send("pusher:signin", signed)
            assert second.frame()["event"] == "pusher:error"


def test_the_limits_on_requests_are_settings(start):
    """LIM-1, LIM-2: both limits come from the settings."""
    server = start(TICKETS_REQUESTS_PER_MINUTE_PER_USER=1000, TICKETS_REQUESTS_PER_MINUTE_PER_ADDRESS=500)
    client = TicketClient.register(server.tickets, "ada@example.org")
    assert client.request("GET", "/user").headers["X-RateLimit-Limit"] == "1000"
    assert TicketClient(server.tickets).request("GET", "/user").headers["X-RateLimit-Limit"] == "500"
    assert "X-RateLimit-Limit" not in TicketClient(server.tickets).request("GET", "/up").headers

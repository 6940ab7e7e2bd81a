"""Holds WebSocket connections without a word: hold.py HOST PORT COUNT. Prints how many were greeted."""

import os
import socket
import sys

UPGRADE = (
    f"GET /app/{os.environ['PUSHER_APP_KEY']}?protocol=7 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket"
    "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()

clients = []
for _ in range(int(sys.argv[3])):
    client = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30)
    client.sendall(UPGRADE)
    received = b""
    while b"connection_established" not in received:
        more = client.recv(4096)
        if not more:
            sys.exit(f"refused: {received[:200]}")
        received += more
    clients.append(client)
print(len(clients), flush=True)
sys.stdin.read()

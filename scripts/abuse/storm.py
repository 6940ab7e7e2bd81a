"""Connects, is greeted and goes again, COUNT times: storm.py PORT COUNT SEED. Prints how many were not greeted."""

import random
import socket
import struct
import sys

from connections import upgraded


def main(port, count, seed):
    dice = random.Random(seed)
    failures = 0
    for number in range(count):
        try:
            client = upgraded(port, seed * 250 + number % 250)
        except OSError:
            failures += 1
            continue
        if dice.random() < 0.5:
            # Gone without a word: a reset.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
        client.close()
    print(failures)


main(*map(int, sys.argv[1:]))

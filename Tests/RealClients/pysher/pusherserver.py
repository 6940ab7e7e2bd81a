"""Stands in for the stub server of Pysher's own test: the same interface, but the broker behind it."""

import functools
import os
import subprocess
import tempfile
import threading
import time

import pusher
import pysher

# What the test is written for; Pysher's stub does not look at them.
ID, KEY, SECRET = "1", "appkey", "b7e2d94c1f60835ae4d2"

# The test means to connect to 127.0.0.1, but sets an attribute that Pysher no longer reads.
pysher.Pusher = functools.partial(pysher.Pusher, custom_host="127.0.0.1")


class PusherTestServerProtocol:
    """The test names it and does no more with it."""


class Pusher:
    def __init__(self, protocol, port):
        self.port = port
        self.stopped = threading.Event()

    def run(self):
        """Serves until `stop`; publishes the test's event as soon as its channel is subscribed to."""
        with tempfile.TemporaryDirectory() as directory:
            environment = os.environ | {
                "BROKER_PORT": str(self.port), "OPS_PORT": "0", "DATA_DIR": directory, "PUSHER_APP_ID": ID, "PUSHER_APP_KEY": KEY,
                "PUSHER_APP_SECRET": SECRET}
            broker = subprocess.Popen(
                [os.environ["SWITCHBOARD_BIN"], "serve", "broker"], env=environment, stdout=subprocess.DEVNULL)
            sdk = pusher.Pusher(ID, KEY, SECRET, ssl=False, host="127.0.0.1", port=self.port)
            while not self.stopped.is_set():
                try:
                    if sdk.channel_info("test_channel")["occupied"]:
                        sdk.trigger("test_channel", "test_event", {"message": "test"})
                except OSError:
                    pass  # Not up yet.
                time.sleep(0.1)
            broker.terminate()
            broker.wait()

    def stop(self, **_):
        self.stopped.set()

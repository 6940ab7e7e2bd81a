"""A connected Pysher client whose events go into a queue."""

import logging
import queue

import pysher

from switchboard import wait_until

DEADLINE = 30


class Listener:
    def __init__(self, broker, user=None, **options):
        options = {"secure": False, "custom_host": "127.0.0.1", "port": broker.broker, "secret": broker.secret,
                   "user_data": {"user_id": user, "user_info": {"name": user}} if user else None} | options
        self.client = pysher.Pusher(broker.key, log_level=logging.WARNING, **options)
        self.events = queue.Queue()
        self.client.connect()
        wait_until(lambda: self.connected, "Pysher's connection", DEADLINE)

    @property
    def connected(self):
        return self.client.connection.state == "connected"

    @property
    def socket_id(self):
        return self.client.connection.socket_id

    def subscribe(self, channel, *names, auth=None):
        subscribed = self.client.subscribe(channel, auth)
        for name in ("pusher_internal:subscription_succeeded", *names):
            subscribed.bind(name, lambda data, name=name: self.events.put((name, channel, data)))
        # Pysher makes the channel known only after it has sent the frame: a confirmation may pass it by.
        return subscribed

    def next(self):
        return self.events.get(timeout=DEADLINE)

    def next_of(self, name):
        while True:
            event = self.next()
            if event[0] == name:
                return event

    def close(self):
        # Its thread may sleep on for 100 s and is not waited for.
        self.client.disconnect(0)

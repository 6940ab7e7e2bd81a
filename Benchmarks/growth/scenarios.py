"""What is done at which size. Each scenario reports rows: an operation, a size, and server CPU for one of them.

Where an operation is many by nature (a delivery to each subscriber, a line for each channel), the figure is that of one
of the many, so every figure would stay the same if the cost were linear. `whole` is the CPU of all of them.
"""

import statistics

from clients import Publisher, Swarm
from server import Cost, Server


class Report:
    def __init__(self, server: Server, scenario: str, axis: str):
        self.rows = []
        self._server, self._scenario, self._axis = server, scenario, axis

    def add(self, operation: str, size: int, microseconds: float, count: int, whole: float | None = None) -> None:
        row = {"scenario": self._scenario, "axis": self._axis, "size": size, "operation": operation,
               "microseconds": round(microseconds / count, 3), "count": count}
        if whole is not None:
            row["whole_milliseconds"] = round(whole / 1000, 3)
        self.rows.append(row)

    def many(self, operation: str, size: int, count: int, body) -> None:
        """Of `body`, which does it `count` times."""
        with Cost(self._server) as cost:
            body()
        self.add(operation, size, cost.microseconds, count)

    def each(self, operation: str, size: int, parts: int, body, times: int = 5) -> None:
        """Of `body`, done alone a few times, which has so many parts."""
        costs = []
        for _ in range(times):
            with Cost(self._server) as cost:
                body()
            costs.append(cost.microseconds)
        middle = statistics.median(costs)
        self.add(operation, size, middle, parts, whole=middle)

    def memory(self, operation: str, size: int, more: int, count: int) -> None:
        self.rows.append({"scenario": self._scenario, "axis": self._axis, "size": size, "operation": operation,
                          "bytes": round(more / count), "count": count})


def channels(server: Server, limit: int) -> list[dict]:
    """1 to 100,000 channels with a subscriber each, a hundred on a connection."""
    report = Report(server, "channels", "occupied channels")
    swarm = Swarm(server.port)
    probes = swarm.connect(20)
    names = []
    with Publisher(server.port) as publisher:
        for size in [1, 10, 100, 1_000, 10_000, 100_000]:
            if size > limit:
                break
            more = [f"public-{index}" for index in range(len(names), size)]
            clients = swarm.connect((len(more) + 99) // 100)
            swarm.subscribe((clients[index // 100], name) for index, name in enumerate(more))
            names += more

            fresh = [(client, f"fresh-{size}-{place}-{index}")
                     for place, client in enumerate(probes) for index in range(100)]
            report.many("subscribe to a new channel", size, len(fresh), lambda: swarm.subscribe(fresh))
            report.many("unsubscribe", size, len(fresh), lambda: swarm.unsubscribe(fresh))

            def publish():
                for index in range(2000):
                    publisher.publish(names[index * 7919 % size])
                    swarm.receive(1)
            report.many("publish to one subscriber", size, 2000, publish)
            report.each("GET /channels, for each channel", size, size, lambda: publisher.request("GET", "/channels"))
            report.many("GET /channels/NAME", size, 500,
                        lambda: [publisher.request("GET", f"/channels/{names[0]}") for _ in range(500)])
    swarm.close_all()
    return report.rows


def connections(server: Server, limit: int) -> list[dict]:
    """1 to 19,000 connections, all subscribed to one channel."""
    report = Report(server, "connections", "connections")
    swarm = Swarm(server.port)
    everybody = []
    with Publisher(server.port) as publisher:
        for size in [1, 10, 100, 1_000, 5_000, 10_000, 19_000]:
            if size > limit:
                break
            before = server.memory
            more = size - len(everybody)
            clients = swarm.connect(more)
            swarm.subscribe((client, "everybody") for client in clients)
            everybody += clients
            if more >= 900:
                report.memory("memory of a subscribed connection", size, server.memory - before, more)

            fresh = []

            def join():
                fresh.extend(swarm.connect(300))
                swarm.subscribe((client, f"own-{index}") for index, client in enumerate(fresh))
            report.many("connect and subscribe", size, 300, join)

            def publish():
                for index in range(1000):
                    publisher.publish(f"own-{index % 300}")
                    swarm.receive(1)
            report.many("publish to one subscriber", size, 1000, publish)
            report.many("disconnect", size, 300, lambda: swarm.close(fresh))

            def deliver():
                publisher.publish("everybody")
                swarm.receive(size)
            report.each("delivery to each subscriber", size, size, deliver, times=max(5, 200 // size))
            report.each("reload (SIGHUP), for each connection", size, size, server.reload)
    report.each("disconnect of all at once", len(everybody), len(everybody), lambda: swarm.close(everybody), times=1)
    return report.rows


def subscriptions(server: Server, limit: int) -> list[dict]:
    """1 to 1,000 channels on one connection, which is the most that an app allows."""
    report = Report(server, "subscriptions", "channels of one connection")
    for size in [1, 10, 100, 1_000]:
        swarm = Swarm(server.port)
        count = max(10, 1000 // size)
        clients = swarm.connect(count)
        pairs = [(client, f"channel-{index}") for client in clients for index in range(size)]
        report.many("subscribe", size, len(pairs), lambda: swarm.subscribe(pairs))
        with Publisher(server.port) as publisher:
            def publish():
                for index in range(100):
                    publisher.publish(f"channel-{index * 7919 % size}")
                    swarm.receive(count)
            report.many("delivery", size, 100 * count, publish)
        report.many("unsubscribe", size, len(pairs), lambda: swarm.unsubscribe(pairs))
        swarm.subscribe(pairs)
        report.each("disconnect, for each channel", size, size, lambda: swarm.close([clients.pop()]))
        swarm.close(clients)
    return report.rows


def presence(server: Server, limit: int) -> list[dict]:
    """Presence channels with 1 to 100 members, one of whom leaves and comes back."""
    report = Report(server, "presence", "members")
    data = [f'{{"user_id":"user-{index}","user_info":{{"name":"Ada Lovelace","avatar":"/a/{index}.png"}}}}'
            for index in range(100)]
    for size in [1, 10, 50, 100]:
        swarm = Swarm(server.port)
        clients = swarm.connect(size)
        rooms = [f"presence-{size}-{index}" for index in range(20)]
        for place, client in enumerate(clients[:-1]):
            # The others hear of each: one frame more for everybody who is there.
            swarm.subscribe(((client, room, data[place]) for room in rooms), confirmations=20 * (place + 1))
        last = clients[-1]
        with Cost(server) as joins:
            swarm.subscribe(((last, room, data[size - 1]) for room in rooms), confirmations=20 * size)
        report.add("join, for each member", size, joins.microseconds, 20 * size, whole=joins.microseconds / 20)

        with Cost(server) as leaves:
            swarm.unsubscribe(((last, room) for room in rooms), news=20 * (size - 1))
        report.add("leave, for each member", size, leaves.microseconds, 20 * size, whole=leaves.microseconds / 20)
        swarm.close(clients)
    return report.rows


ALL = {"channels": channels, "connections": connections, "subscriptions": subscriptions, "presence": presence}

"""The port for operators: metrics held against their documents, health, and the drain as a load balancer sees it."""

import json
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from configuration_file import ConfigurationFile, app
from pusher_socket import PusherSocket
from switchboard import BINARY, clean_environment, listens, wait_until
from ticket_client import TicketClient
from webhook_receiver import WebhookReceiver

DOCS = Path(__file__).parents[2] / "docs"


def families(server):
    """The metrics by name, as Prometheus' own parser reads them. A counter's name is without `_total` there."""
    status, text = server.ask("/metrics")
    assert status == 200
    return {family.name + ("_total" if family.type == "counter" else ""): family
            for family in text_string_to_metric_families(text)}


def value(server, name, **labels):
    return next((s.value for s in families(server)[name].samples if s.labels.items() >= labels.items()), None)


def documented():
    """Name, kind and labels of every metric in the tables of docs/metrics.md."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (gauge|counter|histogram) \| *([^|]*?) *\| ([^|]*) \|$", (DOCS / "metrics.md").read_text(), re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels)), meaning) for name, kind, labels, meaning in rows}


@pytest.fixture
def busy(start, tmp_path):
    """A server on which everything that has a metric has happened once."""
    hooks = WebhookReceiver()
    file = ConfigurationFile(
        tmp_path / "switchboard.yaml", app(1, webhooks=[{"url": hooks.url}]), app(2), log_level="trace")
    server = start(*file.arguments)
    key, secret = app(1)["key"], app(1)["secret"]
    with PusherSocket(server.broker, key, secret) as client:
        client.subscribe("private-chat.1")
        ada = TicketClient.register(server.tickets, "ada@example.org")
        ticket = ada.open_ticket()["id"]
        assert ticket == 1
        ada.say(ticket, "Hello?")
        client.send("pusher:nonsense")
        wait_until(lambda: client.frame()["event"] == "pusher:error", "the refusal")
        hooks.request(0)
        wait_until(lambda: value(server, "switchboard_webhooks_requests_total", app="1001", outcome="accepted"), "a webhook")
        wait_until(lambda: value(server, "switchboard_broker_deliveries_total"), "a delivery")
        yield server
    hooks.close()


def test_metrics_are_those_of_the_document(busy):
    found, expected = families(busy), documented()
    assert set(found) == set(expected)
    for name, family in found.items():
        kind, labels, meaning = expected[name]
        assert (family.type, family.documentation) == (kind, meaning), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, sample
    # Everything that can be seen here was.
    unseen = {name for name, family in found.items() if not family.samples}
    assert unseen == set()
    assert {s.labels["app"] for s in found["switchboard_broker_connections"].samples} == {"1001", "1002"}


def test_reasons_of_refusals_are_those_of_the_document():
    source = (DOCS.parent / "Sources/PusherProtocol/RefusalReason.swift").read_text()
    reasons = {quoted or name for name, quoted in re.findall(r'^    case (\w+)(?: = "(\w+)")?$', source, re.M)}
    table = (DOCS / "metrics.md").read_text().partition("| code | reason |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", table)) - {"authorization_timeout", "max_connections", "allowed_origins"}
    assert reasons == named


def names_in(expression):
    return set(re.findall(r"\b(?:switchboard|process)_[a-z_]+\b", expression))


def known(name):
    return name in documented() or name.removesuffix("_bucket") in documented()


def test_the_dashboard_shows_metrics_that_exist_and_all_of_them():
    dashboard = json.loads((DOCS / "grafana.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    shown = set()
    for panel in panels:
        assert panel["targets"] and panel["title"] and panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        for target in panel["targets"]:
            names = names_in(target["expr"])
            assert names and all(map(known, names)), target
            for label in re.findall(r"by \(([^)]*)\)", target["expr"]):
                for one in label.split(", "):
                    labels = set().union(*(documented()[n.removesuffix("_bucket")][1] for n in names))
                    assert one in labels | {"le", "instance"}, target
            shown |= {name.removesuffix("_bucket") for name in names}
    assert shown == set(documented())


def test_alerts_are_about_metrics_that_exist():
    groups = yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 10
    for rule in alerts:
        names = names_in(rule["expr"])
        assert all(map(known, names)) and (names or rule["alert"] == "SwitchboardDown"), rule
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label == "instance" or any(label in documented()[n.removesuffix("_bucket")][1] for n in names), rule
        for reason in re.findall(r'reason="(\w+)"', rule["expr"]):
            assert f"`{reason}`" in (DOCS / "metrics.md").read_text()


def test_a_part_alone_has_its_own_metrics(start):
    broker = start("broker")
    names = set(families(broker))
    assert any(name.startswith("switchboard_broker_") for name in names)
    assert not any(name.startswith("switchboard_tickets_") for name in names)
    tickets = start("tickets", PUSHER_PORT=broker.broker)
    names = set(families(tickets))
    assert any(name.startswith("switchboard_tickets_") for name in names)
    assert not any(name.startswith("switchboard_broker_") for name in names)


def test_health(switchboard):
    assert switchboard.ask("/live") == (200, '{"status":"live"}\n')
    assert switchboard.ask("/ready") == (200, '{"status":"ready"}\n')
    assert switchboard.ask("/up") == (200, '{"status":"up"}\n')
    assert switchboard.ask("/")[0] == 404
    assert requests.post(f"http://127.0.0.1:{switchboard.ops}/live", timeout=60).status_code == 405
    assert value(switchboard, "switchboard_live") == value(switchboard, "switchboard_ready") == 1
    assert value(switchboard, "process_open_fds") < value(switchboard, "process_max_fds")


def test_a_drain_is_paced_and_not_ready_first(start):
    server = start(DRAIN="7s")
    with ThreadPoolExecutor(16) as pool:
        clients = list(pool.map(lambda _: PusherSocket(server.broker, server.key), range(700)))
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.ask("/ready") == (503, '{"status":"draining"}\n'), "not to be ready")
        # Most are still there, and the server is as alive as ever.
        assert value(server, "switchboard_broker_connections") > 0
        assert server.ask("/live")[0] == 200
        wait_until(lambda: not listens(server.broker), "the closed listener")
        assert [code for code, _ in pool.map(PusherSocket.close_code, clients)] == [4200] * len(clients)
    assert server.wait() == 0, server.errors()
    # A hundred in a second, and never more: whoever is slow makes it longer.
    assert time.monotonic() - begun > 6.5


def test_a_low_limit_of_open_files_is_told(tmp_path):
    log = tmp_path / "stderr.log"
    with open(log, "wb") as errors:
        server = subprocess.Popen(
            ["prlimit", "--nofile=512:1024", BINARY, "serve", "broker"], stdout=subprocess.PIPE, stderr=errors,
            env=clean_environment(BROKER_PORT=0, DATA_DIR=tmp_path / "data"))
        while not (line := server.stdout.readline()).startswith(b"  metrics"):
            assert line, log.read_text()
        ops = re.search(rb"http://\S+", line).group().decode()
        assert "process_max_fds 1024\n" in requests.get(ops, timeout=60).text
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert "limit of open files is low" in log.read_text() and "limit=1024 needed=8192" in log.read_text()


def test_a_log_tells_who_connects_and_why_somebody_is_refused(start):
    server = start(LOG_FORMAT="json")
    with PusherSocket(server.broker, server.key) as client:
        client.send("pusher:subscribe", {"channel": "private-orders", "auth": f"{server.key}:{'0' * 64}"})
        assert client.frame()["event"] == "pusher:error"
    with PusherSocket(server.broker, "nobody"):
        pass
    unsigned = requests.get(f"http://127.0.0.1:{server.broker}/apps/{server.app_id}/channels", timeout=60)
    assert unsigned.status_code == 401
    lines = [json.loads(line) for line in server.errors().splitlines()]
    told = [line["metadata"] | {"message": line["message"]} for line in lines if line["level"] == "debug"]
    assert {"address": "127.0.0.1", "app": server.app_id, "socket_id": client.socket_id, "message": "Client connected"} in told
    assert {
        "address": "127.0.0.1", "app": server.app_id, "socket_id": client.socket_id, "channel": "private-orders",
        "code": "null", "reason": "auth_wrong_signature", "message": "Refuses a message"} in told
    assert any(
        line["message"] == "Closes a client" and (line["code"], line["reason"]) == ("4001", "unknown_key") for line in told)
    assert {
        "address": "127.0.0.1", "route": "/apps/{id}/channels", "status": "401", "reason": "missing_parameter",
        "message": "Refuses a request"} in told
    assert sum(line["message"] == "Client connected" for line in told) == 1

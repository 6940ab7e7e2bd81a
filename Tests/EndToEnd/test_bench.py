"""`switchboard bench`: what it says of a good server and of a bad one, and of mistakes."""

import json
import os
import pty
import signal
import subprocess

import pytest

from faulty_server import FaultyServer
from switchboard import BINARY, clean_environment, run, wait_until

APP = {"PUSHER_APP_ID": "4711", "PUSHER_APP_KEY": "f3c1a90b7d2e4586aa10", "PUSHER_APP_SECRET": "b7e2d94c1f60835ae4d2"}
SHORT = ("--duration", 1, "--warmup", 0)


def measured(result, code=0):
    assert result.returncode == code, result
    return json.loads(result.stdout)


def faults(result):
    return {name: result[name] for name in ("lost", "duplicated", "reordered", "malformed")}


NONE = {"lost": 0, "duplicated": 0, "reordered": 0, "malformed": 0}


def line(result):
    """The one line that says why there is no result."""
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("switchboard: bench: "), result.stderr
    return result.stderr


@pytest.mark.parametrize("load", [
    (), ("--private", "--batch", 3, "--subscriptions", 2), ("--presence", "--payload", 2000, "--threads", 2),
    ("--rate", 50, "--channels", 1),
])
def test_a_good_server_of_the_data_directory(start, load):
    server = start()
    result = measured(run(
        "bench", "--port", server.broker, "--data-dir", server.data, "--connections", 20, *load, *SHORT, "--json",
        "--pid", server.process.pid))
    assert result["clean"] and faults(result) == NONE
    assert not result["failed_publishes"] and not result["lost_connections"]
    per_channel = 20 * result["subscriptions"] // result["channels"]
    assert result["published"] > 0 and result["delivered"] == result["published"] * per_channel
    latency = result["delivery_latency_ms"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]
    assert result["server"]["rss_bytes"] > 1_000_000 and result["server"]["cpu_seconds"] >= 0


def test_client_events_reach_all_but_their_sender(start):
    server = start(PUSHER_APP_CLIENT_EVENTS_PER_SECOND=0, **APP)
    result = measured(run(
        "bench", "--port", server.broker, "--client-events", "--connections", 20, *SHORT, "--json", **APP))
    assert result["clean"] and faults(result) == NONE and result["channel_kind"] == "private"
    assert result["published"] > 0 and result["delivered"] == result["published"]


def test_the_rate_limit_of_client_events_is_named(start):
    server = start(**APP)
    result = run("bench", "--port", server.broker, "--client-events", "--connections", 4, "--channels", 1, *SHORT, "--json", **APP)
    failed = measured(result, code=1)["failed_publishes"]
    assert list(failed) == ["4301 over the rate limit of client events"]
    assert "not published; first cause: 4301 over the rate limit of client events" in result.stderr


def test_the_table_of_a_good_run(start):
    server = start()
    result = run("bench", "--port", server.broker, "--data-dir", server.data, "--connections", 5, *SHORT)
    assert result.returncode == 0 and result.stderr == ""
    for words in ("handshakes/s", "publishes", "deliveries", "p99.9", "0 lost, 0 duplicated, 0 reordered, 0 malformed"):
        assert words in result.stdout
    assert server.secret not in result.stdout


@pytest.mark.parametrize("fault, name, load", [
    ("drop", "lost", ()), ("duplicate", "duplicated", ()), ("malform", "malformed", ()),
    ("reorder", "reordered", ("--batch", 2)),
])
def test_a_bad_server_is_found_out(fault, name, load):
    with FaultyServer(fault) as server:
        outcome = run(
            "bench", "--port", server.port, "--connections", 3, "--channels", 1, "--rate", 100, *load, *SHORT, "--json",
            **APP)
        result = measured(outcome, code=1)
        assert server.done > 0 and not result["clean"]
        expected = NONE | {name: server.done}
        if fault == "malform":
            # What was damaged has not arrived either.
            expected["lost"] = server.done
        assert faults(result) == expected
        assert result["delivered"] + result["lost"] == 3 * result["published"]
        assert f"{server.done} {name}" in outcome.stderr


def test_refused_publishes_are_counted_by_their_reason():
    with FaultyServer("refuse") as server:
        result = measured(run("bench", "--port", server.port, "--connections", 2, *SHORT, "--json", **APP), code=1)
        assert result["failed_publishes"] == {"429 over the rate limit": server.done}
        assert faults(result) == NONE


def test_lost_connections_are_counted_by_their_reason():
    with FaultyServer("close") as server:
        outcome = run(
            "bench", "--port", server.port, "--connections", 2, "--channels", 1, "--rate", 20, *SHORT, "--json", **APP)
        result = measured(outcome, code=1)
        assert sum(result["lost_connections"].values()) == server.done > 0
        assert "connections lost" in outcome.stderr


def test_an_interrupt_ends_it_early_with_a_result():
    with FaultyServer() as server:
        process = subprocess.Popen(
            [BINARY, "bench", "--port", str(server.port), "--duration", "3600", "--warmup", "0", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(**APP))
        wait_until(lambda: server.events > 100, "events")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        result = json.loads(output)
        assert result["stopped_early"] and result["clean"] and result["published"] == server.events


def test_a_terminal_is_told_how_far_it_is():
    with FaultyServer() as server:
        ours, theirs = pty.openpty()
        result = subprocess.run(
            [BINARY, "bench", "--port", str(server.port), "--duration", "2"], stdout=subprocess.PIPE, stderr=theirs,
            timeout=60, env=clean_environment(**APP))
        os.close(theirs)
        shown = os.read(ours, 1 << 16).decode()
        os.close(ours)
        assert result.returncode == 0
        assert "measuring: " in shown and "deliveries/s" in shown
        assert shown.endswith("\r\x1b[K"), "the line is taken away"


def test_too_few_open_files_are_said_before_anything_is_sent():
    result = subprocess.run(
        ["bash", "-c", 'ulimit -n 200; exec "$0" bench --connections 500', BINARY], capture_output=True, text=True,
        env=clean_environment(**APP))
    assert result.returncode == 69 and "500 connections need" in result.stderr and "ulimit -Hn" in result.stderr


def test_wrong_credentials_are_said_in_one_line(start):
    port = start(**APP).broker
    wrong_key = run("bench", "--port", port, **APP | {"PUSHER_APP_KEY": "other"})
    assert "4001" in line(wrong_key) and "other" in wrong_key.stderr
    wrong_secret = APP | {"PUSHER_APP_SECRET": "not-the-secret"}
    assert "is PUSHER_APP_SECRET the secret of app 4711?" in line(run("bench", "--port", port, **wrong_secret))
    assert "is PUSHER_APP_SECRET the secret of app 4711?" in line(
        run("bench", "--port", port, "--client-events", **wrong_secret))
    assert "check --app-id" in line(run("bench", "--port", port, **APP | {"PUSHER_APP_ID": "4712"}))


def test_a_server_that_is_not_there_is_said_in_one_line(start):
    server = start(**APP)
    port = server.broker
    server.stop()
    assert f"nothing listens on 127.0.0.1:{port}" in line(run("bench", "--port", port, **APP))


@pytest.mark.parametrize("arguments, words", [
    (("--connections", 0), "--connections is 0; allowed"), (("--connections", 1_000_000), "--connections is 1000000"),
    (("--payload", 10), "--payload is 10"), (("--rate", 1, "--in-flight", 1), "cannot both be given"),
    (("--private", "--presence"), "cannot both be given"), (("--channels", 200), "nobody would be on some"),
    (("--client-events", "--batch", 2), "--batch"), (("--insecure",), "add --tls"), (("--pid", 999_999_999), "--pid"),
    (("--port", 0), "--port is 0"), (("--host", "ws://example.org"), "--host is"),
])
def test_mistakes_are_refused_before_anything_is_sent(arguments, words):
    result = run("bench", *arguments, **APP)
    assert result.returncode == 64 and words in result.stderr and result.stderr.count("\n") == 1


def test_without_credentials_it_says_where_they_come_from(tmp_path):
    result = run("bench", cwd=tmp_path)
    assert result.returncode == 78 and "PUSHER_APP_SECRET" in result.stderr and "--data-dir" in result.stderr
    assert not list(tmp_path.iterdir()), "nothing was made"

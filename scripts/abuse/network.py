"""Networks that lose packets, and peers that vanish without a word. Both need a network namespace."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from harness import APP, Healthy, Skipped, expect, wait_until


def command(*words, namespace=None):
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    return subprocess.run([*prefix, *words], capture_output=True, text=True)


@contextlib.contextmanager
def namespace():
    """A network namespace with an address of its own, 10.213.0.2, beside 10.213.0.1 on this machine."""
    name, link = f"abuse-{os.getpid()}", f"abuse{os.getpid() % 10_000}"
    made = command("ip", "netns", "add", name)
    if made.returncode != 0:
        raise Skipped(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        for words in (
            ["ip", "link", "add", link, "type", "veth", "peer", "name", "peer", "netns", name],
            ["ip", "address", "add", "10.213.0.1/24", "dev", link], ["ip", "link", "set", link, "up"],
        ):
            result = command(*words)
            if result.returncode != 0:
                raise Skipped(f"{' '.join(words)}: {result.stderr.strip()}")
        for words in (
            ["ip", "address", "add", "10.213.0.2/24", "dev", "peer"], ["ip", "link", "set", "peer", "up"],
            ["ip", "link", "set", "lo", "up"],
        ):
            command(*words, namespace=name)
        yield name, link
    finally:
        command("ip", "link", "delete", link)
        command("ip", "netns", "delete", name)


def lose(name, percent):
    """Loses packets in both directions: by netem where the kernel has it, else by nftables' random numbers."""
    if command("tc", "qdisc", "add", "dev", "peer", "root", "netem", "loss", f"{percent}%", namespace=name).returncode == 0:
        return "netem"
    if not shutil.which("nft"):
        raise Skipped("the kernel has no netem, and there is no nft (Debian's nftables) to lose packets with")
    rules = f"""table ip loss {{
        chain in {{ type filter hook input priority 0; numgen random mod 100 < {percent} drop; }}
        chain out {{ type filter hook output priority 0; numgen random mod 100 < {percent} drop; }}
    }}"""
    result = subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], input=rules, capture_output=True, text=True)
    if result.returncode != 0:
        raise Skipped(f"neither netem nor nftables loses packets here: {result.stderr.strip()}")
    return "nftables"


def packet_loss(stage):
    """A subscriber and a publisher behind a network that loses 1 % of all packets: everything comes, in order."""
    with namespace() as (name, _):
        server = stage.server("broker", BROKER_HOST="0.0.0.0")
        stage.figures["by"] = lose(name, 1)
        near = Healthy(server.broker)
        far = Healthy(server.broker, prefix=["ip", "netns", "exec", name], host="10.213.0.1")
        time.sleep(20)
        figures = far.finish()
        stage.figures |= {"over the lossy network": figures["published"], "its latest ms": figures["max ms"]}
        stage.neighbour(near)


def half_open(stage):
    """200 clients vanish: their cable is cut, no packet says so. The server finds out by its pings and closes them."""
    with namespace() as (name, link):
        server = stage.server("broker", BROKER_HOST="0.0.0.0", BROKER_ACTIVITY_TIMEOUT=5)
        neighbour = Healthy(server.broker)
        time.sleep(1)
        usual, before = server.eye.descriptors, server.eye.memory
        holder = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, str(Path(__file__).with_name("hold.py")), "10.213.0.1",
             str(server.broker), "200"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | APP)
        expect(holder.stdout.readline() == b"200\n", "all are greeted")
        begun = time.monotonic()
        command("ip", "link", "set", link, "down")
        wait_until(lambda: server.eye.descriptors <= usual, "the close of all who vanished", deadline=70)
        stage.figures["closed after s"] = round(time.monotonic() - begun)
        holder.kill()
        stage.settled(server.eye, usual, before)
        stage.neighbour(neighbour)

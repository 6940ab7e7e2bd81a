"""Scripted abuse, each scenario with its expected outcome: scripts/abuse [SCENARIO…]

Without names all of them run; --list shows them. A table at the end has the figures; the exit code is 1 when one failed. What a
scenario needs and the machine lacks is said, and the scenario skipped.
"""

import os
import sys

import connections
import machine
import neighbours
import network
from harness import BINARY, run

SCENARIOS = [
    connections.slowloris, network.half_open, connections.connect_storm, connections.subscribe_storm,
    connections.never_reads, network.packet_loss, machine.clock_jumps, connections.file_limit, machine.disk_full,
    machine.database_busy, machine.database_damaged, neighbours.broker_away, neighbours.webhook_hangs,
]


def main():
    known = {scenario.__name__.replace("_", "-"): scenario for scenario in SCENARIOS}
    names = sys.argv[1:]
    if names == ["--list"]:
        for name, scenario in known.items():
            print(f"{name:18} {' '.join(scenario.__doc__.split())}")
        return 0
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"abuse: there is no scenario {unknown[0]}; they are: {' '.join(known)}", file=sys.stderr)
        return 64
    if not os.access(BINARY, os.X_OK):
        print(f"abuse: {BINARY} is missing: 'make build' makes it, SWITCHBOARD_BIN names another", file=sys.stderr)
        return 69
    failed = 0
    for name in names or known:
        print(f"{name:18} …", end="", flush=True)
        outcome, figures, seconds = run(known[name])
        failed += outcome.startswith("FAILED")
        print(f"\r{name:18} {seconds:4.0f} s  {outcome}", flush=True)
        if figures:
            print(" " * 27 + "; ".join(f"{key} {value}" for key, value in figures.items()), flush=True)
    return 1 if failed else 0


sys.exit(main())

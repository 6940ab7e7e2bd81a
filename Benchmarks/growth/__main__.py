"""How the broker's costs grow: with channels, connections, channels of one connection, members of presence channels.

    python3 Benchmarks/growth                              # everything, on .build/release/switchboard
    python3 Benchmarks/growth --only channels presence --json growth.json

Starts brokers of its own on the loopback interface, one for each scenario, with one event loop. The figures are CPU
time of the server's process, kernel included, so they hold on a busy machine too.
"""

import argparse
import json
import pathlib
import resource
import sys

from scenarios import ALL
from server import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def table(rows: list[dict]) -> None:
    sizes = sorted({row["size"] for row in rows})
    print(f"\n{rows[0]['axis']:38}" + "".join(f"{size:>10,}" for size in sizes) + "   all at once")
    for operation in dict.fromkeys(row["operation"] for row in rows):
        of = {row["size"]: row for row in rows if row["operation"] == operation}
        cells = ""
        for size in sizes:
            row = of.get(size)
            cells += f"{'' if row is None else format(row.get('microseconds', row.get('bytes')), ',.5g'):>10}"
        unit = "B " if any("bytes" in row for row in of.values()) else "µs"
        whole = max((row["whole_milliseconds"] for row in of.values() if "whole_milliseconds" in row), default=None)
        print(f"{operation:36}{unit}{cells}" + ("" if whole is None else f"   {whole:9.2f} ms"))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / ".build/release/switchboard"))
    parser.add_argument("--only", nargs="+", choices=ALL, default=list(ALL))
    parser.add_argument("--json", metavar="FILE", help="write the rows here")
    options = parser.parse_args()
    # Clients and server each need a descriptor for a connection.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit = 100_000 if hard == resource.RLIM_INFINITY else hard - 500
    rows = []
    for name in options.only:
        print(f"growth: {name}", file=sys.stderr, flush=True)
        with Server(options.binary) as server:
            found = ALL[name](server, 100_000 if name == "channels" else limit)
        table(found)
        rows += found
    if options.json:
        pathlib.Path(options.json).write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()

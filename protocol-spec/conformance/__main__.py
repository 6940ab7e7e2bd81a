"""Tries a server against the rules, and prints one line a rule."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from conformance.registry import checks, texts
from conformance.runner import run
from conformance.target import FIXTURES, App, Target


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m conformance", description=__doc__,
        epilog="The app's secret is read from APP_SECRET in the environment, where other users cannot see it. "
        "Fixtures are a JSON object: role → members that differ from the app's (id, key, secret, host, port, tls, …). Roles: "
        + "; ".join(f"{role}: {what}" for role, what in FIXTURES.items()))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--app-key", required=True)
    parser.add_argument("--tls", action="store_true", help="reach the server by wss and https")
    parser.add_argument("--ca-file", help="certificates to trust with --tls, when not the system's")
    parser.add_argument("--prefix", default="", help="what stands before /app and /apps in every path")
    parser.add_argument("--fixtures", type=Path, help="what else the server was set up with")
    parser.add_argument("--only", action="append", default=[], metavar="RULE", help="a rule, or a prefix such as WS")
    parser.add_argument("--slow", action="store_true", help="rules that take minutes or thousands of connections too")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args()


def chosen(check, only):
    return not only or any(check.rule == name or check.rule.startswith(f"{name}-") for name in only)


def main():
    given = arguments()
    secret = os.environ.get("APP_SECRET")
    if not secret:
        sys.exit("APP_SECRET is not set: the app's secret is read from the environment")
    app = App({
        "id": given.app_id, "key": given.app_key, "secret": secret, "host": given.host, "port": given.port,
        "tls": given.tls, "ca_file": given.ca_file, "prefix": given.prefix,
    })
    fixtures = json.loads(given.fixtures.read_text()) if given.fixtures else {}
    unknown = set(fixtures) - set(FIXTURES)
    if unknown:
        sys.exit(f"no rule knows the fixtures {', '.join(sorted(unknown))}")
    wanted = [check for check in checks() if chosen(check, given.only)]
    if not wanted:
        sys.exit(f"no rule is called {', '.join(given.only)}")
    sentences = texts()
    counts = {"ok": 0, "FAIL": 0, "skip": 0}

    def report(result):
        counts[result.outcome] += 1
        sentence = sentences.get(result.rule, "")
        if given.json:
            print(json.dumps({
                "rule": result.rule, "outcome": result.outcome, "text": sentence, "detail": result.detail,
                "seconds": round(result.seconds, 3)}, ensure_ascii=False), flush=True)
        else:
            detail = f": {result.detail}" if result.detail else ""
            print(f"{result.outcome:4} {result.rule:7} {sentence}{detail}", flush=True)

    try:
        asyncio.run(run(Target(app, fixtures, given.slow), wanted, report))
    except ConnectionError as error:
        sys.exit(str(error))
    if not given.json:
        print(f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped")
    sys.exit(1 if counts["FAIL"] else 0)


if __name__ == "__main__":
    main()

"""Prints how the cases of an Autobahn report went, by section; ends with 1 when one failed or none ran.

    summary.py report/index.json
"""

import collections
import json
import sys

PASSED = ("OK", "NON-STRICT", "INFORMATIONAL")


def main(index):
    with open(index) as file:
        (cases,) = json.load(file).values()
    sections = collections.defaultdict(collections.Counter)
    lines = []
    for name, case in sorted(cases.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        # A case passes when the messages were right and the connection was closed as it should be.
        outcome = case["behavior"] if case["behavior"] not in PASSED or case["behaviorClose"] in PASSED else "CLOSE"
        sections[int(name.split(".")[0])][outcome] += 1
        if outcome not in ("OK", "INFORMATIONAL"):
            lines.append(f"{outcome}: {name}, closing {case['behaviorClose']}, code {case['remoteCloseCode']}")
    columns = list(PASSED) + sorted({o for counts in sections.values() for o in counts} - set(PASSED))
    print("section", *(f"{column:>14}" for column in columns))
    for section, counts in sorted(sections.items()):
        print(f"{section:<7}", *(f"{counts[column]:>14}" for column in columns))
    print("all    ", *(f"{sum(c[column] for c in sections.values()):>14}" for column in columns))
    print(*lines, sep="\n")
    failed = any(outcome not in PASSED for counts in sections.values() for outcome in counts)
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

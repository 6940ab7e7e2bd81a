"""Every rule has a test, every test names rules that exist, and every statement of the protocol is settled somewhere."""

import re
from pathlib import Path

from conformance.registry import checks, texts

ROOT = Path(__file__).parents[2]
STATEMENTS = [f"P{number}" for number in range(1, 165)]
DIFFERENCES = ROOT / "docs/decisions/0009-where-we-differ.md"
RULE = r"[A-Z]+-\d+"


def names(text):
    """The rules and statements that a text names: `P3`, `P64–P70`, `WS-1 to WS-9`, …"""
    found = set(re.findall(rf"\b(?:P\d+|{RULE})\b", text))
    for family, first, last in re.findall(r"\b(P|[A-Z]+-)(\d+)(?:–| to )\1(\d+)\b", text):
        found |= {f"{family}{number}" for number in range(int(first), int(last) + 1)}
    return found


def settled(text):
    """The statements in the brackets at the end of a rule."""
    found = re.search(r"\(([^()]*)\)$", text)
    return names(found.group(1)) if found else set()


def named_by_tests():
    """What the titles of the Swift tests and the words of the Python tests and of the fixtures around all of them name."""
    found = set()
    for file in (ROOT / "Tests").rglob("*.swift"):
        for title in re.findall(r'@(?:Test|Suite)\(\s*"((?:[^"\\]|\\.)*)"', file.read_text()):
            found |= names(title)
    # What conftest.py does around the tests shows rules too.
    for file in [*(ROOT / "Tests").rglob("test_*.py"), *(ROOT / "Tests").rglob("conftest.py")]:
        for function, docstring in re.findall(r'def (\w+)\([^)]*\):(?:\n    """((?:[^"\\]|"(?!""))*)""")?', file.read_text()):
            found |= names(function.replace("_", " ")) | names(docstring)
    return found


def rules():
    """The rules with the statements they settle."""
    return {number: settled(text) for number, text in texts().items()}


def shown():
    """The rules that a conformance function or another test shows, by number or by a statement they settle."""
    conformance = {check.rule for check in checks()}
    elsewhere = named_by_tests()
    return {number for number, statements in rules().items() if number in conformance or ({number} | statements) & elsewhere}


def test_every_rule_has_a_test():
    assert sorted(set(rules()) - shown()) == []


def test_every_conformance_function_shows_a_rule():
    assert sorted({check.rule for check in checks()} - set(rules())) == []


def test_every_statement_is_settled():
    by_rules = set().union(*(statements for number, statements in rules().items() if number in shown()))
    differing = names(DIFFERENCES.read_text())
    assert [statement for statement in STATEMENTS if statement not in by_rules | differing] == []


def test_rules_settle_statements_that_exist():
    for number, statements in rules().items():
        assert statements <= set(STATEMENTS), number


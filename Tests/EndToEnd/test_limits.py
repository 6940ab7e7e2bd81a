"""The table of limits: every row has a test that exists, and every setting in it is one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/limits.md").read_text().splitlines() if line.startswith("| ") and not line.startswith("| limit")]


def existing_tests():
    """`Suite.function` of every Swift test, `module.function` of every Python test."""
    found = set()
    for file in (ROOT / "Tests").rglob("*.swift"):
        suite = None
        for line in file.read_text().splitlines():
            if match := re.match(r"(?:@Suite.* )?(?:struct|actor|final class|class) (\w+)", line):
                suite = match.group(1)
            elif match := re.match(r"    func (\w+)\(", line):
                found.add(f"{suite}.{match.group(1)}")
    for file in (ROOT / "Tests/EndToEnd").glob("test_*.py"):
        found |= {f"{file.stem}.{name}" for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)}
    return found


def test_every_limit_has_a_test():
    known = existing_tests()
    for row in ROWS:
        names = re.findall(r"`([\w.]+)`", row[4])
        assert len(row) == 5 and names, row
        assert set(names) <= known, (row[0], set(names) - known)


def test_every_setting_of_a_limit_exists():
    configuration = (ROOT / "docs/configuration.md").read_text()
    names = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])}
    assert len(names) > 15
    for name in names:
        assert f"| `{name}` |" in configuration, name

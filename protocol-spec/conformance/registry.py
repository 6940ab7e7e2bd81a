"""The rules: their texts in `protocol-spec/*.md`, and the functions that show them."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Awaitable, Callable

SPECIFICATION = Path(__file__).parents[1]
AREAS = (
    "handshake", "keep_alive", "malformed", "public", "private", "presence", "client_events", "users", "cache", "counts",
    "http_auth", "publishing", "queries", "webhooks", "laravel",
)


class Failure(Exception):
    """The server did something else; the text says what was seen."""


class Skip(Exception):
    """The rule cannot be tried here; the text says what is needed."""


@dataclass(frozen=True)
class Check:
    """One function that shows one rule."""

    rule: str
    run: Callable[["Target"], Awaitable[None]]  # noqa: F821
    needs: tuple[str, ...]
    """Fixtures without which the rule cannot be tried."""
    slow: bool
    """More than a stranger's server should be asked without `--slow`."""
    patient: bool
    """As `slow`, unless there is a server with short keep-alive times."""
    alone: bool
    """Disturbs what runs beside it."""


_checks: dict[str, Check] = {}


def rule(number, *, needs=(), slow=False, patient=False, alone=False):
    """Names the rule that a function shows."""
    def register(function):
        if number in _checks:
            raise ValueError(f"{number} is shown twice")
        roles = (needs,) if isinstance(needs, str) else tuple(needs)
        _checks[number] = Check(number, function, roles, slow, patient, alone)
        return function
    return register


def checks():
    """All checks, in the order of the rules' numbers, family by family."""
    for area in AREAS:
        importlib.import_module(f"conformance.{area}")
    families = list(dict.fromkeys(number.partition("-")[0] for number in _checks))

    def place(check):
        family, _, number = check.rule.partition("-")
        return families.index(family), int(number)

    return sorted(_checks.values(), key=place)


def texts(*files):
    """The sentences of the specification by their ids."""
    found = {}
    for file in files or sorted(path.name for path in SPECIFICATION.glob("*.md")):
        path = SPECIFICATION / file
        for number, text in re.findall(r"^- ([A-Z]+-\d+):? (.+(?:\n  .+)*)", path.read_text(), re.MULTILINE):
            if number in found:
                raise ValueError(f"{number} stands twice")
            found[number] = re.sub(r"\s+", " ", text)
    return found


def that(condition, seen):
    if not condition:
        raise Failure(str(seen))


def same(seen, wanted, what):
    if seen != wanted:
        raise Failure(f"{what} is {seen!r}, not {wanted!r}")

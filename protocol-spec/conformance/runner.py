"""Runs checks side by side, and reports them in their order."""

import asyncio
import time
from dataclasses import dataclass

from conformance.client import Client
from conformance.receiver import Receiver
from conformance.registry import Failure, Skip
from conformance.target import FIXTURES, Session

AT_ONCE = 16
DEADLINE = 60.0
SLOW_DEADLINE = 400.0


@dataclass(frozen=True)
class Result:
    rule: str
    outcome: str
    """ok, FAIL or skip."""
    detail: str
    seconds: float


async def run(target, checks, report):
    """Tries each check; `report` gets the results in the order of the checks, as soon as they are there.

    Raises ConnectionError when there is no server at all.
    """
    try:
        await (await Client.open(target.app)).close()
    except (OSError, TimeoutError, EOFError) as error:
        raise ConnectionError(f"no WebSocket server at {target.app.host}:{target.app.port}: {error}") from None
    except Failure:
        pass  # There is one; the rules tell what it does.
    checks_apart = [check for check in checks if check.alone]
    places = asyncio.Semaphore(AT_ONCE)

    async def one(check):
        # Who only waits takes no place.
        if check.patient:
            return await _try(target, check)
        async with places:
            return await _try(target, check)

    async with Receiver.of(target):
        running = {check.rule: asyncio.create_task(one(check)) for check in checks if not check.alone}
        for check in checks:
            if check.rule in running:
                report(await running[check.rule])
        for check in checks_apart:
            report(await _try(target, check))


async def _try(target, check):
    started = time.monotonic()

    def result(outcome, detail=""):
        return Result(check.rule, outcome, detail, time.monotonic() - started)

    missing = [role for role in check.needs if role not in target.fixtures]
    if missing:
        return result("skip", "needs " + " and ".join(FIXTURES[role] for role in missing))
    if check.slow and not target.slow:
        return result("skip", "needs --slow")
    if check.patient and not target.slow and "keep_alive" not in target.fixtures:
        return result("skip", f"needs --slow, or {FIXTURES['keep_alive']}")
    session = Session(target)
    try:
        async with asyncio.timeout(SLOW_DEADLINE if check.slow or check.patient else DEADLINE):
            await check.run(session)
        return result("ok")
    except Skip as skip:
        return result("skip", f"needs {skip}")
    except Failure as failure:
        return result("FAIL", str(failure))
    except TimeoutError:
        return result("FAIL", "took too long")
    except Exception as error:  # Whatever a server does, the other rules are tried.
        return result("FAIL", f"{type(error).__name__}: {error}")
    finally:
        await session.end()

"""What is for staff never reaches a customer: histories by chance, with a word in each text that says whose it is."""

import os
import random

import pytest

from canaries import World

SEEDS = [int(os.environ["CANARY_SEED"])] if "CANARY_SEED" in os.environ else [1, 2]
STEPS = int(os.environ.get("CANARY_STEPS", 60))


@pytest.mark.parametrize("seed", SEEDS)
def test_customers_get_nothing_that_is_for_staff_or_of_others(start, seed):
    """AUD-1, AUD-2: over REST and WebSocket, in answers, lists, counts, errors, headers, frames. CANARY_SEED repeats a history."""
    world = World(start(EVENT_STYLE="plain"), random.Random(seed))
    happenings = [
        world.open, world.update, world.update, world.comment, world.comment, world.note, world.note, world.note,
        world.message, world.message, world.read, world.read, world.delete, world.change_role, world.look, world.intrude,
    ]
    for _ in range(STEPS):
        world.chance.choice(happenings)()
    world.note()
    world.settle()

    # Everything was checked as it came in. That there was something to be seen, staff show.
    assert world.short_notes and world.short_notes <= set.union(*(person.heard_live for person in world.people))
    for person in world.people:
        person.heard.clear()
        world.look_as(person)
        if person.role == "admin":
            assert {word for _, word in world.notes} <= person.heard

"""How long the next try waits."""

from datetime import timedelta

import pytest

from identity.attempts import ADDRESS, CODE, KNOWN_BROWSER, UNKNOWN_BROWSERS, Schedule

SCHEDULE = Schedule(free=3, waits=(timedelta(seconds=30), timedelta(seconds=60)), forget_after=timedelta(days=1))


@pytest.mark.parametrize(("tries", "seconds"), [(1, 0), (2, 0), (3, 30), (4, 60), (5, 60), (1000, 60)])
def test_waits(tries: int, seconds: int) -> None:
    assert SCHEDULE.wait_after(tries) == timedelta(seconds=seconds)


def test_the_table_says_the_same_as_the_rule() -> None:
    """The database reads the table; its last entry holds for all further tries."""
    for schedule in (SCHEDULE, ADDRESS, CODE, KNOWN_BROWSER, UNKNOWN_BROWSERS):
        table = schedule.table()
        for tries in range(1, 200):
            assert table[min(tries, len(table)) - 1] == schedule.wait_after(tries)


@pytest.mark.parametrize("schedule", [ADDRESS, CODE, KNOWN_BROWSER, UNKNOWN_BROWSERS])
def test_waits_grow_and_never_reach_an_hour(schedule: Schedule) -> None:
    """Slowed, not locked out: a holder waits minutes at most."""
    waits = [schedule.wait_after(tries) for tries in range(1, 100)]
    assert waits == sorted(waits)
    assert timedelta() < waits[-1] <= timedelta(minutes=15)
    assert schedule.forget_after >= waits[-1]


def test_a_day_of_guessing_is_a_few_hundred_tries() -> None:
    """However many addresses take part (the lane of all unknown browsers)."""
    tries, at = 0, timedelta()
    while at < timedelta(days=1):
        tries += 1
        at += UNKNOWN_BROWSERS.wait_after(tries)
    assert tries < 400

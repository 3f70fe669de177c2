"""Due times: cron as Debian's, with zones and the nights when clocks change; intervals; what was missed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from spellwork_server.triggers.missed import LATE, MOST, catch_up
from spellwork_server.triggers.schedule import Cron, Every, ScheduleError

BERLIN, SYDNEY = "Europe/Berlin", "Australia/Lord_Howe"


def at(text: str, zone: str = "UTC") -> float:
    """Return a wall clock's time in Unix seconds; ``/1`` is the second time that it comes."""
    wall, _, fold = text.partition("/")
    read = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=int(fold or 0))
    return read.timestamp()


def times(expression: str, zone: str, after: str, count: int) -> list[str]:
    found, now = [], at(after, zone)
    for _ in range(count):
        following = Cron(expression, zone).next(now)
        assert following is not None
        assert following > now
        now = following
        found.append(datetime.fromtimestamp(now, ZoneInfo(zone)).strftime("%a %d %b %H:%M %z"))
    return found


@pytest.mark.rule("X2")
@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("0 9 * * MON-FRI", BERLIN, "2026-11-20T09:00", ["Mon 23 Nov 09:00 +0100"]),
        ("*/20 8-9 1 JAN *", "UTC", "2026-06-01", ["Fri 01 Jan 08:00 +0000"]),
        ("0 0 29 2 *", "UTC", "2026-01-01", ["Tue 29 Feb 00:00 +0000"]),
        ("0 12 L * *", "UTC", "2026-02-01", ["Sat 28 Feb 12:00 +0000"]),
        ("0 12 * * MON#2", "UTC", "2026-02-01", ["Mon 09 Feb 12:00 +0000"]),
        ("0 0 13 * FRI", "UTC", "2026-11-01", ["Fri 06 Nov 00:00 +0000", "Fri 13 Nov 00:00 +0000"]),
        ("@weekly", "Asia/Kolkata", "2026-11-18", ["Sun 22 Nov 00:00 +0530"]),
        ("5,10 * * * 7", "UTC", "2026-11-22T23:07", ["Sun 22 Nov 23:10 +0000"]),
    ],
)
def test_a_cron_expression_is_due_where_people_are(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert times(expression, zone, after, len(expected)) == expected


@pytest.mark.rule("X2")
@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [  # forward: 02:00 becomes 03:00
        (
            "30 2 * * *",
            BERLIN,
            "2026-03-28T12:00",
            ["Sun 29 Mar 03:00 +0200", "Mon 30 Mar 02:30 +0200"],
        ),
        (
            "0,30 2 * * *",
            BERLIN,
            "2026-03-29T01:00",
            ["Sun 29 Mar 03:00 +0200", "Mon 30 Mar 02:00 +0200"],
        ),
        (
            "0 * * * *",
            BERLIN,
            "2026-03-29T00:30",
            ["Sun 29 Mar 01:00 +0100", "Sun 29 Mar 03:00 +0200"],
        ),
        # back: 03:00 becomes 02:00
        (
            "30 2 * * *",
            BERLIN,
            "2026-10-25T01:00",
            ["Sun 25 Oct 02:30 +0200", "Mon 26 Oct 02:30 +0100"],
        ),
        ("30 2 * * *", BERLIN, "2026-10-25T02:10/1", ["Mon 26 Oct 02:30 +0100"]),
        (
            "0 * * * *",
            BERLIN,
            "2026-10-25T01:30",
            ["Sun 25 Oct 02:00 +0200", "Sun 25 Oct 02:00 +0100"],
        ),
        # by half an hour only, in the other half of the world
        (
            "15 2 * * *",
            SYDNEY,
            "2026-10-03T12:00",
            ["Sun 04 Oct 02:30 +1100", "Mon 05 Oct 02:15 +1100"],
        ),
        (
            "45 1 * * *",
            SYDNEY,
            "2026-04-05T01:00",
            ["Sun 05 Apr 01:45 +1100", "Mon 06 Apr 01:45 +1030"],
        ),
    ],
)
def test_a_fixed_time_comes_once_on_nights_when_the_clock_changes(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert times(expression, zone, after, len(expected)) == expected


@pytest.mark.rule("X2")
@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("* * * *", "UTC"),
        ("* * * * * *", "UTC"),
        ("61 * * * *", "UTC"),
        ("0 0 31 2 *", "UTC"),
        ("*/0 * * * *", "UTC"),
        ("9" * 250 + " * * * *", "UTC"),
        ("é * * * *", "UTC"),
        ("* * * * MO", "UTC"),
        ("@reboot", "UTC"),
        ("* * * * *", "Europe/Nowhere"),
        ("* * * * *", "../../etc/passwd"),
        ("* * * * *", "Europe"),
        ("* * * * *", ""),
    ],
)
def test_what_is_no_expression_or_zone_is_refused(expression: str, zone: str) -> None:
    with pytest.raises(ScheduleError):
        Cron(expression, zone)


@pytest.mark.rule("X3")
def test_an_interval_does_not_drift() -> None:
    every = Every(0.7 * 10, anchor=1_000.1)
    assert every.next(1_000.1) == 1_007.1
    assert every.next(1_013.5) == 1_014.1  # late by anything, due where it was
    assert every.next(0.0) == 6.1  # before the anchor, too
    assert every.recent(1_007.1, 1_021.2, 10) == [1_007.1, 1_014.1, 1_021.1]


@pytest.mark.rule("X5")
@pytest.mark.parametrize(
    ("policy", "late", "start", "missed"),
    [
        ("skip", 0, [500.0], [200.0, 300.0, 400.0]),
        ("skip", LATE + 1, [], [200.0, 300.0, 400.0, 500.0]),
        ("once", LATE + 1, [500.0], [200.0, 300.0, 400.0]),
        ("all", LATE + 1, [200.0, 300.0, 400.0, 500.0], []),
    ],
)
def test_what_was_missed_is_made_good_by_policy(
    policy: str, late: float, start: list[float], missed: list[float]
) -> None:
    found = catch_up(Every(100, 0.0), 200.0, 500.0 + late, policy)  # type: ignore[arg-type]
    assert (found.start, found.missed, found.more) == (start, missed, False)
    assert found.next_at == 600.0


@pytest.mark.rule("X5")
def test_at_most_a_hundred_are_made_good_and_years_are_found_at_once() -> None:
    year = 366 * 86_400.0
    for schedule in (Every(1, 0.0), Cron("* * * * *")):
        found = catch_up(schedule, 60.0, year, "all")
        assert (len(found.start), found.more, found.start[-1]) == (MOST, True, year)
    assert catch_up(Every(10, 0.0), 60.0, 60.0, "skip").start == [60.0]

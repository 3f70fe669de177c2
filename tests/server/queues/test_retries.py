"""Runs are tried again after growing pauses, as long as all that failed may be tried again."""

from __future__ import annotations

import pytest

from spellwork_server.queues.retries import Retry


@pytest.mark.rule("Q13")
def test_pauses_double_up_to_the_most_and_are_spread_over_their_upper_half() -> None:
    retry = Retry(attempts=10, backoff=2, max_backoff=10)
    assert [retry.delay(attempt, lambda: 1.0) for attempt in range(1, 6)] == [2, 4, 8, 10, 10]
    assert [retry.delay(attempt, lambda: 0.0) for attempt in range(1, 4)] == [1, 2, 4]
    assert retry.delay(100_000, lambda: 1.0) == 10


@pytest.mark.rule("Q13")
@pytest.mark.parametrize(
    ("attempt", "failures", "again"),
    [
        (1, [("exception", True)], True),
        (2, [("exception", True), ("timeout", True)], True),
        (3, [("exception", True)], False),
        (1, [("exception", True), ("bad_prompt", False)], False),
        (1, [("invalid_input", True)], False),
        (1, [], False),
    ],
)
def test_a_run_is_tried_again_where_attempts_are_left_and_no_failure_is_permanent(
    attempt: int, failures: list[tuple[str, bool]], again: bool
) -> None:
    assert Retry(attempts=3).again(attempt, failures) is again

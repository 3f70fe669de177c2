"""What runs refuse.

::

    ServerError
    ├── Conflict
    │   ├── RunEnded         409  run_ended
    │   ├── RunElsewhere     409  run_elsewhere
    │   ├── RunBusy          409  run_busy
    │   ├── RunOpen          409  run_open
    │   └── NotResumable     409  not_resumable
    ├── RateLimited
    │   ├── TooManyRuns      429  too_many_runs
    │   └── TooManyTests     429  too_many_tests
    └── NotFound
        ├── RunNotFound      404  run_not_found
        ├── ValueNotFound    404  value_not_found
        ├── ValueGone        404  value_gone
        └── StreamNotFound   404  stream_not_found
"""

from __future__ import annotations

from typing import ClassVar

from spellwork_server.errors import Conflict, NotFound, RateLimited


class RunEnded(Conflict):
    """The run has ended and cannot be steered any more."""

    default_code = "run_ended"

    def __init__(self, run: str, status: str) -> None:
        super().__init__(
            f"Run {run} has ended ({status}); only a run that goes on can be paused or played",
            details={"run": run, "status": status},
        )


class RunElsewhere(Conflict):
    """The run is open, and no process that carries it answers: it lies in the store, or its process is gone."""

    default_code = "run_elsewhere"

    def __init__(self, run: str, status: str, process: str | None) -> None:
        if process is None:
            where = f"waits in the store ({status}), and can be steered once it goes; it can be cancelled"
        else:
            where = (
                f"is carried by the process {process}, which does not answer; try again in a moment"
            )
        super().__init__(
            f"Run {run} {where}", details={"run": run, "status": status, "process": process}
        )


class RunBusy(Conflict):
    """The queue behind the run that goes on is full."""

    default_code = "run_busy"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} runs wait here already; cancel some or wait until they are done",
            details={"limit": limit},
        )


class TooManyRuns(RateLimited):
    """The user has as many runs going as one user may."""

    default_code: ClassVar[str] = "too_many_runs"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} runs going, which is the most at a time; "
            "wait for one or cancel it, or use on_busy=replace",
            retry_after=1,
        )
        self.details["limit"] = limit


class TooManyTests(RateLimited):
    """The user has as many requests that run tests as one user may."""

    default_code: ClassVar[str] = "too_many_tests"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have tests running {limit} times, which is the most at a time; wait for them",
            retry_after=1,
        )


class RunNotFound(NotFound):
    """There is no such run, or not any more."""

    default_code = "run_not_found"

    def __init__(self, run: str) -> None:
        super().__init__(f"There is no run {run!r}", details={"run": run})


class ValueNotFound(NotFound):
    """No run that the actor may read has left such a value, or it is not kept any more."""

    default_code = "value_not_found"


class ValueGone(NotFound):
    """The value stayed in a worker, and the worker has it no more."""

    default_code = "value_gone"


class StreamNotFound(NotFound):
    """There is no stream of this name that the actor may follow."""

    default_code = "stream_not_found"


class RunOpen(Conflict):
    """The run goes on: what is asked of it needs one that does not."""

    default_code = "run_open"

    def __init__(self, run: str, status: str) -> None:
        super().__init__(
            f"Run {run} goes on ({status}); only one that was interrupted can be resumed",
            details={"run": run, "status": status},
        )


class NotResumable(Conflict):
    """The run cannot go on; ``details.reason`` says why."""

    default_code = "not_resumable"

    def __init__(self, run: str, reason: str) -> None:
        super().__init__(
            f"Run {run} cannot go on: {reason}", details={"run": run, "reason": reason}
        )

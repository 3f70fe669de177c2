"""Run a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .cache import OutputCache
from .context import RunContext
from .events import Sink
from .executor import Executor
from .limits import Limits
from .memory import RunMemory
from .plan import Plan
from .result import RunResult

RunStatus = Literal["new", "running", "paused", "completed", "cancelled", "failed"]


class Execution:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        *,
        sink: Sink | None = None,
        cache: OutputCache | None = None,
        memory: RunMemory | None = None,
        incremental: bool = False,
        executors: Mapping[str, Executor] | None = None,
        run_id: str | None = None,
        context: RunContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.plan = plan

    async def run(self) -> RunResult:
        """Run the plan to its end."""
        raise NotImplementedError

    def cancel(self) -> None:
        """End the run within a second."""
        raise NotImplementedError

    def pause(self) -> None:
        """Start no further node."""
        raise NotImplementedError

    def play(self) -> None:
        """Go on after a pause."""
        raise NotImplementedError

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        raise NotImplementedError

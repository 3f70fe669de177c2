"""What a run begins with, where it does not begin at its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spellwork.past import Past
from spellwork_server.storage.run_records import RunRecord

from .past_reader import Told
from .run_end import Left
from .tokens import TokenTally


@dataclass(frozen=True, slots=True)
class Origin:
    """The past of a run that goes on, or the run from which another one is forked."""

    record: RunRecord | None = None
    """The row of a run that goes on; None for one that is new."""
    begun: bool = False
    """Whether it told its start before: then it tells ``run.resumed``."""
    past: Past = field(default_factory=dict)
    since: Mapping[str, float] = field(default_factory=dict)
    """By path, when nodes began (Unix seconds) that had not ended."""
    left: Left = field(default_factory=dict)
    """Where the outputs of those in ``past`` are."""
    tokens: TokenTally = field(default_factory=TokenTally)
    """What nodes reported of tokens before it goes on."""
    kept: tuple[str, ...] = ()
    """The run's own nodes that are in ``past``, in graph order."""
    within: tuple[str, ...] = ()
    """Its own nodes that are not, but have something inside them that is."""
    stale: tuple[str, ...] = ()
    """The paths of what left something, and runs again."""
    repeated: Sequence[Told] = ()
    """How those in ``past`` ended, to be told again by a run that is new."""
    forked_from: str | None = None
    changed: dict[str, str] = field(default_factory=dict)
    """By node of the run itself that is another than then, why it is."""

    @property
    def ran(self) -> float:
        """For how many seconds it went before, in this attempt."""
        return 0.0 if self.record is None else self.record.ran

"""What the last run of a spell left, so that the next can say why, and do less."""

from __future__ import annotations


class RunMemory:
    """Remembers, per node, what it was made from and what came out."""

    def clear(self) -> None:
        """Forget everything."""
        raise NotImplementedError

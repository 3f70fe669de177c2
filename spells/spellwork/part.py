"""What all parts of a spell have in common: how they are named, and how strict they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""The id of a node, edge, group, note or test: letters, digits, ``_`` and ``-``."""

PortName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Part(BaseModel):
    """A part of a spell: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

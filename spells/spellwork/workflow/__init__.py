"""The builder: a spell drawn by a program, call by call, and run from there."""

from spellwork.sketch import End, GroupHandle, Parallel, Step, Subspell

from .workflow import Workflow

__all__ = ["End", "GroupHandle", "Parallel", "Step", "Subspell", "Workflow"]

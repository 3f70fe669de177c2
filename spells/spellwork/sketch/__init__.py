"""A sketch: a spell while it is being drawn by a program, call by call."""

from .handles import End, GroupHandle, Parallel, Step, Subspell
from .sketch import Sketch

__all__ = ["End", "GroupHandle", "Parallel", "Sketch", "Step", "Subspell"]

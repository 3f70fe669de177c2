"""What others are told of runs: every event that is kept, at least once, in the order of its stream."""

from .outbox import Outbox as Outbox
from .told import ToldEvent as ToldEvent

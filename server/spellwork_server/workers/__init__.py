"""Workers of canvases: which there are, what they need, how they are, and who is told of it.

``workers.py`` knows all of them, ``places.py`` finds the one of a call, ``provisioning.py``
makes their environments, ``meters.py`` measures them; ``spellwork.workers`` has the processes.
"""

from .errors import EnvironmentFailed, StoppedWorker
from .workers import Workers

__all__ = ["EnvironmentFailed", "StoppedWorker", "Workers"]

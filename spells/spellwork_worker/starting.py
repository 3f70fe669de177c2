"""Starts the worker in an environment that has not got it: its packages are the server's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder

_OURS = ("msgspec",)
"""Packages that the worker uses itself, and that an environment may have in another version."""


def start(added: Sequence[str]) -> None:
    """Put the ``added`` directories behind those of the environment, and run the worker.

    To be called when they are first on the search path. What the worker has loaded stays
    its own; code of cells gets the version of its environment.
    """
    from .__main__ import main  # noqa: PLC0415 - from the server's directories, as all of the worker

    own = [part for part in sys.path if part not in added]
    for name in _OURS:
        if PathFinder.find_spec(name, own) is not None:
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]
    sys.path[:] = [*own, *added]
    main()

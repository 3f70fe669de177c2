"""Starts the worker in an environment that has not got it: its packages are the server's.

The interpreter was started without ``site``: packages of an environment may bring
``.pth`` files and a ``sitecustomize``, which are code, and run only once this
process is confined.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

_OURS = ("msgspec",)
"""Packages that the worker uses itself, and that an environment may have in another version."""


def start(added: Sequence[str]) -> None:
    """Run the worker, with the ``added`` directories behind those of the environment.

    To be called when they are first on the search path. What the worker has loaded stays
    its own; code of cells gets the version of its environment.
    """
    from .__main__ import main  # noqa: PLC0415 - from the server's directories, as all of the worker

    sys.prefix = sys.exec_prefix = str(Path(sys.executable).parent.parent)
    sys.path[:] = [*(part for part in sys.path if part not in added), *added]
    main(lambda: _settle(added))


def _settle(added: Sequence[str]) -> None:
    """Put the environment's packages on the search path, before those of the server."""
    import site  # noqa: PLC0415 - only now, see above

    before = list(sys.path)
    site.main()
    brought = [part for part in sys.path if part not in before]
    first = [part for part in before if part not in added]
    sys.path[:] = [*first, *brought, *(part for part in before if part in added)]
    for name in _OURS:
        if PathFinder.find_spec(name, brought) is not None:
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]

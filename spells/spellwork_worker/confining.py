"""Confines a worker before it reads any code: no files but its own, no network, no other process.

What the kernel cannot do is told, and the worker goes on without. Not covered, by
any of this: how many processes the code starts (``RLIMIT_NPROC`` counts all
processes of the user, and does not hold for root), how much it writes to its
directory, and, of files it cannot open, their existence, size and mode.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from . import landlock
from .confinement import Confinement
from .granted import grants
from .kernel import give_up_privileges
from .seccomp import deny_calls


def confine(directory: str) -> Confinement:
    """Confine this process to its directory, and tell how far that went.

    To be called before there is a second thread, which would stay free.
    """
    if sys.platform != "linux":
        return Confinement()
    try:
        give_up_privileges()
    except OSError as error:
        return Confinement(reason=f"the kernel does not let a process give up privileges ({error})")
    reasons: list[str] = []
    filtered = _try(deny_calls, "system calls cannot be filtered", reasons)
    version = min(landlock.version(), landlock.NEWEST)
    if not version:
        reasons.append("the kernel has no Landlock, or it is switched off")
        return Confinement(network=filtered, reason="; ".join(reasons))
    files = _try(lambda: landlock.restrict(version, grants(directory)), "Landlock refused", reasons)
    if version < 6:
        reasons.append(f"Landlock of this kernel (version {version}) cannot withhold signals")
    return Confinement(files, filtered, files and filtered and version >= 6, "; ".join(reasons))


def _try(step: Callable[[], None], refusal: str, reasons: list[str]) -> bool:
    """Carry a step out; when the kernel refuses it, note why."""
    try:
        step()
    except OSError as error:
        reasons.append(f"{refusal} ({error.strerror})")
        return False
    return True

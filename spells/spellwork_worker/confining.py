"""Confines a worker before it reads any code: no files but its own, no network, no other process.

This is what a process can do to itself; namespaces and control groups are put around
it by who starts it (``spellwork.workers.sandbox``). What the kernel cannot do is told, and
the worker goes on without. Not covered, by any of this: of files it cannot open, their
existence, size and mode.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from . import landlock
from .confinement import Confinement
from .granted import grants
from .kernel import give_up_privileges
from .seccomp import deny_calls


def confine(directory: str) -> Confinement:
    """Confine this process to its directory, and tell how far that went.

    To be called before there is a second thread, which would stay free.
    """
    return confine_to(lambda: grants(directory))


def confine_to(granted: Callable[[], Mapping[str, int]]) -> Confinement:
    """Confine this process to paths with their rights, which are asked for where they count."""
    if sys.platform != "linux":
        return Confinement()
    try:
        give_up_privileges()
    except OSError as error:
        return Confinement(reason=f"the kernel does not let a process give up privileges ({error})")
    absent: dict[str, str] = {}
    # After the filter nothing that it denies can be used to confine further; Landlock is not among it.
    filtered = _try("seccomp", deny_calls, "system calls cannot be filtered", absent)
    version = min(landlock.version(), landlock.NEWEST)
    files = False
    if not version:
        absent["landlock"] = "the kernel has no Landlock, or it is switched off"
    else:
        files = _try(
            "landlock", lambda: landlock.restrict(version, granted()), "Landlock refused", absent
        )
    reasons = list(absent.values())
    if 0 < version < 6:
        reasons.append(f"Landlock of this kernel (version {version}) cannot withhold signals")
    layers = [name for name, holds in (("seccomp", filtered), ("landlock", files)) if holds]
    return Confinement(
        files,
        filtered,
        files and filtered and version >= 6,
        "; ".join(reasons),
        tuple(layers),
        absent,
    )


def _try(layer: str, step: Callable[[], None], refusal: str, absent: dict[str, str]) -> bool:
    """Carry a step out; when the kernel refuses it, note why."""
    try:
        step()
    except OSError as error:
        absent[layer] = f"{refusal} ({error.strerror})"
        return False
    return True

"""The private directories of workers: each is named for the process whose worker it was.

A server that is killed cannot remove them; the next one that starts on the machine does.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_NAME = re.compile(r"spellwork-worker-(\d+)-\w+")


def make_directory() -> str:
    """Make a directory for one worker of this process."""
    return tempfile.mkdtemp(prefix=f"spellwork-worker-{os.getpid()}-")


def remove_abandoned() -> None:
    """Remove the directories whose process is gone, as far as they are ours to remove."""
    for path in Path(tempfile.gettempdir()).glob("spellwork-worker-*"):
        match = _NAME.fullmatch(path.name)
        if match is not None and not lives(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)


def lives(pid: int) -> bool:
    """Say whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

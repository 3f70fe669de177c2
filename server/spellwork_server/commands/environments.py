"""``spellwork run`` of a spell that requires packages: its environment, in a folder of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from spellwork.workers.environments import Environment, Environments
from spellwork.workers.installer import ProvisionFailed
from spellwork.workers.locks import Locks
from spellwork_server.package_sources import package_sources
from spellwork_server.settings import Settings


async def environment_of(
    requirements: Mapping[str, str],
    settings: Settings,
    folder: Path | None,
    say: Callable[[str], None],
    *,
    anew: bool,
) -> Environment:
    """Return the environment of requirements, from where the settings say that packages come.

    Raises:
        ProvisionFailed: it cannot be made, with words that say what can be done.
    """
    try:
        environments = Environments(folder or _cache(), package_sources(settings))
        return await Locks(environments, say, anew=anew).environment(requirements)
    except (ProvisionFailed, OSError) as error:
        words = error.message if isinstance(error, ProvisionFailed) else str(error)
        raise ProvisionFailed(
            f"what the spell requires cannot be installed: {words.rstrip('.')}. Install it where spellwork is, or"
            " say where packages come from (SPELLWORK_INDEX_URL, SPELLWORK_FIND_LINKS)"
        ) from error


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "spellwork" / "environments"

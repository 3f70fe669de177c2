"""Which versions go as they get older, and who takes over what they tell."""

from __future__ import annotations

from collections.abc import Sequence

from spellwork_server.storage.versions import VersionRecord

HOUR = 3_600.0
DAY = 24 * HOUR
MONTH = 31 * DAY

MAX_BYTES = 64 * 1024 * 1024
"""Space that the versions of one canvas take beside those that last."""

MAX_KEPT = 200
"""States from before a restore that last, of one canvas."""


def thin(versions: Sequence[VersionRecord], now: float, most: int) -> list[VersionRecord]:
    """Return which of a canvas's versions, newest first, are to go at ``now``.

    Of the last day all stay; of a month the newest of each hour; after that
    the newest of each day (UTC). At most ``most`` stay, and MAX_BYTES of them.
    The newest stays, and so does what has a name, and the newest MAX_KEPT
    from before a restore.
    """
    gone: list[VersionRecord] = []
    slots: set[tuple[float, int] | None] = set()
    count = size = kept = 0
    for place, version in enumerate(versions):
        if version.lasting:
            kept += version.name is None
            if version.name is not None or kept <= MAX_KEPT:
                continue
        slot = _slot(version, now)
        count += 1
        size += version.size
        crowded = count > most or size > MAX_BYTES or slot in slots
        if crowded and place > 0:
            gone.append(version)
            count -= 1
            size -= version.size
        elif slot is not None:
            slots.add(slot)
    return gone


def heirs(
    versions: Sequence[VersionRecord], gone: Sequence[VersionRecord]
) -> dict[str, tuple[VersionRecord | None, tuple[str, ...]]]:
    """Return for each version after one that goes: the version before it that stays, and its authors now."""
    going = {version.id for version in gone}
    found: dict[str, tuple[VersionRecord | None, tuple[str, ...]]] = {}
    previous: VersionRecord | None = None
    passed: list[VersionRecord] = []
    for version in reversed(versions):
        if version.id in going:
            passed.append(version)
            continue
        if passed:
            authors = [author for each in (*passed, version) for author in each.authors]
            found[version.id] = (previous, tuple(dict.fromkeys(authors)))
        previous, passed = version, []
    return found


def _slot(version: VersionRecord, now: float) -> tuple[float, int] | None:
    age = now - version.created_at
    if age < DAY:
        return None
    length = HOUR if age < MONTH else DAY
    return length, int(version.created_at // length)

"""`spellwork`, except that a canvas's document is written whole, and its log trimmed, after few edits."""

from __future__ import annotations

from spellwork_server.cli import main
from spellwork_server.rooms import room

room.SNAPSHOT_UPDATES = 20

if __name__ == "__main__":
    main()

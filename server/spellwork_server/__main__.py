"""``python -m spellwork_server`` is the command ``spellwork``."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()

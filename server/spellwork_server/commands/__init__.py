"""What the sub-commands of ``spellwork`` do, each importing only what it needs."""

"""What the sub-commands of ``spellwork`` do, each importing only what it needs."""

FORMS = ("json", "yaml", "manifest", "ir", "python")
"""``spellwork.formats.FORMS``, for help that must not wait for the engine to load; a test compares them."""

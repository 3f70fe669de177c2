"""How long a run takes as a tab sees it."""

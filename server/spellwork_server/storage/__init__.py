"""Where things are kept: one narrow interface for each need, SQL underneath."""

"""Editing together: what edits cost the server, how fast they arrive, what memory they take."""

"""Build the browser client into the wheel."""

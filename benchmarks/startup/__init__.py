"""How long the engine and the server take to be there, and how much memory they hold."""

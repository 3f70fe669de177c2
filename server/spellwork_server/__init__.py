"""The server: sockets, REST, rooms, storage and identity around Spellwork's engine."""

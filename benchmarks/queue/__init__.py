"""How fast queues are drained."""

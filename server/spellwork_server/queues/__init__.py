"""The queue: which process carries which run, when, how often, and what becomes of those whose process died.

It knows storage, and a callable that sets a stored run going; nothing of sockets, rooms or spells.
"""

"""Versions of canvases: written when editing comes to rest, looked at, compared, restored.

It listens to rooms, and edits through them like anybody else.
"""

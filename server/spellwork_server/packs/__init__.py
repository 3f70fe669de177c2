"""Packs that are installed while the server runs: into workers, and never imported here.

``libraries`` shows their node types on the canvases whose worker has them; ``installer``
puts them there; ``allowed`` and ``wheels`` say which, and from which files.
"""

from .libraries import CanvasLibraries

__all__ = ["CanvasLibraries"]

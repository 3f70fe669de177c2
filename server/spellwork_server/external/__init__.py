"""External workers: objects in programs elsewhere, that connect here and whose methods are nodes on the canvases they were given to."""

from .workers import ExternalState, ExternalWorkers

__all__ = ["ExternalState", "ExternalWorkers"]

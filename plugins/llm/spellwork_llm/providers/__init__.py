"""Model servers, behind one narrow interface; nodes and the server's model list use it.

::

    async with open_provider("ollama") as provider:
        models = await provider.list_models()
        async for progress in provider.pull("llama3.2"):
            print(progress.status, progress.fraction)
"""

from .configuration import Configuration
from .opening import open_provider
from .provider import Kind, Message, ModelInfo, Options, Provider, PullProgress

__all__ = [
    "Configuration",
    "Kind",
    "Message",
    "ModelInfo",
    "Options",
    "Provider",
    "PullProgress",
    "open_provider",
]

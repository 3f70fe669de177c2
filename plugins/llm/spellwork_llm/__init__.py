"""The llm pack: language models of an Ollama server, or of any OpenAI-compatible one."""

from .pack import pack

__all__ = ["pack"]

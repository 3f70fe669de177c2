"""The pack, as the entry point names it."""

from __future__ import annotations

from spellwork import Pack

from .answering import chat, generate
from .embedding import embed
from .models import models, pull

pack = Pack(
    name="llm",
    version="0.1.0",
    title="Language models",
    nodes=(generate, chat, embed, models, pull),
)

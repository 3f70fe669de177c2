"""An external worker as somebody would write one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from spellwork import Context
from spellwork.external import ExternalWorker, method


class CameraConfig(BaseModel):
    """Where the camera is."""

    address: str = "10.0.0.7"
    zoom: float = Field(default=1, ge=1, le=10)
    password: SecretStr = SecretStr("hunter2")


class Camera(ExternalWorker):
    """Counts its pictures."""

    name = "camera"
    config: CameraConfig

    def __init__(self, config: CameraConfig) -> None:
        super().__init__(config)
        self.taken = 0
        self.ended = 0

    @method(title="Snap", category="Cameras")
    async def snap(self, exposure: float = 0.1) -> dict[str, Any]:
        """Take a picture, and say which one it is."""
        self.taken += 1
        return {"number": self.taken, "exposure": exposure, "zoom": self.config.zoom}

    @method
    def blocking(self, ctx: Context, steps: int = 2) -> int:
        """Work in a thread, telling how far it is."""
        for step in range(steps):
            ctx.progress(step / steps, "turning")
            ctx.log(f"step {step}")
        return steps

    @method
    async def film(self, frames: int = 3) -> AsyncIterator[int]:
        """Give pictures one by one."""
        for number in range(frames):
            yield number

    @method
    def film_in_thread(self, frames: int = 3) -> Iterator[str]:
        """Give texts one by one."""
        for number in range(frames):
            yield f"{number};"

    @method
    async def develop(self, ctx: Context, pictures: AsyncIterator[Any]) -> list[Any]:
        """Take pictures as they come, and say so of each."""
        kept = []
        try:
            async for picture in pictures:
                ctx.log(f"got {picture}")
                kept.append(picture)
        finally:
            self.ended += 1
        return kept

    @method
    def total(self, numbers: Iterator[int]) -> int:
        """Add numbers up, in a thread, as they come."""
        return sum(numbers)

    @method
    def first(self, numbers: Iterator[int]) -> int:
        """Take the first number and no other."""
        return next(numbers)

    @method
    async def hang(self) -> int:
        """Wait until it is cancelled."""
        try:
            await asyncio.sleep(3600)
        finally:
            self.ended += 1
        return 0

    @method
    def spin(self, ctx: Context) -> int:
        """Work in a thread until it is cancelled."""
        try:
            while True:
                ctx.check_cancelled()
                time.sleep(0.001)
        finally:
            self.ended += 1

    @method
    def fail(self) -> int:
        """Fail with words of its own."""
        raise RuntimeError("no light")

    @method
    def unsendable(self) -> Any:
        """Give what cannot be sent."""
        return lambda: None

    def has_ended(self, times: int) -> bool:
        return self.ended == times

    def export_state(self) -> Any:
        return {"taken": self.taken}

    def import_state(self, state: Any) -> None:
        self.taken = int(state["taken"])

"""What a call to a model server can end with.

::

    NodeError (spellwork.errors)
    └── ModelError             code, and the server's URL in ``details``
        ├── ModelUnreachable   model_unreachable: no server answers there
        ├── ModelNotFound      model_not_found: the server has other models; ``details.models`` lists them
        ├── ModelRefused       model_refused: the key is missing or wrong
        ├── ModelBusy          model_busy: too many requests; tried again after what the server asks
        ├── ModelFailed        model_failed: the server reports an error
        └── NotSupported       not_supported: this kind of server cannot do that
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spellwork import NodeError


class ModelError(NodeError):
    """A model server gave no usable answer. ``url`` is its base URL."""

    code = "model_error"
    retryable = False

    def __init__(
        self, message: str, *, url: str, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, details={"url": url, **details}, retry_after=retry_after)


class ModelUnreachable(ModelError):
    """No server answers at the URL."""

    code = "model_unreachable"
    retryable = True

    def __init__(self, url: str, kind: str, reason: str) -> None:
        super().__init__(
            f"no {kind} server answers at {url} ({reason}); is it running there?", url=url
        )


class ModelNotFound(ModelError):
    """The server does not have the model."""

    code = "model_not_found"

    def __init__(self, url: str, model: str, models: Sequence[str], hint: str = "") -> None:
        there = f"it has {', '.join(models)}" if models else "it has no models"
        what = (
            f"the server at {url} has no model {model!r}"
            if model
            else f"no model is named for {url}"
        )
        super().__init__(
            f"{what}; {there}{f'. {hint}' if hint else ''}",
            url=url,
            model=model,
            models=list(models),
        )


class ModelRefused(ModelError):
    """The server wants another key."""

    code = "model_refused"


class ModelBusy(ModelError):
    """The server takes no more requests for now."""

    code = "model_busy"
    retryable = True


class ModelFailed(ModelError):
    """The server reports an error."""

    code = "model_failed"
    retryable = True


class NotSupported(ModelError):
    """This kind of server cannot do that."""

    code = "not_supported"

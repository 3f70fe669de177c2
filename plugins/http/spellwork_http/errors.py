"""What a request can end with, beside an answer.

::

    NodeError (spellwork.errors)
    └── RequestError            code, and the URL in ``details``
        ├── InvalidUrl          invalid_url: not an http or https URL with a host
        ├── Unreachable         unreachable: no connection, or it broke
        ├── RequestTimeout      timeout
        ├── ResponseTooLarge    response_too_large
        ├── TooManyRedirects    too_many_redirects
        ├── StatusFailed        http_status: the answer is 400 or above, and the node was to fail on that
        └── GraphQLFailed       graphql_errors: errors and no data
"""

from __future__ import annotations

from typing import Any

from spellwork import NodeError

from .locations import without_credentials


class RequestError(NodeError):
    """A request that brought no usable answer."""

    code = "request_failed"
    retryable = False

    def __init__(self, url: str, what: str, **details: Any) -> None:
        shown = without_credentials(url)
        super().__init__(f"{shown}: {what}", details={"url": shown, **details})


class InvalidUrl(RequestError):
    """Not an http or https URL with a host."""

    code = "invalid_url"


class Unreachable(RequestError):
    """No connection could be made, or it broke."""

    code = "unreachable"
    retryable = True


class RequestTimeout(RequestError):
    """No whole answer came in time."""

    code = "timeout"
    retryable = True


class ResponseTooLarge(RequestError):
    """The answer is over the limit."""

    code = "response_too_large"


class TooManyRedirects(RequestError):
    """The servers kept sending the request elsewhere."""

    code = "too_many_redirects"


class StatusFailed(RequestError):
    """The answer's status is 400 or above."""

    code = "http_status"


class GraphQLFailed(RequestError):
    """The answer holds errors and no data."""

    code = "graphql_errors"

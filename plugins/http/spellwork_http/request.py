"""``http.request``: one request, as a node."""

from __future__ import annotations

import base64
import json as json_module
import os
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from spellwork import Context, NodeError, node
from spellwork.outbound import Destinations

from .errors import StatusFailed
from .exchange import Answer, Exchange, Request, host_of, read_url
from .retrying import send_with_retries

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_TEXT = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
)


_SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing; with any other goes a key by which a server knows a request that is made again."""


class Response(TypedDict):
    """The answer. ``body`` is text, or a data: URL for what is not text; ``json`` null unless it is JSON."""

    status: int
    headers: dict[str, str]
    body: str
    json: Any


@node(
    "http.request",
    title="HTTP request",
    category="HTTP",
    cache="none",
    side_effects=True,
    limiter=host_of,
    keywords=("rest", "api", "get", "post", "fetch", "url", "download", "webhook"),
    example={"url": "https://example.org"},
)
async def request(
    ctx: Context,
    url: str,
    *,
    method: Method = "GET",
    headers: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    json: Annotated[Any, Field(description="Sent as a JSON body")] = None,
    body: Annotated[str, Field(description="Sent as it is, when there is no JSON")] = "",
    timeout: Annotated[
        float, Field(gt=0, le=600, description="Seconds for the whole exchange")
    ] = 30.0,
    retries: Annotated[
        int, Field(ge=0, le=10, description="Further tries when the server is busy or failing")
    ] = 2,
    fail_on_status: Annotated[
        bool, Field(description="Fail when the status is 400 or above")
    ] = False,
) -> Response:
    """An HTTP request to a server, and what it answers."""
    content, media_type = _content(json, body)
    sent = Request(
        method=method,
        url=read_url(
            url,
            {name: _as_query(value) for name, value in (query or {}).items() if value is not None},
        ),
        headers={
            **({"content-type": media_type} if media_type else {}),
            **({} if method in _SAFE else {"idempotency-key": ctx.idempotency_key}),
            **{name.lower(): value for name, value in (headers or {}).items()},
        },
        content=content,
        timeout=timeout,
    )
    exchange = Exchange(Destinations.from_environment(os.environ))
    answer = await send_with_retries(
        exchange, sent, retries, log=lambda text: ctx.log(text, "warning"), defer=ctx.defer
    )
    if fail_on_status and answer.status >= 400:
        raise StatusFailed(
            url, f"answered {answer.status}: {text_of(answer)[:500]}", status=answer.status
        )
    return {
        "status": answer.status,
        "headers": answer.headers,
        "body": text_of(answer),
        "json": json_of(answer),
    }


def text_of(answer: Answer) -> str:
    """Return the body as text; what is no text as a data: URL."""
    kind = answer.media_type
    if not kind or kind.startswith(_TEXT) or kind.endswith(("+json", "+xml")):
        try:
            return answer.body.decode(answer.encoding, "replace")
        except LookupError:
            return answer.body.decode("utf-8", "replace")
    return f"data:{kind};base64,{base64.b64encode(answer.body).decode('ascii')}"


def json_of(answer: Answer) -> Any:
    """Return the value of a JSON body, None when it is none."""
    if not answer.body or not (answer.media_type.endswith("json") or answer.body[:1] in b"{["):
        return None
    try:
        return json_module.loads(answer.body)
    except ValueError:
        return None


def _content(json: Any, body: str) -> tuple[bytes | None, str]:
    if json is None:
        return (body.encode(), "text/plain; charset=utf-8") if body else (None, "")
    try:
        return json_module.dumps(json).encode(), "application/json"
    except (TypeError, ValueError) as error:
        raise NodeError(f"the value is not JSON: {error}", port="json", retryable=False) from error


def _as_query(value: Any) -> str:
    if isinstance(value, (dict, list, bool)):
        return json_module.dumps(value)
    return str(value)

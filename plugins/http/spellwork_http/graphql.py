"""``http.graphql``: one query, as a node."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any, TypedDict

from pydantic import Field

from spellwork import Context, node
from spellwork.outbound import Destinations

from .errors import GraphQLFailed, StatusFailed
from .exchange import Exchange, Request, host_of, read_url
from .request import json_of, text_of
from .retrying import send_with_retries


class GraphQLResponse(TypedDict):
    """The data, and the errors of fields that could not be had."""

    data: Any
    errors: list[Any]


@node(
    "http.graphql",
    title="GraphQL",
    category="HTTP",
    cache="none",
    side_effects=True,
    limiter=host_of,
    keywords=("query", "mutation", "api"),
    example={"query": "{ me { name } }"},
)
async def graphql(
    ctx: Context,
    url: str,
    query: Annotated[str, Field(json_schema_extra={"format": "multiline"})],
    *,
    variables: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0,
    retries: Annotated[int, Field(ge=0, le=10)] = 2,
) -> GraphQLResponse:
    """A GraphQL query to a server, and what it answers; fails when there are errors and no data."""
    sent = Request(
        method="POST",
        url=read_url(url, {}),
        headers={
            "content-type": "application/json",
            "accept": "application/json",
            **(headers or {}),
        },
        content=json.dumps({"query": query, "variables": variables or {}}).encode(),
        timeout=timeout,
    )
    exchange = Exchange(Destinations.from_environment(os.environ))
    answer = await send_with_retries(
        exchange, sent, retries, log=lambda text: ctx.log(text, "warning"), defer=ctx.defer
    )
    found = json_of(answer)
    if not isinstance(found, dict) or not ({"data", "errors"} & found.keys()):
        raise StatusFailed(
            url,
            f"answered {answer.status} and no GraphQL: {text_of(answer)[:500]}",
            status=answer.status,
        )
    errors = found.get("errors") or []
    if errors and found.get("data") is None:
        raise GraphQLFailed(url, _message(errors), errors=errors)
    return {"data": found.get("data"), "errors": errors}


def _message(errors: list[Any]) -> str:
    return "; ".join(
        str(error.get("message", error)) if isinstance(error, dict) else str(error)
        for error in errors
    )

"""What code on a canvas may ask of the server that runs it.

::

    import spellwork_cell

    answer = spellwork_cell.request(
        "POST",
        "https://api.example.org/v1/things",
        headers={"Authorization": "Bearer {{secret.example}}"},
        json={"name": "new"},
    )
    answer.json()["id"]

The server makes the request and fills the secrets in; the code never sees them. A secret goes
only to hosts for which it was granted to the canvas.
"""

from .requesting import RequestError, Response, request

__all__ = ["RequestError", "Response", "request"]

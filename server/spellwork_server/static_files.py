"""The client's files: built into ``static`` beside this module, served at the root."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from spellwork_server.errors import NotFound

STATIC = Path(__file__).parent / "static"
PAGE = "index.html"
YEAR = 365 * 86_400

NOT_BUILT = """Spellwork is running, but its client is not built: run `make client`.
The REST interface is described at /openapi.json.
"""


class StaticFiles:
    """Serves the client: its files by path, and its page for every address that it routes itself."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder

    def mount(self, app: web.Application) -> None:
        """Add the routes. They come last: whatever the server itself serves goes before."""
        for path in ("/", "/canvas/{canvas}", "/canvas/{canvas}/"):
            app.router.add_get(path, self._page)
        app.router.add_get("/{file:[^/]+\\.[a-z0-9]+}", self._file)
        app.router.add_get("/assets/{file:[^/]+}", self._asset)

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        page = self._folder / PAGE
        if not page.is_file():
            return web.Response(text=NOT_BUILT, status=503)
        return web.FileResponse(page, headers={"Cache-Control": "no-cache"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._find(request)
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        """Serve a file whose name holds its hash, and so never changes."""
        path = self._find(request, "assets")
        return web.FileResponse(
            path, headers={"Cache-Control": f"public, max-age={YEAR}, immutable"}
        )

    def _find(self, request: web.Request, *folders: str) -> Path:
        name = request.match_info["file"]
        path = self._folder.joinpath(*folders, name)
        if name.startswith(".") or "/" in name or "\\" in name or not _is_file(path):
            raise NotFound(
                f"There is no {request.path}", code="unknown_route", details={"path": request.path}
            )
        return path


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False

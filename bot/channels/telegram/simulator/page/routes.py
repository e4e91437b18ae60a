"""The chat page and its own style and script, with headers that allow nothing else."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_FOLDER = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


async def _page(_request: Request) -> Response:
    return FileResponse(_FOLDER / "index.html", headers=_HEADERS)


def page_routes() -> list[BaseRoute]:
    """The page at `/` and its files under `/page`."""
    return [Route("/", _page), Mount("/page", StaticFiles(directory=_FOLDER))]

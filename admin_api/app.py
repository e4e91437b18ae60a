"""Puts the HTTP side together: every router found in `admin_api.api` and `admin_api.console`, inside the guard."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from admin_api import errors, health, openapi
from admin_api.addresses import ROOT
from admin_api.buckets import SignInThrottle
from admin_api.console.error_pages import error_page
from admin_api.deps import AdminDeps
from admin_api.guard import Guard
from admin_api.metrics import HttpMetrics
from admin_api.problems import ProblemError
from crm.kit.assets import ASSETS_FOLDER, ASSETS_PATH
from crm.kit.discovery import instances, modules_in

VERSION = "1"


class Assets(StaticFiles):
    """Built files; their names hold their digest, so browsers may keep them."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        """The file, to be kept for a year."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def own_routers() -> list[APIRouter]:
    """The routers of every capability, JSON first."""
    packages = ("admin_api.api", "admin_api.console")
    return [router for name in packages for module in modules_in(name) for router in instances(module, APIRouter)]


def create_app(deps: AdminDeps) -> FastAPI:
    """The ASGI application over what runtime hands in."""
    routers = own_routers()
    app = FastAPI(title="Siyu", version=VERSION, docs_url=None, redoc_url=None)
    app.state.deps = deps
    app.state.throttle = SignInThrottle(
        deps.valkey,
        free_per_account=deps.limits.free_tries_per_account,
        free_per_address=deps.limits.free_tries_per_address,
    )
    for router in (*routers, health.router, *deps.routers):
        # As they are: include_router would build each of them anew for this application, at its first request.
        app.router.routes.extend(router.routes)
    _document(app, routers)
    app.mount(ASSETS_PATH, Assets(directory=ASSETS_FOLDER, check_dir=False), name="assets")

    async def respond(request: Request, problem: ProblemError) -> Response:
        return await errors.respond(request, problem, error_page, ROOT)

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse(f"{ROOT}/")

    errors.install(app, error_page, ROOT)
    app.add_middleware(Guard, metrics=HttpMetrics(deps.metrics), respond=respond)
    return app


def _document(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    app.openapi = lambda: openapi.document(app, routers)  # type: ignore[method-assign] # FastAPI's documented way

"""Makes the OpenAPI document true: security, scopes, error answers and the Idempotency-Key of every operation."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from admin_api.access import AccessKind
from admin_api.edge import SAFE_METHODS
from admin_api.problems import PROBLEM_TYPE, Problem
from admin_api.replays import HEADER, REPLAYED
from admin_api.routing import EdgeRoute
from crm.operators.permissions import EVERY_SCOPE, Permission

_DESCRIPTION = """Everything that operators do in the console, for programs.

Send an API key as `Authorization: Bearer KEY`; each operation names the scope that the key needs, `*` has all.
Lists answer `{items, next_cursor}`; pass `cursor` for what follows. Every error is `application/problem+json`.
Send an `Idempotency-Key` with writes: a repeated request is answered as the first one was, without a second effect.
"""
_ERRORS = {
    "400": "The body is not text that can be read.",
    "401": "No API key, or one that does not count.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing.",
    "409": "Not possible in the present state, or the same Idempotency-Key is in flight.",
    "413": "The body is too large.",
    "422": "The input is not valid.",
    "429": "Too many requests with this key.",
    "503": "Busy or restarting; try again.",
}
_WRITES_ONLY = {"400", "409", "413"}


def document(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The OpenAPI document of `app`; `routers` are those whose routes have an edge."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
        components = found.setdefault("components", {})
        components["securitySchemes"] = _schemes()
        components.setdefault("schemas", {}).update(_problem_schemas())
        for router in routers:
            for route in router.routes:
                if isinstance(route, EdgeRoute) and route.include_in_schema:
                    _complete(found["paths"][route.path_format], route)
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        app.openapi_schema = found
    return app.openapi_schema


def _schemes() -> dict[str, Any]:
    scopes = ", ".join(f"`{permission}`" for permission in Permission)
    return {
        "apiKey": {"type": "http", "scheme": "bearer", "description": f"Scopes: `{EVERY_SCOPE}` (all), {scopes}."},
        "session": {"type": "apiKey", "in": "cookie", "name": "siyu_session", "description": "A signed-in operator."},
    }


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "Problem": schema}


def _complete(path: dict[str, Any], route: EdgeRoute) -> None:
    for method in route.methods or ():
        operation = path[method.lower()]
        _secure(operation, route)
        is_write = method not in SAFE_METHODS
        for status, words in _ERRORS.items():
            if is_write or status not in _WRITES_ONLY:
                schema = {"$ref": "#/components/schemas/Problem"}
                operation["responses"][status] = {
                    "description": words,
                    "content": {PROBLEM_TYPE: {"schema": schema}},
                }
        if is_write:
            _take_key(operation)


def _secure(operation: dict[str, Any], route: EdgeRoute) -> None:
    permission = route.access.permission
    if permission is not None:
        operation["security"] = [{"apiKey": [permission.value]}, {"session": []}]
        operation["x-scope"] = permission.value
    elif route.access.kind is AccessKind.SIGNED_IN:
        operation["security"] = [{"session": []}]


def _take_key(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "Any text of 1 to 255 characters, new for every new act; kept for 8 days.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    )
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer.setdefault("headers", {})[REPLAYED] = {
                "description": "`true` when this is the answer to an earlier request with the same key.",
                "schema": {"type": "string"},
            }

"""Every route of the application as it was built, for tests that are generated from the table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from admin_api.app import own_routers
from admin_api.edge import SAFE_METHODS
from admin_api.routing import EdgeRoute

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_UUID = "018f0000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class RouteCase:
    """One method of one route."""

    method: str
    path: str
    route: EdgeRoute

    @property
    def address(self) -> str:
        """The path with something in place of its parameters that does not exist."""
        return _PARAMETER.sub(self._value, self.path)

    def _value(self, found: re.Match[str]) -> str:
        field = next((item for item in self.route.dependant.path_params if item.name == found[1]), None)
        kind = str(field.field_info.annotation) if field else ""
        return _UUID if "UUID" in kind else "987654321" if "int" in kind else "nothing"

    @property
    def is_unsafe(self) -> bool:
        """Whether it may change something."""
        return self.method not in SAFE_METHODS

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def cases() -> list[RouteCase]:
    """Every method of every route that has an edge."""
    return [
        RouteCase(method, route.path, route)
        for router in own_routers()
        for route in router.routes
        if isinstance(route, EdgeRoute)
        for method in sorted(route.methods or ())
    ]


def mounted(app: FastAPI) -> Iterator[tuple[str, object]]:
    """Path and route of everything that the application serves."""
    for context in iter_route_contexts(app.routes):
        yield str(getattr(context, "path", "")), getattr(context, "original_route", context)


def is_api_route(route: object) -> bool:
    """Whether FastAPI made the route from a function of ours."""
    return isinstance(route, APIRoute)

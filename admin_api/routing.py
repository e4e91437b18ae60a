"""One request is one transaction, opened, judged, audited and committed here and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from admin_api import auth, bodies, buckets, cookies, csrf, replays
from admin_api.access import declared
from admin_api.deps import AdminDeps, deps_of
from admin_api.edge import Edge
from admin_api.problems import DeniedError
from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.kit.ids import token
from crm.operators.types import PrincipalKind

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Answer = Callable[[Request], Awaitable[Response]]
_FIRST_ERROR = 400


class EdgeRoute(APIRoute):
    """A route whose handler runs inside the request's transaction, for those whom its access lets in."""

    is_page = False

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, max_body_size: int | None = None, **options: Any
    ) -> None:
        self.body_limit = max_body_size
        super().__init__(path, endpoint, **options)
        self.access = declared(self.dependencies, path)

    def get_route_handler(self) -> Handler:
        """The handler within its edge."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            deps = deps_of(request)
            try:
                async with asyncio.timeout(deps.limits.timeout_seconds):
                    own = bodies.limited(request, self.body_limit or deps.limits.body_bytes)
                    return await self._run(own, deps, inner)
            except DeniedError as denied:
                await self._record_denial(request, deps, denied)
                raise

        return handle

    async def _run(self, request: Request, deps: AdminDeps, inner: Answer) -> Response:
        async with deps.sessions() as session:
            edge = Edge(request, session)
            request.state.edge = edge
            bodies.check_address(request)
            await self._admit(edge, deps)
            response = await self._answer(edge, deps, inner)
            if response.status_code < _FIRST_ERROR:
                if edge.is_unsafe and not edge.is_question:
                    await audit.record(session, edge.entry(action=self.name, subject=request.url.path))
                await session.commit()
                if edge.delivery_ids and deps.deliver is not None:
                    await deps.deliver(edge.delivery_ids)
            for name, value in edge.cookies.items():
                cookies.write(response, request, name, value)
            return response

    async def _admit(self, edge: Edge, deps: AdminDeps) -> None:
        if not self.is_page:
            edge.principal = await auth.by_key(edge.request, edge.session)
        is_browser = edge.principal is None
        if is_browser:
            edge.principal, edge.binding = await auth.by_cookie(edge.request, edge.session)
        if edge.principal is not None and edge.principal.kind is PrincipalKind.API_KEY:
            limits = deps.limits
            name = f"key:{edge.principal.id}"
            await buckets.take(deps.valkey, name, rate=limits.key_rate, burst=limits.key_burst)
        await auth.admit(edge.session, self.access, edge.principal, is_page=self.is_page)
        if edge.is_unsafe and is_browser:
            await csrf.check(edge)

    async def _answer(self, edge: Edge, deps: AdminDeps, inner: Answer) -> Response:
        if edge.is_unsafe:
            await bodies.check_json(edge.request, depth=deps.limits.json_depth)
        if edge.is_unsafe and not self.is_page:
            return await replays.answer_once(edge, inner)
        return await inner(edge.request)

    async def _record_denial(self, request: Request, deps: AdminDeps, denied: DeniedError) -> None:
        entry = AuditEntry(
            actor=denied.actor,
            action="access.denied",
            subject=f"{request.method} {self.path}",
            after={"code": denied.code},
            ip=request.client.host if request.client else None,
            request_id=getattr(request.state, "request_id", None),
        )
        async with deps.sessions.begin() as session:
            await audit.record(session, entry)


class PageRoute(EdgeRoute):
    """A page of the console: only browsers, led to the sign-in page; forms carry a CSRF token."""

    is_page = True

    async def _answer(self, edge: Edge, deps: AdminDeps, inner: Answer) -> Response:
        if edge.binding is None:
            edge.binding = token()
            edge.cookies[cookies.VISITOR] = edge.binding
        return await super()._answer(edge, deps, inner)


def api_router(prefix: str, tag: str) -> APIRouter:
    """A router for one capability's JSON, such as `/api/v1/tags`; `tag` is its heading in the documentation."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=EdgeRoute)


def page_router(prefix: str = "/console") -> APIRouter:
    """A router for one capability's pages, such as `/console/tags`."""
    return APIRouter(prefix=prefix, route_class=PageRoute, include_in_schema=False)

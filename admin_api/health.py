"""Is the process alive, is it ready, and how is it doing."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from admin_api import readiness
from admin_api.deps import AdminDeps, deps_of
from crm.operators.policy import is_address_allowed

router = APIRouter(tags=["Health"])
_PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")
Deps = Annotated[AdminDeps, Depends(deps_of)]


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be served, part by part: `ok`, or what is wrong."""

    status: Literal["ready", "degraded", "unready"]
    parts: dict[str, str]


@router.get("/livez", summary="Is the process alive?")
async def livez() -> Liveness:
    """Asks nothing else, so that a lost database does not restart the process."""
    return Liveness()


@router.get("/readyz", summary="Can requests be served?", responses={503: {"model": Readiness}})
async def readyz(deps: Deps) -> Readiness:
    """Needs the database, its schema and the parts that runtime added; without Valkey or with late work: degraded."""
    found = await readiness.look(deps)
    status: Literal["ready", "degraded", "unready"] = "degraded" if found.is_degraded else "ready"
    parts = {**found.needed, **found.telling}
    answer = Readiness(status=status if found.is_ready else "unready", parts=parts)
    return answer if found.is_ready else JSONResponse(answer.model_dump(), 503)  # type: ignore[return-value] # same body, 503


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus, for who asks from an allowed address and not through a proxy; nothing for others."""
    if not _may_read_metrics(request):
        raise HTTPException(404)
    deps = deps_of(request)
    if deps.refresh_metrics is not None:
        await deps.refresh_metrics()
    return Response(generate_latest(deps.metrics), media_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: Request) -> bool:
    if any(header in request.headers for header in _PROXIED) or request.client is None:
        return False
    return is_address_allowed(request.client.host, deps_of(request).settings.http.metrics_from.split(","))

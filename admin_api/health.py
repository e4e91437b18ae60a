"""Is the process alive, is it ready, and how is it doing."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Literal

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

import crm.migrations
from admin_api.deps import AdminDeps, deps_of
from crm.db.session import Sessions
from crm.events import lag
from crm.operators.policy import is_address_allowed

router = APIRouter(tags=["Health"])
HEAD = ScriptDirectory(str(Path(crm.migrations.__file__).parent)).get_current_head()
_LONGEST_LAG = 300.0
_PATIENCE = 3.0
"""Seconds that a part may take to answer; one that hangs is not ready."""
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
    """Database, schema, work that waits too long, and the parts that runtime added; Valkey may be absent."""
    parts = await _check_database(deps.sessions)
    for name, probe in deps.probes.items():
        parts[name] = await _told(probe())
    needed = all(said == "ok" for said in parts.values())
    parts["valkey"] = await _told(deps.valkey.ping())
    status: Literal["ready", "degraded", "unready"] = "ready" if parts["valkey"] == "ok" else "degraded"
    answer = Readiness(status=status if needed else "unready", parts=parts)
    return answer if needed else JSONResponse(answer.model_dump(), 503)  # type: ignore[return-value] # same body, 503


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


async def _check_database(sessions: Sessions) -> dict[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE), sessions() as session:
            version = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
            waiting = await lag.oldest_seconds(session) if version == HEAD else 0.0
    except Exception as error:  # noqa: BLE001 - whatever it is, the database cannot be used
        return {"database": f"cannot be used: {type(error).__name__}"}
    schema = "ok" if version == HEAD else f"is at {version}, this version needs {HEAD}: run siyu migrate"
    late = "ok" if waiting < _LONGEST_LAG else f"the oldest event has waited {waiting:.0f} s: is a worker running?"
    return {"database": "ok", "migrations": schema, "events": late}


async def _told(probe: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await probe
    except Exception as error:  # noqa: BLE001 - a probe may fail in any way; its name and text are the answer
        return str(error) or type(error).__name__
    return "ok"

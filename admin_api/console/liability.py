"""The report on outstanding points."""

from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.pages import formats_of, render, say
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import csv_file
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.db import clock
from crm.operators.permissions import Permission
from crm.points import liability
from crm.points.liability_types import Liability

router = page_router(f"{ROOT}/reports/points-liability")
_READ = allow(Permission.REPORTS_READ)
_CHARTED = 24


@router.get("", dependencies=[_READ], name="report.points_liability_page")
async def liability_page(edge: EdgeOf) -> Response:
    """What members can still spend, when it runs out, and what is expected of it."""
    found = await liability.report(edge.session)
    return await render(edge, "reports/liability", nav="liability", report=found, chart_spec=await _chart(edge, found))


@router.get("/file", dependencies=[_READ], name="report.points_liability_from_page")
async def liability_file(edge: EdgeOf, deps: Deps) -> StreamingResponse:
    """The same as CSV."""
    name = f"points-liability-{(await clock.now(edge.session)):%Y-%m-%d}.csv"
    return csv_file(deps, liability.as_csv, filename=name)


async def _chart(edge: Edge, found: Liability) -> dict[str, Any]:
    formats, shown = await formats_of(edge), found.months[:_CHARTED]
    series = (
        ("Expected to be spent", [item.points - item.expected_breakage for item in shown]),
        ("Expected to run out", [item.expected_breakage for item in shown]),
    )
    return {
        "type": "stack",
        "labels": [formats.month(item.month) for item in shown],
        "series": [{"name": say(edge, name), "values": values} for name, values in series],
    }

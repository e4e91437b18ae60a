"""Reports: what the programme owes its members."""

from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.deps import Deps, EdgeOf
from admin_api.downloads import CSV, csv_file
from admin_api.routing import api_router
from crm.operators.permissions import Permission
from crm.points import liability
from crm.points.liability_types import Liability

router = api_router("/api/v1/reports", "Reports")
_READ = allow(Permission.REPORTS_READ)


@router.get(
    "/points-liability", dependencies=[_READ], name="report.points_liability", summary="Read the points liability"
)
async def read_liability(edge: EdgeOf) -> Liability:
    """Outstanding points by month of expiry, their value, and how much will probably run out unused."""
    return await liability.report(edge.session)


@router.get(
    "/points-liability/file",
    dependencies=[_READ],
    name="report.points_liability_file",
    summary="Download the points liability",
    **CSV,
)
async def liability_file(deps: Deps) -> StreamingResponse:
    """The same as CSV, a line for each month and one for each sum."""
    return csv_file(deps, liability.as_csv, filename="points-liability.csv")

"""Joining two profiles of one person, and taking them apart again."""

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, PageOf
from crm.members import merging, service
from crm.members.types import Merge
from crm.operators.permissions import Permission

router = api_router("/api/v1/members", "Members")
_MERGE = allow(Permission.MEMBERS_MERGE)


class NewMerge(Body):
    """Whose profile goes into this one."""

    drop_member_id: Id


@router.post(
    "/{member_id}/merges", dependencies=[_MERGE], name="merge.create", summary="Merge members", status_code=201
)
async def merge(edge: EdgeOf, member_id: IdPath, body: NewMerge) -> Merge:
    """Joins the other profile into this one; points, tags, history and identities come along."""
    merge_id = await merging.merge(edge.session, member_id, body.drop_member_id, by=edge.acting.actor)
    edge.note("merge.create", f"member:{member_id}", after={"merge_id": merge_id, "dropped": body.drop_member_id})
    return await merging.get(edge.session, merge_id)


@router.get(
    "/{member_id}/merges",
    dependencies=[allow(Permission.MEMBERS_READ)],
    name="merge.list",
    summary="List merges into a member",
)
async def list_merges(edge: EdgeOf, member_id: IdPath) -> PageOf[Merge]:
    """Newest first, undone ones too."""
    await service.get(edge.session, member_id)
    return PageOf(items=await merging.of_member(edge.session, member_id))


@router.post("/merges/{merge_id}/undo", dependencies=[_MERGE], name="merge.undo", summary="Undo a merge")
async def undo(edge: EdgeOf, merge_id: IdPath) -> Merge:
    """Takes the two profiles apart again, as far as nothing else happened since."""
    found = await merging.undo(edge.session, merge_id, by=edge.acting.actor)
    edge.note("merge.undo", f"member:{found.keep_id}", after={"merge_id": merge_id})
    return found

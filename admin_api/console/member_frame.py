"""What every page about one member shows: who it is, where they stand, their tags."""

from typing import Any

from admin_api.addresses import ROOT
from admin_api.api.members import identity_view
from admin_api.edge import Edge
from crm.members import service
from crm.members.types import Member
from crm.operators import service as operators
from crm.operators.permissions import Permission
from crm.profiles import service as profiles
from crm.tags import service as tags
from crm.tickets import service as tickets

HERE = f"{ROOT}/members"


async def framed(edge: Edge, member: Member, tab: str) -> dict[str, Any]:
    """Values of the head and the tabs."""
    ticket = await tickets.find_open(edge.session, member.id) if edge.may(Permission.TICKETS_READ) else None
    found = await service.identities(edge.session, member.id)
    return {
        "member": member,
        "profile": await profiles.get(edge.session, member.id),
        "tags": await tags.of_member(edge.session, member.id),
        "identities": [identity_view(edge, identity) for identity in found],
        "tab": tab,
        "ticket": ticket,
    }


async def actor_names(edge: Edge) -> dict[str, str]:
    """Names of operators by how logs call them, such as `operator:3`; the first two hundred."""
    return {f"operator:{item.id}": item.name for item in await operators.listing(edge.session)}

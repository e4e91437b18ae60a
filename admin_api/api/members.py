"""Members: finding, reading, changing, and what happened to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, IdPath, Limit, PageOf, paged
from crm.bots import service as bots
from crm.consent import service as consent
from crm.consent.types import ConsentStatus
from crm.events.types import RecordedEvent
from crm.kit.paging import Page
from crm.members import history, service
from crm.members.types import Identity, Member, MemberChanges, MemberQuery, MemberStatus, MemberSummary
from crm.operators.permissions import Permission
from crm.profiles import service as profiles
from crm.profiles.types import Profile, Stage
from crm.tags import service as tags
from crm.tags.types import MemberTag

router = api_router("/api/v1/members", "Members")
_READ, _WRITE = allow(Permission.MEMBERS_READ), allow(Permission.MEMBERS_WRITE)
_SHOWN_OF_ADDRESS = 4


class MemberLine(BaseModel):
    """A member in a list; phones are masked."""

    id: int
    display_name: str
    locale: str
    stage: str
    phone_masked: str | None
    points_balance: int
    tags: list[str]
    channels: list[str]
    is_reachable: bool
    orders_count: int
    orders_total: Decimal
    signed_up_at: datetime | None
    last_seen_at: datetime
    is_demo: bool
    created_at: datetime


class IdentityView(BaseModel):
    """A member on one channel account; its address is masked for those who may not reveal personal data."""

    id: int
    bot_id: int
    channel: str
    address: str
    display_name: str
    username: str | None
    is_reachable: bool
    unreachable_reason: str | None
    last_seen_at: datetime
    created_at: datetime


class MemberView(BaseModel):
    """Everything about one member but what personal data is kept sealed."""

    id: int
    display_name: str
    locale: str
    time_zone: str | None
    status: MemberStatus
    merged_into_id: int | None
    stage: Stage
    is_signed_up: bool
    signed_up_at: datetime | None
    birthday: date | None
    """Null for those who may neither reveal nor change members."""
    phone_masked: str | None
    is_phone_verified: bool
    email_masked: str | None
    attributes: dict[str, Any]
    points_balance: int
    tier: str | None
    grade: str | None
    streak: int
    check_ins_count: int
    last_check_in_on: date | None
    orders_count: int
    orders_total: Decimal
    last_order_at: datetime | None
    is_reachable: bool
    tags: list[MemberTag]
    identities: list[IdentityView]
    consents: list[ConsentStatus]
    first_source_id: int | None
    last_source_id: int | None
    is_demo: bool
    created_at: datetime
    last_seen_at: datetime
    version: int


class NewMember(Body):
    """A member whom another system knows, with the account by which a bot reaches them."""

    bot_id: Id
    address: Annotated[str, Field(min_length=1, max_length=200, description="Such as a Telegram chat id.")]
    display_name: Annotated[str, Field(max_length=500)] = ""
    username: Annotated[str, Field(max_length=100)] | None = None
    locale: Annotated[str, Field(max_length=20)] | None = None


class MemberChange(Body):
    """Fields to change; what is left out stays. In `attributes` null removes a key."""

    display_name: Annotated[str, Field(max_length=20_000)] = ""
    locale: Annotated[str, Field(max_length=20)] = ""
    time_zone: Annotated[str, Field(max_length=100)] | None = None
    birthday: date | None = None
    phone: Annotated[str, Field(max_length=50)] = ""
    email: Annotated[str, Field(max_length=320)] = ""
    attributes: Annotated[dict[str, Any], Field(default_factory=dict, max_length=200)]
    expected_version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TagOn(Body):
    """A tag to put on a member."""

    tag: Annotated[str, Field(min_length=1, max_length=200, examples=["likes:oolong"])]


class TagAnswer(BaseModel):
    """The member's tags now."""

    has_changed: bool
    tags: list[MemberTag]


class EventView(BaseModel):
    """Something that happened."""

    id: str
    occurred_at: datetime
    kind: str
    source: str
    data: dict[str, Any]


class Revealed(BaseModel):
    """Personal data in full."""

    phone: str | None
    email: str | None
    attributes: dict[str, Any]
    addresses: dict[str, str]


async def lines(edge: Edge, page: Page[MemberSummary]) -> PageOf[MemberLine]:
    """A page of members with the names of their tags."""
    wanted = {tag_id for item in page.items for tag_id in item.tag_ids}
    names = await tags.labels(edge.session, sorted(wanted))
    return paged(page, lambda item: _line(item, names))


def _line(item: MemberSummary, names: dict[int, str]) -> MemberLine:
    known = [names[tag_id] for tag_id in item.tag_ids if tag_id in names]
    return MemberLine.model_validate({**vars(item), "tags": sorted(known)})


def identity_view(edge: Edge, identity: Identity) -> IdentityView:
    """As this principal may see the identity."""
    shown = identity.address if edge.may(Permission.MEMBERS_REVEAL) else f"***{identity.address[-_SHOWN_OF_ADDRESS:]}"
    return IdentityView.model_validate({**vars(identity), "address": shown})


async def member_view(edge: Edge, member: Member) -> MemberView:
    """The member with profile, tags, identities and consents."""
    profile: Profile = await profiles.get(edge.session, member.id)
    found = await service.identities(edge.session, member.id)
    may_see_birthday = edge.may(Permission.MEMBERS_REVEAL) or edge.may(Permission.MEMBERS_WRITE)
    return MemberView.model_validate(
        {
            **vars(profile),
            **vars(member),
            "birthday": member.birthday if may_see_birthday else None,
            "tags": await tags.of_member(edge.session, member.id),
            "identities": [identity_view(edge, identity) for identity in found],
            "consents": await consent.status(edge.session, member.id),
        }
    )


def event_view(event: RecordedEvent) -> EventView:
    """As the API shows an event."""
    return EventView(
        id=str(event.id), occurred_at=event.occurred_at, kind=event.kind, source=event.source, data=event.data
    )


async def find_tag(edge: Edge, tag: str) -> int:
    """The tag's id; one that does not exist matches nobody. Raises InvalidTag."""
    found = await tags.find(edge.session, tag)
    return found.id if found else 0


@router.get("", dependencies=[_READ], name="member.list", summary="Find members")
async def list_members(  # noqa: PLR0917 - each is a filter of the address
    edge: EdgeOf,
    query: Annotated[str, Query(max_length=200, description="Part of a name, a phone, a channel address.")] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    stage: Stage | None = None,
    channel: Annotated[str | None, Query(max_length=50)] = None,
    source_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[MemberLine]:
    """Active members, newest first."""
    wanted = MemberQuery(
        query=query,
        tag=await find_tag(edge, tag) if tag else None,
        stage=stage,
        channel=channel,
        source_id=source_id,
        limit=limit,
        cursor=cursor,
    )
    return await lines(edge, await service.page(edge.session, wanted))


@router.post("", dependencies=[_WRITE], name="member.create", summary="Make a member known", status_code=201)
async def create_member(edge: EdgeOf, body: NewMember) -> MemberView:
    """Makes a lead with one identity; who is known already is answered as they are."""
    bot = await bots.get(edge.session, body.bot_id)
    contact = await service.ensure_identity(
        edge.session,
        bot_id=bot.id,
        channel=bot.channel,
        address=body.address,
        display_name=body.display_name,
        username=body.username,
        locale_hint=body.locale,
        revives=False,
    )
    edge.note("member.create", f"member:{contact.member.id}", after={"is_new": contact.is_new})
    return await member_view(edge, contact.member)


@router.get("/{member_id}", dependencies=[_READ], name="member.read", summary="Read a member")
async def read_member(edge: EdgeOf, member_id: IdPath) -> MemberView:
    """Profile, tags, identities, consents; phone and email are masked."""
    return await member_view(edge, await service.get(edge.session, member_id))


@router.patch("/{member_id}", dependencies=[_WRITE], name="member.change", summary="Change a member")
async def change_member(edge: EdgeOf, member_id: IdPath, body: MemberChange) -> MemberView:
    """All of it or nothing. With `expected_version` it is refused when somebody else changed the member meanwhile."""
    member = await apply_change(edge, member_id, body)
    return await member_view(edge, member)


async def apply_change(edge: Edge, member_id: int, body: MemberChange) -> Member:
    """Change what the body names. Raises what `members.service` raises."""
    by, given = edge.acting.actor, body.model_fields_set
    plain = {name: getattr(body, name) for name in ("display_name", "locale", "time_zone", "birthday") if name in given}
    changes = MemberChanges(**plain, attributes=body.attributes)
    member = await service.change(edge.session, member_id, changes, by=by, expected_version=body.expected_version)
    if "phone" in given:
        member = await service.set_phone(edge.session, member_id, body.phone, is_verified=False, by=by)
    if "email" in given:
        member = await service.set_email(edge.session, member_id, body.email, by=by)
    fields = sorted((given - {"attributes", "expected_version"}) | set(body.attributes))
    edge.note("member.change", f"member:{member_id}", after={"fields": fields})
    return member


@router.post(
    "/{member_id}/reveal",
    dependencies=[allow(Permission.MEMBERS_REVEAL)],
    name="member.reveal",
    summary="Reveal personal data",
)
async def reveal(edge: EdgeOf, member_id: IdPath) -> Revealed:
    """Phone, email and personal attributes in full; who asked is written down."""
    await service.get(edge.session, member_id)
    found = await service.identities(edge.session, member_id)
    edge.note("member.reveal", f"member:{member_id}")
    return Revealed(
        phone=await service.phone(edge.session, member_id),
        email=await service.email(edge.session, member_id),
        attributes=await service.personal_attributes(edge.session, member_id),
        addresses={f"{identity.channel}:{identity.id}": identity.address for identity in found},
    )


@router.post("/{member_id}/tags", dependencies=[_WRITE], name="member.add_tag", summary="Put a tag on a member")
async def add_tag(edge: EdgeOf, member_id: IdPath, body: TagOn) -> TagAnswer:
    """A new tag is made; an archived one is put on nobody."""
    await service.get(edge.session, member_id)
    has_changed = await tags.add(edge.session, member_id, body.tag, source="operator", source_ref=edge.acting.actor)
    edge.note("member.add_tag", f"member:{member_id}", after={"tag": body.tag})
    return TagAnswer(has_changed=has_changed, tags=await tags.of_member(edge.session, member_id))


@router.delete("/{member_id}/tags", dependencies=[_WRITE], name="member.remove_tag", summary="Take a tag off a member")
async def remove_tag(edge: EdgeOf, member_id: IdPath, tag: Annotated[str, Query(max_length=200)]) -> TagAnswer:
    """Whoever does not carry it stays as they are."""
    await service.get(edge.session, member_id)
    has_changed = await tags.remove(edge.session, member_id, tag, source="operator")
    edge.note("member.remove_tag", f"member:{member_id}", before={"tag": tag})
    return TagAnswer(has_changed=has_changed, tags=await tags.of_member(edge.session, member_id))


@router.get("/{member_id}/timeline", dependencies=[_READ], name="member.timeline", summary="Read what happened")
async def read_timeline(
    edge: EdgeOf,
    member_id: IdPath,
    kind: Annotated[list[str] | None, Query(max_length=50)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[EventView]:
    """Every event of the member, newest first; those of profiles that were merged in are among them."""
    page = await history.timeline(edge.session, member_id, kinds=kind or (), limit=limit, cursor=cursor)
    return paged(page, event_view)

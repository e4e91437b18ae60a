"""API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, Moment, PageOf, page_from
from crm.kit.paging import decode_cursor
from crm.operators import api_keys
from crm.operators.permissions import EVERY_SCOPE, Permission
from crm.operators.types import ApiKey

router = api_router("/api/v1/api-keys", "API keys")
_READ = allow(Permission.API_KEYS_READ)
_WRITE = allow(Permission.API_KEYS_WRITE, sensitive=True)


class ApiKeyView(BaseModel):
    """A key without its secret; `hint` is how it begins."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    allowed_ips: list[str]
    created_by: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None


class NewApiKey(Body):
    """What a key may do, from where and until when."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: Annotated[list[str], Field(min_length=1, max_length=100, examples=[["members:read"], [EVERY_SCOPE]])]
    expires_at: Moment | None = None
    allowed_ips: Annotated[list[str], Field(default_factory=list, max_length=100, examples=[["10.0.0.0/8"]])]


class IssuedApiKeyView(ApiKeyView):
    """A new key with its secret, shown this one time."""

    secret: str


def api_key_view(key: ApiKey) -> ApiKeyView:
    """As the API shows a key."""
    return ApiKeyView.model_validate(vars(key))


@router.get("", dependencies=[_READ], name="api_key.list", summary="List API keys")
async def list_keys(edge: EdgeOf, limit: Limit = 50, cursor: Cursor = None) -> PageOf[ApiKeyView]:
    """Newest first, revoked ones too."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = await api_keys.listing(edge.session, before_id=before, limit=limit + 1)
    return page_from(found, limit, api_key_view, lambda key: (key.id,))


@router.post("", dependencies=[_WRITE], name="api_key.create", summary="Make an API key", status_code=201)
async def create_key(edge: EdgeOf, body: NewApiKey) -> IssuedApiKeyView:
    """Nobody can give a key more than they may do themselves."""
    issued = await api_keys.create(
        edge.session,
        name=body.name,
        scopes=body.scopes,
        granting=edge.acting.permissions,
        expires_at=body.expires_at,
        allowed_ips=body.allowed_ips,
        created_by=edge.acting.operator_id,
    )
    edge.note("api_key.create", f"api_key:{issued.api_key.id}", after={"scopes": issued.api_key.scopes})
    return IssuedApiKeyView(**api_key_view(issued.api_key).model_dump(), secret=issued.secret)


@router.get("/{api_key_id}", dependencies=[_READ], name="api_key.read", summary="Read an API key")
async def read_key(edge: EdgeOf, api_key_id: IdPath) -> ApiKeyView:
    """One key."""
    return api_key_view(await api_keys.get(edge.session, api_key_id))


@router.post("/{api_key_id}/revoke", dependencies=[_WRITE], name="api_key.revoke", summary="Revoke an API key")
async def revoke_key(edge: EdgeOf, api_key_id: IdPath) -> ApiKeyView:
    """Ends it at once; a second time changes nothing."""
    key = await api_keys.revoke(edge.session, api_key_id)
    edge.note("api_key.revoke", f"api_key:{api_key_id}")
    return api_key_view(key)

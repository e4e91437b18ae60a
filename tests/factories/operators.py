"""Operators and API keys for tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.ids import token
from crm.operators import api_keys, service
from crm.operators.permissions import EVERY_SCOPE, Permission, Role
from crm.operators.types import Operator

PASSWORD = "tulip anchor mosaic 7"


async def make_operator(
    session: AsyncSession, *, role: Role = Role.OWNER, email: str | None = None, name: str = "Lin", locale: str = "en"
) -> Operator:
    """An active operator whose password is `PASSWORD`."""
    address = email or f"{token(size=6).lower().replace('_', 'a').replace('-', 'b')}@shop.example"
    return await service.create(session, email=address, name=name, role=role, password=PASSWORD, locale=locale)


async def make_api_key(session: AsyncSession, *scopes: str) -> str:
    """The secret of a new key; without scopes it may do everything."""
    wanted = list(scopes) or [EVERY_SCOPE]
    issued = await api_keys.create(session, name="Till", scopes=wanted, granting=frozenset(Permission))
    return issued.secret

"""Chats that belong to operators, proved by a code that is typed there; test sends go to them."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.members import service as members
from crm.operators.errors import ChatCodeWrongError, LinkedChatNotFoundError
from crm.operators.models import ChatCodeRow, OperatorIdentityRow, OperatorRow
from crm.operators.policy import CHAT_CODE_VALID
from crm.operators.tokens import digest, new_chat_code, normal_chat_code
from crm.operators.types import ChatCode, ChatLinked, LinkedIdentity, OperatorStatus


async def issue_code(session: AsyncSession, operator_id: int) -> ChatCode:
    """A code that the operator is to type in a chat within ten minutes; an earlier one ends."""
    code, expires_at = new_chat_code(), await clock.now(session) + CHAT_CODE_VALID
    values = {"code_hash": digest(code), "expires_at": expires_at}
    statement = insert(ChatCodeRow).values(operator_id=operator_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["operator_id"], set_=values))
    return ChatCode(code, expires_at)


async def redeem_code(session: AsyncSession, member_id: int, code: str, *, identity_id: int) -> ChatLinked:
    """What the bot does with a typed code: the chat becomes one of the operator's. Raises ChatCodeWrongError.

    A code works once. `member_id` is who typed it; the chat itself is the identity.
    """
    del member_id
    now = await clock.now(session)
    used = delete(ChatCodeRow).where(ChatCodeRow.code_hash == digest(normal_chat_code(code)))
    found = await session.execute(used.returning(ChatCodeRow.operator_id, ChatCodeRow.expires_at))
    row = found.one_or_none()
    operator = None if row is None or row.expires_at <= now else await session.get(OperatorRow, row.operator_id)
    if operator is None or operator.status != OperatorStatus.ACTIVE:
        raise ChatCodeWrongError
    link = insert(OperatorIdentityRow).values(operator_id=operator.id, identity_id=identity_id, linked_at=now)
    await session.execute(link.on_conflict_do_nothing())
    return ChatLinked(operator.name)


async def linked(session: AsyncSession, operator_id: int) -> list[LinkedIdentity]:
    """The operator's chats, the one linked last first."""
    query = select(OperatorIdentityRow).where(OperatorIdentityRow.operator_id == operator_id)
    rows = (await session.scalars(query.order_by(OperatorIdentityRow.linked_at.desc()))).all()
    chats = []
    for row in rows:
        identity = await members.identity(session, row.identity_id)
        chats.append(
            LinkedIdentity(
                identity_id=identity.id,
                member_id=identity.member_id,
                bot_id=identity.bot_id,
                channel=identity.channel,
                display_name=identity.display_name,
                linked_at=row.linked_at,
            )
        )
    return chats


async def unlink(session: AsyncSession, operator_id: int, identity_id: int) -> None:
    """Send no more tests to this chat. Raises LinkedChatNotFoundError."""
    statement = delete(OperatorIdentityRow).where(
        OperatorIdentityRow.operator_id == operator_id, OperatorIdentityRow.identity_id == identity_id
    )
    gone = await session.execute(statement.returning(OperatorIdentityRow.identity_id))
    if gone.scalar_one_or_none() is None:
        raise LinkedChatNotFoundError
